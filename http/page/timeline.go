package page

import (
	"time"

	"portal.example/portal"
)

// TimelineStep is one of the steps of an order as its page draws them: the
// five of an order that goes well, and where it stopped if it did.
type TimelineStep struct {
	Status  portal.OrderStatus `json:"status"`
	Done    bool               `json:"done"`
	Current bool               `json:"current"`
	At      *time.Time         `json:"at,omitempty"`
	Actor   string             `json:"actor,omitempty"`
	Reason  *string            `json:"reason,omitempty"`
}

// Timeline lays an order's history over the five steps. A hold, a rejection
// and a cancellation stand after the last step that was reached.
func Timeline(o portal.OrderDetail) []TimelineStep {
	last := map[portal.OrderStatus]portal.OrderStep{}
	for _, h := range o.History {
		last[h.To] = h
	}
	reached := -1
	for i, status := range portal.OrderSteps {
		if o.Status == status {
			reached = i
		}
	}
	stopped := reached < 0
	if stopped { // where it stood before it stopped
		for i, status := range portal.OrderSteps {
			if _, ok := last[status]; ok {
				reached = i
			}
		}
	}
	var out []TimelineStep
	for i, status := range portal.OrderSteps {
		step := TimelineStep{Status: status, Done: i <= reached, Current: i == reached && !stopped}
		if h, ok := last[status]; ok && step.Done {
			step.At, step.Actor, step.Reason = &h.At, h.Actor, h.Reason
		}
		out = append(out, step)
		if stopped && i == reached {
			h := last[o.Status]
			out = append(out, TimelineStep{Status: o.Status, Done: true, Current: true, At: &h.At, Actor: h.Actor,
				Reason: o.StatusReason})
			if o.Status != portal.OrderOnHold {
				return out
			}
		}
	}
	return out
}
