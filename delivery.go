package portal

import "time"

// Delivery is a coming run of a customer's route.
type Delivery struct {
	Route  string    `json:"route"`
	Date   time.Time `json:"date"`
	Cutoff time.Time `json:"cutoff"` // an order sent at this instant is late
	Now    time.Time `json:"-"`      // the database's clock, for a countdown
}

// PlannedDelivery is when an order sent now would arrive.
type PlannedDelivery struct {
	Route       string     `json:"route"`
	Date        time.Time  `json:"date"`
	Cutoff      *time.Time `json:"cutoff"`       // until when it can be sent for that day; nil where the day is a wish
	SecondsLeft int        `json:"seconds_left"` // until Cutoff, by the clock of the business rules
	Missed      *time.Time `json:"missed"`       // the run that it is too late for
	Now         time.Time  `json:"-"`            // that clock, for a countdown
}
