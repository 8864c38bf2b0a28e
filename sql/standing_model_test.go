package sql_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
)

// A weekday on a route that comes every two weeks: two weekdays come to one
// delivery, which is promised once and made once.
func TestStandingOrderOneADelivery(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	s.exec(`update erp.route set every_days = 14, start_date = '2026-06-09', cutoff_days_before = 1, cutoff_time = '15:00';
		delete from portal.standing_order;
		insert into portal.standing_order (standing_order_id, customer_id, name, rhythm, weekday) overriding system value
			values (9, 1, 'Mondays', 'weeks', 1);
		insert into portal.standing_order_line (standing_order_id, item_id, uom, qty) values (9, 1, 'EA', 1)`)
	dates := func() string {
		return pgtest.Value[string](t, s.DB,
			`select string_agg(to_char(run_date, 'MM-DD') || '>' || to_char(delivery_date, 'MM-DD'), ', '
				order by delivery_date) from portal.standing_dates(9, 3)`)
	}
	s.is("dates", dates(), "06-08>06-09, 06-22>06-23, 07-06>07-07")
	made := map[string]int{}
	for day := range 30 {
		if did := s.at(time.Date(2026, 6, 1+day, 20, 0, 0, 0, time.UTC).Format(time.RFC3339)); strings.Contains(did, "made") {
			made[did]++
		}
	}
	s.is("deliveries", pgtest.Value[string](t, s.DB,
		"select string_agg(delivery_date::text || ' ' || outcome, ', ' order by delivery_date) from portal.standing_run"),
		"2026-06-09 made, 2026-06-23 made")
	s.is("orders", pgtest.Value[string](t, s.DB, "select string_agg(requested_date::text, ', ' order by "+
		"requested_date) from erp.sales_order"), "2026-06-09, 2026-06-23")

	// the same delivery under another name: the runs of the route, begun anew
	s.exec("update portal.standing_order set rhythm = 'runs', weekday = null, starts_on = '2026-06-23', active_since = " +
		"'2026-06-01'; select erp.set_clock('2026-06-21 19:00+00')")
	s.is("made under another name", dates(), "07-07>07-07, 07-21>07-21, 08-04>08-04")
	// and where a holiday moves it onto a day that has a run
	s.exec("update portal.standing_order set rhythm = 'weeks', weekday = 2, starts_on = '2026-06-24', active_since = " +
		"'2026-06-01'; insert into erp.route_holiday (holiday, replacement) values ('2026-06-23', '2026-07-07')")
	s.is("moved onto the next", dates(), "07-21>07-21, 08-04>08-04, 08-18>08-18")
}

