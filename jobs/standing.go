package jobs

import (
	"context"
	"log/slog"

	"github.com/riverqueue/river"

	"portal.example/portal"
)

// standingWorker has standing orders worked. It holds nothing between jobs;
// that each date is dealt with once is the database's promise.
type standingWorker struct {
	river.WorkerDefaults[portal.StandingOrdersArgs]
	standing portal.StandingOrderRunner
	logger   *slog.Logger
}

func (w *standingWorker) Work(ctx context.Context, job *river.Job[portal.StandingOrdersArgs]) error {
	done, err := w.standing.RunStandingOrders(ctx)
	if len(done) > 0 {
		w.logger.InfoContext(ctx, "standing orders worked", "announced", done[portal.RunAnnounced],
			"made", done[portal.RunMade], "failed", done[portal.RunFailed], "missed", done[portal.RunMissed],
			"attempt", job.Attempt)
	}
	return err
}
