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

// NextDaily is when a daily job runs next.
func NextDaily(hour int, zone *time.Location, current time.Time) time.Time {
	return daily{hour, zone}.Next(current)
}

// NextRetry is when a job that failed so many times before and now again is
// tried next.
func NextRetry(before int) time.Time {
	return retry{}.NextRetry(&rivertype.JobRow{Errors: make([]rivertype.AttemptError, before)})
}
