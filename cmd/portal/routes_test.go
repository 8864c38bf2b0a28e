package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
)

// northRoute is the route of scenario 35, of all customers.
const northRoute = `
insert into erp.route (route_id, code, name, cutoff_days_before, cutoff_time) overriding system value
	values (1, 'NORTH', 'North, Tuesday and Friday', 1, '15:00');
insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5);
insert into erp.route_holiday (holiday, replacement, name)
	values ('2026-07-03', '2026-07-06', 'Independence Day observed');
update erp.customer set route_id = 1;
select setval(pg_get_serial_sequence('erp.route', 'route_id'), 10);`

func TestAcceptance35Route(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, northRoute)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	for _, c := range []struct{ what, clock, date, cutoff string }{
		{"Thursday, a minute ahead", "2026-06-04 14:59-04", "2026-06-05", "2026-06-04T15:00:00-04:00"},
		{"Monday, at the cutoff", "2026-06-08 15:00:00-04", "2026-06-12", "2026-06-11T15:00:00-04:00"},
		{"the week of the holiday", "2026-07-01 09:00-04", "2026-07-06", "2026-07-05T15:00:00-04:00"},
		{"the clocks go forward", "2026-03-08 14:59:59-04", "2026-03-10", "2026-03-09T15:00:00-04:00"},
		{"the evening before", "2026-03-07 23:00-05", "2026-03-10", "2026-03-09T15:00:00-04:00"},
		{"the clocks go back", "2026-11-01 01:30-04", "2026-11-03", "2026-11-02T15:00:00-05:00"},
		{"an hour later, on the same clock", "2026-11-01 01:30-05", "2026-11-03", "2026-11-02T15:00:00-05:00"},
	} {
		pgtest.Exec(t, s.db, "select erp.set_clock('"+c.clock+"')")
		at, err := time.Parse(time.RFC3339, c.cutoff)
		if err != nil {
			t.Fatal(err)
		}
		want := c.date + " " + at.UTC().Format(time.RFC3339)
		function := pgtest.Value[string](t, s.db,
			`select delivery_date || ' ' || to_char(cutoff at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
				from erp.next_deliveries(1)`)
		if function != want {
			t.Errorf("%s: the function says %s, want %s", c.what, function, want)
		}
		for path, next := range map[string]string{"/": "next_delivery", "/profile": "profile.next_delivery",
			"/cart": "room.delivery"} {
			data := v.read(path)
			date, _ := data.get(next + ".date").(string)
			cutoff, _ := data.get(next + ".cutoff").(string)
			if when, err := time.Parse(time.RFC3339, cutoff); err != nil || len(date) < 10 ||
				date[:10]+" "+when.UTC().Format(time.RFC3339) != function {
				t.Errorf("%s: %s says %s by %s, the function %s", c.what, path, date, cutoff, function)
			}
			page := v.page(path).body
			day, _ := time.Parse(time.DateOnly, c.date)
			for _, text := range []string{"North, Tuesday and Friday", day.Format("Mon 2 Jan 2006"),
				`data-countdown="` + c.cutoff + `"`} {
				if !strings.Contains(page, text) {
					t.Errorf("%s: the page %s lacks %q", c.what, path, text)
				}
			}
		}
		// the cart goes by the same run: a day before it is late, the run is not
		late := func(date string) bool {
			return pgtest.Value[bool](t, s.db,
				`select exists (select from erp.order_findings((select customer_id from erp.customer where customer_no = 'C1003'),
				array[1::bigint], array['EA'], array[1::numeric], array[30::numeric], null, null, $1::text::date)
				where code = 'late_for_cutoff')`, date)
		}
		day, _ := time.Parse(time.DateOnly, c.date)
		if late(c.date) || !late(day.AddDate(0, 0, -1).Format(time.DateOnly)) {
			t.Errorf("%s: the rules of ordering know another run", c.what)
		}
	}
}

