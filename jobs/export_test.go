package jobs

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// River returns the client underneath, for tests that wait for what it does to
// a job or have it do one again.
func River(c *Client) *river.Client[pgx.Tx] { return c.river }

// Nights are the instants at which a daily job is enqueued when River asks every
// minute from one to another. now is the company's time for an instant, in its
// zone.
func Nights(hour int, now func(time.Time) time.Time, from, until time.Time) (runs []time.Time) {
	d := &daily{hour: hour, clock: &companyClock{}}
	for at := from; at.Before(until); at = d.Next(at) {
		company := now(at)
		d.clock.shift, d.clock.zone = company.Sub(at), company.Location()
		if d.due(at) {
			runs = append(runs, company)
		}
	}
	return runs
}

// NextRetry is when a job that failed so many times before and now again is
// tried next.
func NextRetry(before int) time.Time {
	return retry{}.NextRetry(&rivertype.JobRow{Errors: make([]rivertype.AttemptError, before)})
}
