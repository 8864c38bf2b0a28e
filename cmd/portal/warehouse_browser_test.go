package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
)

// scan types a code as a scanner does: quickly, then Enter, where the focus is.
func (b *tab) scan(code string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(() => { `+noPauses+` for (const k of [...%q, 'Enter']) {
		const f = document.activeElement ?? document.body
		const goes = f.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true, cancelable: true }))
		if (goes && k !== 'Enter' && f.matches('input, textarea')) {
			f.value += k
			f.dispatchEvent(new Event('input', { bubbles: true }))
		}
	} delete performance.now; return true })()`, code))
}

// noPauses holds the page's clock while a scanner's keys go out: a busy machine
// may stop between two of them, a scanner does not.
const noPauses = `const at = performance.now(); performance.now = () => at;`

// tap presses a button wherever it stands: on a phone the bar at the bottom may
// lie over what the browser holds for visible.
func (b *tab) tap(selector string) {
	b.t.Helper()
	b.see("the button "+selector, fmt.Sprintf("document.querySelector(%q) !== null", selector))
	eval[bool](b, fmt.Sprintf("(() => { const e = document.querySelector(%q); e.scrollIntoView({ block: 'center' }); "+
		"e.click(); return true })()", selector))
}

// said waits for the words on the pick screen.
func (b *tab) said(words, kind string) {
	b.t.Helper()
	b.see("the words "+words, fmt.Sprintf("document.querySelector('#pick-say').textContent === %q && "+
		"document.querySelector('#pick-say').classList.contains(%q)", words, kind))
}

func (b *tab) counted(line int, picked string) {
	b.t.Helper()
	b.see(fmt.Sprintf("%s picked of line %d", picked, line),
		fmt.Sprintf("document.querySelector('#pick-line-%d .pick-now').textContent === %q", line, picked))
}

// The buyer's page is open while two people of the warehouse pick with
// scanners, ship in two parts and deliver: every badge changes in place within a
// second, with its time, and the staff see each other's counts.
func TestAcceptance26PickShipDeliver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db,
		`update erp.item set barcode = '0036000291452' where item_no = 'RICE25'; update erp.item
			set barcode = '5012345678900' where item_no = 'SALT1'`)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "uom", "CS", "qty", "2")
	no := v.order("RICE25", "8")
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })

	buyer := openBrowser(t, s.URL, 1280)
	buyer.logIn("buyer@c1003.example")
	buyer.goTo("/orders/" + no)
	buyer.connected()
	buyer.mark()
	walt := openBrowser(t, s.URL, 1024)
	walt.logIn("desk@demo.example")
	walt.goTo("/desk/warehouse")
	walt.click("#pick-" + no + " a")
	walt.see("the pick screen", "document.querySelector('#pick-line-2') !== null")
	walt.connected()
	walt.mark()
	wanda := openBrowser(t, s.URL, 360)
	wanda.logIn("ops@demo.example")
	wanda.goTo("/desk/warehouse/" + no)
	wanda.connected()
	wanda.mark()

	walt.scan("4006381333931")
	walt.said("OIL5: 1 of 2 CS", "good")
	buyer.status("#order-status", "PICKING")
	wanda.counted(1, "1")
	wanda.scan("4006381333931")
	wanda.said("OIL5: 2 of 2 CS", "full")
	walt.counted(1, "2")
	walt.see("the line done", "document.querySelector('#pick-line-1').classList.contains('pick-done')")
	walt.scan("5012345678900")
	walt.said("Wrong item: SALT1 is not on this order.", "wrong")
	walt.see("the red frame", "document.body.classList.contains('pick-wrong')")
	// a scan is a scan though the cursor was left in another field; what is no
	// item of this order stays there
	eval[bool](walt, "(() => { document.querySelector('#f-tracking_no').focus(); return true })()")
	walt.scan("036000291452")
	walt.said("RICE25: 1 of 8 EA", "good")
	walt.scan("1Z999AA10123456784")
	walt.see("the tracking number", "document.querySelector('#f-tracking_no').value === '1Z999AA10123456784'")
	wanda.tap("#pick-line-2 .pick-acts form:nth-child(2) button")
	walt.counted(2, "2")
	wanda.see("something to take back", "!document.querySelector('#pick-line-2 .pick-acts button').disabled")
	wanda.tap("#pick-line-2 .pick-acts form:nth-child(1) button")
	walt.counted(2, "1")
	// several scans at once are counted one by one
	eval[bool](wanda, "(() => { document.activeElement.blur(); return true })()")
	for range 3 {
		wanda.scan("0036000291452")
	}
	walt.counted(2, "4")
	wanda.stillMarked()

	// a page that has not heard: its action is refused in words
	stale := eval[string](walt, "document.querySelector('#pick-ship input[name=stamp]').value")
	wanda.scan("0036000291452")
	walt.counted(2, "5")
	eval[bool](walt, fmt.Sprintf("(() => { document.querySelector('#pick-ship input[name=stamp]').value = %q; return "+
		"true })()", stale))
	walt.stillMarked()
	eval[bool](walt, "(() => { document.querySelector('#f-carrier').value = 'UPS'; "+
		"document.querySelector('#pick-ship').requestSubmit(); return true })()")
	walt.see("the refusal", "document.querySelector('[data-errors]')?.innerText.includes('has changed meanwhile')")
	walt.see("what was typed", "document.querySelector('#f-tracking_no').value === '1Z999AA10123456784' && "+
		"document.querySelector('#f-carrier').value === 'UPS'")
	walt.click("#pick-ship button")
	walt.see("the first shipment", "document.querySelectorAll('#pick-shipments .shipment').length === 1")
	buyer.see("partly shipped",
		"document.querySelector('#order-status').innerText.includes('Partly shipped 1 of 2 lines in full')")
	buyer.see("what the parcel holds",
		"document.querySelector('#shipments .shipment')?.innerText.includes('5 EA') && document.querySelector('#shipments "+
			"a[href*=\"ups.com\"]').textContent.startsWith('1Z999AA10123456784')")

	walt.click("#pick-all button")
	walt.counted(2, "3")
	walt.see("ready to ship", "!document.querySelector('#pick-ship button').disabled")
	start := time.Now()
	walt.click("#pick-ship button")
	buyer.status("#order-status", "SHIPPED")
	t.Logf("from the click to the buyer's badge: %s", time.Since(start).Round(time.Millisecond))
	walt.see("two shipments", "document.querySelectorAll('#pick-shipments .shipment').length === 2")
	for i := range 2 {
		walt.see("a form to deliver", fmt.Sprintf("document.readyState === 'complete' && "+
			"document.querySelectorAll('#pick-shipments .deliver input').length === %d", 2-i))
		walt.fill("#pick-shipments .deliver input", "Kim Lee")
		walt.tap("#pick-shipments .deliver button") // the toast may lie over it
		walt.see("it is noted", fmt.Sprintf("document.querySelectorAll('#pick-shipments .deliver input').length === %d", 1-i))
		buyer.see("delivered to",
			fmt.Sprintf("document.querySelector('#shipments').innerText.split('to Kim Lee').length === %d", i+2))
	}
	buyer.status("#order-status", "DELIVERED")
	buyer.see("five steps with their times", "document.querySelectorAll('#order-status .timeline time').length === 5")
	buyer.stillMarked()
	wanda.stillMarked()
	if wide := eval[int](wanda, "document.documentElement.scrollWidth"); wide > 360 {
		t.Errorf("the pick screen is %d px wide on a phone of 360", wide)
	}
}

// What is backordered, and when it is expected, follows in open pages; a
// rolled-back receipt never shows.
func TestAcceptance27BackordersLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	no := s.buyer("C1003").order("OIL5", "103")
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1003.example")
	b.goTo("/orders/" + no)
	b.connected()
	b.mark()
	item := b.another()
	item.goTo("/items/OIL5")
	item.connected()
	item.mark()
	line := func(words string) {
		t.Helper()
		b.see(words, fmt.Sprintf("document.querySelector('#order-line-1').innerText.includes(%q)", words))
	}
	line("3 on backorder, date to follow")
	item.see("no day", "document.querySelector('#item-expected').innerText.includes('date to follow')")
	day := time.Now().AddDate(0, 0, 8)
	pgtest.Exec(t, s.db,
		`insert into erp.stock_expected (item_id, expected_on, qty) select item_id, $1, 40 from erp.item
			where item_no = 'OIL5'`, day)
	line("3 on backorder, expected " + day.Format("2 Jan"))
	item.see("the day", fmt.Sprintf("document.querySelector('#item-expected').innerText.includes(%q)",
		day.Format("2 Jan")))
	pgtest.Exec(t, s.db, `update erp.stock_expected set expected_on = expected_on + 1`)
	line("expected " + day.AddDate(0, 0, 1).Format("2 Jan"))

	tx, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(),
		"update erp.stock set on_hand = on_hand + 2 where item_id = (select item_id from erp.item where item_no = 'OIL5')"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, s.db,
		"update erp.stock set on_hand = on_hand + 1 where item_id = (select item_id from erp.item where item_no = 'OIL5')")
	line("2 on backorder")
	pgtest.Exec(t, s.db,
		"update erp.stock set on_hand = on_hand + 9 where item_id = (select item_id from erp.item where item_no = 'OIL5')")
	b.see("nothing waits", "!document.querySelector('#order-line-1').innerText.includes('backorder')")
	item.see("seven are there", "document.querySelector('#item .stock').innerText.startsWith('7 ') && "+
		"document.querySelector('#item-expected') === null")
	b.stillMarked()
	item.stillMarked()
}

// A line is sent short and another item instead, by taps alone.
func TestBrowserShortAndSubstitute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "4")
	no := v.order("RICE25", "3")
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	b := openBrowser(t, s.URL, 360)
	b.logIn("desk@demo.example")
	b.goTo("/desk/warehouse/" + no)
	b.connected()
	b.tap("#pick-line-1 .pick-acts form:nth-child(2) button")
	b.counted(1, "1")
	b.tap("#pick-more-1 summary")
	b.tap("#pick-more-1 form button")
	b.see("cut short", "document.querySelector('#pick-line-1').innerText.includes('3 cancelled: Out of stock') && "+
		"document.querySelector('#pick-line-1').classList.contains('pick-done')")
	b.tap("#pick-more-2 summary")
	b.fill("#sub-item_no-2", "SALT9")
	b.tap("#substitute-2 .form-end button")
	b.see("the refusal at the field",
		"document.querySelector('#pick-more-2').open && "+
			"document.querySelector('#sub-item_no-2-error').innerText.includes('There is no item SALT9')")
	b.fill("#sub-item_no-2", "SALT1")
	b.tap("#substitute-2 .form-end button")
	b.see("the substitute", "document.querySelector('#pick-line-3')?.innerText.includes('SALT1 instead of RICE25')")
	if got := pgtest.Value[string](t, s.db,
		"select trim_scale(on_hand) || '/' || trim_scale(allocated) from erp.stock join erp.item using (item_id) where "+
			"item_no = 'OIL5'"); got != "97/1" {
		t.Errorf("stock %s", got)
	}
}

// The sheets print without the frame, with heads that repeat, on A4 and Letter.
func TestBrowserSheets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db,
		`insert into erp.item (item_no, description, price_a) select 'P' || lpad(n::text, 3, '0'), 'Printed item ' || n, 7.77
			from generate_series(1, 90) n;
		insert into erp.stock (item_id, on_hand) select item_id, 100 from erp.item where item_no like 'P0%'`)
	no := pgtest.Value[string](t, s.db,
		"insert into erp.sales_order (customer_id, source, status) select min(customer_id), 'PHONE', 'APPROVED' from "+
			"erp.customer returning order_no")
	pgtest.Exec(t, s.db, "insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o.order_id, "+
		"row_number() over (order by i.item_no), i.item_id, 2 from erp.sales_order o, erp.item i where o.order_no = '"+no+
		"' and i.item_no like 'P0%'")
	pgtest.Exec(t, s.db, "select erp.ship_order('"+no+"', 'UPS', '1Z', array[1, 2], array[2, 1])")
	b := openBrowser(t, s.URL, 1024)
	b.logIn("desk@demo.example")
	for path, rows := range map[string]int{"/pick-list": 89, "/packing-slip": 90} {
		b.goTo("/desk/warehouse/" + no + path)
		b.see("the sheet", "document.querySelector('#sheet table') !== null")
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
			t.Fatal(err)
		}
		if shown := eval[string](b,
			`[...document.querySelectorAll('.top, .side, .bar, .foot, .page-head, .btn, #toasts')].filter((e) => e.getClientRects().length > 0).map((e) => e.className).join(', ')`); shown != "" {
			t.Errorf("%s prints %s", path, shown)
		}
		if n := eval[int](b, "document.querySelectorAll('#sheet tbody tr').length"); n != rows {
			t.Errorf("%s has %d rows, want %d", path, n, rows)
		}
		if head := eval[string](b,
			"getComputedStyle(document.querySelector('#sheet thead')).display"); head != "table-header-group" {
			t.Errorf("%s: the head is %s and does not repeat", path, head)
		}
		text := eval[string](b, "document.querySelector('#sheet').innerText")
		if strings.Contains(text, "7.77") || strings.Contains(text, "15.54") || !strings.Contains(text, no) {
			t.Errorf("%s: %.200s", path, text)
		}
		for paper, size := range map[string][2]float64{"A4": {8.27, 11.69}, "Letter": {8.5, 11}} {
			pdf, err := chromedp.Call(b.ctx, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: size[0], PaperHeight: size[1]})
			if err != nil {
				t.Fatal(err)
			}
			if pages := strings.Count(string(pdf.Data), "/Type /Page\n"); pages < 2 || pages > 5 {
				t.Errorf("%s on %s: %d pages", path, paper, pages)
			}
		}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Media: "screen"}); err != nil {
			t.Fatal(err)
		}
	}
}
