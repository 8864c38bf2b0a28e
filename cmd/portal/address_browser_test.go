package main

import (
	"encoding/json"
	"fmt"
	"testing"

	domain "portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// A browser leaves the addresses of numbers as they are, scripts make the same
// ones as the server, and a page about such a number hears what happens to it.
func TestBrowserHostileNumbers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	makeHostile(t, s.db)
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@z9.example")
	b.goTo("/catalog")
	all := map[string]string{}
	for _, n := range hostile {
		all[n] = "/items/" + domain.InAddress(n)
	}
	list, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	b.see("an item at each address",
		fmt.Sprintf(
			`window.addressesChecked === '' || window.addressesChecked === undefined && (window.addressesChecked = 'waits', Promise.all(Object.entries(%s).map(async ([number, path]) => {
		if ('/items/' + window.inAddress(number) !== path || new URL(path, location).pathname !== path)
			return number + ' is at ' + path
		const answer = await fetch(path, { headers: { Accept: 'application/json' } })
		return (await answer.json()).item_no === number ? '' : number + ': ' + answer.status
	})).then((wrong) => { window.addressesChecked = wrong.filter(Boolean).join(); document.body.dataset.checked = window.addressesChecked })) && false`, list))

	// the search box leads there
	b.fill("#search", `1/2"PIPE #3`)
	b.see("the suggestion", "document.querySelectorAll('#lookup-list [role=option]').length > 0")
	b.click("#lookup-list [role=option]")
	b.see("the item's page", "location.pathname === '/items/~1~2F2~22PIPE~20~233'")
	b.connected()
	b.mark()
	pgtest.Exec(t, s.db, "update erp.item set description = 'Pipe, renamed' where item_no = $1", `1/2"PIPE #3`)
	b.see("the new name", "document.querySelector('main').innerText.includes('Pipe, renamed')")
	b.stillMarked()

	orders, desk := b.another(), openBrowser(t, s.URL, 1280)
	orders.goTo("/orders")
	desk.logIn("desk@demo.example")
	desk.goTo("/desk/orders?status=all")
	long := hostile[10]
	for _, tab := range []*tab{orders, desk} {
		tab.connected()
		tab.mark()
	}
	for n, row := range map[string]string{"Größe 10 · 日本": "~Gr~C3~B6~C3~9Fe~2010~20~C2~B7~20~E6~97~A5~E6~9C~AC",
		long: domain.InAddress(long), "]x[.y": "~~5Dx~5B.y", "$&": "~~24~26"} {
		pgtest.Exec(t, s.db, "update erp.shipment set delivered_at = erp.now() where order_id = (select order_id from "+
			"erp.sales_order where order_no = $1)", n)
		orders.see(n+" delivered",
			fmt.Sprintf(`document.getElementById('order-%s').querySelector('[data-status]').dataset.status === 'DELIVERED'`,
				row))
		orders.see("what is told of "+n,
			fmt.Sprintf(`document.getElementById('toasts').textContent.includes(%q)`, n+": Delivered"))
		desk.see(n+" delivered", fmt.Sprintf(`document.getElementById('desk-%s').dataset.status === 'DELIVERED'`, row))
	}
	orders.stillMarked()
	desk.stillMarked()
}