// A ship-to's own route goes before the account's; each is told with its run,
// and a change of a route, a day or a holiday by plain SQL is told at once to
// those concerned.
func TestRoutesOfShipTos(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, northRoute+`
		select erp.set_clock('2026-06-03 09:00-04');
		update erp.customer set route_id = null where customer_no = 'C1002';
		insert into erp.route (route_id, code, name, every_days, start_date, cutoff_days_before,
			cutoff_time) overriding system value
			values (2, 'ISLAND', 'Island', 14, '2026-05-28', 3, '12:00'), (3, 'CLOSED', 'Closed', 7, '2026-01-01', 1, '12:00');
		update erp.route set active = false where route_id = 3;
		update erp.ship_to set route_id = code::int where code in ('2', '3');`)
	v := s.buyer("C1003")
	p := v.read("/profile")
	for place, want := range map[string]string{"next_delivery": "2026-06-05", "ship_tos.0.next_delivery": "2026-06-05",
		"ship_tos.1.next_delivery": "2026-06-11"} {
		if date, _ := p.get("profile." + place + ".date").(string); !strings.HasPrefix(date, want) {
			t.Errorf("%s: %v, want %s", place, p.get("profile."+place), want)
		}
	}
	if p.get("profile.ship_tos.2.next_delivery") != nil ||
		!strings.Contains(v.page("/profile").body, "Closed: no delivery planned") {
		t.Errorf("an inactive route runs: %v", p.get("profile.ship_tos.2.next_delivery"))
	}
	// without a route of its own the account looks to its ship-tos
	other := s.buyer("C1002")
	if a := other.read("/"); a.get("next_delivery.route") != "Island" {
		t.Errorf("dashboard of an account whose ship-tos alone have routes: %v", a.get("next_delivery"))
	}

	socket := v.live("")
	socket.hello()
	for n, change := range []string{
		"update erp.route set cutoff_time = '16:00' where code = 'ISLAND'",
		"delete from erp.route_day where route_id = 1 and weekday = 2",
		"insert into erp.route_holiday (route_id, holiday, replacement, cutoff_days_before, cutoff_time) values (1, " +
			"'2026-06-05', '2026-06-06', 2, '10:00')",
		"update erp.route_holiday set replacement = null where holiday = '2026-06-05'",
		"update erp.ship_to set route_id = 1 where customer_id = 3 and code = '2'",
		"insert into erp.route_holiday (holiday) values ('2026-06-12')",
		"delete from erp.route_holiday where holiday = '2026-06-12'",
	} {
		pgtest.Exec(t, s.db, change)
		socket.until(func(kind, ref, _ string) bool { return kind == "notice" && ref == "route" })
		want := []string{"2026-06-05", "2026-06-05", "2026-06-06", "2026-06-12", "2026-06-12", "2026-06-19", "2026-06-12"}[n]
		if date, _ := v.read("/").get("next_delivery.date").(string); !strings.HasPrefix(date, want) {
			t.Errorf("after %q the next delivery is %s, want %s", change, date, want)
		}
	}
	// what changes nothing is not told
	before := pgtest.Value[int64](t, s.db, "select coalesce(max(event_id), 0) from portal.event")
	pgtest.Exec(t, s.db,
		"update erp.route set name = name; update erp.ship_to set name = name; delete from erp.route_holiday where false")
	if n := pgtest.Value[int](t, s.db,
		fmt.Sprintf("select count(*)::int from portal.event where event_id > %d and kind = 'notice'", before)); n != 0 {
		t.Errorf("%d events about nothing", n)
	}
}

