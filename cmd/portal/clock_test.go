package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// Pages go by erp.now() and the company's zone, whatever the clock and the zone
// of the machine: the first day that may be wished for, the words for days, the
// countdown, and when a page looks again because the day has ended.
func TestPagesGoByTheCompanysClock(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, desk := s.buyer("C1001"), s.logIn("desk@demo.example")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	ends := regexp.MustCompile(`name="live-day-ends" content="(\d+)"`)
	today := regexp.MustCompile(`today \d\d:\d\d`)
	for _, c := range []struct {
		zone, now, today string
		left             int // seconds of the day
	}{
		{"America/New_York", "2027-07-01T03:59:30Z", "2027-06-30", 30},
		{"America/New_York", "2027-07-01T04:00:00Z", "2027-07-01", 24 * 3600},
		{"Asia/Tokyo", "2027-06-30T15:00:00Z", "2027-07-01", 24 * 3600},
		{"Pacific/Kiritimati", "2027-06-30T12:00:00Z", "2027-07-01", 22 * 3600},
		{"America/New_York", "2027-03-14T05:00:00Z", "2027-03-14", 23 * 3600}, // an hour is skipped
		{"America/New_York", "2027-11-07T04:00:00Z", "2027-11-07", 25 * 3600}, // an hour comes twice
	} {
		pgtest.Exec(t, s.db, "update erp.company set time_zone = $1", c.zone)
		pgtest.Exec(t, s.db, "select erp.set_clock($1)", c.now)
		pgtest.Exec(t, s.db, "update portal.session set expires_at = erp.now() + interval '1 day'")
		if got := pgtest.Value[string](t, s.db, "select erp.today()::text"); got != c.today {
			t.Fatalf("%s in %s is %s", c.now, c.zone, got)
		}
		page := v.page("/cart")
		m := ends.FindStringSubmatch(page.body)
		if page.status != 200 || m == nil {
			t.Fatalf("%d %s", page.status, page.body)
		}
		if left, _ := strconv.Atoi(m[1]); left != c.left+1 {
			t.Errorf("%s in %s: the day ends in %d s, want %d", c.now, c.zone, left, c.left+1)
		}
		if !strings.Contains(page.body, `min="`+c.today+`"`) {
			t.Errorf("%s in %s: the cart's first day is not %s", c.now, c.zone, c.today)
		}
		order := v.order("OIL5", "1")
		if a := v.page("/orders/" + order); !today.MatchString(a.body) {
			t.Errorf("%s in %s: an order of now was not sent today", c.now, c.zone)
		}
		if a := desk.page("/desk/items/OIL5"); !strings.Contains(a.body, c.today) {
			t.Errorf("%s in %s: the desk's item page does not know that it is %s: %d", c.now, c.zone, c.today, a.status)
		}
		v.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	}
}

// What is nightly asks the company's clock.
func TestJobsGoByTheCompanysClock(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	store, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 1, DeskConns: 1, WorkConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	house := sql.NewHousekeeper(store.Work)
	for _, c := range []struct{ zone, now, want string }{
		{"Asia/Tokyo", "2027-06-30T18:00:00Z", "2027-07-01T03:00:00+09:00"},
		{"America/New_York", "2027-06-30T07:00:00Z", "2027-06-30T03:00:00-04:00"},
	} {
		pgtest.Exec(t, db, "update erp.company set time_zone = $1", c.zone)
		pgtest.Exec(t, db, "select erp.set_clock($1)", c.now)
		now, err := house.Now(t.Context())
		if err != nil || fmt.Sprint(now.Format(time.RFC3339)) != c.want {
			t.Errorf("%v, %v; want %s", now, err, c.want)
		}
	}
}
