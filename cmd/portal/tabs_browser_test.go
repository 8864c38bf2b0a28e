package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
)

// probe counts a page's sockets and fetches and shortens its time limits.
const probe = `
	window.liveLimits = { tick: 100, overlap: 100, answer: 500, rolls: 400 }
	window.sockets = []
	window.heard = ''
	window.WebSocket = class extends WebSocket {
		constructor(url) {
			super(url)
			sockets.push(this)
			this.addEventListener('message', (e) => { window.heard += e.data })
		}
	}
	window.looks = 0
	const plain = window.fetch
	window.fetch = (url, o) => { if (o?.headers?.['X-Live']) window.looks++; return plain(url, o) }
	if (window.BroadcastChannel) window.BroadcastChannel = class extends BroadcastChannel {
		constructor(name) {
			super(name)
			this.addEventListener('message', (e) => { window.heard += JSON.stringify(e.data) })
		}
	}
`

// probed has every page that the tab opens run a script first.
func (b *tab) probed(script string) *tab {
	b.t.Helper()
	b.do(chromedp.Navigate("about:blank"))
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument,
		page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		b.t.Fatal(err)
	}
	return b
}

func (b *tab) until(what, condition string) {
	b.t.Helper()
	eventually(b.t, what, func() bool { return eval[bool](b, condition) })
}

const hasSocket = "sockets.some((s) => s.readyState === 1)"

func (s *site) sockets(n int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d sockets", n), func() bool {
		return strings.Contains(s.metrics().body, fmt.Sprintf("\nportal_live_sockets %d\n", n))
	})
}

// hide and show are what the browser tells a page when its tab is left and
// taken up again; without a window, it never does.
const (
	hide = "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true }); " +
		"document.dispatchEvent(new Event('visibilitychange')); true"
	show = "delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange')); true"
)

// Three tabs of one person share a socket and all follow. It is with a tab that
// is seen. The one that has it closes, and another hangs later on: nothing that
// is committed meanwhile is missed, and no page is fetched for nothing.
func TestBrowserTabsShareOneSocket(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	orderNo := s.buyer("C1003").order("OIL5", "2")
	eventually(t, "approved", func() bool {
		return pgtest.Value[string](t, s.db,
			"select status from erp.sales_order where order_no = '"+orderNo+"'") == "APPROVED"
	})
	first := openBrowser(t, s.URL, 1280).probed(probe)
	first.logIn("buyer@c1003.example")
	first.goTo("/cart")
	first.connected()
	order, catalog := first.another().probed(probe), first.another().probed(probe)
	order.goTo("/orders/" + orderNo)
	catalog.goTo("/catalog")
	s.sockets(1)
	if !eval[bool](first, hasSocket) {
		t.Error("the tab that was there first does not have the socket")
	}
	for _, b := range []*tab{order, catalog} {
		b.connected()
		b.mark()
	}
	looks := eval[int](order, "looks")
	step := 0
	change := func(status string) (seen func()) {
		step++
		price := fmt.Sprintf("26.%02d", step)
		pgtest.Exec(t, s.db, "update erp.sales_order set status = '"+status+"' where order_no = '"+orderNo+"'")
		pgtest.Exec(t, s.db, "update erp.item set price_c = "+price+" where item_no = 'OIL5'")
		return func() {
			t.Helper()
			order.status("#order-status", status)
			catalog.see("the price of "+status, "document.querySelector('#item-OIL5 .price').textContent === '"+price+"'")
		}
	}
	change("PICKING")()

	eval[bool](first, hide)
	first.until("the socket given away", "!("+hasSocket+")")
	s.sockets(1)
	led, other := order, catalog
	if eval[bool](catalog, hasSocket) {
		led, other = catalog, order
	}
	change("APPROVED")()
	if more := eval[int](order, "looks") - looks; more != 2 {
		t.Errorf("the page of the order was fetched %d times for two changes", more)
	}

	// Who leads now falls silent, as a frozen tab would.
	eval[bool](led, "window.post = BroadcastChannel.prototype.postMessage; BroadcastChannel.prototype.postMessage = () "+
		"=> {}; true")
	seen := change("PICKING")
	eval[bool](other, show)
	seen()
	other.until("a socket taken", hasSocket)
	last := other.another().probed(probe)
	last.goTo("/orders/" + orderNo)
	s.sockets(2) // that of the silent one, which will hear that it leads no more, and that of all others
	eval[bool](led, "BroadcastChannel.prototype.postMessage = window.post; true")
	eval[bool](led, show)

	// Who leads now goes while something happens.
	s.sockets(1)
	gone := make(chan error, 1)
	go func() {
		gone <- chromedp.Do(other.ctx, chromedp.Navigate(s.URL+eval[string](other, "location.pathname")))
	}()
	seen = change("SHIPPED")
	if err := <-gone; err != nil {
		t.Fatal(err)
	}
	seen()
	last.status("#order-status", "SHIPPED")
	s.sockets(1)
	for _, b := range []*tab{order, catalog, last} {
		b.connected()
	}
	led.stillMarked()

	// What other tabs show and who leads makes no page look again.
	eval[bool](order, hide)
	order.until("no socket at a page that is not seen", "!("+hasSocket+")")
	looks = eval[int](order, "looks")
	pgtest.Exec(t, s.db, "update erp.item set price_c = 26.90 where item_no = 'OIL5'")
	catalog.see("the last price", "document.querySelector('#item-OIL5 .price').textContent === '26.90'")
	led = last
	if eval[bool](catalog, hasSocket) {
		led = catalog
	}
	led.goTo("/healthz")
	s.sockets(1)
	eval[bool](order, show)
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'DELIVERED' where order_no = '"+orderNo+"'")
	order.status("#order-status", "DELIVERED")
	if more := eval[int](order, "looks") - looks; more != 1 {
		t.Errorf("fetched %d times for one change", more)
	}
}

