package portal

import (
	"encoding/json"
	"testing"
)

func TestTakeRoom(t *testing.T) {
	t.Parallel()
	row := func(code, action, detail string) OrderFinding {
		return OrderFinding{Code: code, Action: action, Detail: json.RawMessage(detail)}
	}
	rest, room := TakeRoom([]OrderFinding{
		row("min_order", "refuse", `{"minimum": 150.00, "missing": 0.01}`),
		row("room_credit", "room", `{"room": 300.00, "after": 0}`),
		row("room_minimum", "room", `{"minimum": 150.00, "missing": 0.01}`),
		row("room_maximum", "room", `{"maximum": 2500.00, "room": 2350.01}`),
		row("next_delivery",
			"room",
			`{"route": "North", "delivery_date": "2026-07-10", "cutoff": "2026-07-09T19:00:00+00:00", "seconds_left": 3600, "missed": "2026-07-07"}`),
		row("room_of_a_later_version", "room", `{}`),
	})
	if len(rest) != 1 || rest[0].Code != "min_order" {
		t.Errorf("rest %v", rest)
	}
	got, err := json.Marshal(room)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"credit":{"room":"300.00","after":"0.00"},"minimum":{"minimum":"150.00","missing":"0.01"},"maximum":{"maximum":"2500.00","room":"2350.01"},` +
		`"delivery":{"route":"North","date":"2026-07-10T00:00:00Z","cutoff":"2026-07-09T19:00:00Z","seconds_left":3600,"missed":"2026-07-07T00:00:00Z"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if room.Minimum.Reached().StringFixed(2) != "149.99" {
		t.Errorf("reached %s", room.Minimum.Reached())
	}
	if _, none := TakeRoom(nil); none != (CartRoom{}) {
		t.Errorf("room of nothing: %+v", none)
	}
}

// What a buyer reads names no figure of credit, cost, or stock that is hidden.
func TestBuyerTextIsNeutral(t *testing.T) {
	t.Parallel()
	say := func(code, action, detail string) string {
		return OrderFinding{Code: code, Action: action, Detail: json.RawMessage(detail)}.BuyerText(true)
	}
	for _, c := range []struct{ got, want string }{
		{say("over_credit", "queue", `{"room": 300, "over": 0.01}`),
			"We will look at your account before we approve the order."},
		{say("over_credit", "warn", `{"room": 300, "over": 0.01}`),
			"This is more than your account has credit for. You can send it all the same."},
		{say("price_under_cost", "queue", `{"item_no": "OIL5", "cost": 9, "price": 8}`),
			"We will look at the order before we approve it."},
		{say("stock_short", "refuse", `{"item_no": "LAST1", "stock": "number", "left": 3}`), "LAST1: 3 left."},
		{say("stock_short", "refuse", `{"item_no": "LAST1", "stock": "hidden", "left": null}`),
			"LAST1: so many cannot be ordered at the moment."},
		{say("stock_short", "queue", `{"item_no": "LAST1", "stock": "hidden", "left": null}`),
			"We will look at the order before we approve it."},
		{say("stock_short", "queue", `{"item_no": "LAST1", "stock": "in_low_out", "left": null}`),
			"Not all of LAST1 is in stock: the rest follows as a backorder, date to follow."},
		{say("late_for_cutoff", "warn", `{"delivery_date": "2026-07-10"}`),
			"Too late for that day: the delivery moves to Friday, July 10."},
		{say("no_run_that_day", "warn", `{"delivery_date": "2026-07-10"}`),
			"There is no delivery that day: it moves to Friday, July 10."},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
