package sql_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// counted is a world with ten OIL5, of which four went to an older order and
// three to a younger one, two of them picked.
func counted(t *testing.T) (db *pgtest.DB, older, younger string) {
	t.Helper()
	db = world(t)
	pgtest.Exec(t, db,
		`update erp.stock set on_hand = 10 where item_id = (select item_id from erp.item where item_no = 'OIL5');
		insert into portal.login (login_id, customer_id, email, password_hash) overriding system value
			values (1, 1, 'a@c1.example', '$2a$04$' || repeat('x', 53))`)
	older, younger = newOrder(t, db, "OIL5 4"), newOrder(t, db, "OIL5 3")
	pgtest.Exec(t, db, "update erp.sales_order set submitted_at = submitted_at - interval '1 hour' where order_no = '"+
		older+"'")
	setStatus(t, db, younger, "APPROVED", "PICKING")
	pgtest.Exec(t, db, "update erp.sales_order_line l set qty_picked = 2 from erp.sales_order o where o.order_id = "+
		"l.order_id and o.order_no = '"+younger+"'")
	return db, older, younger
}

// split is a line as allocated+backordered, with what is picked.
func split(t *testing.T, db *pgtest.DB, no string) string {
	t.Helper()
	return pgtest.Value[string](t, db,
		`select string_agg(trim_scale(qty_allocated) || '+' || trim_scale(qty_backordered) || ' picked ' ||
			trim_scale(qty_picked), ', ' order by line_no)
		from erp.sales_order_line join erp.sales_order using (order_id) where order_no = '`+no+"'")
}

// said is with which words and constraint a statement is refused.
func said(t *testing.T, db *pgtest.DB, statement string) string {
	t.Helper()
	_, err := db.Pool.Exec(context.Background(), statement)
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return "accepted"
	}
	return pg.Code + " " + pg.ConstraintName + ": " + pg.Message
}

// A count is a fact: what is not there is taken from the youngest orders, except
// for what is picked, and everybody concerned is told.
func TestCountBelowAllocated(t *testing.T) {
	t.Parallel()
	db, older, younger := counted(t)
	same(t, "before", stockOf(t, db, "OIL5"), "10/7")
	pgtest.Exec(t, db, "delete from portal.event; update erp.stock set on_hand = 3 where item_id = (select item_id "+
		"from erp.item where item_no = 'OIL5')")
	same(t, "stock", stockOf(t, db, "OIL5"), "3/3")
	same(t, "the younger keeps what is picked", split(t, db, younger), "2+1 picked 2")
	same(t, "the older keeps the rest", split(t, db, older), "1+3 picked 0")
	same(t, "events", pgtest.Value[string](t, db,
		"select string_agg(distinct kind || ' ' || ref, ', ' order by kind || ' ' || ref) from portal.event where kind in "+
			"('order', 'item')"),
		"item OIL5, order "+older+", order "+younger)
	same(t, "kept for staff", pgtest.Value[string](t, db,
		`select string_agg(o.order_no || ' ' || trim_scale(s.qty) || ' ' || s.actor, ', ' order by o.order_id)
		from erp.stock_shortfall s join erp.sales_order o using (order_id)`),
		older+" 3 "+pgtest.Value[string](t, db, "select portal.actor()")+", "+younger+" 1 "+
			pgtest.Value[string](t, db, "select portal.actor()"))
	same(t, "the buyer is told",
		pgtest.Value[string](t, db, "select string_agg(kind || ' ' || ref || ' ' || (data ->> 'reason'), ', ' order by "+
			"ref) from portal.notification where kind = 'order_waits'"),
		"order_waits "+older+" 3 EA of OIL5, order_waits "+younger+" 1 EA of OIL5")

	if got := said(t, db,
		"update erp.stock set on_hand = 1 where item_id = (select item_id from erp.item where item_no = 'OIL5')"); got !=
		"PT409 stock_picked: 2 of OIL5 are picked for "+younger+
			" (2 EA): on hand cannot be less. Ship them or put them back first." {
		t.Errorf("below what is picked: %s", got)
	}
	same(t, "a refused count changes nothing", stockOf(t, db, "OIL5")+" "+split(t, db, older), "3/3 1+3 picked 0")
	pgtest.Exec(t, db, "update erp.stock set on_hand = 2 where item_id = (select item_id from erp.item where item_no = "+
		"'OIL5')")
	same(t, "what is picked", stockOf(t, db, "OIL5")+" "+split(t, db, older), "2/2 0+4 picked 0")
	// what comes in goes to the oldest order again
	pgtest.Exec(t, db, "update erp.stock set on_hand = 5 where item_id = (select item_id from erp.item where item_no = "+
		"'OIL5')")
	same(t, "received", stockOf(t, db, "OIL5")+" "+split(t, db, older), "5/5 3+1 picked 0")
	booksAgree(t, db)
}

