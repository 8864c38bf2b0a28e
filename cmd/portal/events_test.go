package main

import (
	"regexp"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// A portal that was started with one event source goes on with the other: what
// it stores and what browsers hold is the same.
func TestEventSourcesTakeTurns(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := startSite(t, db, "127.0.0.1:0", fixtures, func(c *settings) { c.events = "wal" })
	eventually(t, "the log is streamed", func() bool {
		body := s.metrics().body
		return regexp.MustCompile(`(?m)^portal_events_notify_healthy 1$`).MatchString(body) &&
			regexp.MustCompile(`(?m)^portal_events_stream_lag_bytes \d`).MatchString(body)
	})
	place := func(orderNo string) {
		pgtest.Exec(t, db,
			`insert into erp.sales_order (order_no, customer_id, source) select $1, customer_id, 'PHONE' from erp.customer
				where customer_no = 'C1003'`, orderNo)
	}
	is := func(orderNo string) func(kind, ref, status string) bool {
		return func(kind, ref, status string) bool { return kind == "order" && ref == orderNo }
	}
	v := s.buyer("C1003")
	live := v.live("")
	cursor := live.hello()
	place("PH-1")
	live.until(is("PH-1"))

	for turn, source := range []string{"notify", "wal"} {
		_ = live.conn.CloseNow() // or the portal waits for its goodbye
		s.stop()
		missed := "PH-2" + source
		place(missed)
		s = startSite(t, db, "127.0.0.1:0", "", func(c *settings) { c.events = source })
		live = s.buyer("C1003").live(cursor)
		live.hello()
		live.until(is(missed))
		place("PH-3" + source)
		_, cursor = live.until(is("PH-3" + source))
		if cursor == "" {
			t.Errorf("turn %d: no position", turn)
		}
		_ = live.conn.CloseNow()
	}
}
