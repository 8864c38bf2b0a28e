package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// A code is what was typed, then what it is but for case if that is one item,
// else a choice; nothing is taken without a word.
func TestCodesThatFitSeveralItems(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, `
		update erp.company set duplicate_codes = 'allow';
		insert into erp.item (item_no, description, price_a, barcode) values
			('DUP1', 'Upper', 1, null), ('dup1', 'Lower', 2, null), ('TWIN1', 'One', 3, '4006381333948'),
			('TWIN2', 'Other', 4, '04006381333948'),
			('841200014073', 'Has a number like a barcode', 5, null), ('BAR1', 'Has that barcode', 6, '0841200014073');
		insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'CS', 12, '4006381333962' from erp.item
			where item_no like 'TWIN%';
		insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'BX', 6, 'INNER-7' from erp.item
			where item_no = 'BAR1';
		update erp.item set barcode = 'inner-7' where item_no = 'SALT1';
		insert into erp.customer_item (customer_id, item_id, their_item_no)
			select c.customer_id, i.item_id, v.no from erp.customer c, erp.item i,
				(values ('OIL5', 'Mine-1'), ('RICE25', 'MINE-1'), ('SALT1', 'BAR1')) as v(item, no)
			where c.customer_no = 'C1003' and i.item_no = v.item`)
	v := s.buyer("C1003")
	for _, c := range []struct{ ref, item, choices, say string }{
		{"dup1", "dup1 EA", "", ""}, {"DUP1", "DUP1 EA", "", ""}, {"Dup1", "", "DUP1 dup1", "Which one?"},
		{" dUp1 ", "", "DUP1 dup1", "Which one?"}, {"Mine-1", "OIL5 EA", "", ""}, {"MINE-1", "RICE25 EA", "", ""},
		{"mine-1", "", "OIL5 RICE25", "Which one?"}, {"4006381333948", "", "TWIN1 TWIN2", "Which one?"},
		{"4006381333962", "", "TWIN1 TWIN2", "Which one?"}, {"Inner-7", "", "BAR1 SALT1", "Which one?"},
		{"841200014073", "841200014073 EA", "", "It is also a barcode of BAR1."}, {"0841200014073", "BAR1 EA", "", ""},
		{"BAR1", "BAR1 EA", "", "It is also your own number for SALT1."}, {"bar1", "", "BAR1 SALT1", "Which one?"},
	} {
		a := v.post("/quick-order", "ref", c.ref, "qty", "2", "uom", "")
		item := ""
		if a.get("lines.0.item") != nil {
			item = fmt.Sprint(a.get("lines.0.item.item_no"), " ", a.get("lines.0.item.uom"))
		}
		var choices []string
		if list, ok := a.get("lines.0.choices").([]any); ok {
			for _, one := range list {
				choices = append(choices, one.(map[string]any)["item_no"].(string))
			}
		}
		said := fmt.Sprint(a.get("lines.0.error"), a.get("lines.0.warning"))
		ready := a.get("ready") == 1.0
		if item != c.item || strings.Join(choices, " ") != c.choices || !strings.Contains(said, c.say) ||
			ready != (c.item != "") {
			t.Errorf("%q: item %q, choices %v, ready %v, said %q", c.ref, item, choices, ready, said)
		}
		if c.choices != "" && v.post("/quick-order", "ref", c.ref, "qty", "2", "uom", "", "action",
			"add").get("added") != 0.0 {
			t.Errorf("%q went into the cart without a choice", c.ref)
		}
	}
	// what is picked is taken, in the unit of the barcode; a stale choice counts for nothing
	a := v.post("/quick-order", "ref", "4006381333962", "qty", "1", "uom", "", "pick", "TWIN2")
	if a.get("lines.0.item.item_no") != "TWIN2" || a.get("lines.0.item.uom") != "CS" || a.get("ready") != 1.0 {
		t.Errorf("picked: %s", a.body)
	}
	if a := v.post("/quick-order", "ref", "4006381333962", "qty", "1", "uom", "",
		"pick", "OIL5"); a.get("lines.0.item") != nil || a.get("ready") != 0.0 {
		t.Errorf("picked something else: %s", a.body)
	}
	// without JavaScript the page offers both, and keeps what was typed
	page := v.send("/quick-order", "ref", "Dup1", "qty", "2", "uom", "", "action", "check").body
	for _, want := range []string{`value="Dup1"`, `name="pick"`, "Which one?", "DUP1 – Upper", "dup1 – Lower"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
	// one item, two units of one barcode
	pgtest.Exec(t, s.db, `update erp.item set barcode = '4006381333931' where item_no = 'OIL5'`)
	if a := v.post("/quick-order", "ref", "4006381333931", "qty", "2", "uom", ""); a.get("ready") != 0.0 ||
		a.get("lines.0.field") != "uom" || !strings.Contains(a.body, "Which unit?") {
		t.Errorf("two units: %s", a.body)
	}
	if a := v.post("/quick-order", "ref", "4006381333931", "qty", "2", "uom", "CS"); a.get("ready") != 1.0 {
		t.Errorf("the unit was said: %s", a.body)
	}
}

