package main

import (
	"regexp"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// moreItems are what the files of these tests order, beside the fixtures.
const moreItems = `
insert into erp.item (item_no, description, price_a, base_uom, fractional) values
  ('CAN1010', 'Tomatoes', 2, 'EA', false), ('BEV1012', 'Tea', 3, 'EA', false), ('-10X', 'Ten', 4, 'EA', false),
('BEEF', 'Beef', 9, 'LB', true);
insert into erp.stock (item_id, on_hand) select item_id, 100000 from erp.item where item_no in ('CAN1010', 'BEV1012',
	'-10X', 'BEEF');`

// hidden are the fields that a page carries along for its next form.
func hidden(page, name string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`name="`+name+`" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		out = append(out, m[1])
	}
	return out
}

// What was ordered wrongly before, each by the page as a browser gets it.
func TestQuickOrderReadsColumns(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, moreItems)
	v := s.buyer("C1003")
	for name, c := range map[string]struct{ file, rows, says string }{
		"line numbers": {"Line,SKU,Product name,Qty Ordered,UOM\n1,OIL5,Olive,6,EA\n2,CAN1010,Tom,24,EA\n",
			"OIL5 6 EA; CAN1010 24 EA", "Item from “SKU”, quantity from “Qty Ordered”, unit from “UOM”."},
		"a title": {"Order 77\nLine,SKU,Product name,Qty Ordered,UOM\n1,OIL5,Olive,6,EA\n", "OIL5 6 EA",
			"1 row above passed over"},
		"money":          {"Item No,Description,Amount,Qty\nBEV1012,Tea,36.00,12\n", "BEV1012 12 EA", "quantity from “Qty”"},
		"number":         {"Number;Description;Quantity\nBEV1012;Tea;12\n", "BEV1012 12 EA", "Item from “Number”"},
		"decimal commas": {"Item;Qty\nBEEF;1,250\nBEEF;2,5\n", "BEEF 1.25 LB; BEEF 2.5 LB", "The comma is the decimal sign."},
		"a unit beside":  {"Item;Qty\nOIL5;1 CS\n", "OIL5 1 CS", "quantity from “Qty”"},
		"a float":        {"Item;Qty\nOIL5;11.000000000000002\n", "OIL5 11 EA", ""},
		"a template": {"Item number,Description,Unit,Quantity\n'-10X,Ten,EA,4\nOIL5,Olive,EA,\n", "-10X 4 EA",
			"1 row without a quantity left out"},
	} {
		a := v.upload("order.csv", []byte(c.file), "check")
		var rows []string
		for i := range a.get("lines").([]any) {
			at := "lines." + string(rune('0'+i)) + "."
			rows = append(rows, strings.Join([]string{text(a.get(at + "item.item_no")), text(a.get(at + "qty")),
				text(a.get(at + "item.uom"))}, " "))
		}
		if got := strings.Join(rows, "; "); got != c.rows || a.get("bad") != 0.0 {
			t.Errorf("%s: %s, want %s: %s", name, got, c.rows, a.body)
		}
		if said := text(a.get("sheet.taken")); !strings.Contains(said, c.says) {
			t.Errorf("%s says %q", name, said)
		}
	}
	for name, c := range map[string]struct{ file, says string }{
		"empty":               {"", "Nothing stands in it"},
		"the head alone":      {"Item,Qty\n", "no rows below them"},
		"nothing to order":    {"Item,Qty\nOIL5,\nBEEF,0\n", "No row has a quantity"},
		"a list of codes":     {"OIL5\nBEEF\n", "no column with quantities"},
		"a picture":           {"\x89PNG\r\n\x1a\n\x00\x00", "no column with quantities"},
		"an old spreadsheet":  {"\xd0\xcf\x11\xe0", "old Excel file"},
		"a broken one":        {"PK\x03\x04", "cannot be read"},
		"a text in two words": {"Item,Qty\nOIL5,two\n", ""},
	} {
		a := v.upload("order.csv", []byte(c.file), "check")
		if a.get("ready") != 0.0 || !strings.Contains(text(a.get("message")), c.says) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if a := v.upload("order.csv", []byte("Item,Qty\nOIL5,two\n"),
		"add"); a.get("lines.0.error") != "“two” is no quantity." || a.get("lines.0.qty") != "two" || a.get("added") != 0.0 {
		t.Errorf("a word for a quantity: %s", a.body)
	}
}

func text(v any) string { s, _ := v.(string); return s }

// The reader asks, nothing is ready before the answer, the answer is taken and
// kept for the customer, and for no other.
func TestQuickOrderAsks(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, moreItems)
	v := s.buyer("C1003")
	const paste = "OIL5\t4\tOlive\t6\nCAN1010\t12\tTom\t24"
	for _, action := range []string{"check", "add"} {
		a := v.post("/quick-order", "paste", paste, "ref", "BEV1012", "qty", "2", "action", action)
		if a.get("ready") != 1.0 || a.get("lines.0.ref") != "BEV1012" || len(a.get("lines").([]any)) != 1 ||
			a.get("sheet.ask.why.0") != "It is not clear which column holds the quantity." ||
			a.get("sheet.ask.col_item") != "0" {
			t.Fatalf("%s: %s", action, a.body)
		}
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from portal.cart_line"); n != 0 {
		t.Errorf("%d lines in the cart before the answer", n)
	}
	page := v.send("/quick-order", "paste", paste, "ref", "BEV1012", "qty", "2", "action", "check").body
	if !strings.Contains(page, "Which column is what?") || !strings.Contains(page, "Olive") ||
		len(hidden(page, "ref")) != 1 || strings.Contains(page, `value="add"`) {
		t.Fatalf("the question: %s", page)
	}
	carried := hidden(page, "sheet")[0]
	// half an answer is asked again, and nothing is lost
	again := v.send("/quick-order", "sheet", carried, "col_item", "0", "col_quantity", "", "col_unit", "none",
		"ref", "BEV1012", "qty", "2", "action", "check").body
	if !strings.Contains(again, "Choose one.") || len(hidden(again, "ref")) != 1 || hidden(again, "sheet")[0] != carried {
		t.Errorf("half an answer: %s", again)
	}
	same := v.send("/quick-order", "sheet", carried, "col_item", "0", "col_quantity", "0", "col_unit", "none",
		"action", "check").body
	if !strings.Contains(same, "This column was chosen already.") {
		t.Error("one column for two things is taken")
	}
	taken := v.send("/quick-order", "sheet", carried, "col_item", "0", "col_quantity", "3", "col_unit", "none",
		"ref", "BEV1012", "qty", "2", "action", "check").body
	if got := strings.Join(hidden(taken, "from"), ""); got != "11" || !strings.Contains(taken, "3 lines ready") ||
		!strings.Contains(taken, "Item from column A, quantity from column D.") {
		t.Fatalf("the answer: from %q %s", got, taken)
	}
	// change: the question again, with what was said; the typed row stays, the others are read again
	change := v.do("POST", "/quick-order", "text/html",
		strings.NewReader("action=columns&sheet="+carried+
			"&taken=false+0+3+-1+0+&ref=BEV1012&qty=2&uom=&from=&ref=OIL5&qty=6&uom=&from=1")).body
	if !strings.Contains(change, "Which column is what?") || len(hidden(change, "ref")) != 1 ||
		!strings.Contains(change, `<option value="3" selected>`) {
		t.Errorf("change: %s", change)
	}
	// the next of this shape
	a := v.post("/quick-order", "paste", "BEV1012\t9\tTea\t7\nOIL5\t8\tOlive\t2\nCAN1010\t5\tTom\t1", "action", "add")
	if a.get("added") != 3.0 || !strings.Contains(text(a.get("sheet.taken")), "Read as you said before.") {
		t.Errorf("remembered: %s", a.body)
	}
	if got := pgtest.Value[string](t, s.db,
		"select string_agg(i.item_no || ' ' || trim_scale(l.qty), ', ' order by i.item_no) from portal.cart_line l join "+
			"erp.item i using (item_id)"); got != "BEV1012 7, CAN1010 1, OIL5 2" {
		t.Errorf("in the cart: %s", got)
	}
	if a := s.buyer("C1002").post("/quick-order", "paste", paste); a.get("sheet.ask") == nil || a.get("ready") != 0.0 {
		t.Errorf("another customer's answer is used: %s", a.body)
	}
	// rows that are wrong in the file stay wrong until they are mended
	bad := v.send("/quick-order", "paste", "Item\tQty\nOIL5\t€ 36", "action", "check").body
	problem, was := hidden(bad, "problem")[0], hidden(bad, "was")[0]
	if a := v.post("/quick-order", "ref", "OIL5", "qty", "€ 36", "uom", "EA", "problem", problem,
		"was", was); problem == "" || a.get("ready") != 0.0 {
		t.Errorf("looked at again: %s", a.body)
	}
	if a := v.post("/quick-order", "ref", "OIL5", "qty", "36", "uom", "EA", "problem", problem,
		"was", was); a.get("ready") != 1.0 {
		t.Errorf("mended: %s", a.body)
	}
	// the decimal sign
	if a := v.post("/quick-order", "paste", "Item;Qty\nBEEF;1,250"); a.get("sheet.ask.sign_point") != "1250" ||
		a.get("sheet.ask.sign_comma") != "1.25" || a.get("ready") != 0.0 {
		t.Fatalf("1,250: %s", a.body)
	}
	if a := v.post("/quick-order", "paste", "Item;Qty\nBEEF;1,250", "col_head", "true", "col_item", "0",
		"col_quantity", "1", "col_unit", "none", "col_sign", ","); a.get("lines.0.qty") != "1.25" || a.get("ready") != 1.0 {
		t.Errorf("1,250 with a comma: %s", a.body)
	}
	if a := v.post("/quick-order", "paste", "Item;Qty\nBEEF;2,750"); a.get("lines.0.qty") != "2.75" {
		t.Errorf("the next such file: %s", a.body)
	}
}

// A standing order's rows go through the same reader.
func TestStandingOrderReadsColumns(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, moreItems)
	v := s.buyer("C1003")
	head := []string{"name", "Weekly", "rhythm", "weeks", "weekday", "1", "every", "1", "hours_before", "24"}
	page := v.send("/standing-orders", append(head, "paste", "OIL5\t4\tOlive\t6", "action", "save")...)
	if !strings.Contains(page.body, "Which column is what?") || !strings.Contains(page.body, `value="Weekly"`) {
		t.Fatalf("it does not ask: %d %s", page.status, page.body)
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from portal.standing_order"); n != 0 {
		t.Error("made before the answer")
	}
	a := v.post("/standing-orders", append(head, "sheet", hidden(page.body, "sheet")[0], "col_item", "0",
		"col_quantity", "3", "col_unit", "none", "action", "save")...)
	if a.get("standing_order_id") == nil {
		t.Fatalf("answered: %d %s", a.status, a.body)
	}
	if got := pgtest.Value[string](t, s.db, "select trim_scale(qty)::text from portal.standing_order_line"); got != "6" {
		t.Errorf("its quantity: %s", got)
	}
}
