package main

import (
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// An order that a program deletes before anybody picked it leaves the lists that
// are open, at the customer and at the desk, and its own page says that it is gone.
func TestBrowserDeletedOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	orderNo := s.buyer("C1003").order("OIL5", "2")
	list := openBrowser(t, s.URL, 360)
	list.logIn("buyer@c1003.example")
	list.goTo("/orders")
	order := list.another()
	order.goTo("/orders/" + orderNo)
	desk := openBrowser(t, s.URL, 1200)
	desk.logIn("desk@demo.example")
	desk.goTo("/desk/orders")
	for _, b := range []*tab{list, order, desk} {
		b.connected()
	}
	has := "document.body.textContent.includes('" + orderNo + "')"
	list.see("the order", has)
	desk.see("the order in the queue", has)
	order.see("the order's page", has)

	pgtest.Exec(t, s.db, "delete from erp.sales_order where order_no = '"+orderNo+"'")
	list.see("the list without it", "!"+strings.Replace(has, "document.body", "document.querySelector('main')", 1))
	desk.see("the queue without it", "!"+strings.Replace(has, "document.body", "document.querySelector('main')", 1))
	order.see("that it is gone", "document.querySelector('h1').textContent === 'Not found'")
	if got := pgtest.Value[string](t, s.db,
		"select data ->> 'status' from portal.audit where action = 'sales_order' and data ? 'order_no' and subject = $1",
		orderNo); got != `["SUBMITTED", null]` {
		t.Errorf("the audit log has %s", got)
	}
	if got := pgtest.Value[string](t, s.db,
		"select string_agg(to_status, ' ' order by history_id) from erp.order_status_history"); got != "SUBMITTED DELETED" {
		t.Errorf("the history has %s", got)
	}
}
