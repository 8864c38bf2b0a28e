package desk

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"portal.example/portal"
)

func TestWaited(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Minute: "now", 59 * time.Second: "now", 25 * time.Minute: "25 min", 200 * time.Minute: "3 h 20 min",
		11*time.Hour + 59*time.Minute: "11 h", 47 * time.Hour: "47 h", 49 * time.Hour: "2 days",
	} {
		if got := waited(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// What the audit log holds as columns and values reads as the form's words.
func TestAuditInWords(t *testing.T) {
	t.Parallel()
	view := customerPage{}
	view.Access = portal.WebAccess{
		{Column: "return_days", Kind: portal.SwitchDays, LogLabel: "Days to request a return", LogSort: 4},
		{Column: "can_order", Kind: portal.SwitchOnOff, LogLabel: "May order", LogSort: 1},
		{Column: "max_order", Kind: portal.SwitchAmount, LogLabel: "Maximum order", LogSort: 2},
		{Column: "credit_check", Kind: portal.SwitchChoice, LogLabel: "Credit check", LogSort: 3,
			Choices: []portal.AccessChoice{{Value: "block", LogLabel: "refuse"}, {Value: "queue", LogLabel: "review"}}},
	}
	view.Audit = []portal.AuditEntry{
		{Actor: "dana", Program: "psql", Data: portal.AuditData{
			"return_days": []any{json.Number("30"), nil}, "max_order": []any{nil, json.Number("92233720368547.75")},
			"can_order": []any{true, false}, "credit_check": []any{"queue", "block"}}},
		{Actor: "sam", Program: "portal", Action: "something else"},
	}
	lines := view.AuditLines()
	want := []accessChange{{"May order", "on", "off"}, {"Maximum order", "no limit", "92,233,720,368,547.75"},
		{"Credit check", "review", "refuse"}, {"Days to request a return", "30", "no limit"}}
	if !slices.Equal(lines[0].Changes, want) || lines[0].Program != "psql" {
		t.Errorf("%+v", lines[0])
	}
	if lines[1].Program != "" || lines[1].Changes[0].Name != "something else" {
		t.Errorf("%+v", lines[1])
	}
}

// Goods leave by the form that says which and how, never by a bare button; and
// only what is legal is offered.
func TestDeskOffersLegalMoves(t *testing.T) {
	t.Parallel()
	labels := func(moves []moveButton) (out []string) {
		for _, m := range moves {
			out = append(out, m.Label)
		}
		return out
	}
	view := orderPage{}
	view.Status = portal.OrderPicking
	view.Moves = []portal.OrderStatus{portal.OrderApproved, portal.OrderShipped, portal.OrderOnHold, portal.OrderCancelled}
	if got := labels(view.Forward()); !slices.Equal(got, []string{"Stop picking"}) {
		t.Errorf("forward: %v", got)
	}
	if got := labels(view.Against()); !slices.Equal(got, []string{"Hold", "Cancel order"}) || view.MustSayWhy() {
		t.Errorf("against: %v", got)
	}
	view.Status, view.Moves = portal.OrderDelivered, nil
	if len(view.Forward())+len(view.Against()) != 0 || view.MayFulfil() {
		t.Error("a delivered order offers moves")
	}
}
