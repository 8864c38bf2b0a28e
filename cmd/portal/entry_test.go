package main

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"portal.example/portal/internal/pgtest"
)

// upload sends a file to the quick order and reads the answer as JSON.
func (v *visitor) upload(name string, file []byte, action string) answer {
	v.s.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = w.WriteField("action", action)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		v.s.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, v.s.URL+"/quick-order", &body)
	if err != nil {
		v.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Accept", "application/json")
	resp, err := v.client.Do(r)
	if err != nil {
		v.s.t.Fatal(err)
	}
	a, err := readAnswer(resp)
	if err != nil {
		v.s.t.Fatal(err)
	}
	return a
}

// manyItems adds items I000001 … In to the fixtures.
func manyItems(t *testing.T, s *site, n int) {
	t.Helper()
	pgtest.Exec(t, s.db, fmt.Sprintf(`insert into erp.item (item_no, description, category_id, price_a)
		select 'I' || lpad(n::text, 6, '0'), 'Item ' || n, 2, n from generate_series(1, %d) n;
		insert into erp.stock (item_id, on_hand) select item_id, 1000 from erp.item where item_no like 'I0%%'`, n))
}

func TestAcceptance20QuickOrder(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	manyItems(t, s, 400)
	v := s.buyer("C1003")

	var paste strings.Builder
	for n := 1; n <= 30; n++ {
		fmt.Fprintf(&paste, "I%06d\t%d\r\n", n, n)
	}
	if a := v.post("/quick-order", "paste", paste.String()); a.get("ready") != 30.0 || a.get("bad") != 0.0 {
		t.Errorf("pasted: %v ready, %v bad", a.get("ready"), a.get("bad"))
	}

	var file strings.Builder
	file.WriteString("Item number,Description,Unit,Quantity\n")
	for n := 1; n <= 196; n++ {
		fmt.Fprintf(&file, "I%06d,whatever,EA,2\n", n)
	}
	file.WriteString("NOPE1,x,,1\nNOPE2,x,,1\nNOPE3,x,,1\nI000300,x,EA,1.5\n")
	checked := v.upload("order.csv", []byte(file.String()), "check")
	if checked.get("ready") != 196.0 || checked.get("bad") != 4.0 || len(checked.get("lines").([]any)) != 200 {
		t.Errorf("uploaded: %v ready, %v bad", checked.get("ready"), checked.get("bad"))
	}
	if checked.get("lines.196.ref") != "NOPE1" || checked.get("lines.196.error") == nil ||
		checked.get("lines.199.error") != "I000300 is sold in whole EA." ||
		checked.get("lines.199.field") != "qty" || checked.get("lines.199.qty") != "1.5" {
		t.Errorf("what is wrong: %v, %v", checked.get("lines.196"), checked.get("lines.199"))
	}
	if lines := v.read("/cart").get("lines"); lines != nil && len(lines.([]any)) != 0 {
		t.Error("checking put something into the cart")
	}
	added := v.upload("order.csv", []byte(file.String()), "add")
	if added.get("added") != 196.0 || len(added.get("lines").([]any)) != 4 {
		t.Errorf("added %v, left %v", added.get("added"), added.get("lines"))
	}
	if n := len(v.read("/cart").get("lines").([]any)); n != 196 {
		t.Errorf("%d lines in the cart", n)
	}
	// in a browser the four stay in the rows, to be mended there
	page := v.send("/quick-order", "paste", "NOPE1\t1\nI000300\t1.5\nI000001\t1", "action", "add")
	if !strings.Contains(page.body, `value="NOPE1"`) || !strings.Contains(page.body, `value="1.5"`) ||
		strings.Contains(page.body, `value="I000001"`) {
		t.Error("the page does not keep the rows that are wrong, and them alone")
	}
}