// Who logs in after somebody else in one browser hears nothing of them, and a
// page of theirs that the browser still had shows nothing of the new log-in
// before it is a page of it.
func TestBrowserTabsOfTwoLogIns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := openBrowser(t, s.URL, 1280).probed(probe)
	first.logIn("buyer@c1001.example")
	kept := first.another().probed(probe)
	kept.goTo("/orders")
	kept.connected()
	eval[bool](kept, "dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); true")
	first.do(chromedp.Click(chromedp.CSS("#account-menu summary")))
	first.click("#account-menu form[action='/logout'] button")
	first.see("the log-in form", "location.pathname === '/login'")
	first.logIn("buyer@c1002.example")
	first.goTo("/orders")
	first.connected()

	if a := s.buyer("C1001").page("/live?session=1000000"); a.status != http.StatusUnauthorized {
		t.Errorf("a socket for a page of another session: %d", a.status)
	}
	theirs := s.buyer("C1001").order("RICE25", "1")
	hers := s.buyer("C1002").order("OIL5", "1")
	first.see("her order", fmt.Sprintf("document.querySelector('#orders').innerText.includes(%q)", hers))
	if strings.Contains(eval[string](first, "heard + document.body.innerText"), theirs) {
		t.Errorf("her page hears of %s", theirs)
	}
	eval[bool](kept, `(() => {
		addEventListener('pagehide', () => { localStorage.setItem('kept', document.body.innerText + window.heard) })
		dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
		return true
	})()`)
	kept.see("the page anew", fmt.Sprintf("document.querySelector('#orders').innerText.includes(%q)", hers))
	if was := eval[string](kept, "localStorage.getItem('kept')"); was == "" || strings.Contains(was, hers) {
		t.Errorf("the old page showed: %s", was)
	}
	s.sockets(1)
}

// A browser that can share nothing has a socket for each page. A page that
// nobody sees is fetched once, when it is seen; a connection that is dead
// without having ended is found when the machine wakes up; a page out of the
// browser's cache is as true as a fresh one.
func TestBrowserSleepingPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	orderNo := s.buyer("C1003").order("OIL5", "2")
	eventually(t, "approved", func() bool {
		return pgtest.Value[string](t, s.db,
			"select status from erp.sales_order where order_no = '"+orderNo+"'") == "APPROVED"
	})
	move := func(status string) {
		pgtest.Exec(t, s.db, "update erp.sales_order set status = '"+status+"' where order_no = '"+orderNo+"'")
	}
	const old = "delete window.BroadcastChannel; Object.defineProperty(Navigator.prototype, 'locks', { value: " +
		"undefined });"
	b := openBrowser(t, s.URL, 1280).probed(old + probe)
	b.logIn("buyer@c1003.example")
	b.goTo("/orders/" + orderNo)
	other := b.another().probed(old + probe)
	other.goTo("/orders/" + orderNo)
	for _, b := range []*tab{b, other} {
		b.connected()
		b.mark()
	}
	s.sockets(2)

	eval[bool](b, hide)
	looks := eval[int](b, "looks")
	for _, status := range []string{"PICKING", "APPROVED", "PICKING"} {
		move(status)
		other.status("#order-status", status)
	}
	b.until("three events heard", "heard.split('"+orderNo+"').length > 3")
	if n := eval[int](b, "looks - "+fmt.Sprint(looks)+" + document.querySelectorAll('.toast-note').length"); n != 0 {
		t.Error("a page that nobody sees is fetched or speaks")
	}
	eval[bool](b, show)
	b.status("#order-status", "PICKING")
	b.until("one toast", "document.querySelectorAll('.toast-note').length === 1")
	if n := eval[int](b, "looks") - looks; n != 1 {
		t.Errorf("fetched %d times when seen", n)
	}

	// nothing comes through any more, and nothing says so
	eval[bool](b, "sockets.forEach((s) => { s.onmessage = s.onclose = null }); true")
	move("SHIPPED")
	other.status("#order-status", "SHIPPED")
	eval[bool](b, "(() => { const was = Date.now; Date.now = () => was.call(Date) + 60_000; return true })()")
	b.status("#order-status", "SHIPPED")

	eval[bool](b, "dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); true")
	s.sockets(1)
	move("DELIVERED")
	other.status("#order-status", "DELIVERED")
	b.status("#order-status", "SHIPPED")
	eval[bool](b, "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })); true")
	b.status("#order-status", "DELIVERED")
	b.connected()
	b.stillMarked()
	fresh, now := other, eval[string](b, "document.querySelector('main').innerText")
	fresh.goTo("/orders/" + orderNo)
	if want := eval[string](fresh, "document.querySelector('main').innerText"); now != want {
		t.Errorf("the page shows\n%s\nand a fresh one\n%s", now, want)
	}
}
