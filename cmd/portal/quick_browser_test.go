package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"portal.example/portal/internal/pgtest"
)

// keys types on the keyboard, where the focus is.
func (b *tab) keys(text string) {
	b.t.Helper()
	for _, k := range text {
		b.do(chromedp.KeyEvent(string(k)))
	}
}

// amount waits until a row of the quick order shows an amount.
func (b *tab) amount(row int, want string) {
	b.t.Helper()
	b.see(fmt.Sprintf("%s in row %d", want, row),
		fmt.Sprintf("document.querySelectorAll('#quick-rows tr')[%d].querySelector('.amount').textContent === %q", row-1,
			want))
}

// Ten lines by keyboard alone, in less than a minute; then one is wrong, and
// stays to be mended while the rest goes into the cart.
func TestBrowserQuickOrder(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	// codes too short for a scanner's
	pgtest.Exec(t, s.db,
		"insert into erp.item (item_no, description, price_a) select 'Q' || n, 'Item ' || n, n from generate_series(1, 9) n")
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1003.example")
	b.goTo("/quick-order")
	b.connected()
	b.mark()

	start := time.Now()
	for n := 1; n <= 9; n++ {
		b.keys(fmt.Sprint("q", n))
		b.keys(kb.Enter)
		b.keys(fmt.Sprint(n))
		b.keys(kb.Enter)
	}
	b.keys("oil5" + kb.Enter + "12" + kb.Enter)
	b.amount(9, "81.00")
	b.amount(10, "280.80")
	b.see("ten lines ready", "document.querySelector('#quick-state').textContent === '10 lines ready'")
	t.Logf("ten lines by keyboard in %s", time.Since(start).Round(time.Millisecond))

	// a quantity changes, and the price with it
	eval[bool](b, "(() => { const q = document.querySelectorAll('#quick-rows .qty')[9]; q.focus(); q.select(); return "+
		"true })()")
	b.keys("11")
	b.amount(10, "297.00")
	// what is not known is marked in its row
	eval[bool](b, "(() => { document.querySelectorAll('#quick-rows .ref')[10].focus(); return true })()")
	b.keys("nope" + kb.Enter + "1" + kb.Enter)
	b.see("the row marked", "document.querySelectorAll('#quick-rows tr')[10].innerText.includes('There is no item')")
	b.stillMarked()
	// it outlives a reload
	b.goTo("/quick-order")
	b.amount(10, "297.00")
	b.click("button[value=add]")
	b.see("what is left", "document.querySelector('main').innerText.includes('10 lines added to the cart') && "+
		"document.querySelector('#quick-rows .ref').value === 'nope'")
	if n := len(s.buyer("C1003").read("/cart").get("lines").([]any)); n != 10 {
		t.Errorf("%d lines in the cart", n)
	}
}

// A scanner types quickly and ends with Enter; it never stops to think of a
// quantity. The same code again counts up.
func TestBrowserScanner(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1003.example")
	b.goTo("/quick-order")
	b.connected()
	scan := func(code string) {
		t.Helper()
		// key events without the pauses that a remote browser makes
		eval[bool](b, fmt.Sprintf(`(() => { `+noPauses+` for (const k of [...%q, 'Enter']) {
			const f = document.activeElement
			if (f.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true, cancelable: true })) && k !== 'Enter') {
				f.value += k
				f.dispatchEvent(new Event('input', { bubbles: true }))
			}
		} delete performance.now; return true })()`, code))
	}
	scan("4006381333931")
	scan("4006381333931")
	scan("4006381333931")
	b.amount(1, "280.80") // three cases of four: the break
	b.see("the next row waits", "document.activeElement === document.querySelectorAll('#quick-rows .ref')[1]")
}

