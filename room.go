package portal

import (
	"encoding/json"
	"slices"
	"time"
)

// CartRoom is how far the rules reach beyond a cart: what is left of the limits
// and when it would arrive. A part is nil where there is no such limit, or where
// the customer may not see it.
type CartRoom struct {
	Credit   *CreditRoom      `json:"credit"`
	Minimum  *MinimumRoom     `json:"minimum"`
	Maximum  *MaximumRoom     `json:"maximum"`
	Delivery *PlannedDelivery `json:"delivery"`
}

// CreditRoom is how much may still be ordered on credit.
type CreditRoom struct {
	Room  Money  `json:"room"`  // before this order; zero if there is none
	After *Money `json:"after"` // nil where it does not fit
}

// MinimumRoom is how far the cart is from the smallest order.
type MinimumRoom struct {
	Minimum Money `json:"minimum"`
	Missing Money `json:"missing"` // zero once it is reached
}

// Reached is how much of the minimum is in the cart.
func (r MinimumRoom) Reached() Money { return Money{r.Minimum.Sub(r.Missing.Decimal)} }

// MaximumRoom is how far the cart is from the largest order.
type MaximumRoom struct {
	Maximum Money `json:"maximum"`
	Room    Money `json:"room"`
}

// TakeRoom splits the findings of a cart into what objects and the room that
// the rules leave.
func TakeRoom(findings []OrderFinding) ([]OrderFinding, CartRoom) {
	var room CartRoom
	rest := slices.DeleteFunc(slices.Clone(findings), func(f OrderFinding) bool {
		if f.Action != "room" {
			return false
		}
		room.take(f)
		return true
	})
	return rest, room
}

func (r *CartRoom) take(f OrderFinding) {
	// a figure that cannot be read is not shown; the rule holds all the same
	switch f.Code {
	case "room_credit":
		if v := (CreditRoom{}); json.Unmarshal(f.Detail, &v) == nil {
			r.Credit = &v
		}
	case "room_minimum":
		if v := (MinimumRoom{}); json.Unmarshal(f.Detail, &v) == nil {
			r.Minimum = &v
		}
	case "room_maximum":
		if v := (MaximumRoom{}); json.Unmarshal(f.Detail, &v) == nil {
			r.Maximum = &v
		}
	case "next_delivery":
		var v struct {
			Route       string     `json:"route"`
			Date        string     `json:"delivery_date"`
			Cutoff      *time.Time `json:"cutoff"`
			SecondsLeft int        `json:"seconds_left"`
			Missed      string     `json:"missed"`
			Now         time.Time  `json:"now"`
		}
		if json.Unmarshal(f.Detail, &v) != nil {
			return
		}
		day, err := time.Parse(time.DateOnly, v.Date)
		if err != nil {
			return
		}
		r.Delivery = &PlannedDelivery{Route: v.Route, Date: day, Cutoff: v.Cutoff, SecondsLeft: v.SecondsLeft, Now: v.Now}
		if missed, err := time.Parse(time.DateOnly, v.Missed); err == nil {
			r.Delivery.Missed = &missed
		}
	}
}
