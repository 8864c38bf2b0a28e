package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"portal.example/portal"
)

// waitForMail is how long a mail is left that somebody else is sending.
const waitForMail = 5 * time.Second

// mailWorker sends mails. It holds nothing between jobs; that a mail is not sent
// twice is the queue's promise. Its last try marks the mail as failed; with a
// wait of ten minutes at most between them that is after some 16 hours.
type mailWorker struct {
	river.WorkerDefaults[portal.MailArgs]
	mails  portal.MailQueue
	post   portal.Postman
	logger *slog.Logger
}

func (w *mailWorker) Work(ctx context.Context, job *river.Job[portal.MailArgs]) error {
	outcome, err := w.mails.Deliver(ctx, job.Args.MailID, job.Attempt >= job.MaxAttempts, w.post)
	switch {
	case err != nil:
		return err
	case outcome == portal.MailBusy:
		return river.JobSnooze(waitForMail)
	case outcome == portal.MailFailed:
		w.logger.WarnContext(ctx, "mail failed", "mail_id", job.Args.MailID, "attempt", job.Attempt)
	default:
		w.logger.DebugContext(ctx, "mail delivered", "mail_id", job.Args.MailID, "outcome", outcome, "attempt", job.Attempt)
	}
	return nil
}

// passwordResetWorker looks up who has forgotten a password.
type passwordResetWorker struct {
	river.WorkerDefaults[portal.PasswordResetArgs]
	mails  portal.MailQueue
	logger *slog.Logger
}

func (w *passwordResetWorker) Work(ctx context.Context, job *river.Job[portal.PasswordResetArgs]) error {
	sent, err := w.mails.MailReset(ctx, job.Args.Email)
	if err == nil {
		w.logger.InfoContext(ctx, "password reset asked for", "job_id", job.ID, "mailed", sent)
	}
	return err
}

// remindersWorker reminds customers of a cutoff. Whom it reminded already is in
// the database.
type remindersWorker struct {
	river.WorkerDefaults[portal.CutoffRemindersArgs]
	mails  portal.MailQueue
	logger *slog.Logger
}

func (w *remindersWorker) Work(ctx context.Context, _ *river.Job[portal.CutoffRemindersArgs]) error {
	n, err := w.mails.RemindCutoffs(ctx)
	if n > 0 {
		w.logger.InfoContext(ctx, "reminded of a cutoff", "customers", n)
	}
	return err
}