func TestQuickOrderReferences(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, `
		update erp.item set barcode = '8412345678905' where item_no = 'RICE25';
		insert into erp.customer_item (customer_id, item_id, their_item_no) select c.customer_id, i.item_id, 'K-77'
			from erp.customer c, erp.item i where c.customer_no = 'C1003' and i.item_no = 'SALT1';
		update erp.web_access set authorized_items_only = true where customer_id = (select customer_id from erp.customer
			where customer_no = 'C1004');
		insert into erp.authorized_item select c.customer_id, i.item_id from erp.customer c, erp.item i
			where c.customer_no = 'C1004' and i.item_no = 'OIL5'`)
	v := s.buyer("C1003")
	a := v.post("/quick-order", "paste", "oil5\t2\n4006381333931\t1\n8412345678905\t1\nk-77\t1\nOIL5\t1\tPALLET")
	for n, want := range []string{"OIL5 EA", "OIL5 CS", "RICE25 EA", "SALT1 EA"} {
		at := fmt.Sprint("lines.", n, ".item.")
		if got := fmt.Sprint(a.get(at+"item_no"), " ", a.get(at+"uom")); got != want {
			t.Errorf("row %d: %s, want %s", n+1, got, want)
		}
	}
	if a := s.buyer("C1002").post("/quick-order", "paste", "K-77\t1"); a.get("lines.0.item") != nil {
		t.Error("another customer's number is understood")
	}
	if a := s.buyer("C1004").post("/quick-order",
		"paste", "OIL5\t1\nRICE25\t1\n8412345678905\t1"); a.get("ready") != 1.0 || a.get("lines.1.item") != nil ||
		a.get("lines.2.item") != nil {
		t.Errorf("a restricted catalogue: %s", a.body)
	}
	// quantities of one item count together, over units
	if a := v.post("/quick-order", "paste", "OIL5\t4\tEA\nOIL5\t2\tCS"); a.get("lines.0.item.unit_price") != "23.40" ||
		a.get("lines.1.item.unit_price") != "93.60" || a.get("total") != "280.80" {
		t.Errorf("together: %s", a.body)
	}
	pgtest.Exec(t, s.db, "update erp.web_access set can_order = false where customer_id = (select customer_id from "+
		"erp.customer where customer_no = 'C1003')")
	if a := v.post("/quick-order", "paste", "OIL5\t1", "action", "add"); a.status != http.StatusForbidden {
		t.Errorf("view only: %d", a.status)
	}
}

func TestQuickOrderOf2000Rows(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	manyItems(t, s, 2000)
	v := s.buyer("C1003")
	f := excelize.NewFile()
	for n := 1; n <= 2000; n++ {
		if err := f.SetSheetRow("Sheet1", fmt.Sprint("A", n), &[]any{fmt.Sprintf("I%06d", n), n%7 + 1}); err != nil {
			t.Fatal(err)
		}
	}
	var xlsx bytes.Buffer
	if err := f.Write(&xlsx); err != nil {
		t.Fatal(err)
	}
	if a := v.upload("order.xlsx", xlsx.Bytes(), "add"); a.get("added") != 2000.0 {
		t.Fatalf("added: %d %v", a.status, a.get("added"))
	}
	if a := v.read("/cart"); len(a.get("lines").([]any)) != 2000 {
		t.Error("the cart does not hold them all")
	}
	if a := v.submit(); a.status != http.StatusOK {
		t.Errorf("submit: %d %.300s", a.status, a.body)
	}
	if a := v.upload("order.xls", []byte("\xd0\xcf\x11\xe0"), "check"); a.status != http.StatusOK ||
		!strings.Contains(a.body, "old Excel file") {
		t.Errorf("an old file: %d %s", a.status, a.body)
	}
}

// The template comes back filled in, and only its filled rows count.
func TestQuickOrderTemplate(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1003")
	v.order("OIL5", "3")
	v.order("RICE25", "1")
	csv := v.page("/quick-order/template").body
	if !strings.Contains(csv, "OIL5,Olive oil 5 L,EA,\n") || !strings.Contains(csv, "RICE25") ||
		strings.Contains(csv, "SALT1") {
		t.Fatalf("template: %s", csv)
	}
	filled := strings.Replace(csv, "OIL5,Olive oil 5 L,EA,", "OIL5,Olive oil 5 L,EA,4", 1)
	if a := v.upload("order.csv", []byte(filled), "check"); a.get("ready") != 1.0 || a.get("bad") != 0.0 {
		t.Errorf("filled in: %s", a.body)
	}
	if a := v.page("/quick-order/template?format=xlsx"); a.status != http.StatusOK || !strings.HasPrefix(a.body, "PK") {
		t.Errorf("xlsx: %d", a.status)
	}
}