// Over random routes, rhythms, holidays, addresses and changes: what is promised
// is what is made, once a delivery. STANDING_ROUNDS asks for more, STANDING_SEED
// for others.
func TestStandingOrderPromises(t *testing.T) {
	t.Parallel()
	rounds, seed := 10, uint64(time.Now().UnixNano())
	if n, err := strconv.Atoi(os.Getenv("STANDING_ROUNDS")); err == nil {
		rounds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("STANDING_SEED"), 10, 64); err == nil {
		seed = n
	}
	m := maker{rand.New(rand.NewPCG(seed, 3))}
	s := newStanding(t)
	// two changes of the clocks are on the way
	now := time.Date(2026, one(m, time.February, time.October), 1+m.IntN(20), m.IntN(24), 0, 0, 0, time.UTC)
	s.exec(fmt.Sprintf(`delete from portal.standing_order; select erp.set_clock('%s');
		update erp.item set allow_backorder = true;
		insert into erp.customer (customer_id, customer_no, name) select g, 'R' || g, 'R' from generate_series(3, 14) g`,
		now.Format(time.RFC3339)))
	today := func() string { return fmt.Sprintf("date '%s'", now.Format(time.DateOnly)) }
	route := func(id int) string {
		if m.often(50) {
			return fmt.Sprintf("delete from erp.route_day where route_id = %d; update erp.route set every_days = %d, "+
				"start_date = %s + %d, cutoff_days_before = %d, cutoff_time = '%02d:30' where route_id = %[1]d;",
				id, one(m, 1, 3, 7, 14, 14, 21, 45), today(), m.IntN(20)-10, m.IntN(3), one(m, 1, 2, 9, 15))
		}
		days := []string{}
		for d := range 7 {
			if m.often(25) || len(days) == 0 && d == 6 {
				days = append(days, fmt.Sprintf("(%d, %d)", id, d+1))
			}
		}
		return fmt.Sprintf("delete from erp.route_day where route_id = %d; update erp.route set every_days = null, "+
			"start_date = null, cutoff_days_before = %d, cutoff_time = '%02d:30' where route_id = %[1]d; insert into "+
			"erp.route_day (route_id, weekday) values %[4]s;",
			id, m.IntN(3), one(m, 1, 2, 9, 15), strings.Join(days, ", "))
	}
	rhythm := func() string {
		if m.often(35) {
			return fmt.Sprintf("rhythm = 'runs', weekday = null, every = %d", one(m, 1, 1, 2, 3))
		}
		return fmt.Sprintf("rhythm = 'weeks', weekday = %d, every = %d", 1+m.IntN(7), one(m, 1, 1, 1, 2, 3))
	}
	holiday := func() string {
		day, replacement := m.IntN(40), "null"
		if m.often(70) {
			replacement = fmt.Sprintf("%s + %d", today(), day+m.IntN(21)-10)
		}
		return fmt.Sprintf("insert into erp.route_holiday (route_id, holiday, replacement) values (%s, %s + %d, %s) on "+
			"conflict do nothing;",
			one(m, "null", fmt.Sprint(11+m.IntN(5))), today(), day, replacement)
	}
	for id := 11; id <= 15; id++ {
		s.exec(fmt.Sprintf("insert into erp.route (route_id, code, name) values (%d, 'R%[1]d', 'R'); %s", id, route(id)))
	}
	for id := 3; id <= 14; id++ {
		s.exec(fmt.Sprintf(`update erp.customer set route_id = %[2]s where customer_id = %[1]d;
			insert into erp.ship_to (ship_to_id, customer_id, code, name, route_id) values (%[1]d, %[1]d, 'S', 'S', %[3]s);
			insert into portal.standing_order (standing_order_id, customer_id, name, ship_to_id,
				hours_before) overriding system value values (%[1]d, %[1]d, 'N', %[4]s, %[5]d);
			insert into portal.standing_order_line (standing_order_id, item_id, uom, qty) values (%[1]d, 3, 'EA', 1);
			update portal.standing_order set %[6]s where standing_order_id = %[1]d`,
			id, one(m, "null", fmt.Sprint(11+m.IntN(5)), fmt.Sprint(11+m.IntN(5)), fmt.Sprint(11+m.IntN(5))),
			one(m, "null", fmt.Sprint(11+m.IntN(5))), one(m, "null", fmt.Sprint(id)), one(m, 0, 1, 12, 24, 48, 336), rhythm()))
	}

	promises, clock := 0, func() string { return now.Format(time.RFC3339) }
	for round := range rounds {
		// what has come due by a change is made first; a promise is for what is ahead
		s.at(clock())
		until := now.Add(time.Duration(5+m.IntN(16)) * 24 * time.Hour)
		promised := pgtest.Value[string](t, s.DB,
			fmt.Sprintf(
				`select coalesce(string_agg(o.standing_order_id || ' ' || d.delivery_date, ', ' order by o.standing_order_id,
					d.delivery_date), '')
			from portal.standing_order o cross join lateral portal.standing_dates(o.standing_order_id, 60) d
			where not o.paused and d.outcome is distinct from 'skipped' and d.send_at <= '%s'`, until.Format(time.RFC3339)))
		s.exec("create table if not exists public.before as select standing_order_id, run_date from portal.standing_run " +
			"where false; delete from public.before; insert into public.before select standing_order_id, run_date from " +
			"portal.standing_run where outcome in ('made', 'failed', 'missed')")
		for now.Before(until) {
			// to the next moment at which something is due, but a restart now and then
			next := pgtest.Value[time.Time](t, s.DB,
				fmt.Sprintf(`select least('%s'::timestamptz, coalesce(min(d.send_at), 'infinity')) from portal.standing_order o
				cross join lateral portal.standing_dates(o.standing_order_id, 8) d where not o.paused and d.outcome is distinct
				from 'skipped' and d.send_at > '%s'`,
					until.Format(time.RFC3339), clock()))
			now = next.UTC()
			s.at(clock())
		}
		got := pgtest.Value[string](t, s.DB,
			`select coalesce(string_agg(r.standing_order_id || ' ' || r.delivery_date, ', ' order by r.standing_order_id,
				r.delivery_date), '')
			from portal.standing_run r where r.outcome in ('made', 'failed')
			and (r.standing_order_id, r.run_date) not in (select b.standing_order_id, b.run_date from public.before b)`)
		if got != promised {
			t.Fatalf("STANDING_SEED=%d, round %d until %s:\npromised %s\nmade     %s", seed, round, clock(), promised, got)
		}
		promises += strings.Count(promised, "-") / 2
		if twice := pgtest.Value[string](t, s.DB,
			`select coalesce(string_agg(x.standing_order_id || ' ' || x.delivery_date, ', '), '') from (
			select standing_order_id, delivery_date from portal.standing_run where outcome = 'made' group by 1, 2
				having count(*) > 1) x`); twice != "" {
			t.Fatalf("STANDING_SEED=%d, round %d: two orders for one delivery: %s", seed, round, twice)
		}
		for range 4 {
			id := 3 + m.IntN(12)
			s.exec(one(m,
				holiday(), holiday(), holiday(),
				route(11+m.IntN(5)),
				fmt.Sprintf("update portal.standing_order set %s where standing_order_id = %d", rhythm(), id),
				fmt.Sprintf("update portal.standing_order set starts_on = %s + %d where standing_order_id = %d", today(),
					m.IntN(20)-10, id),
				fmt.Sprintf("update portal.standing_order set paused = not paused where standing_order_id = %d", id),
				fmt.Sprintf("update erp.customer set route_id = %d where customer_id = %d", 11+m.IntN(5), id),
				fmt.Sprintf("update portal.standing_order set hours_before = %d where standing_order_id = %d",
					one(m, 0, 6, 24, 200), id),
				fmt.Sprintf("select portal.set_standing_run(%d, d.run_date, 'skip') from portal.standing_dates(%[1]d, 3) d "+
					"where d.outcome is distinct from 'skipped' and d.cutoff > erp.now() order by random() limit 1", id),
				"delete from erp.route_holiday where holiday_id = (select holiday_id from erp.route_holiday order by random() "+
					"limit 1)"))
		}
	}
	orders := pgtest.Value[int](t, s.DB, "select count(*)::int from erp.sales_order")
	t.Logf("seed %d: %d rounds, %d dates promised and made, %d orders", seed, rounds, promises, orders)
	if promises == 0 || orders < promises/2 {
		t.Error("that was no test")
	}
}