// A block from a spreadsheet goes into a row; a file is uploaded, and its bad
// rows can be mended in place.
func TestBrowserPasteAndUpload(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	manyItems(t, s, 30)
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1003.example")
	b.goTo("/quick-order")
	b.connected()
	var block strings.Builder
	for n := 1; n <= 30; n++ {
		fmt.Fprintf(&block, "I%06d\t%d\n", n, n)
	}
	eval[bool](b, fmt.Sprintf(`(() => { const data = new DataTransfer(); data.setData('text/plain', %q)
		document.querySelector('#quick-rows .ref').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); return true })()`, block.String()))
	b.see("thirty rows", "document.querySelector('#quick-state').textContent.includes('30 lines ready')")

	file := filepath.Join(t.TempDir(), "order.csv")
	if err := os.WriteFile(file, []byte("code;qty\nOIL5;1,5\nRICE25;2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.goTo("/cart")
	eval[bool](b, "(() => { sessionStorage.clear(); return true })()")
	b.goTo("/quick-order")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#f-file"), []string{file}))
	eval[bool](b, "(() => { document.querySelector('#f-file').closest('.card').querySelector('button').click(); return "+
		"true })()")
	b.see("the bad row", "document.querySelector('#quick-rows .qty').value === '1.5' && "+
		"document.querySelector('#quick-rows tr').classList.contains('bad')")
	b.fill("#quick-rows .qty", "2")
	b.amount(1, "54.00")
	b.see("it is mended", "document.querySelector('#quick-state').textContent === '2 lines ready'")
}

// An open cart is priced anew when a price changes under it, old beside new,
// without a reload; submit then asks, and one click confirms.
func TestBrowserCartReprices(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1003.example")
	s.buyer("C1003").post("/cart/lines", "item_no", "OIL5", "qty", "8")
	b.goTo("/cart")
	b.connected()
	b.mark()
	b.see("the next break", "document.querySelector('#cart-lines').innerText.includes('4 more for 23.40')")
	pgtest.Exec(t, s.db, "update erp.item set price_c = 28.5 where item_no = 'OIL5'")
	b.see("old and new price", "document.querySelector('#cart-lines .was')?.textContent === '27.00' && "+
		"document.querySelector('#cart-lines .price').textContent === '28.50'")
	b.see("the new total", "document.querySelector('#cart-total').textContent === '228.00'")
	b.stillMarked()
	b.click("#submit-end button")
	b.see("the question", "document.querySelector('[data-errors]') !== null && "+
		"document.querySelector('#submit-end').innerText.includes('Confirm')")
	b.mark()
	pgtest.Exec(t, s.db, "update erp.item set price_c = 29 where item_no = 'OIL5'")
	// another price than the one that was asked about: it is asked again
	b.see("today's total, not yet confirmed",
		"document.querySelector('#submit-end').innerText.includes('Submit order · 232.00')")
	b.stillMarked()
	b.click("#submit-end button")
	b.see("the question for today's total",
		"document.querySelector('#submit-end').innerText.includes('Confirm and submit order · 232.00')")
	b.click("#submit-end button")
	b.see("the order", "location.pathname.startsWith('/orders/')")
}

// Reorder shows what changed, and asks before it touches what the cart holds.
func TestBrowserReorder(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1003")
	no := v.order("OIL5", "2")
	pgtest.Exec(t, s.db, "update erp.item set price_c = 28.5 where item_no = 'OIL5'")
	v.post("/cart/lines", "item_no", "RICE25", "qty", "1")
	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.goTo("/orders/" + no)
	b.click("form[action$='/reorder'] button")
	b.see("the question", "document.querySelector('main').innerText.includes('already holds 1 line') && "+
		"document.querySelector('main').innerText.includes('Was 27.00')")
	b.click("button[value=add]")
	b.see("the answer", "document.querySelector('main').innerText.includes('1 line in the cart')")
	b.click("main .actions a[href='/cart']")
	b.see("the cart", "location.pathname === '/cart' && document.querySelector('#cart-lines').innerText.includes('was "+
		"27.00') && document.querySelectorAll('#cart-lines tbody tr').length === 2")
}

// A cart of two thousand lines comes in pages, stays connected, and its total
// follows a line on any of them.
func TestBrowserLongCart(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	manyItems(t, s, 2000)
	v := s.buyer("C1003")
	var block strings.Builder
	for n := 1; n <= 2000; n++ {
		fmt.Fprintf(&block, "I%06d\t1\n", n)
	}
	if a := v.post("/quick-order", "paste", block.String(), "action", "add"); a.get("added") != 2000.0 {
		t.Fatalf("upload: %.300s", a.body)
	}
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1003.example")
	b.goTo("/cart?page=2")
	b.connected()
	b.mark()
	b.see("a page of lines", "document.querySelectorAll('#cart-lines tbody tr').length === 100 && "+
		"document.querySelector('.pager').innerText.includes('Page 2 of 20, 2,000 lines')")
	total := eval[string](b, "document.querySelector('#cart-total').textContent")
	changed := func(what string) {
		t.Helper()
		b.see(what, fmt.Sprintf("document.querySelector('#cart-total').textContent !== %q", total))
		total = eval[string](b, "document.querySelector('#cart-total').textContent")
	}
	start := time.Now()
	b.click("#cart-lines tbody tr:nth-child(3) [data-step='1']")
	changed("the total after a line here")
	t.Logf("a quantity among 2,000 lines changed in %s", time.Since(start).Round(time.Millisecond))
	pgtest.Exec(t, s.db,
		"update erp.item set price_a = price_a + 1, price_b = price_b + 1, price_c = price_c + 1 where item_no = 'I000007'")
	changed("the total after a line on another page")
	b.see("where to look", "document.querySelector('#cart-verdict').innerText.includes('page 1 (1)')")
	b.stillMarked()
	b.click("#submit-end button")
	b.see("the question", "document.querySelector('[data-errors] a')?.innerText.includes('I000007 rose')")
	b.click("#submit-end button")
	b.see("the order", "location.pathname.startsWith('/orders/')")
}
