package sql_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// proofWorld is what a week leaves behind: orders of every kind, shipped,
// invoiced, paid in part and credited.
func proofWorld(t *testing.T) (db *pgtest.DB, cart, phone string) {
	t.Helper()
	db = world(t)
	pgtest.Exec(t, db, `
		insert into erp.price_contract (customer_id, item_id, value) select 1, item_id, 19.5 from erp.item
			where item_no = 'RICE';
		insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 23.4 from erp.item where item_no = 'OIL5';
		set local session_replication_role = replica;
		update portal.audit set at = at - interval '1 day';
		set local session_replication_role = origin;
		insert into portal.login (login_id, customer_id, email, password_hash) overriding system value
			values (1, 1, 'a@c1.example', '$2a$04$' || repeat('x', 53));
		with c as (insert into portal.cart (login_id, customer_id) values (1, 1) returning cart_id)
		insert into portal.cart_line (cart_id, item_id, uom, qty, seen_price) select cart_id, item_id, uom, qty, seen from c,
			erp.item i
			join (values ('OIL5', 'EA', 3, 25), ('OIL5', 'CS', 2, 120), ('RICE', 'EA', 4, 21)) as v(no, uom, qty, seen)
			on v.no = i.item_no`)
	// a price that rose asks first; one that fell is taken, and the rise is confirmed
	no, refused, err := submit(t.Context(), db, 1)
	if err != nil || no != nil || len(refused) == 0 {
		t.Fatalf("%v %v %v", no, refused, err)
	}
	cart = pgtest.Value[string](t, db,
		`select s.order_no from portal.cart c cross join lateral portal.submit_cart(c.login_id, c.key, null, null, null,
			null, $1, portal.shown_digest($1)) s`,
		`[["OIL5","EA","3","99"],["OIL5","CS","2","999"],["RICE","EA","4","99"]]`)
	phone = newOrder(t, db, "OIL5 12", "RICE 10", "OIL5 1 CS")
	edit(t, db, phone, "1,2", "8,10", "no truck space") // keeps a break's price below the break
	changed := newOrder(t, db, "OIL5 12", "RICE 3")
	change(t, db, changed, "1", "5", `[["1","28"]]`)
	pgtest.Exec(t, db, `
		insert into erp.sales_order (order_no, customer_id, source, submitted_at) values ('OLD', 2, 'IMPORT', '2024-01-01');
		insert into erp.sales_order_line (order_id, line_no, item_id, qty, unit_price) select order_id, 1, 1, 2, 17
			from erp.sales_order where order_no = 'OLD'`)
	for _, no := range []string{cart, phone} {
		setStatus(t, db, no, "APPROVED")
		pgtest.Exec(t, db, "select erp.ship_order('"+no+"', 'UPS', '1Z')")
		pgtest.Exec(t, db, "select erp.invoice_order('"+no+"')")
	}
	pgtest.Exec(t, db, `
		insert into erp.payment (payment_id, customer_id, amount) values (1, 1, 300);
		insert into erp.payment_application (payment_id, invoice_id, amount) select 1, min(invoice_id), 250 from erp.invoice;
		with m as (insert into erp.credit_memo (customer_id, invoice_id) select 1, min(invoice_id) from erp.invoice
			returning credit_memo_id)
		insert into erp.credit_memo_line (credit_memo_id, line_no, qty, unit_price, line_total) select credit_memo_id, 1, 1,
			5, 5 from m`)
	return db, cart, phone
}