// Staff make and change routes and holidays; what is wrong is told at its field
// and stays typed; the pages of the customers concerned follow.
func TestDeskRoutes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, northRoute+"select erp.set_clock('2026-06-03 09:00-04')")
	desk, v := s.logIn("desk@demo.example"), s.buyer("C1003")
	next := func() string {
		date, _ := v.read("/").get("next_delivery.date").(string)
		return strings.TrimSuffix(date, "T00:00:00Z")
	}

	if a := desk.read("/desk/routes/NORTH"); a.get("runs.0.date") != "2026-06-05T00:00:00Z" ||
		len(a.get("runs").([]any)) != 5 || a.get("places") != 5.0 {
		t.Errorf("route: %s", a.body)
	}
	if a := desk.read("/desk/routes/NOWHERE"); a.status != 404 {
		t.Errorf("unknown route: %d", a.status)
	}
	if a := v.read("/desk/routes"); a.status != 404 {
		t.Errorf("a buyer at the desk's routes: %d", a.status)
	}
	bad := desk.send("/desk/routes/NORTH", "code", "no spaces", "name", " ", "rhythm", "days", "every_days", "0",
		"cutoff_days_before", "99", "cutoff_time", "25:00", "active", "true")
	for _, text := range []string{"A code is up to 20", "Every route needs a name", "from 1 to 366", "from 0 to 14",
		"like 15:00", `value="25:00"`, "Counted from which day?"} {
		if bad.status != 422 || !strings.Contains(bad.body, text) {
			t.Errorf("a wrong form (%d) lacks %q", bad.status, text)
		}
	}
	if a := desk.post("/desk/routes", "code", "north", "name", "Again", "rhythm", "weekdays",
		"weekday", "1"); a.status != 422 || a.get("fields.0.field") != "code" {
		t.Errorf("a code that is taken: %d %s", a.status, a.body)
	}

	socket := v.live("")
	socket.hello()
	for _, c := range []struct {
		want, path string
		form       []string
	}{
		{"2026-06-04", "/desk/routes/NORTH",
			[]string{"code", "NORTH", "name", "North, Thursday", "active", "true", "rhythm", "weekdays", "weekday", "4",
				"cutoff_days_4", "0", "cutoff_time_4", "10:30", "cutoff_days_before", "1", "cutoff_time", "15:00"}},
		{"2026-06-06", "/desk/routes/NORTH/holidays",
			[]string{"holiday", "2026-06-04", "holiday_name", "Inventory", "replacement", "2026-06-06",
				"holiday_cutoff_days", "1", "holiday_cutoff_time", "08:00"}},
		{"2026-06-10", "/desk/routes/NORTH",
			[]string{"code", "NORTH2", "name", "North, every week", "active", "true", "rhythm", "days", "every_days", "7",
				"start_date", "2026-06-03", "cutoff_days_before", "2", "cutoff_time", "15:00"}},
		{"2026-06-17", "/desk/holidays", []string{"holiday", "2026-06-10"}},
	} {
		if a := desk.post(c.path, c.form...); a.status != 200 {
			t.Fatalf("%s: %d %s", c.path, a.status, a.body)
		}
		socket.until(func(kind, ref, _ string) bool { return kind == "notice" && ref == "route" })
		if got := next(); got != c.want {
			t.Errorf("after %s %v the next delivery is %s, want %s", c.path, c.form, got, c.want)
		}
	}
	if a := desk.send("/desk/holidays", "holiday", "2026-06-10"); a.status != 422 ||
		!strings.Contains(a.body, "a holiday of all routes already") {
		t.Errorf("the same holiday again: %d", a.status)
	}
	if a := desk.post("/desk/holidays", "holiday", "2026-07-10", "holiday_cutoff_days", "1"); a.status != 422 ||
		a.get("fields.0.field") != "replacement" {
		t.Errorf("a cutoff without a replacement: %d %s", a.status, a.body)
	}
	id := pgtest.Value[int64](t, s.db, "select holiday_id from erp.route_holiday where holiday = '2026-06-10'")
	if a := desk.post(fmt.Sprintf("/desk/holidays/%d/delete", id)); a.status != 200 || next() != "2026-06-10" {
		t.Errorf("holiday deleted: %d, next %s", a.status, next())
	}

	// a customer and a ship-to of it on routes of their own
	desk.post("/desk/routes", "code", "DAILY", "name", "Every day", "active", "true", "rhythm", "days", "every_days", "1",
		"start_date", "2026-01-01", "cutoff_days_before", "0", "cutoff_time", "12:00")
	for _, c := range []struct{ shipTo, code, account, place string }{
		{"2", "DAILY", "2026-06-10", "2026-06-03"}, {"", "DAILY", "2026-06-03", "2026-06-03"}, {"", "", "", "2026-06-03"},
		{"2", "", "", ""},
	} {
		if a := desk.post("/desk/customers/C1003/route", "ship_to", c.shipTo, "route", c.code); a.status != 200 {
			t.Fatalf("assign: %d %s", a.status, a.body)
		}
		p := v.read("/profile")
		for path, want := range map[string]string{"profile.next_delivery.date": c.account,
			"profile.ship_tos.1.next_delivery.date": c.place} {
			if date, _ := p.get(path).(string); strings.TrimSuffix(date, "T00:00:00Z") != want {
				t.Errorf("ship-to %q on %q: %s is %q, want %q", c.shipTo, c.code, path, date, want)
			}
		}
	}
	for _, pair := range [][2]string{{"9", "DAILY"}, {"", "NOWHERE"}} {
		if a := desk.post("/desk/customers/C1003/route", "ship_to", pair[0], "route", pair[1]); a.status != 404 {
			t.Errorf("assign %v: %d", pair, a.status)
		}
	}
	if page := desk.page("/desk/customers/C1003").body; !strings.Contains(page, "DAILY · Every day") {
		t.Error("the customer's page does not offer the routes")
	}
}
