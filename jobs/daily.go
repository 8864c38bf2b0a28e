package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// companyClock is the company's time: how far erp.now() is from this process's
// clock, and the zone. It is read once a minute, so a change of
// erp.company.time_zone is followed while the portal runs. Safe for concurrent
// use.
type companyClock struct {
	read   func(ctx context.Context) (now time.Time, err error) // in the company's zone
	logger *slog.Logger

	mu    sync.Mutex
	shift time.Duration
	zone  *time.Location
}

const (
	clockEvery    = time.Minute
	clockPatience = 5 * time.Second
)

// now is the company's time for an instant of this process.
func (c *companyClock) now(at time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.zone == nil {
		return at.UTC()
	}
	return at.Add(c.shift).In(c.zone)
}

// refresh reads the database. When it cannot be read, what was read last goes on.
func (c *companyClock) refresh(ctx context.Context) error {
	if c.read == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, clockPatience)
	defer cancel()
	now, err := c.read(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift, c.zone = time.Until(now), now.Location()
	return nil
}

// run refreshes until ctx ends.
func (c *companyClock) run(ctx context.Context) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := c.refresh(ctx); err != nil && ctx.Err() == nil {
				c.logger.Warn("the company's clock cannot be read", "error", err)
			}
		}
	}
}

// daily is a schedule of one run a day, on the hour of the company's clock. River
// asks every minute, and due answers: an hour that was computed a day ahead
// would be wrong once the zone changes. Where a clock change skips that hour, the
// run is an hour off; where it has it twice, there is one run all the same.
type daily struct {
	hour  int
	clock *companyClock

	asked time.Time // the company's time when due was asked last
}

// dailyGap is how long nobody may have asked for the time in between to count:
// a leader that takes over at once makes up for it, a node that leads for the
// first time in days does not.
const dailyGap = 15 * time.Minute

// Next implements river.PeriodicSchedule.
func (d *daily) Next(current time.Time) time.Time { return current.Add(time.Minute) }

// due reports whether the hour has come since it was asked last. Not safe for
// concurrent use: River asks from one goroutine.
func (d *daily) due(at time.Time) bool {
	now := d.clock.now(at)
	since := d.asked
	if since.IsZero() || now.Sub(since) > dailyGap || now.Before(since) {
		since = now.Add(-time.Minute)
	}
	d.asked = now
	year, month, day := now.Date()
	run := time.Date(year, month, day, d.hour, 0, 0, 0, now.Location())
	return run.After(since) && !run.After(now)
}
