package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/internal/wire"
)

// One Chromium for the package, started by the first test that needs it; each
// person has a browser context of its own, which is a profile without history
// or cookies.
var chromium struct {
	once sync.Once
	ctx  context.Context
	err  error
}

func browser(t testing.TB) context.Context {
	t.Helper()
	chromium.once.Do(func() {
		path, err := findChromium()
		if err != nil {
			chromium.err = err
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
			chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
			chromedp.Flag("disable-dev-shm-usage", true))
		allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
		chromium.ctx, _ = chromedp.NewContext(allocator)
		chromium.err = chromedp.Do(chromium.ctx, chromedp.Navigate("about:blank"))
	})
	if chromium.err != nil {
		t.Fatalf("no browser: %v", chromium.err)
	}
	return chromium.ctx
}

// closeBrowser ends the browser after the last test.
func closeBrowser() {
	if chromium.ctx != nil {
		_ = chromedp.Cancel(chromium.ctx) // it has nothing left to lose
	}
}

func findChromium() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	// the shell has no windows to draw and takes half the work
	for _, name := range []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser",
		"google-chrome", "google-chrome-stable", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("chromium is not installed: run scripts/setup, or set CHROMIUM")
}

// tab is one tab of a person's browser.
type tab struct {
	t   testing.TB
	ctx context.Context
	URL string
}

// open opens a fresh browser, without log-in, at width pixels.
func openBrowser(t testing.TB, url string, width int64) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser(t), chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t, ctx, url}
	b.do(chromedp.EmulateViewport(width, 900))
	return b
}

// another opens a second tab of the same person.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	return &tab{b.t, ctx, b.URL}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	// the first command of a context owns the tab, so the limit is not on it
	done := make(chan error, 1)
	go func() { done <- chromedp.Do(b.ctx, actions...) }()
	select {
	case err := <-done:
		if err != nil {
			b.t.Fatalf("browser: %v", err)
		}
	case <-time.After(30 * time.Second):
		b.shoot("stuck")
		b.t.Fatal("browser: no answer in 30 s")
	}
}

func (b *tab) goTo(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.URL + path))
}

// logIn fills the log-in form as a person does.
func (b *tab) logIn(email string) {
	b.t.Helper()
	b.goTo("/login")
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=email]"), email),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), demoPassword))
	b.click("main button[type=submit]")
	b.see("the page after log-in", "document.querySelector('#account-menu') !== null")
}

// click presses an element as a hand does: again when nothing came of it. A page
// that has not been painted yet swallows clicks, and on a busy machine a test is
// quicker than the paint.
func (b *tab) click(selector string) {
	b.t.Helper()
	for range 100 {
		eval[bool](b, `(() => {
			window.awaitsClick = true
			document.addEventListener('click', () => { window.awaitsClick = false }, { capture: true, once: true })
			return true
		})()`)
		b.do(chromedp.Click(chromedp.CSS(selector)))
		unheard, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](
			"window.awaitsClick && new Promise((done) => setTimeout(() => done(window.awaitsClick), 50))",
			chromedp.EvalAwaitPromise))
		if err != nil || !unheard { // an error: the click has led to another page
			return
		}
	}
	b.t.Fatalf("browser: nothing hears a click on %s", selector)
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.see("the field "+selector, fmt.Sprintf("document.querySelector(%q) !== null", selector))
	eval[bool](b, fmt.Sprintf("(() => { const f = document.querySelector(%q); f.focus(); f.select(); return true })()",
		selector))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// eval returns the value of a JavaScript expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("browser: %s: %v", expression, err)
	}
	return v
}

// see waits until a condition holds on the page, looking again at every change
// of it. It survives a navigation in between.
func (b *tab) see(what, condition string) {
	b.t.Helper()
	script := `new Promise((yes, no) => {
		const holds = () => { try { return ` + condition + ` } catch { return false } }
		if (holds()) return yes(true)
		const o = new MutationObserver(() => { if (holds()) { o.disconnect(); yes(true) } })
		o.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
		setTimeout(() => { o.disconnect(); no(new Error('not seen')) }, 30000)
	})`
	deadline := time.Now().Add(32 * time.Second)
	for {
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
		if err == nil {
			return
		}
		// a navigation destroys the promise with its page: ask the next page
		if time.Now().After(deadline) || strings.Contains(err.Error(), "not seen") {
			b.shoot(what)
			shown, _ := chromedp.Run(b.ctx,
				chromedp.Evaluate[string]("location.href + ': ' + document.body.innerText.slice(0, 1000)"))
			b.t.Fatalf("never seen: %s (%s): %v\non %s", what, condition, err, shown)
		}
	}
}

