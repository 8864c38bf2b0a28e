package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"portal.example/portal"
)

const (
	// shownViolations is how many violations are kept with the job and
	// logged: one slip can violate an invariant in every order there is.
	shownViolations = 50

	invariantsTimeout = 15 * time.Minute
)

// invariantsWorker has the books checked and tells operators what is wrong. A
// violation is a finding and no failure of the job.
type invariantsWorker struct {
	river.WorkerDefaults[portal.InvariantsArgs]
	housekeeper portal.Housekeeper
	logger      *slog.Logger
}

// invariantsResult is kept with the job, where every node finds it.
type invariantsResult struct {
	Count      int                `json:"count"`
	Violations []portal.Violation `json:"violations"` // the first of them
}

func (w *invariantsWorker) Timeout(*river.Job[portal.InvariantsArgs]) time.Duration {
	return invariantsTimeout
}

func (w *invariantsWorker) Work(ctx context.Context, _ *river.Job[portal.InvariantsArgs]) error {
	found, err := w.housekeeper.CheckInvariants(ctx)
	if err != nil {
		return err
	}
	shown := found[:min(len(found), shownViolations)]
	if len(found) > 0 {
		w.logger.ErrorContext(ctx, "invariants violated", "count", len(found), "logged", len(shown))
	}
	for _, v := range shown {
		w.logger.ErrorContext(ctx, "invariant violated", "invariant", v.Invariant, "subject", v.Subject, "detail", v.Detail)
	}
	return river.RecordOutput(ctx, invariantsResult{len(found), shown})
}