// A barcode is found however a spreadsheet or a scanner writes it, and not
// where digits of it are lost.
func TestBarcodesAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, `
		insert into erp.item (item_no, description, price_a, barcode) values
			('BEV1012', 'Tea', 1, '0841200014073'), ('BEV1025', 'Water', 2, '841200018880'), ('-10X', 'Odd', 3, 'A-17'),
			('40063', 'Number', 4, '4006380000000'),
			('AB 12', 'With a blank', 5, null), ('EIGHT', 'EAN-8', 6, '00000017')`)
	v := s.buyer("C1003")
	for ref, want := range map[string]string{
		"0841200014073": "BEV1012", "841200014073": "BEV1012", "00841200014073": "BEV1012", "8.41200014073E11": "BEV1012",
		"8,41200014073e+11": "BEV1012", "8.41200014073E+11": "BEV1012", "841200014073.0": "BEV1012",
		"8 41200 01407 3": "BEV1012", "8-41200-01407-3": "BEV1012",
		"\u200b841200014073\ufeff": "BEV1012", "841200014073\u00a0": "BEV1012", "8412\u00a000014073": "BEV1012",
		"'0841200014073": "BEV1012", `="841200014073"`: "BEV1012",
		"8.41200018880E11": "BEV1025", `="BEV1025"`: "BEV1025", "BEV\u200b1025": "BEV1025", "\u00a0BEV1025": "BEV1025",
		"BEV\u00a01025": "BEV1025", "bev1025\u202f": "BEV1025", "'-10X": "-10X", "-10X": "-10X", "a-17": "-10X",
		"AB\u00a012": "AB 12", "AB 12": "AB 12", "00000017": "EIGHT", "841200014074": "", "4.00638E+12": "",
		"8.4120001407E11": "", "17": "", "4.00638E12": "", "BEV 1025": "BEV1025", "": "",
	} {
		a := v.post("/quick-order", "ref", ref, "qty", "2", "uom", "")
		got := ""
		if a.get("lines.0.item") != nil {
			got = a.get("lines.0.item.item_no").(string)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", ref, got, want)
		}
		if strings.Contains(ref, "4.00638E") && !strings.Contains(a.body, "last digits a spreadsheet has dropped") {
			t.Errorf("%q: %s", ref, a.body)
		}
	}
	if a := v.post("/quick-order", "ref", strings.Repeat("x", 100_000), "qty", "1", "uom", ""); a.status != 200 ||
		len(a.body) > 210_000 || a.get("ready") != 0.0 {
		t.Errorf("a long code: %d", a.status)
	}
}

