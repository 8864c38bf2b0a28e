package sql_test

import (
	"fmt"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// routes gives customer C1 a route on Tuesdays and Fridays, its ship-to S2 one
// on Wednesdays, both with the cutoff the day before at 15:00, and no route to
// C2.
const routes = `
	insert into erp.route (route_id, code, name) overriding system value values (1, 'TF', 'Tuesday and Friday'),
		(2, 'W', 'Wednesday');
	insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5), (2, 3);
	update erp.customer set route_id = 1 where customer_no = 'C1';
	insert into erp.ship_to (customer_id, code, name, route_id) select customer_id, v.code, v.code, v.route_id
		from erp.customer, (values ('S1', null), ('S2', 2)) as v(code, route_id) where customer_no = 'C1';`

// When an order arrives, by wish, ship-to and cutoff mode, at the instants
// around a cutoff. The order is inserted by plain SQL.
func TestPlannedDelivery(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, routes)
	for _, c := range []struct{ mode, at, shipTo, wish, want string }{
		// 29 June 2026 is a Monday
		{"strict", "2026-06-29 14:59:59.999", "", "", "2026-06-30|"},
		{"strict", "2026-06-29 15:00:00", "", "",
			"2026-07-03|Too late for Tue 30 Jun 2026: delivery moved to Fri 3 Jul 2026."},
		{"strict", "2026-06-29 15:00:01", "", "2026-06-30",
			"2026-07-03|Too late for Tue 30 Jun 2026: delivery moved to Fri 3 Jul 2026."},
		{"strict", "2026-06-29 14:59:59", "", "2026-06-30", "2026-06-30|"},
		{"strict", "2026-06-29 15:00:01", "", "2026-07-03", "2026-07-03|"},
		{"strict", "2026-06-29 10:00", "", "2026-07-01",
			"2026-07-03|No delivery on Wed 1 Jul 2026: moved to the next run, Fri 3 Jul 2026."},
		// Beyond what the route is asked at once
		{"strict", "2026-06-29 10:00", "", "2026-12-24",
			"2026-12-25|No delivery on Thu 24 Dec 2026: moved to the next run, Fri 25 Dec 2026."},
		{"strict", "2026-06-29 10:00", "S1", "", "2026-06-30|"},
		{"strict", "2026-06-29 10:00", "S2", "", "2026-07-01|"},
		{"strict", "2026-06-30 15:00:01", "S2", "",
			"2026-07-08|Too late for Wed 1 Jul 2026: delivery moved to Wed 8 Jul 2026."},
		{"strict", "2026-06-28 10:00", "", "", "2026-06-30|"}, // nothing missed
		{"flexible", "2026-06-29 15:00:01", "", "2026-06-30", "2026-06-30|"},
		{"flexible", "2026-06-29 15:00:01", "", "", "2026-07-03|"},
		{"flexible", "2026-06-29 10:00", "", "2026-07-01", "2026-07-01|"},
		// on both clock-change days the cutoff is at its own wall clock
		{"strict", "2026-03-09 14:59:59", "", "", "2026-03-10|"},
		{"strict", "2026-03-09 15:00:00", "", "",
			"2026-03-13|Too late for Tue 10 Mar 2026: delivery moved to Fri 13 Mar 2026."},
		{"strict", "2026-11-02 14:59:59", "", "", "2026-11-03|"},
		{"strict", "2026-11-02 15:00:00", "", "",
			"2026-11-06|Too late for Tue 3 Nov 2026: delivery moved to Fri 6 Nov 2026."},
	} {
		pgtest.Exec(t, db, fmt.Sprintf("select erp.set_clock(timestamp '%s' at time zone 'America/New_York'); update "+
			"erp.web_access set cutoff_mode = '%s'", c.at, c.mode))
		got := pgtest.Value[string](t, db, `insert into erp.sales_order (customer_id, source, ship_to_id, requested_date)
			select c.customer_id, 'PHONE', (select s.ship_to_id from erp.ship_to s where s.code = $1), nullif($2, '')::date
			from erp.customer c where c.customer_no = 'C1' returning delivery_date || '|' || delivery_note`, c.shipTo, c.wish)
		if got != c.want {
			t.Errorf("%s, sent %s to %q, wished %q:\n  %s\n  %s", c.mode, c.at, c.shipTo, c.wish, got, c.want)
		}
		// what the cart says comes from the same place
		says := pgtest.Value[string](t, db, `select f.detail ->> 'delivery_date' from erp.customer c
			cross join lateral erp.order_findings(c.customer_id, '{}', '{}', '{}', '{}', null,
			(select s.ship_to_id from erp.ship_to s where s.code = $1), nullif($2, '')::date) f
			where c.customer_no = 'C1' and f.code = 'next_delivery'`, c.shipTo, c.wish)
		if says != c.want[:10] {
			t.Errorf("%s, sent %s to %q, wished %q: the cart says %s", c.mode, c.at, c.shipTo, c.wish, says)
		}
	}

	// a program that gives the date is believed; no route, no date
	for _, c := range [][2]string{
		{"insert into erp.sales_order (customer_id, delivery_date) select customer_id, '2026-07-02' from erp.customer " +
			"where customer_no = 'C1' returning delivery_date::text", "2026-07-02"},
		{"insert into erp.sales_order (customer_id, requested_date) select customer_id, '2026-12-02' from erp.customer " +
			"where customer_no = 'C2' returning coalesce(delivery_date::text, 'none')", "none"},
	} {
		if got := pgtest.Value[string](t, db, c[0]); got != c[1] {
			t.Errorf("%s: %s", c[0], got)
		}
	}
	// another day is asked for: planned anew; the history of the order keeps what was said
	pgtest.Exec(t, db, "select erp.set_clock(timestamp '2026-06-29 15:00:01' at time zone 'America/New_York'); update "+
		"erp.web_access set cutoff_mode = 'strict'")
	no := newOrder(t, db, "OIL5 1")
	if got := pgtest.Value[string](t, db,
		"select h.reason from erp.order_status_history h join erp.sales_order o using (order_id) where o.order_no = $1",
		no); got != "Too late for Tue 30 Jun 2026: delivery moved to Fri 3 Jul 2026." {
		t.Errorf("history says %q", got)
	}
	pgtest.Exec(t, db, "update erp.sales_order set requested_date = '2026-07-07' where order_no = $1", no)
	if got := pgtest.Value[string](t, db,
		"select delivery_date || '|' || delivery_note from erp.sales_order where order_no = $1", no); got != "2026-07-07|" {
		t.Errorf("asked for another day: %s", got)
	}
	pgtest.Exec(t, db, "update erp.sales_order set delivery_date = '2026-07-08' where order_no = $1", no)
	if got := pgtest.Value[string](t, db, "select delivery_date::text from erp.sales_order where order_no = $1",
		no); got != "2026-07-08" {
		t.Errorf("set by staff: %s", got)
	}
	if n := pgtest.Value[int](t, db, "select count(*)::int from portal.event where kind = 'order' and ref = $1",
		no); n != 4 {
		t.Errorf("%d events of the order: one for its insert, one for its total, one for each change of its day", n)
	}
}

