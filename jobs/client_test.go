package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

func TestPoisonedJobsBlockNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const panics, fails, good = 7, 8, 9
	b.before = func(_ context.Context, id portal.OrderID) error {
		switch id {
		case panics:
			panic("poisoned")
		case fails:
			return errors.New("no decision today")
		}
		return nil
	}
	logged := newJournal()
	config := b.config(logged.logger())
	config.ApprovalWorkers = 1

	// All that can be wrong with a job stands in the queue before a good one.
	pgtest.Exec(t, b.DB, `insert into river.river_job (kind, args, queue, max_attempts) values
		('order_approval', '{"order_id": "seven"}', 'approval', 25), ('never_heard_of', '{}', 'approval', 25)`)
	b.order(t, panics, "WEB")
	b.order(t, fails, "WEB")
	b.order(t, good, "WEB")

	client, err := jobs.New(config)
	if err != nil {
		t.Fatal(err)
	}
	failed, cancel := jobs.River(client).Subscribe(river.EventKindJobFailed)
	defer cancel()
	b.run(t, client)

	if got := b.await(t); got != (decision{good, portal.OutcomeApproved}) {
		t.Errorf("decided %v", got)
	}
	for range 4 {
		e := awaitEvent(t, failed, func(e *river.Event) bool { return e.Job.Attempt == 1 })
		if e.Job.State != rivertype.JobStateAvailable && e.Job.State != rivertype.JobStateRetryable {
			t.Errorf("job %d is %s and not to be tried again", e.Job.ID, e.Job.State)
		}
	}
	logged.await(t, "job panicked")

	// An operator sees it, and what is done for good stays.
	pgtest.Exec(t, b.DB, `update river.river_job set max_attempts = attempt + 1, state = 'available', scheduled_at = now()
		where args ->> 'order_id' = '8'`)
	pgtest.Exec(t, b.DB, `select pg_notify('river.river_insert', '{"queue":"approval"}')`)
	awaitEvent(t, failed, func(e *river.Event) bool { return e.Job.State == rivertype.JobStateDiscarded })
	if r := logged.await(t, "job failed for good"); r.Level != slog.LevelError {
		t.Errorf("logged as %v", r.Level)
	}
	stats, err := client.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range stats.Queues {
		if q.Queue == "approval" && q.Discarded != 1 {
			t.Errorf("%d discarded", q.Discarded)
		}
	}
	if got := b.status(t, fails); got != "SUBMITTED" {
		t.Errorf("status %s", got)
	}
}

func TestStopWaitsForJobsAtWork(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	b.before = func(ctx context.Context, _ portal.OrderID) error {
		close(begun)
		<-finish
		return ctx.Err()
	}
	client := b.start(t, b.config(calm(t)))
	b.order(t, 7, "WEB")
	<-begun

	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Stop(over); !errors.Is(err, context.Canceled) {
		t.Errorf("stop with a job at work: %v", err)
	}
	close(finish)
	for range 2 {
		if err := client.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(b.decided) != 1 {
		t.Error("stopped before the job was done")
	}
	if got := pgtest.Value[string](t, b.DB,
		`select state::text from river.river_job where kind = 'order_approval'`); got != "completed" {
		t.Errorf("the job is %s", got)
	}
}

func TestDatabaseRestarts(t *testing.T) {
	t.Parallel()
	b := newBenchOn(t, pgtest.Private(t))
	config := b.config(newJournal().logger()) // the errors are many
	config.FetchPollInterval = 0
	b.start(t, config)
	b.order(t, 7, "WEB")
	if got := b.await(t); got.order != 7 {
		t.Errorf("decided %v", got)
	}
	for id, interrupt := range map[portal.OrderID]func(testing.TB){
		8: b.Server().Restart,
		9: func(t testing.TB) { b.Server().Kill(t); b.Server().Start(t) },
	} {
		interrupt(t)
		b.Pool.Reset()
		b.order(t, id, "WEB")
		for b.await(t).order != id {
		}
		if got := b.status(t, id); got != "APPROVED" {
			t.Errorf("status %s", got)
		}
	}
}

func TestEndOfContextStops(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	client, err := jobs.New(b.config(calm(t)))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := client.Start(ctx); err != nil {
		t.Errorf("second start: %v", err)
	}
	cancel()
	<-jobs.River(client).Stopped()
	if err := client.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	b.order(t, 7, "WEB")
	if got := pgtest.Value[string](t, b.DB,
		`select state::text from river.river_job where kind = 'order_approval'`); got != "available" {
		t.Errorf("the job is %s", got)
	}
}

func TestStartFailsWithoutDatabase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client, err := jobs.New(b.config(newJournal().logger()))
	if err != nil {
		t.Fatal(err)
	}
	b.store.Close()
	if err := client.Start(t.Context()); err == nil {
		t.Error("started on a closed pool")
	}
	if err := client.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInsertOnlyWorksNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client := b.client(t)
	b.run(t, client)
	b.order(t, 7, "WEB")
	if added, err := client.Enqueue(t.Context(), portal.HousekeepingArgs{}); err != nil || !added {
		t.Errorf("added %t, %v", added, err)
	}
	if added, err := client.Enqueue(t.Context(), portal.HousekeepingArgs{}); err != nil || added {
		t.Errorf("a second round waits: added %t, %v", added, err)
	}
	stats, err := client.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(stats.Queues) != 2 || stats.Queues[0].Queue != "approval" || stats.Queues[0].Available != 1 ||
		stats.Queues[1].Available != 1 {
		t.Errorf("queues %+v", stats.Queues)
	}
	if stats.CheckedAt != nil || stats.ViolationCount != 0 {
		t.Errorf("invariants %v, %d", stats.CheckedAt, stats.ViolationCount)
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	house := sql.NewHousekeeper(b.store.Work)
	for name, config := range map[string]jobs.Config{
		"no pool":     {Orders: b, Housekeeper: house},
		"no approver": {Pool: b.store.Jobs, Housekeeper: house},
		"no house":    {Pool: b.store.Jobs, Orders: b},
		"rescues jobs at work": {Pool: b.store.Jobs, Orders: b, Housekeeper: house,
			JobTimeout: time.Minute, RescueAfter: time.Second},
	} {
		if _, err := jobs.New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := sql.Migrate(t.Context(), b.URL, jobs.Migrate); err != nil {
		t.Error(err)
	}
}