// A quantity is what stands there, in the unit beside it, or an error that says
// how to write it, wherever one is typed.
func TestQuantitiesAsTyped(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db,
		`insert into erp.item (item_no, description, price_a, base_uom, fractional) values ('BEEF', 'Beef', 8, 'LB', true);
		insert into erp.stock (item_id, on_hand) select item_id, 100000 from erp.item where item_no = 'BEEF'`)
	v := s.buyer("C1003")
	for _, c := range []struct{ ref, uom, qty, want string }{
		{"BEEF", "", "2,5", "2.5 LB"}, {"BEEF", "", "1,250", "Is that 1250 or 1.25? Write 1250 or 1.25."},
		{"BEEF", "", "1.250", "Is that 1250 or 1.25?"}, {"BEEF", "", "1.25", "1.25 LB"}, {"OIL5", "", "1 CS", "1 CS"},
		{"OIL5", "", "12 EA", "12 EA"}, {"OIL5", "", "12EA", "12 EA"},
		{"OIL5", "", "2 BX", "BX is no unit of it; it is sold by EA, CS."}, {"OIL5", "EA", "1 CS", "Is that CS or EA?"},
		{"OIL5", "CS", "1 CS", "1 CS"}, {"4006381333931", "", "12 EA", "12 EA"}, {"4006381333931", "", "2", "2 CS"},
		{"OIL5", "", "11.000000000000002", "11 EA"}, {"OIL5", "", "1.000", "Is that 1000 or 1?"},
		{"OIL5", "", "1e3", "Write 1e3 out in digits"}, {"OIL5", "", "٣", "digits 0 to 9"},
		{"OIL5", "", "½", "digits 0 to 9"}, {"OIL5", "", "-2", "above zero"}, {"OIL5", "", "NaN", "above zero"},
		{"OIL5", "", "2,5", "OIL5 is sold in whole EA."}, {"OIL5", "", "1 000", "1000 EA"},
	} {
		a := v.post("/quick-order", "ref", c.ref, "qty", c.qty, "uom", c.uom)
		got := fmt.Sprint(a.get("lines.0.quantity"), " ", a.get("lines.0.item.uom"))
		if said := a.get("lines.0.error"); said != nil {
			got = said.(string)
		}
		if !strings.HasPrefix(got, c.want) && !(strings.Contains(c.want, " 0 to 9") || c.want == "above zero") ||
			!strings.Contains(got, c.want) {
			t.Errorf("%s %q %s: %q, want %q", c.ref, c.qty, c.uom, got, c.want)
		}
		if a.get("lines.0.qty") != c.qty {
			t.Errorf("%q came back as %q", c.qty, a.get("lines.0.qty"))
		}
	}
	// 1,250 of what is sold whole can be one thing only, and is said
	if a := v.post("/quick-order", "ref", "SALT1", "qty", "1,250", "uom", ""); a.get("lines.0.quantity") != "1250" ||
		!strings.Contains(fmt.Sprint(a.get("lines.0.warning")), "1,250 is read as 1250") {
		t.Errorf("1,250 whole: %s", a.body)
	}
	// the cart
	for _, c := range []struct{ item, uom, qty, want string }{
		{"BEEF", "LB", "2,5", "2.5"}, {"BEEF", "LB", "1.250", ""}, {"OIL5", "", "2 CS", "2"}, {"OIL5", "EA", "2 CS", ""},
		{"OIL5", "EA", "1e3", ""}, {"OIL5", "EA", "2 BX", ""},
	} {
		a := v.post("/cart/lines", "item_no", c.item, "uom", c.uom, "qty", c.qty, "mode", "set")
		if ok := a.status < 400; ok != (c.want != "") || !ok && a.get("fields.0.field") != "qty" {
			t.Errorf("cart %q: %d %s", c.qty, a.status, a.body)
		}
	}
	if got := pgtest.Value[string](t, s.db,
		"select string_agg(item_no || ' ' || trim_scale(qty) || ' ' || uom, ', ' order by item_no) from portal.cart_line "+
			"join erp.item using (item_id)"); got != "BEEF 2.5 LB, OIL5 2 CS" {
		t.Errorf("in the cart: %s", got)
	}
	if page := v.page("/cart").body; !strings.Contains(page, `value="2.5"`) {
		t.Error("the cart does not show 2.5")
	}
}