// A flexible customer's order waits for review where the day can no longer be
// reached; and an order is as late as it was when it was sent, not when the job
// looks at it.
func TestLateForCutoff(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, routes)
	clock := func(at string) {
		pgtest.Exec(t, db, "select erp.set_clock(timestamp '"+at+"' at time zone 'America/New_York')")
	}
	decided := func(mode, sent, wish, looked string) string {
		t.Helper()
		clock(sent)
		pgtest.Exec(t, db, "update erp.web_access set cutoff_mode = '"+mode+"'")
		no := newOrder(t, db, "OIL5 1")
		pgtest.Exec(t, db, "update erp.sales_order set requested_date = nullif($2, '')::date where order_no = $1", no, wish)
		clock(looked)
		out := pgtest.Value[string](t, db, "select erp.decide_order(order_id) from erp.sales_order where order_no = $1", no)
		return out + pgtest.Value[string](t, db,
			"select coalesce(string_agg(' ' || code, ''), '') from erp.order_review v join erp.sales_order o using "+
				"(order_id) where order_no = $1", no)
	}
	for _, c := range [][5]string{
		{"flexible", "2026-06-29 14:59:59", "2026-06-30", "2026-06-29 14:59:59", "approved"},
		{"flexible", "2026-06-29 14:59:59", "2026-06-30", "2026-06-29 15:10:00", "approved"},
		{"flexible", "2026-06-29 15:00:00", "2026-06-30", "2026-06-29 15:00:00", "queued late_for_cutoff"},
		{"flexible", "2026-06-29 15:00:01", "2026-06-30", "2026-07-01 09:00:00", "queued late_for_cutoff"},
		// No run before Friday
		{"flexible", "2026-06-29 15:00:01", "2026-07-02", "2026-06-29 15:00:01", "queued late_for_cutoff"},
		{"flexible", "2026-06-29 15:00:01", "2026-07-04", "2026-06-29 15:00:01", "approved"}, // a wish, after Friday's run
		{"flexible", "2026-06-29 15:00:01", "", "2026-06-29 15:00:01", "approved"},
		{"strict", "2026-06-29 15:00:01", "2026-06-30", "2026-06-29 15:00:01", "approved"},
	} {
		if got := decided(c[0], c[1], c[2], c[3]); got != c[4] {
			t.Errorf("%v: %s", c[:4], got)
		}
	}
}