// found runs a whole proof after a statement, and takes both back: the kinds of
// the differences with their lines.
func found(t *testing.T, db *pgtest.DB, statements string) string {
	t.Helper()
	ctx := t.Context()
	tx, err := db.Pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, err := tx.Conn().PgConn().Exec(ctx, statements+"; select portal.prove_prices(true)").ReadAll(); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	var got string
	if err := tx.QueryRow(ctx,
		`select coalesce(string_agg(kind || coalesce(' ' || nullif(line_no, 0), ''), ', ' order by kind, subject, line_no),
			'')
		from portal.proof_difference where resolved_at is null`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPriceProof(t *testing.T) {
	t.Parallel()
	db, cart, _ := proofWorld(t)
	// Nothing of it has shipped
	open := pgtest.Value[string](t, db,
		"select order_no from erp.sales_order where status = 'SUBMITTED' and source <> 'IMPORT'")
	if got := linesOf(t, db, cart); !strings.Contains(got, "27 level") || !strings.Contains(got, "108 level") ||
		!strings.Contains(got, "19.5 contract") {
		t.Fatalf("cart's order: %s", got)
	}
	const past = "set local session_replication_role = replica; "
	line := func(no, set, where string) string {
		return "update erp.sales_order_line l set " + set +
			" from erp.sales_order o where o.order_id = l.order_id and o.order_no = '" + no + "' and " + where
	}
	for _, c := range []struct{ what, statements, want string }{
		{"a week of orders", "select 1", ""},
		// rules that change afterwards explain what the function says today
		{"a level changes", "update erp.item set price_c = price_c + 1", ""},
		{"a contract ends", "delete from erp.price_contract", ""},
		{"a unit changes", "update erp.item_uom set factor = 5", ""},
		{"a customer moves to another level", "update erp.customer set price_level = 'B'", ""},
		{"the policy changes", "update erp.company set price_policy = 'lowest_wins'", ""},
		// but not one that nobody audits
		{"a level changes past the triggers", past + "update erp.item set price_c = price_c + 1 where item_no = 'OIL5'",
			"repriced 1, repriced 2, repriced 1"},

		{"an invoiced price",
			past + "update erp.invoice_line set unit_price = unit_price + 0.01, line_total = round(qty * (unit_price + " +
				"0.01), 2) where line_no = 1 and invoice_id = 1", "invoice_line 1, invoice_total"},
		{"an invoiced rule", past + "update erp.invoice_line set price_rule_id = 77 where line_no = 3 and invoice_id = 1",
			"invoice_line 3"},
		{"an invoice line's sum",
			past + "update erp.invoice_line set line_total = line_total - 0.01 where line_no = 2 and invoice_id = 1",
			"invoice_line_total 2, invoice_total"},
		{"a program's price", line(open, "unit_price = 1", "line_no = 1") +
			"; update erp.invoice_line set unit_price = unit_price where false", "order_price 1"},
		{"with its reason", line(open, "unit_price = 1, override_reason = 'damaged tins'", "line_no = 1"), ""},
		{"a rule that gave nothing of it", line(open, "price_step = 'contract', price_rule_id = 9", "line_no = 1"),
			"order_price 1"},
		{"an order line past the triggers", past + line(cart, "unit_price = 20, line_total = l.qty * 20", "line_no = 1"),
			"order_line 1, order_total"},
		{"an order past the triggers",
			past + `with o as (insert into erp.sales_order (customer_id) values (2) returning order_id)
			insert into erp.sales_order_line (order_id, line_no, item_id, uom, factor, qty, qty_backordered, unit_price,
				line_total) select order_id, 1, 1, 'EA', 1, 1, 1, 9, 9 from o`, "no_receipt 1, order_total"},
		{"a desktop program's own price",
			`with o as (insert into erp.sales_order (customer_id, source) values (2, 'PHONE') returning order_id)
			insert into erp.sales_order_line (order_id, line_no, item_id, qty, unit_price) select order_id, l, 1, 1, case l
				when 1 then 28.5 else 28.4 end from o, generate_series(1, 2) l`, "order_price 2"},
		{"a substitute at less",
			`insert into erp.sales_order_line (order_id, line_no, item_id, qty, unit_price, substitute_for_line)
			select max(order_id), 9, 1, 1, 12, 1 from erp.sales_order where status = 'SUBMITTED'`, ""},
		{"a price where there is none",
			`with o as (insert into erp.sales_order (customer_id, source) values (2, 'PHONE') returning order_id)
			insert into erp.sales_order_line (order_id, line_no, item_id, qty, unit_price) select order_id, 1, item_id, 1, 12
				from o, erp.item where item_no = 'NONE'`, ""},
		{"an order's total", past + "update erp.sales_order set total = total + 1 where order_no = '" + cart + "'",
			"order_total"},
		{"an invoice's total", past + "update erp.invoice set total = total + 1 where invoice_id = 2",
			"balance, invoice_open, invoice_total"},
		{"an open amount", past + "update erp.invoice set open_amount = open_amount - 1 where invoice_id = 2",
			"balance, invoice_open"},
		{"a memo", past + "update erp.credit_memo set total = 4, open_amount = 4", "memo_total"},
		{"a payment", past + "update erp.payment set open_amount = 0", "balance, payment_open"},
		{"an application", past + "delete from erp.payment_application", "invoice_open, payment_open"},
		// the balance by the documents knows nothing of who has which open amount
		{"two slips that cancel out",
			past + "update erp.invoice set open_amount = open_amount + case invoice_id when 1 then 1 else -1 end",
			"invoice_open, invoice_open"},
	} {
		if got := found(t, db, c.statements); got != c.want {
			t.Errorf("%s: found %q, want %q", c.what, got, c.want)
		}
	}
	// what is explained is counted
	if n := pgtest.Value[int](t, db, "with u as (update erp.item set price_c = price_c + 1 where item_no = 'OIL5' "+
		"returning 1) select count(*)::int from u"); n != 1 {
		t.Fatal(n)
	}
	run, err := sql.NewProof(openWork(t, db).Work).Prove(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	// the first is whole; cart 3, phone 3, changed 2 and once more, the old order's own price
	if !run.Whole || run.OrderLines != 9 || run.Repriced != 9 || run.InvoiceLines != 6 || run.Documents != 4+2+1 ||
		run.Customers != 1 || run.Found != 0 || run.Explained == 0 {
		t.Errorf("run %+v", run)
	}
}

// A difference stays until it is mended or somebody says what it is; it is
// looked at again by every run, and is news again when its figures change.
func TestPriceProofDifferences(t *testing.T) {
	t.Parallel()
	db, _, _ := proofWorld(t)
	phone := pgtest.Value[string](t, db,
		"select order_no from erp.sales_order where status = 'SUBMITTED' and source <> 'IMPORT'")
	store := openWork(t, db)
	work, desk := sql.NewProof(store.Work), sql.NewProofStore(store)
	ops := portal.Session{ID: 1, LoginID: 9, Email: "ops@demo.example", Role: portal.RoleOps}
	prove := func(whole bool) portal.ProofRun {
		t.Helper()
		run, err := work.Prove(t.Context(), whole)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	price := func(p string) {
		pgtest.Exec(t, db, "update erp.sales_order_line l set unit_price = "+p+
			" from erp.sales_order o where o.order_id = l.order_id and o.order_no = '"+phone+"' and line_no = 2")
	}
	if run := prove(false); run.Found != 0 || !run.Whole {
		t.Fatalf("%+v", run)
	}
	price("17")
	run := prove(false)
	if run.Found != 1 || run.Whole || run.Since == nil {
		t.Errorf("found %+v", run)
	}
	list, err := work.OpenDifferences(t.Context(), 10)
	if err != nil || len(list) != 1 || list[0].Kind != "order_price" || list[0].Subject != phone || list[0].LineNo != 2 ||
		list[0].CustomerNo != "C1" ||
		!strings.Contains(list[0].Detail, "took 17 contract") || !strings.Contains(list[0].Detail, "gave 19.5 contract") {
		t.Fatalf("%+v %v", list, err)
	}
	if err := desk.Acknowledge(t.Context(), ops, list[0].ID, " "); portal.ErrorCode(err) != portal.CodeInvalid {
		t.Errorf("without a note: %v", err)
	}
	if err := desk.Acknowledge(t.Context(), ops, list[0].ID, "promised on the phone"); err != nil {
		t.Fatal(err)
	}
	if run := prove(false); run.Found != 0 {
		t.Errorf("acknowledged, and found again: %+v", run)
	}
	page, err := desk.Proof(t.Context(), ops)
	if err != nil || page.Open != 0 || len(page.Runs) != 3 || len(page.Differences) != 1 ||
		page.Differences[0].Note != "promised on the phone" || page.Differences[0].AcknowledgedBy != "ops@demo.example" {
		t.Errorf("page %+v %v", page, err)
	}
	price("16")
	if run := prove(true); run.Found != 1 {
		t.Errorf("other figures are no news: %+v", run)
	}
	// the contract's price again, as a manual one: nothing to say against it
	price("19.5")
	if run := prove(false); run.Found != 0 {
		t.Errorf("mended, and found: %+v", run)
	}
	if err := desk.Acknowledge(t.Context(), ops, list[0].ID, "late"); portal.ErrorCode(err) != portal.CodeNotFound {
		t.Errorf("a mended one: %v", err)
	}
	if n := pgtest.Value[int](t, db, "select count(*)::int from portal.audit where action = 'proof_acknowledged' and "+
		"actor = 'ops@demo.example'"); n != 1 {
		t.Errorf("%d rows in the audit log", n)
	}

	// one at a time
	tx, err := db.Pool.BeginTx(t.Context(), pgx.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	if _, err := tx.Exec(t.Context(), "select portal.prove_prices(true)"); err != nil {
		t.Fatal(err)
	}
	if _, err := work.Prove(t.Context(), true); portal.ErrorCode(err) != portal.CodeConflict {
		t.Errorf("a second at the same time: %v", err)
	}
}

// One line added to a long order asks for that line; the receipts are the
// same as if all had come at once.
func TestPriceReceipts(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, "insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 23.4 from erp.item "+
		"where item_no = 'OIL5'")
	no := newOrder(t, db, "OIL5 6", "RICE 1", "OIL5 2 CS")
	receipts := func() string {
		return pgtest.Value[string](t, db,
			`select string_agg(concat_ws(' ', r.line_no, trim_scale(r.total_qty), trim_scale(r.asked_price), r.asked_step,
				trim_scale(r.unit_price), r.price_step), ', ' order by r.receipt_id)
			from portal.price_receipt r join erp.sales_order o using (order_id) where o.order_no = '`+no+`'`)
	}
	// the break is reached by the third line, which has its price
	if got := receipts(); got != "1 6 27 level 27 level, 2 1 20 level 20 level, 3 14 93.6 break 93.6 break" {
		t.Errorf("receipts %s", got)
	}
	pgtest.Exec(t, db, "update erp.sales_order_line set unit_price = 23.4, price_step = 'manual' where line_no = 1")
	if got := receipts(); !strings.HasSuffix(got, ", 1 14 23.4 break 23.4 manual") {
		t.Errorf("receipts %s", got)
	}
	n := pgtest.Value[int](t, db, "select count(*)::int from portal.price_receipt")
	setStatus(t, db, no, "APPROVED", "PICKING")
	pgtest.Exec(t, db, "update erp.sales_order_line set qty_picked = qty_allocated")
	if got := pgtest.Value[int](t, db, "select count(*)::int from portal.price_receipt"); got != n {
		t.Error("picking writes receipts")
	}
	pgtest.Exec(t, db, "delete from portal.price_receipt where line_no > 1")
	if got := pgtest.Value[int](t, db, "select portal.adopt_prices()::int"); got != 2 {
		t.Errorf("%d adopted", got)
	}
	if got := found(t, db, "select 1"); got != "" {
		t.Errorf("after adopting: %s", got)
	}
	// the plans that a session keeps from short orders do for a long one: with
	// one made for a line this would take a minute
	pgtest.Exec(t, db, `
		set statement_timeout = '20s';
		do $$
		declare o bigint;
		begin
			insert into erp.item (item_no, description, price_a) select 'L' || g, 'Thing', 5 from generate_series(1, 1500) g;
			for n in 1..8 loop
				insert into erp.sales_order (customer_id) values (2) returning order_id into o;
				insert into erp.sales_order_line (order_id, line_no, item_id, qty, unit_price, price_step)
				select o, row_number() over (order by i.item_id), i.item_id, 1, 5, 'level' from erp.item i
					where i.item_no like 'L%' order by i.item_id limit case n when 8 then 1500 else 3 end;
			end loop;
		end $$;
		reset statement_timeout`)
	if n := pgtest.Value[int](t, db, "select count(*)::int from portal.price_receipt r join erp.sales_order o using "+
		"(order_id) where o.customer_id = 2 and r.asked_price = 5 and r.total_qty = 1"); n != 1521 {
		t.Errorf("%d receipts of the long order and the short ones", n)
	}
}
