package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"portal.example/portal"
)

// waitForLines is how long an order without lines is left before it is looked
// at again. The first second counts: its lines may be on their way.
const waitForLines = time.Second

// approvalWorker has submitted orders decided. It holds nothing between jobs;
// that an order is decided once is the database's promise.
type approvalWorker struct {
	river.WorkerDefaults[portal.OrderApprovalArgs]
	orders portal.OrderApprover
	logger *slog.Logger
}

func (w *approvalWorker) Work(ctx context.Context, job *river.Job[portal.OrderApprovalArgs]) error {
	outcome, err := w.orders.DecideOrder(ctx, job.Args.OrderID)
	if err != nil {
		return err
	}
	if outcome == portal.OutcomeWaiting {
		return river.JobSnooze(waitForLines)
	}
	w.logger.InfoContext(ctx, "order decided", "order_id", job.Args.OrderID, "outcome", outcome, "attempt", job.Attempt)
	return nil
}