// A quantity far above all that was ordered is asked about once, and the answer
// counts for that quantity alone.
func TestSure(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	manyItems(t, s, 3)
	v := s.buyer("C1003")
	if a := v.post("/quick-order", "ref", "I000001", "qty", "5000", "uom", ""); a.get("ready") != 1.0 {
		t.Errorf("nothing is known of a new customer: %s", a.body)
	}
	v.order("I000001", "12")
	ask := func(ref, uom, qty, sure string) (string, bool) {
		a := v.post("/quick-order", "ref", ref, "qty", qty, "uom", uom, "sure", sure)
		said, _ := a.get("lines.0.ask_sure").(string)
		return said, a.get("ready") == 1.0
	}
	for _, c := range []struct {
		ref, qty string
		asked    bool
	}{{"I000001", "120", false}, {"I000001", "121", true}, {"I000001", "1200", true}, {"I000002", "120", false},
		{"I000002", "121", true}, {"SALT1", "49", false}} {
		if said, ready := ask(c.ref, "", c.qty, ""); (said != "") != c.asked || ready == c.asked {
			t.Errorf("%s of %s: asked %q, ready %v", c.qty, c.ref, said, ready)
		}
	}
	sure, _ := ask("I000001", "", "1200", "")
	if _, ready := ask("I000001", "", "1200", sure); !ready {
		t.Error("confirmed, and not ready")
	}
	if _, ready := ask("I000001", "", "12000", sure); ready {
		t.Error("1200 confirms 12000")
	}
	if _, ready := ask("I000002", "", "1200", sure); ready {
		t.Error("one item confirms another")
	}
	// the server holds it
	if a := v.post("/quick-order", "ref", "I000001", "qty", "1200", "uom", "", "action", "add"); a.get("added") != 0.0 ||
		a.get("lines.0.field") != "sure" {
		t.Errorf("added without a word: %s", a.body)
	}
	page := v.send("/quick-order", "ref", "I000001", "qty", "1200", "uom", "", "action", "add").body
	if !strings.Contains(page, `name="sure"`) || !strings.Contains(page, `<option value="`+sure+`"`) ||
		!strings.Contains(page, "far above the most you ever ordered of it at once: 12 EA") {
		t.Error("the page does not ask")
	}
	if a := v.post("/quick-order", "ref", "I000001", "qty", "1200", "uom", "", "sure", sure, "action",
		"add"); a.get("added") != 1.0 {
		t.Errorf("confirmed: %s", a.body)
	}
	// a paste and My Items as well
	if a := v.post("/quick-order", "paste", "I000001\t1200\n", "action", "add"); a.get("added") != 0.0 {
		t.Errorf("pasted: %s", a.body)
	}
	if page := v.send("/my-items?list=bought", "ref", "I000001", "uom", "EA", "qty", "1200", "sure",
		"").body; !strings.Contains(page, `form="guide-form" aria-invalid="true">`) || !strings.Contains(page, sure) {
		t.Error("My Items does not ask")
	}
	// by hand into the cart: said in place
	a := v.post("/cart/lines", "item_no", "I000002", "qty", "500")
	if !strings.Contains(a.body, "Sure? 500 EA: you never ordered it") {
		t.Errorf("the cart says nothing: %s", a.body)
	}
	t.Run("cart", func(t *testing.T) { sureInTheCart(t, s, v) })
	// ordering again what was ordered asks nothing
	pgtest.Exec(t, s.db, "update erp.sales_order_line set qty = 4000 where line_no = 1 and order_id = (select "+
		"max(order_id) from erp.sales_order)")
	no := pgtest.Value[string](t, s.db, "select order_no from erp.sales_order order by order_id desc limit 1")
	if a := v.post("/orders/"+no+"/reorder", "mode", "replace"); a.get("added") != 1.0 {
		t.Errorf("reorder: %s", a.body)
	}
}

// The search compares codes in the same way, the one as typed first.
func TestSearchByCode(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, `
		update erp.company set duplicate_codes = 'allow';
		insert into erp.item (item_no, description, price_a, barcode) values ('DUP1', 'Upper', 1, null),
			('dup1', 'Lower', 2, null),
			('BEV1012', 'Tea', 1, '0841200014073'), ('TWIN', 'Coffee', 1, '841200014073'), ('-10X', 'Odd', 3, null)`)
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	for q, want := range map[string]string{
		"DUP1": "DUP1 dup1", "dup1": "dup1 DUP1", "841200014073": "BEV1012 TWIN", "00841200014073": "BEV1012 TWIN",
		"8.41200014073E11":         "BEV1012 TWIN",
		"\u200b841200014073\u00a0": "BEV1012 TWIN", `="BEV1012"`: "BEV1012", "'-10X": "-10X", "04006381333931": "OIL5",
	} {
		at := "?q=" + url.QueryEscape(q)
		list := itemNos(v.read("/catalog" + at))
		if strings.HasPrefix(want, "BEV1012 ") {
			slices.Sort(list) // by description
		}
		if got := strings.Join(list, " "); got != want {
			t.Errorf("%q lists %s, want %s", q, got, want)
		}
		if got := itemNos(v.read("/lookup" + at)); len(got) != len(strings.Fields(want)) {
			t.Errorf("%q suggests %v", q, got)
		}
	}
	if page := desk.page("/desk/items?q=841200014073").body; !strings.Contains(page, "BEV1012") ||
		!strings.Contains(page, "TWIN") {
		t.Error("the desk does not find a barcode without its zero")
	}
}

