package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"portal.example/portal"
)

const (
	// statementBatch is how many statements share a transaction: what a killed
	// worker has to do again.
	statementBatch = 20
	// statementTurn is how long a job makes statements before it queues again
	// behind what else there is.
	statementTurn = 30 * time.Second
)

// statementWorker makes statements until none waits. It holds nothing between
// batches; that each is made and told once is the database's promise.
type statementWorker struct {
	river.WorkerDefaults[portal.StatementArgs]
	statements portal.StatementMaker
	logger     *slog.Logger
}

func (w *statementWorker) Work(ctx context.Context, job *river.Job[portal.StatementArgs]) error {
	began, made := time.Now(), 0
	for time.Since(began) < statementTurn {
		done, err := w.statements.MakeStatements(ctx, statementBatch)
		if err != nil {
			return err
		}
		made += done
		if done == 0 {
			if made > 0 {
				w.logger.InfoContext(ctx, "statements made", "statements", made, "took", time.Since(began), "attempt", job.Attempt)
			}
			return nil
		}
	}
	w.logger.InfoContext(ctx, "statements made, more wait", "statements", made, "took", time.Since(began))
	return river.JobSnooze(0)
}

// statementRunWorker begins the monthly run when it is due.
type statementRunWorker struct {
	river.WorkerDefaults[portal.StatementRunArgs]
	statements portal.StatementMaker
	logger     *slog.Logger
}

func (w *statementRunWorker) Work(ctx context.Context, _ *river.Job[portal.StatementRunArgs]) error {
	wanted, err := w.statements.BeginMonthlyRun(ctx)
	if wanted > 0 {
		w.logger.InfoContext(ctx, "monthly statements begun", "statements", wanted)
	}
	return err
}