func TestAcceptance21Reorder(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1003")
	pgtest.Exec(t, s.db, `
		update erp.item set substitute_item_id = (select item_id from erp.item where item_no = 'SALT1')
			where item_no = 'GLOV9';
		insert into erp.sales_order (order_id, order_no, customer_id, source, status, submitted_at)
			select 900, 'SO-OLD', customer_id, 'IMPORT', 'DELIVERED', '2025-05-01 10:00-04' from erp.customer
				where customer_no = 'C1003';
		set session_replication_role = replica;
		insert into erp.sales_order_line (order_id, line_no, item_id, uom, factor, qty, unit_price, price_step, line_total,
			qty_shipped)
			select 900, l.n, i.item_id, i.base_uom, 1, l.qty, l.price, 'level', round(l.qty * l.price, 2), l.qty
			from (values (1, 'OIL5', 2, 21.00), (2, 'GLOV9', 1, 9.00), (3, 'LAST1', 8, 5.00), (4, 'RICE25', 1, 20.00)) as l(n,
			item_no, qty, price)
			join erp.item i using (item_no);
		update erp.sales_order set total = 111.00 where order_id = 900;
		set session_replication_role = origin;
		update erp.item set active = false where item_no = 'RICE25'`)
	before := pgtest.Value[string](t, s.db,
		"select o::text || (select string_agg(l::text, ';') from erp.sales_order_line l where l.order_id = 900) from "+
			"erp.sales_order o where order_id = 900")

	page := v.send("/orders/SO-OLD/reorder")
	for _, want := range []string{"Was 21.00", "27.00", "Discontinued", `/items/SALT1`, "5 available",
		"Not available to your account", "2 lines in the cart"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the differences do not say %q", want)
		}
	}
	cart := v.read("/cart")
	if lines := cart.get("lines").([]any); len(lines) != 2 {
		t.Fatalf("cart: %s", cart.body)
	}
	if cart.get("lines.0.item_no") != "OIL5" || cart.get("lines.0.unit_price") != "27.00" ||
		cart.get("lines.0.was_price") != "21.00" ||
		cart.get("lines.1.item_no") != "LAST1" || cart.get("lines.1.qty") != "8" {
		t.Errorf("cart: %s", cart.body)
	}
	if !strings.Contains(v.page("/cart").body, "was 21.00") {
		t.Error("the cart does not say what it was")
	}
	after := pgtest.Value[string](t, s.db,
		"select o::text || (select string_agg(l::text, ';') from erp.sales_order_line l where l.order_id = 900) from "+
			"erp.sales_order o where order_id = 900")
	if before != after {
		t.Error("the old order was changed")
	}

	// with lines in the cart it asks, and does what is said
	ask := v.send("/orders/SO-OLD/reorder")
	if !strings.Contains(ask.body, "Your cart already holds 2 lines") || v.read("/cart").get("lines.0.qty") != "2" {
		t.Error("it does not ask, or adds before it is answered")
	}
	v.send("/orders/SO-OLD/reorder", "mode", "add")
	if got := v.read("/cart").get("lines.0.qty"); got != "4" {
		t.Errorf("added: %v", got)
	}
	v.send("/orders/SO-OLD/reorder", "mode", "replace")
	if got := v.read("/cart").get("lines.0.qty"); got != "2" {
		t.Errorf("replaced: %v", got)
	}
	if a := s.buyer("C1002").post("/orders/SO-OLD/reorder"); a.status != http.StatusNotFound {
		t.Errorf("another customer's order: %d", a.status)
	}
}

func TestAcceptance22ReorderInvoice(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1003")
	no := v.order("OIL5", "10")
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, `update erp.sales_order set status = 'PICKING' where order_no = '`+no+`';
		with m as (insert into erp.shipment (order_id, carrier) select order_id, 'UPS' from erp.sales_order where order_no = '`+no+`' returning shipment_id, order_id)
		insert into erp.shipment_line (shipment_id, order_id, line_no, qty) select shipment_id, order_id, 1, 6 from m`)
	invoice := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+no+"')")
	pgtest.Exec(t, s.db, "update erp.item set price_c = 28 where item_no = 'OIL5'")
	if a := v.post("/invoices/" + invoice + "/reorder"); a.status != http.StatusOK || a.get("added") != 1.0 {
		t.Fatalf("reorder: %d %s", a.status, a.body)
	}
	if cart := v.read("/cart"); cart.get("lines.0.qty") != "6" || cart.get("lines.0.unit_price") != "28.00" ||
		cart.get("lines.0.was_price") != "27.00" {
		t.Errorf("cart: %s", cart.body)
	}
}