// A scanner in the warehouse counts what its code is, and no other item.
func TestScansThatFitSeveralItems(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `
		update erp.company set duplicate_codes = 'allow';
		insert into erp.item (item_no, description, price_a, barcode) values ('DUP1', 'Upper', 1, '96385074'),
			('dup1', 'Lower', 1, '096385074'), ('ALONE', 'Alone', 1, '0841200014073');
		insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'CS', 12, '4006381333948' from erp.item
			where item_no = 'ALONE';
		insert into erp.stock (item_id, on_hand) select item_id, 500 from erp.item
			where item_no in ('DUP1', 'dup1', 'ALONE')`)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "DUP1", "qty", "6")
	v.post("/cart/lines", "item_no", "dup1", "qty", "6")
	no := v.order("ALONE", "30")
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	desk := s.logIn("desk@demo.example")
	at := "/desk/warehouse/" + no
	for code, want := range map[string]string{
		"dup1": "dup1: 1 of 6 EA", "DUP1": "DUP1: 1 of 6 EA",
		"Dup1":             "Dup1 stands for DUP1 and dup1. Count it with the buttons of its line.",
		"96385074":         "96385074 stands for DUP1 and dup1. Count it with the buttons of its line.",
		"8.41200014073E11": "ALONE: 1 of 30 EA",
	} {
		if a := desk.post(at+"/pick", "code", code); a.get("message") != want {
			t.Errorf("%s: %v, want %q", code, a.get("message"), want)
		}
	}
	if a := desk.post(at+"/pick", "code", "04006381333948"); a.get("message") != "ALONE: 13 of 30 EA" {
		t.Errorf("a case: %v", a.get("message"))
	}
	sub := func(item string) answer {
		return desk.post(at+"/substitute", "line", "1", "item_no", item, "qty", "1",
			"stamp", desk.read(at).get("stamp").(string))
	}
	for _, item := range []string{"Dup1", "96385074"} {
		if a := sub(item); a.status != 422 || !strings.Contains(a.body, "Which one?") {
			t.Errorf("substitute %s: %d %s", item, a.status, a.body)
		}
	}
	if a := sub("4006381333948"); a.status != 200 {
		t.Fatalf("substitute by a case's barcode: %s", a.body)
	}
	if got := pgtest.Value[string](t, s.db,
		"select uom from erp.sales_order_line order by order_id desc, line_no desc limit 1"); got != "CS" {
		t.Errorf("the barcode of a case is sent as %s", got)
	}
}

// sureInTheCart: a line that was put into the cart by hand, far above the usual,
// asks at the line and holds the cart back until it is confirmed once, also
// without a script. A program that put 500 of I000002 there is not asked.
func sureInTheCart(t *testing.T, s *site, v *visitor) {
	const question = "Sure? 500 EA of I000002: you never ordered it"
	v.send("/cart/lines", "item_no", "I000001", "qty", "0")
	if strings.Contains(v.page("/cart").body, "Sure?") {
		t.Error("a program is asked")
	}
	v.send("/cart/lines", "item_no", "I000002", "qty", "0")
	v.send("/cart/lines", "item_no", "I000002", "qty", "500")
	for range 2 { // it stays, however often the page is looked at
		page := v.page("/cart").body
		if !strings.Contains(page, question) || !strings.Contains(page, `name="sure" value="500 EA I000002"`) ||
			!strings.Contains(page, "Yes, 500 EA") {
			t.Fatal("the line does not ask")
		}
	}
	if a := v.submit(); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.text("fields.0.message"), question) || a.text("fields.0.field") != "qty" {
		t.Errorf("sent without a word: %d %s", a.status, a.body)
	}
	confirm := func(sure string) answer {
		return v.send("/cart/lines", "item_no", "I000002", "mode", "sure", "sure", sure)
	}
	for _, other := range []string{"", "500 EA", "500 EA I000001", "5000 EA I000002", "true"} {
		if a := confirm(other); a.status != http.StatusConflict {
			t.Errorf("%q confirms 500 EA I000002: %d", other, a.status)
		}
	}
	if a := confirm("500 EA I000002"); a.status != http.StatusSeeOther || strings.Contains(v.page("/cart").body, "Sure?") {
		t.Errorf("confirmed, and asks again: %d", a.status)
	}
	v.send("/cart/lines", "item_no", "I000002", "qty", "500", "mode", "set") // the same again
	if strings.Contains(v.page("/cart").body, "Sure?") {
		t.Error("asks twice about one quantity")
	}
	// another quantity is asked about, whether it is set or what was added makes it so
	v.send("/cart/lines", "item_no", "I000002", "qty", "1")
	if !strings.Contains(v.page("/cart").body, "Sure? 501 EA of I000002") {
		t.Error("500 confirms 501")
	}
	v.send("/cart/lines", "item_no", "I000002", "qty", "40", "mode", "set")
	if strings.Contains(v.page("/cart").body, "Sure?") {
		t.Error("asks about a small quantity")
	}
	for range 15 {
		v.send("/cart/lines", "item_no", "I000002", "qty", "40")
	}
	if a := v.submit(); a.status != http.StatusUnprocessableEntity {
		t.Errorf("640 in steps of 40 are sent without a word: %d", a.status)
	}
	if a := confirm("640 EA I000002"); a.status != http.StatusSeeOther {
		t.Errorf("confirm: %d %s", a.status, a.body)
	}
	if a := v.submit(); a.status != http.StatusOK {
		t.Errorf("submit: %d %s", a.status, a.body)
	}
}
