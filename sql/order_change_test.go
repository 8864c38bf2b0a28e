package sql_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// linesOf are an order's lines as "qty/allocated/backordered/cancelled price".
func linesOf(t *testing.T, db *pgtest.DB, no string) string {
	t.Helper()
	return pgtest.Value[string](t, db,
		`select string_agg(concat_ws('/', trim_scale(l.qty), trim_scale(l.qty_allocated), trim_scale(l.qty_backordered),
		trim_scale(l.qty_cancelled)) || ' ' || trim_scale(l.unit_price) || ' ' || l.price_step, ', ' order by l.line_no)
		from erp.sales_order_line l join erp.sales_order o using (order_id) where o.order_no = $1`, no)
}

func changesOf(t *testing.T, db *pgtest.DB, no string) string {
	t.Helper()
	return pgtest.Value[string](t, db,
		`select coalesce(string_agg(concat_ws(' ', c.line_no, trim_scale(c.from_qty) || '→' || trim_scale(c.to_qty),
			c.reason), ', ' order by c.change_id), '')
		from erp.order_change c join erp.sales_order o using (order_id) where o.order_no = $1`, no)
}

// edit changes quantities as the desk does and returns, for each line, what it
// reports, or the name of what refused it.
func edit(t *testing.T, db *pgtest.DB, no, lines, qtys, reason string) string {
	t.Helper()
	var out string
	err := db.Pool.QueryRow(t.Context(),
		`select coalesce(string_agg(format('%s %s→%s %s %s', e.line_no, trim_scale(e.from_qty), trim_scale(e.to_qty),
		trim_scale(e.unit_price), trim_scale(e.price_now)), ', '), '') from erp.edit_order($1, $2::text::int[],
		$3::text::numeric[], $4) e`,
		no, "{"+lines+"}", "{"+qtys+"}", reason).Scan(&out)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.ConstraintName
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// change changes quantities as the buyer does and returns how many lines
// changed, the codes of the findings that refused it, or what raised.
func change(t *testing.T, db *pgtest.DB, no, lines, qtys, confirm string) string {
	t.Helper()
	var out string
	err := db.Pool.QueryRow(t.Context(),
		`select concat_ws(' ', c.changed, (select string_agg(f ->> 'code' || coalesce(':' || (f ->> 'line'), ''), ' ')
			from jsonb_array_elements(c.findings) f))
		from erp.sales_order o cross join lateral portal.change_order(o.customer_id, o.order_no, $2::text::int[],
		$3::text::numeric[], o.revision, $4) c
		where o.order_no = $1`, no, "{"+lines+"}", "{"+qtys+"}", confirm).Scan(&out)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.ConstraintName
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEditOrder(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, "insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 23.4 from erp.item "+
		"where item_no = 'OIL5'")
	no := newOrder(t, db, "OIL5 12", "RICE 10")
	pgtest.Exec(t, db, "update erp.item set price_c = 28 where item_no = 'OIL5'") // prices go on; agreed is agreed

	// 12 lose their break and keep the price all the same
	if got := edit(t, db, no, "1,2", "8,10", "no truck space"); got != "1 12→8 23.4 28" {
		t.Errorf("edited: %s", got)
	}
	if got := linesOf(t, db, no); got != "8/8/0/0 23.4 break, 10/10/0/0 20 level" {
		t.Errorf("lines %s", got)
	}
	if got := stockOf(t, db, "OIL5"); got != "100/8" {
		t.Errorf("stock %s", got)
	}
	if got := pgtest.Value[string](t, db, "select total::text from erp.sales_order"); got != "387.20" {
		t.Errorf("total %s", got)
	}
	// a line is taken out and stays, and comes back
	for _, step := range []struct{ qtys, says, lines, stock string }{
		{"0", "1 8→0 23.4 ", "8/0/0/8 23.4 break, 10/10/0/0 20 level", "100/0"},
		{"0", "", "8/0/0/8 23.4 break, 10/10/0/0 20 level", "100/0"}, // as it is
		{"5", "1 0→5 23.4 28", "5/5/0/0 23.4 break, 10/10/0/0 20 level", "100/5"},
		{"110", "1 5→110 23.4 23.4", "110/100/10/0 23.4 break, 10/10/0/0 20 level", "100/100"},
		{"30", "1 110→30 23.4 23.4", "30/30/0/0 23.4 break, 10/10/0/0 20 level", "100/30"},
	} {
		if got := edit(t, db, no, "1", step.qtys, "again"); got != step.says {
			t.Errorf("to %s: %s", step.qtys, got)
		}
		if got := linesOf(t, db, no); got != step.lines {
			t.Errorf("to %s: lines %s", step.qtys, got)
		}
		if got := stockOf(t, db, "OIL5"); got != step.stock {
			t.Errorf("to %s: stock %s", step.qtys, got)
		}
	}
	if got, want := changesOf(t, db, no),
		"1 12→8 no truck space, 1 8→0 again, 1 0→5 again, 1 5→110 again, 1 110→30 again"; got != want {
		t.Errorf("changes %s", got)
	}
	if got := pgtest.Value[int](t, db, "select revision from erp.sales_order"); got != 5 {
		t.Errorf("revision %d", got)
	}
	sound(t, db)

	for _, bad := range [][4]string{
		{"1,2", "0,0", "no", "no_lines"},
		{"1", "29", " ", "order_change_has_reason"},
		{"7", "1", "no", "order_line_qty"},
		{"1", "-1", "no", "order_line_qty"},
		{"1", "1.5", "no", "qty_not_whole"},
	} {
		if got := edit(t, db, no, bad[0], bad[1], bad[2]); got != bad[3] {
			t.Errorf("%v: %s", bad, got)
		}
	}
	if c := refused(t, db, "select * from erp.edit_order('"+no+"', array[1], array[20], 'no', 1)"); c != "order_changed" {
		t.Errorf("an order that was changed meanwhile: %s", c)
	}
	// an item without backorders has no more than is left
	pgtest.Exec(t, db, "update erp.item set allow_backorder = false where item_no = 'OIL5'")
	if got := edit(t, db, no, "1", "101", ""); got != "stock_short" {
		t.Errorf("more than there is: %s", got)
	}
	if c := refused(t, db, "update erp.sales_order_line set qty = 101 where line_no = 1"); c != "stock_short" {
		t.Errorf("more than there is, by SQL: %s", c)
	}
	if got := edit(t, db, no, "1", "100", ""); got != "1 30→100 23.4 23.4" {
		t.Errorf("all there is: %s", got)
	}

	// plain SQL leaves the same trace
	pgtest.Exec(t, db, "begin; select set_config('portal.reason', 'short dated', true); update erp.sales_order_line "+
		"set qty_cancelled = 4 where line_no = 2; commit")
	if got := changesOf(t, db, no); !strings.HasSuffix(got, ", 2 10→6 short dated") {
		t.Errorf("changes %s", got)
	}
	setStatus(t, db, no, "APPROVED")
	if got := edit(t, db, no, "2", "5", "as well"); got != "2 6→5 20 20" {
		t.Errorf("approved: %s", got)
	}
	setStatus(t, db, no, "PICKING")
	if got := edit(t, db, no, "2", "4", "too late"); got != "order_closed" {
		t.Errorf("being picked: %s", got)
	}
	n := strings.Count(changesOf(t, db, no), "→")
	setStatus(t, db, no, "CANCELLED")
	if got := strings.Count(changesOf(t, db, no), "→"); got != n {
		t.Error("giving up the order counts as changing its lines")
	}
	sound(t, db)
}

func TestChangeOrder(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, "insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 23.4 from erp.item "+
		"where item_no = 'OIL5'")
	no := newOrder(t, db, "OIL5 12", "RICE 10")
	pgtest.Exec(t, db, "update erp.item set price_c = 21 where item_no = 'RICE'")
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	check("nothing", change(t, db, no, "1,2", "12,10", ""), "0")
	// less at the agreed price, though the price rose since
	check("less", change(t, db, no, "2", "8", ""), "1")
	check("lines", linesOf(t, db, no), "12/12/0/0 23.4 break, 8/8/0/0 20 level")
	// below the break the price is another one: it asks
	check("below the break", change(t, db, no, "1", "8", ""), "0 prices_rose:1")
	check("below the break, meant", change(t, db, no, "1", "8", `[["1","28"],["2","28"]]`), "1")
	check("lines", linesOf(t, db, no), "8/8/0/0 27 level, 8/8/0/0 20 level")
	// more at today's price, for all of the line
	check("more", change(t, db, no, "2", "9", ""), "0 prices_rose:2")
	check("more, meant", change(t, db, no, "2", "9", `[["1","28"],["2","28"]]`), "1")
	check("over the break", change(t, db, no, "1", "20", ""), "1")
	check("lines", linesOf(t, db, no), "20/20/0/0 23.4 break, 9/9/0/0 21 level")
	check("out", change(t, db, no, "2", "0", ""), "1")
	check("lines", linesOf(t, db, no), "20/20/0/0 23.4 break, 9/0/0/9 21 level")
	check("all out", change(t, db, no, "1", "0", ""), "no_lines")
	check("half a can", change(t, db, no, "1", "20.5", ""), "0 qty_not_whole:1")
	check("line 9", change(t, db, no, "9", "1", ""), "order_line_qty")

	// the rules of submit
	rules := func(settings string) { pgtest.Exec(t, db, "update erp.web_access set "+settings) }
	rules("min_order = 400") // it is 468.00
	check("below the minimum", change(t, db, no, "1", "17", ""), "0 min_order")
	rules("min_order = null, max_order = 468")
	check("over the maximum", change(t, db, no, "1", "21", ""), "0 over_maximum")
	rules("over_max = 'queue'")
	check("over the maximum, for review", change(t, db, no, "1", "21", ""), "1")
	rules("max_order = null, allow_backorder = false")
	check("more than there is", change(t, db, no, "1", "101", ""), "0 stock_short:1")
	check("all there is", change(t, db, no, "1", "100", ""), "1")
	rules("allow_backorder = true, credit_check = 'block'")
	pgtest.Exec(t, db, "update erp.customer set credit_limit = 2340")
	check("over credit", change(t, db, no, "1", "101", ""), "0 over_credit")
	pgtest.Exec(t, db, "update erp.customer set credit_limit = 10")
	check("less though over credit", change(t, db, no, "1", "99", ""), "1")
	pgtest.Exec(t, db, "update erp.customer set credit_limit = null; update erp.item set discontinued = true where "+
		"item_no = 'OIL5'")
	check("more of what is discontinued", change(t, db, no, "1", "100", ""), "0 item_discontinued:1")
	check("less of what is discontinued", change(t, db, no, "1", "90", ""), "1")

	rules("may_change = 'cancel'")
	check("may only cancel", change(t, db, no, "1", "80", ""), "may_change")
	rules("may_change = 'none'")
	cancel := "select portal.cancel_order(customer_id, order_no) from erp.sales_order where order_no = '" + no + "'"
	check("may do nothing", refused(t, db, cancel), "may_change")
	rules("may_change = 'edit'")
	pgtest.Exec(t, db, "update erp.sales_order set status = 'ON_HOLD'")
	check("on hold", change(t, db, no, "1", "80", ""), "order_closed")
	if pgtest.Value[bool](t, db, cancel) {
		t.Error("an order on hold was cancelled")
	}
	if c := refused(t, db,
		"select portal.change_order(customer_id + 1, order_no, array[1], array[1]) from erp.sales_order"); c != "" {
		t.Errorf("another customer's order: %s", c)
	}
	sound(t, db)
}

