package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
)

// probe counts a page's sockets and fetches and shortens its time limits.
const probe = `
	window.liveLimits = { tick: 100, overlap: 100, answer: 200 }
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
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
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
	v := s.visit()
	eventually(s.t, fmt.Sprintf("%d sockets", n), func() bool {
		return strings.Contains(v.page("/metrics").body, fmt.Sprintf("\nportal_live_sockets %d\n", n))
	})
}

// Three tabs of one person share a socket and all follow. The one that has it
// closes, and another hangs later on: nothing that is committed meanwhile is
// missed, and no page is fetched for nothing.
func TestBrowserTabsShareOneSocket(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	orderNo := s.buyer("C1003").order("OIL5", "2")
	eventually(t, "approved", func() bool {
		return pgtest.Value[string](t, s.db, "select status from erp.sales_order where order_no = '"+orderNo+"'") == "APPROVED"
	})
	move := func(status string) {
		pgtest.Exec(t, s.db, "update erp.sales_order set status = '"+status+"' where order_no = '"+orderNo+"'")
	}
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
	move("PICKING")
	order.status("#order-status", "PICKING")
	pgtest.Exec(t, s.db, "update erp.item set price_c = 26.50 where item_no = 'OIL5'")
	catalog.see("the new price", "document.querySelector('#item-OIL5 .price').textContent === '26.50'")
	if more := eval[int](order, "looks") - looks; more != 1 {
		t.Errorf("the page of the order was fetched %d times for one event", more)
	}

	// The first goes while something happens.
	gone := make(chan error, 1)
	go func() { gone <- chromedp.Do(first.ctx, chromedp.Navigate("about:blank")) }()
	move("SHIPPED")
	pgtest.Exec(t, s.db, "update erp.item set price_c = 26.60 where item_no = 'OIL5'")
	if err := <-gone; err != nil {
		t.Fatal(err)
	}
	order.status("#order-status", "SHIPPED")
	catalog.see("the next price", "document.querySelector('#item-OIL5 .price').textContent === '26.60'")
	s.sockets(1)

	// Who leads now falls silent, as a frozen tab would.
	led, other := order, catalog
	if eval[bool](catalog, hasSocket) {
		led, other = catalog, order
	}
	eval[bool](led, "BroadcastChannel.prototype.postMessage = () => {}; true")
	move("DELIVERED")
	pgtest.Exec(t, s.db, "update erp.item set price_c = 26.70 where item_no = 'OIL5'")
	eval[bool](other, "document.dispatchEvent(new Event('visibilitychange')); true")
	order.status("#order-status", "DELIVERED")
	catalog.see("the last price", "document.querySelector('#item-OIL5 .price').textContent === '26.70'")
	for _, b := range []*tab{order, catalog} {
		b.connected()
		b.stillMarked()
	}
}
