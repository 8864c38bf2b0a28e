package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"portal.example/portal"
)

const proofTimeout = 30 * time.Minute

// proofWorker runs the price proof. Differences are a finding and no failure
// of the job: they stand at /ops/proof until they are mended or acknowledged.
type proofWorker struct {
	river.WorkerDefaults[portal.PriceProofArgs]
	proof  portal.Prover
	logger *slog.Logger
}

func (w *proofWorker) Timeout(*river.Job[portal.PriceProofArgs]) time.Duration { return proofTimeout }

func (w *proofWorker) Work(ctx context.Context, job *river.Job[portal.PriceProofArgs]) error {
	run, err := w.proof.Prove(ctx, job.Args.Whole)
	if portal.ErrorCode(err) == portal.CodeConflict {
		return river.JobSnooze(time.Minute) // somebody runs it by hand
	}
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if run.Found > 0 {
		level = slog.LevelError
	}
	// no figures: the log is read by more people than may see prices
	w.logger.Log(ctx, level, "price proof", "run", run.ID, "whole", run.Whole, "order_lines", run.OrderLines,
		"invoice_lines", run.InvoiceLines, "documents", run.Documents, "customers", run.Customers, "differences", run.Found,
		"explained", run.Explained, "audit_rows", run.AuditRows, "audit_hash", run.AuditHash, "seconds", run.Seconds)
	return river.RecordOutput(ctx, run)
}