// A change has the order decided again, by one job however often it changes
// before that job runs.
func TestChangedOrderIsDecidedAgain(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, "update erp.web_access set max_order = 270, over_max = 'queue'")
	no := pgtest.Value[string](t, db,
		"insert into erp.sales_order (customer_id, source) select customer_id, 'WEB' from erp.customer where customer_no "+
			"= 'C1' returning order_no")
	pgtest.Exec(t, db, "insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o.order_id, 1, "+
		"i.item_id, 11 from erp.sales_order o, erp.item i where i.item_no = 'OIL5'")
	jobs := func() int { return pgtest.Value[int](t, db, "select count(*)::int from river.river_job") }
	reasons := func() []string {
		return pgtest.Value[[]string](t, db, "select coalesce(array_agg(code), '{}') from erp.order_review")
	}
	change(t, db, no, "1", "12", "")
	if got := jobs(); got != 1 {
		t.Errorf("%d jobs for an order that none has decided", got)
	}
	if got := decide(t, db, no); got != "queued" || !slices.Equal(reasons(), []string{"over_maximum"}) {
		t.Errorf("decided: %s, %q", got, reasons())
	}
	// the desk's change does not have it decided, but the reasons are as it stands
	if got := edit(t, db, no, "1", "15", ""); got != "1 12→15 27 27" {
		t.Errorf("edited: %s", got)
	}
	if got := pgtest.Value[string](t, db, "select detail ->> 'over' from erp.order_review"); got != "135.00" {
		t.Errorf("over by %s", got)
	}
	pgtest.Exec(t, db, "update river.river_job set state = 'completed', finalized_at = now()")
	change(t, db, no, "1", "13", "")
	change(t, db, no, "1", "14", "")
	if got := jobs(); got != 2 {
		t.Errorf("%d jobs after two changes", got)
	}
	if got := reasons(); len(got) != 0 {
		t.Errorf("reasons of before stay: %q", got)
	}
	if got := decide(t, db, no); got != "queued" {
		t.Errorf("decided: %s", got)
	}
	if got := decide(t, db, no); got != "settled" {
		t.Errorf("decided twice: %s", got)
	}
	change(t, db, no, "1", "10", "")
	if got := jobs(); got != 3 {
		t.Errorf("%d jobs", got)
	}
	if got := decide(t, db, no); got != "approved" {
		t.Errorf("decided: %s", got)
	}
}

