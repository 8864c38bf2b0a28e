package jobs

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

//go:embed stats.sql
var statsQuery string

// Stats is how the jobs of the whole database stand, whichever node works
// them.
type Stats struct {
	Queues []QueueStats // those that have jobs to do or discarded ones, by name

	CheckedAt      *time.Time         // when the invariants were last checked; nil if never or not within three days
	ViolationCount int                // what that check found; 0 when all is well
	Violations     []portal.Violation // the first 50 of them
}

// QueueStats counts a queue's jobs.
type QueueStats struct {
	Queue         string  `json:"queue"`
	Available     int     `json:"available"` // wait for a worker
	Running       int     `json:"running"`
	Retrying      int     `json:"retrying"`       // have failed and will be tried again
	Discarded     int     `json:"discarded"`      // have failed for good; kept for 30 days
	OldestSeconds float64 `json:"oldest_seconds"` // how long the first in the queue has waited; 0 if none
}

// Stats reads how the jobs stand. It works on an insert-only client, too.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	rows, _ := c.pool.Query(ctx, statsQuery)
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Stats])
	if err != nil {
		return Stats{}, fmt.Errorf("jobs: stats: %w", err)
	}
	return s, nil
}
