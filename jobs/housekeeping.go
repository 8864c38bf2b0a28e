package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"portal.example/portal"
)

// housekeepingWorker keeps the portal's own tables small and its sessions
// true. What one part fails to do does not keep the other from being done.
type housekeepingWorker struct {
	river.WorkerDefaults[portal.HousekeepingArgs]
	housekeeper portal.Housekeeper
	logger      *slog.Logger
	retention   time.Duration
}

func (w *housekeepingWorker) Work(ctx context.Context, _ *river.Job[portal.HousekeepingArgs]) error {
	sessions, sessionsErr := w.housekeeper.EndExpiredSessions(ctx)
	events, eventsErr := w.housekeeper.PruneEvents(ctx, w.retention)
	mails, mailsErr := w.housekeeper.KeepMails(ctx, mailRetention)
	if sessions > 0 || events > 0 || mails > 0 {
		w.logger.InfoContext(ctx, "housekeeping done", "sessions_ended", sessions, "events_pruned", events,
			"mails_pruned", mails)
	}
	return errors.Join(sessionsErr, eventsErr, mailsErr)
}
