package jobs

import (
	"context"

	"github.com/riverqueue/river"

	"portal.example/portal"
)

// settleWorker does what a change left because somebody held the order.
type settleWorker struct {
	river.WorkerDefaults[portal.OrderSettleArgs]
	housekeeper portal.Housekeeper
}

func (w *settleWorker) Work(ctx context.Context, job *river.Job[portal.OrderSettleArgs]) error {
	return w.housekeeper.SettleOrder(ctx, job.Args.OrderID)
}