// status waits until a badge on the page shows a status.
func (b *tab) status(region, want string) {
	b.t.Helper()
	b.see(region+" "+want, fmt.Sprintf("document.querySelector(%q).dataset.status === %q", region+" [data-status]", want))
}

// connected waits until live updates run.
func (b *tab) connected() {
	b.t.Helper()
	b.see("live updates", "document.documentElement.dataset.live === 'open'")
}

// mark leaves a mark that a reload would wipe out; unmarked fails if it did.
func (b *tab) mark() { eval[bool](b, "window.notReloaded = true") }

func (b *tab) stillMarked() {
	b.t.Helper()
	if !eval[bool](b, "window.notReloaded === true") {
		b.t.Error("the page was reloaded")
	}
}

// shoot keeps a picture of the page of a failing test, where PORTAL_SHOTS says.
func (b *tab) shoot(name string) {
	dir := os.Getenv("PORTAL_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("no picture: %v", err)
		return
	}
	file := filepath.Join(dir, strings.NewReplacer("/", "-", " ", "-", "#", "").Replace(b.t.Name()+"-"+name)+".png")
	if err := os.WriteFile(file, png, 0o644); err != nil {
		b.t.Logf("no picture: %v", err)
	}
}

// Buyer's page and desk side by side, all the way: log in, put into the cart,
// send, work it at the desk; each page changes in place.
func TestBrowserMainJob(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	desk := openBrowser(t, s.URL, 1280)
	desk.logIn("desk@demo.example")
	desk.goTo("/desk/orders")
	desk.connected()
	desk.mark()

	buyer := openBrowser(t, s.URL, 1280)
	buyer.logIn("buyer@c1003.example")
	buyer.goTo("/catalog")
	buyer.connected()
	buyer.click("#item-OIL5 form.add button[type=submit]")
	buyer.see("the cart in the frame", "document.querySelector('#frame-cart .count').textContent === '1'")
	buyer.goTo("/cart")
	buyer.fill("#f-po_no", "PO-4711")
	buyer.click("#submit-form button[type=submit]")
	buyer.see("the order's page", "location.pathname.startsWith('/orders/SO-')")
	orderNo := strings.TrimPrefix(eval[string](buyer, "location.pathname"), "/orders/")
	buyer.connected()
	buyer.mark()
	buyer.status("#order-status", "SUBMITTED")

	desk.see("the order in the queue", fmt.Sprintf("document.body.innerText.includes(%q)", orderNo))
	desk.stillMarked()
	desk.goTo("/desk/orders/" + orderNo)
	desk.see("the button Approve", "document.querySelector('#move-APPROVED button') !== null")
	desk.click("#move-APPROVED button")
	buyer.status("#order-status", "APPROVED")
	desk.see("the button Start picking", "document.querySelector('#move-PICKING button') !== null")
	desk.click("#move-PICKING button")
	buyer.status("#order-status", "PICKING")
	desk.see("the field for the tracking number", "document.querySelector('#f-tracking_no') !== null")
	desk.fill("#f-tracking_no", "1Z999AA10123456784")
	desk.click("#desk-fulfil button.btn-primary")
	buyer.status("#order-status", "SHIPPED")
	buyer.see("the tracking number", "document.querySelector('#shipments').innerText.includes('1Z999AA10123456784')")
	desk.see("the button Delivered", "document.querySelector('#move-DELIVERED button') !== null")
	desk.click("#move-DELIVERED button")
	buyer.status("#order-status", "DELIVERED")
	buyer.see("five steps done", "document.querySelectorAll('#order-status .timeline time').length === 5")
	buyer.see("the announcement", "document.querySelector('#announce').textContent.includes('Delivered')")
	buyer.stillMarked()
}

