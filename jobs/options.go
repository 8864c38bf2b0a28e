package jobs

import (
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"portal.example/portal"
)

// options says where a kind queues, how often it is tried and what makes two
// of it the same job. SQL enqueues by portal.enqueue (sql/functions/enqueue.sql),
// which says the same: TestEnqueueWritesRiversRow compares them.
func options(args portal.JobArgs) *river.InsertOpts {
	switch args.(type) {
	case portal.OrderApprovalArgs:
		return &river.InsertOpts{Queue: queueApproval, MaxAttempts: 25, UniqueOpts: river.UniqueOpts{ByArgs: true}}
	case portal.OrderSettleArgs:
		return &river.InsertOpts{Queue: queueApproval, MaxAttempts: 25}
	case portal.MailArgs:
		return &river.InsertOpts{Queue: queueMail, MaxAttempts: 100}
	case portal.PasswordResetArgs:
		return &river.InsertOpts{Queue: queueMail, MaxAttempts: 5}
	case portal.StatementArgs:
		return &river.InsertOpts{Queue: queueStatement, MaxAttempts: 25}
	default:
		return &river.InsertOpts{MaxAttempts: 3, UniqueOpts: river.UniqueOpts{ByState: unfinished()}}
	}
}

// unfinished are the states of a job that is still to be worked, or at work.
func unfinished() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
}
