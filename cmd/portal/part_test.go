package main

import (
	"fmt"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// Cases and pieces are not added up: where an order or a return has several units,
// what is done of it is said in lines, on every page.
func TestPartsInLines(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	v.post("/cart/lines", "item_no", "OIL5", "uom", "CS", "qty", "2")
	v.post("/cart/lines", "item_no", "RICE25", "qty", "6")
	v.post("/cart/lines", "item_no", "SALT1", "qty", "30")
	no := fmt.Sprint(v.submit().get("order_no"))
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	one := v.order("RICE25", "9")
	eventually(t, "approved", func() bool { return v.read("/orders/"+one).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+no+"', 'UPS', '1Z', array[1, 2, 3], array[2, 5, 20]), erp.ship_order('"+
		one+"', 'UPS', '1Z', array[1], array[4])")

	for path, c := range map[string]struct {
		by    *visitor
		words string
	}{
		"/":                         {v, "Partly shipped 1 of 3 lines in full"},
		"/orders":                   {v, "Partly shipped 1 of 3 lines in full"},
		"/orders/" + no:             {v, "Partly shipped 1 of 3 lines in full"},
		"/orders/" + one:            {v, "Partly shipped 4 of 9"},
		"/desk/orders?status=all":   {desk, "shipped 1 of 3 lines in full"},
		"/desk/orders/" + no:        {desk, "shipped 1 of 3 lines in full"},
		"/desk/orders/" + one:       {desk, "shipped 4 of 9"},
		"/desk/warehouse":           {desk, "shipped 1 of 3 lines in full"},
		"/desk/warehouse/" + no:     {desk, "shipped 1 of 3 lines in full"},
		"/desk/warehouse?sort=none": {desk, "shipped 4 of 9"},
	} {
		page := c.by.page(path).body
		if !strings.Contains(page, c.words) || strings.Contains(page, "27 of 38") {
			t.Errorf("%s does not say %q", path, c.words)
		}
	}
	if a := v.read("/orders/" + no); a.get("ordered_qty") != "38" || a.get("shipped_qty") != "27" ||
		a.get("mixed_units") != nil {
		t.Errorf("the figures are others than they were: %s", a.body)
	}
	// a line that is cancelled does not count, neither does its unit
	pgtest.Exec(t, s.db,
		`update erp.sales_order_line l set qty_cancelled = 1, qty_allocated = 0 from erp.sales_order o
			where o.order_id = l.order_id and o.order_no = '`+no+`' and line_no = 2`)
	if page := v.page("/orders/" + no).body; !strings.Contains(page, "Partly shipped 2 of 3 lines in full") {
		t.Error("what is cancelled is still waited for")
	}

	invoice := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+no+"')")
	asked := fmt.Sprint(v.post("/returns/new", "invoice", invoice, "qty_1", "2", "reason_1", "damaged", "qty_2", "3",
		"reason_2", "damaged").get("request_no"))
	pgtest.Exec(t, s.db, "select erp.decide_request('"+asked+"', array[1, 2], array[2, 1], array['', 'two are whole'])")
	for path, by := range map[string]*visitor{"/returns": v, "/returns/" + asked: v, "/invoices/" + invoice: v,
		"/desk/returns?status=all": desk, "/desk/returns/" + asked: desk} {
		if page := by.page(path).body; !strings.Contains(page, "1 of 2 lines in full") || strings.Contains(page, "3 of 5") {
			t.Errorf("%s adds cases and pieces", path)
		}
	}
	if page := v.page("/returns").body; !strings.Contains(page, "2 lines") {
		t.Error("the list adds cases and pieces")
	}
}