// Plain SQL moves the badge of an open list and an open order, and a price, a
// stock figure and a new item change in an open catalogue.
func TestBrowserPlainSQL(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	orderNo := s.buyer("C1003").order("OIL5", "2")
	eventually(t, "approved", func() bool {
		return pgtest.Value[string](t, s.db,
			"select status from erp.sales_order where order_no = '"+orderNo+"'") == "APPROVED"
	})
	list := openBrowser(t, s.URL, 360)
	list.logIn("buyer@c1003.example")
	list.goTo("/orders")
	catalog := list.another()
	catalog.goTo("/catalog")
	for _, b := range []*tab{list, catalog} {
		b.connected()
		b.mark()
	}
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'PICKING' where order_no = '"+orderNo+"'")
	list.status("#order-"+orderNo, "PICKING")

	pgtest.Exec(t, s.db, "update erp.item set price_c = 26.50 where item_no = 'OIL5'")
	catalog.see("the new price", "document.querySelector('#item-OIL5 .price').textContent === '26.50'")
	pgtest.Exec(t, s.db,
		"update erp.stock set on_hand = allocated + 3 where item_id = (select item_id from erp.item where item_no = 'OIL5')")
	catalog.see("the new stock", "document.querySelector('#item-OIL5 .stock').textContent.startsWith('3 ')")
	pgtest.Exec(t, s.db, "insert into erp.item (item_no, description, price_a) values ('NEW1', 'Brand new item', 3)")
	catalog.see("the new item", "document.querySelector('#item-NEW1') !== null")
	pgtest.Exec(t, s.db, "update erp.item set active = false where item_no = 'SALT1'")
	catalog.see("the withdrawn item gone", "document.querySelector('#item-SALT1') === null")
	pgtest.Exec(t, s.db, "update erp.web_access set can_order = false")
	catalog.see("nothing to order with", "document.querySelector('form.add') === null")
	for _, b := range []*tab{list, catalog} {
		b.stillMarked()
		if wide := eval[int](b, "document.documentElement.scrollWidth"); b == list && wide > 360 {
			t.Errorf("the page is %s px wide on a phone of 360", strconv.Itoa(wide))
		}
	}
}

// A page that was cut off for three steps says so, and then shows them.
func TestBrowserOffline(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	orderNo := s.buyer("C1003").order("OIL5", "2")
	eventually(t, "approved", func() bool {
		return pgtest.Value[string](t, s.db,
			"select status from erp.sales_order where order_no = '"+orderNo+"'") == "APPROVED"
	})
	network := wire.New(t, "tcp", strings.TrimPrefix(s.URL, "http://"))
	b := openBrowser(t, "http://"+network.Addr, 1280)
	b.logIn("buyer@c1003.example")
	b.goTo("/orders/" + orderNo)
	b.connected()
	b.mark()
	network.Cut()
	for _, status := range []string{"PICKING", "SHIPPED", "DELIVERED"} {
		pgtest.Exec(t, s.db, "update erp.sales_order set status = '"+status+"' where order_no = '"+orderNo+"'")
	}
	b.see("the banner", "!document.querySelector('#live-banner').hidden")
	b.status("#order-status", "APPROVED")
	network.Mend()
	b.status("#order-status", "DELIVERED")
	b.see("five steps", "document.querySelectorAll('#order-status .timeline time').length === 5")
	b.connected()
	b.stillMarked()
}

// Two customers never hear of each other; the log-out of one tab ends the
// other tab of the same person, and nobody else's.
func TestBrowserTwoCustomers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	his := openBrowser(t, s.URL, 1280)
	his.logIn("buyer@c1001.example")
	his.goTo("/orders")
	his.connected()
	his.mark()
	eval[bool](his,
		`(() => { window.heard = ''; new MutationObserver(() => { window.heard += document.querySelector('#announce').textContent })
		.observe(document.querySelector('#announce'), { childList: true, subtree: true, characterData: true }); return true })()`)

	hers := openBrowser(t, s.URL, 1280)
	hers.logIn("buyer@c1002.example")
	hers.goTo("/orders")
	hers.connected()
	hers.mark()
	orderNo := s.buyer("C1002").order("OIL5", "1")
	hers.see("her order", fmt.Sprintf("document.querySelector('#orders').innerText.includes(%q)", orderNo))
	mine := s.buyer("C1001").order("RICE25", "1")
	his.see("his order", fmt.Sprintf("document.querySelector('#orders').innerText.includes(%q)", mine))
	if text := eval[string](his, "window.heard + document.body.innerText"); strings.Contains(text, orderNo) {
		t.Errorf("his page speaks of %s", orderNo)
	}

	second := his.another()
	second.goTo("/catalog")
	second.connected()
	his.do(chromedp.Click(chromedp.CSS("#account-menu summary")))
	his.click("#account-menu form[action='/logout'] button")
	his.see("the log-in form", "location.pathname === '/login'")
	second.see("the log-in form in the other tab", "location.pathname === '/login'")
	hers.connected()
	hers.stillMarked()
}
