package jobs_test

import (
	"context"
	"testing"

	"github.com/riverqueue/river"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
)

const sessionSQL = `
	insert into portal.login (login_id, customer_id, email, password_hash)
		values (1, 1, 'buyer@c1001.example', '$2a$04$' || repeat('x', 53));
	insert into portal.session (session_id, login_id, token_hash, expires_at) values
		(1, 1, sha256('old'), erp.now() - interval '1 second'), (2, 1, sha256('new'), erp.now() + interval '1 hour')`

// The leader keeps house when it starts, under portal_work's rights.
func TestHouseIsKeptAtStart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	pgtest.Exec(t, b.DB, sessionSQL)
	pgtest.Exec(t, b.DB, `insert into portal.event (kind, xid, at) values
		('notice', '10', now() - interval '73 hours'), ('notice', '11', now() - interval '71 hours')`)
	before := pgtest.Value[int](t, b.DB, `select count(*) from portal.event`)
	client, err := jobs.New(b.config(calm(t)))
	if err != nil {
		t.Fatal(err)
	}
	done, cancel := jobs.River(client).Subscribe(river.EventKindJobCompleted)
	defer cancel()
	b.run(t, client)
	awaitEvent(t, done, func(e *river.Event) bool { return e.Job.Kind == "housekeeping" })

	if got := pgtest.Value[[]int64](t, b.DB, `select array_agg(session_id) from portal.session`); len(got) != 1 ||
		got[0] != 2 {
		t.Errorf("sessions %v", got)
	}
	if got := pgtest.Value[int](t, b.DB,
		`select count(*) from portal.event where kind = 'session' and ref = '1'`); got != 1 {
		t.Errorf("%d events of the session's end", got)
	}
	if got := pgtest.Value[int](t, b.DB, `select count(*) from portal.event where kind <> 'session'`); got != before-1 {
		t.Errorf("%d events of %d left", got, before)
	}
}

func TestViolationsAreTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	logged := newJournal()
	config := b.config(logged.logger())
	config.Housekeeper = crooked{config.Housekeeper, 51}
	client := b.start(t, config)
	if _, err := client.Enqueue(t.Context(), portal.InvariantsArgs{}); err != nil {
		t.Fatal(err)
	}
	done, cancel := jobs.River(client).Subscribe(river.EventKindJobCompleted)
	defer cancel()
	logged.await(t, "invariants violated")
	logged.await(t, "invariant violated")
	awaitEvent(t, done, func(e *river.Event) bool { return e.Job.Kind == "invariants" })

	// Every node can tell, not only the one that looked.
	stats, err := b.client(t).Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stats.CheckedAt == nil || stats.ViolationCount != 51 || len(stats.Violations) != 50 {
		t.Fatalf("checked %v, %d violations, %d shown", stats.CheckedAt, stats.ViolationCount, len(stats.Violations))
	}
	if want := (portal.Violation{Invariant: "order_total", Subject: "SO-1",
		Detail: "total 2, lines 3"}); stats.Violations[0] != want {
		t.Errorf("violation %+v", stats.Violations[0])
	}
}

func TestInvariantsThatHold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client, err := jobs.New(b.config(calm(t)))
	if err != nil {
		t.Fatal(err)
	}
	done, cancel := jobs.River(client).Subscribe(river.EventKindJobCompleted)
	defer cancel()
	b.run(t, client)
	if _, err := client.Enqueue(t.Context(), portal.InvariantsArgs{}); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, done, func(e *river.Event) bool { return e.Job.Kind == "invariants" })
	stats, err := client.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stats.CheckedAt == nil || stats.ViolationCount != 0 || len(stats.Violations) != 0 {
		t.Errorf("checked %v, %d violations", stats.CheckedAt, stats.ViolationCount)
	}
}

// crooked is a house whose books are wrong.
type crooked struct {
	portal.Housekeeper
	violations int
}

func (c crooked) CheckInvariants(context.Context) ([]portal.Violation, error) {
	list := make([]portal.Violation, c.violations)
	for i := range list {
		list[i] = portal.Violation{Invariant: "order_total", Subject: "SO-1", Detail: "total 2, lines 3"}
	}
	return list, nil
}