// The buyer changes or cancels while the desk approves: one of both wins.
func TestChangeOrApprove(t *testing.T) {
	t.Parallel()
	db := world(t)
	wins := map[string]int{}
	for i := range 12 {
		no := newOrder(t, db, "OIL5 2")
		buyers := fmt.Sprintf("select portal.change_order(customer_id, order_no, array[1], array[3], revision) from "+
			"erp.sales_order where order_no = '%s'", no)
		if i%2 == 0 {
			buyers = fmt.Sprintf("select 1 / portal.cancel_order(customer_id, order_no)::int from erp.sales_order where "+
				"order_no = '%s'", no)
		}
		desks := fmt.Sprintf("with o as (select order_id from erp.sales_order where order_no = '%s' and status = "+
			"'SUBMITTED' and revision = 0 for update) "+
			"select 1 / (select count(*) from o), erp.decide_order(order_id) from o", no)
		var buyer, desk error
		var wg sync.WaitGroup
		wg.Go(func() { _, buyer = db.Pool.Exec(t.Context(), buyers) })
		wg.Go(func() {
			tag, err := db.Pool.Exec(t.Context(), desks)
			if desk = err; err == nil && tag.RowsAffected() == 0 {
				desk = errors.New("moved meanwhile")
			}
		})
		wg.Wait()
		if (buyer == nil) == (desk == nil) {
			t.Errorf("%s: buyer %v, desk %v", no, buyer, desk)
		}
		if buyer == nil {
			wins["buyer"]++
		} else {
			wins["desk"]++
		}
	}
	t.Logf("won: %v", wins)
	sound(t, db)
}