// By units and parts of units, for items without backorders, in two warehouses
// and in one statement; a row that is deleted counts as none.
func TestCountsOfManyItems(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, `
		update erp.item set allow_backorder = false where item_no = 'RICE';
		insert into erp.item (item_no, description, base_uom, price_a, fractional) values ('BEEF', 'Beef', 'LB', 3, true);
		insert into erp.item_uom (item_id, uom, factor) select item_id, 'PK', 3 from erp.item where item_no = 'BEEF';
		insert into erp.item_uom (item_id, uom, factor) select item_id, 'HB', 0.5 from erp.item where item_no = 'RICE';
		insert into erp.stock (item_id, on_hand) select item_id, 100 from erp.item where item_no = 'BEEF';
		insert into erp.stock (item_id, warehouse, on_hand) select item_id, 'EAST', 10 from erp.item
			where item_no in ('OIL5', 'RICE')`)
	first := newOrder(t, db, "OIL5 5 CS", "RICE 10", "BEEF 2.5")
	second := newOrder(t, db, "OIL5 4 CS", "OIL5 3", "RICE 8 HB", "BEEF 7.25 PK")
	pgtest.Exec(t, db,
		`with o as (insert into erp.sales_order (order_no, customer_id, source, warehouse) select 'EAST', min(customer_id),
			'PHONE', 'EAST' from erp.customer returning order_id)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o.order_id, i.item_id, i.item_id, 8 from o,
			erp.item i where i.item_no in ('OIL5', 'RICE')`)
	same(t, "before", split(t, db, second), "4+0 picked 0, 3+0 picked 0, 8+0 picked 0, 7.25+0 picked 0")

	// 39 OIL5, 14 RICE and 24.25 BEEF are allocated in MAIN, 8 and 8 in EAST
	pgtest.Exec(t, db,
		`update erp.stock s set on_hand = case i.item_no || s.warehouse when 'OIL5MAIN' then 34 when 'RICEMAIN' then 11
			when 'BEEFMAIN' then 20 when 'OIL5EAST' then 5 else 30 end
		from erp.item i where i.item_id = s.item_id`)
	same(t, "the first", split(t, db, first), "5+0 picked 0, 10+0 picked 0, 2.5+0 picked 0")
	// 5 EA are missing: the youngest line gives its 3, and a case goes for the last 2;
	// of that case 2 are left, which the line of pieces has again
	same(t, "the second", split(t, db, second), "3+1 picked 0, 2+1 picked 0, 2+6 picked 0, 5.833333+1.416667 picked 0")
	same(t, "east", split(t, db, "EAST"), "5+3 picked 0, 8+0 picked 0")
	same(t, "stock", stockOf(t, db, "BEEF"), "20/19.999999")

	pgtest.Exec(t, db, "delete from erp.stock where item_id = (select item_id from erp.item where item_no = 'RICE') "+
		"and warehouse = 'MAIN'")
	same(t, "deleted", split(t, db, first), "5+0 picked 0, 0+10 picked 0, 2.5+0 picked 0")
	booksAgree(t, db)

	for _, c := range []struct{ statement, want string }{
		{"update erp.stock set on_hand = -1 where warehouse = 'EAST'", "23514 stock_on_hand_not_negative"},
		{"update erp.stock set on_hand = null where warehouse = 'EAST'", "23502"},
		{"update erp.stock set allocated = 0 where warehouse = 'EAST'", "PT409 stock_allocated_follows"},
		{"insert into erp.stock (item_id, warehouse, on_hand, allocated) select item_id, 'WEST', 9, 3 from erp.item limit 1",
			"PT409 stock_allocated_follows"},
		{"update erp.stock set warehouse = 'WEST' where warehouse = 'EAST'", "PT409 stock_identity"},
		{"truncate erp.stock", "PT409 stock_allocated_follows"},
	} {
		if got := said(t, db, c.statement); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.statement, got, c.want)
		}
	}
	booksAgree(t, db)
}

func booksAgree(t *testing.T, db *pgtest.DB) {
	t.Helper()
	same(t, "invariants", pgtest.Value[string](t, db, "select coalesce(string_agg(invariant || ' ' || subject || ': ' "+
		"|| detail, '; '), '') from erp.check_invariants()"), "")
}
