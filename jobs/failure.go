package jobs

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// longestWait is the longest time between two tries of a failing job.
const longestWait = 10 * time.Minute

// retry waits 1, 2, 4 … seconds, at most longestWait, and up to a tenth more,
// so that jobs that failed together do not come back together.
type retry struct{}

// NextRetry implements river.ClientRetryPolicy.
func (retry) NextRetry(job *rivertype.JobRow) time.Time {
	wait := longestWait
	if failed := len(job.Errors); failed < 10 {
		wait = min(time.Second<<failed, longestWait)
	}
	return time.Now().UTC().Add(wait + rand.N(wait/10))
}

// failures logs what goes wrong in a job: as a warning while it will be tried
// again, as an error when it will not, or when it is a fault of the program.
type failures struct{ logger *slog.Logger }

// HandleError implements river.ErrorHandler.
func (f *failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	level, message := slog.LevelWarn, "job failed and will be tried again"
	if job.Attempt >= job.MaxAttempts {
		level, message = slog.LevelError, "job failed for good"
	}
	f.logger.Log(ctx, level, message, append(attributes(job), "error", err)...)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f *failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, panicked any,
	trace string) *river.ErrorHandlerResult {
	f.logger.ErrorContext(ctx, "job panicked", append(attributes(job), "panic", panicked, "trace", trace)...)
	return nil
}

func attributes(job *rivertype.JobRow) []any {
	return []any{"job_id", job.ID, "kind", job.Kind, "queue", job.Queue,
		"attempt", job.Attempt, "max_attempts", job.MaxAttempts}
}

// stuck gives the queue another worker for one that does not return even
// though its time is over, so that it blocks nobody.
func stuck(logger *slog.Logger) river.JobStuckHandler {
	return func(ctx context.Context, p river.JobStuckHandlerParams) river.JobStuckHandlerResult {
		logger.ErrorContext(ctx, "job does not return", "job_id", p.ID, "kind", p.Kind, "queue", p.Queue,
			"stuck_jobs", p.TotalStuckJobs)
		return river.JobStuckHandlerResult{AddWorkerSlot: true}
	}
}
