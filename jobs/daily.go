package jobs

import "time"

// daily is a schedule of one run a day, on the hour, by the clock of a zone.
// Where a clock change skips that hour, the run is an hour off.
type daily struct {
	hour int
	zone *time.Location
}

// Next returns the first run after current.
func (d daily) Next(current time.Time) time.Time {
	year, month, day := current.In(d.zone).Date()
	for {
		if at := time.Date(year, month, day, d.hour, 0, 0, 0, d.zone); at.After(current) {
			return at
		}
		day++
	}
}
