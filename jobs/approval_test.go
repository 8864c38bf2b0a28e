package jobs_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
)

func TestOrderBySQLIsApproved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(t, b.config(calm(t)))
	b.order(t, 7, "WEB")
	if got := b.await(t); got != (decision{7, portal.OutcomeApproved}) {
		t.Errorf("decided %v", got)
	}
	if got := b.status(t, 7); got != "APPROVED" {
		t.Errorf("status %s", got)
	}
	actor := pgtest.Value[string](t, b.DB,
		`select actor from erp.order_status_history where order_id = 7 and to_status = 'APPROVED'`)
	if actor != "automatic approval" {
		t.Errorf("approved by %q", actor)
	}
}

// A program that commits the header first and the lines after it gets its order
// decided with its lines.
func TestOrderWaitsForItsLines(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	config := b.config(calm(t))
	config.FetchPollInterval = 100 * time.Millisecond
	b.start(t, config)
	pgtest.Exec(t, b.DB, `insert into erp.sales_order (order_id, customer_id, source) values (7, 1, 'WEB')`)
	if got := b.await(t); got != (decision{7, portal.OutcomeWaiting}) {
		t.Errorf("decided %v", got)
	}
	pgtest.Exec(t, b.DB, `insert into erp.sales_order_line (order_id, line_no, item_id, qty) values (7, 1, 1, 2)`)
	got := b.await(t)
	for got.outcome == portal.OutcomeWaiting { // it may have looked once more before the line was there
		got = b.await(t)
	}
	if got != (decision{7, portal.OutcomeApproved}) {
		t.Errorf("decided %v", got)
	}
}

func TestOrderWithoutLinesGoesToReview(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(t, b.config(calm(t)))
	pgtest.Exec(t, b.DB,
		`insert into erp.sales_order (order_id, customer_id, source, submitted_at)
			values (7, 1, 'WEB', now() - interval '2 minutes')`)
	if got := b.await(t); got != (decision{7, portal.OutcomeQueued}) {
		t.Errorf("decided %v", got)
	}
}

func TestOrderFromBeforeTheStartIsApproved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.order(t, 7, "WEB")
	b.start(t, b.config(calm(t)))
	if got := b.await(t); got != (decision{7, portal.OutcomeApproved}) {
		t.Errorf("decided %v", got)
	}
}

func TestOrderThatARuleObjectsToWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	pgtest.Exec(t, b.DB, `update erp.web_access set auto_approve = false`)
	b.start(t, b.config(calm(t)))
	b.order(t, 7, "WEB")
	if got := b.await(t); got != (decision{7, portal.OutcomeQueued}) {
		t.Errorf("decided %v", got)
	}
	if got := b.status(t, 7); got != "SUBMITTED" {
		t.Errorf("status %s", got)
	}
	if !pgtest.Value[bool](t, b.DB, `select reviewed_at is not null from erp.sales_order where order_id = 7`) {
		t.Error("reviewed_at is not set")
	}
	if got := pgtest.Value[[]string](t, b.DB,
		`select array_agg(code) from erp.order_review where order_id = 7`); len(got) != 1 || got[0] != "auto_approve_off" {
		t.Errorf("reasons %q", got)
	}
}

func TestJobThatRunsTwiceActsOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	config := b.config(calm(t))
	config.FetchPollInterval = 0 // River wakes nobody for a retried job
	client := jobs.River(b.start(t, config))
	done, cancel := client.Subscribe(river.EventKindJobCompleted)
	defer cancel()
	b.order(t, 7, "WEB")
	first := awaitEvent(t, done, func(e *river.Event) bool { return e.Job.Kind == "order_approval" })
	if _, err := client.JobRetry(t.Context(), first.Job.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.await(t); got.outcome != portal.OutcomeApproved {
		t.Errorf("first run: %v", got)
	}
	if got := b.await(t); got.outcome != portal.OutcomeSettled {
		t.Errorf("second run: %v", got)
	}
	if n := approvals(t, b); n != 1 {
		t.Errorf("%d moves to APPROVED", n)
	}
}

func TestOrderThatMovedOnIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.order(t, 7, "WEB")
	pgtest.Exec(t, b.DB, `update erp.sales_order set status = 'ON_HOLD'`)
	b.order(t, 8, "WEB")
	pgtest.Exec(t, b.DB, `delete from erp.sales_order where order_id = 8`)
	b.start(t, b.config(calm(t)))
	for range 2 {
		if got := b.await(t); got.outcome != portal.OutcomeSettled {
			t.Errorf("decided %v", got)
		}
	}
	if got := b.status(t, 7); got != "ON_HOLD" {
		t.Errorf("status %s", got)
	}
}

func TestTwoClientsActOnce(t *testing.T) {
	t.Parallel()
	const orders = 40
	b := newBench(t)
	b.start(t, b.config(calm(t)))
	b.start(t, b.config(calm(t)))
	for id := range portal.OrderID(orders) {
		b.order(t, 100+id, "WEB")
	}
	seen := map[portal.OrderID]bool{}
	for range orders {
		got := b.await(t)
		if got.outcome != portal.OutcomeApproved || seen[got.order] {
			t.Errorf("decided %v", got)
		}
		seen[got.order] = true
	}
	if n := approvals(t, b); n != orders {
		t.Errorf("%d moves to APPROVED", n)
	}
	if n := len(b.decided); n != 0 {
		t.Errorf("%d decisions too many", n)
	}
}

func TestRolledBackOrderLeavesNoJob(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tx, err := b.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), orderSQL, 7, "WEB"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.jobs(t); n != 0 {
		t.Errorf("%d jobs", n)
	}
}

func TestOrdersOfOtherSourcesAreNotDecided(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.order(t, 7, "PHONE")
	b.order(t, 8, "DESK")
	if n := b.jobs(t); n != 0 {
		t.Errorf("%d jobs", n)
	}
}

func TestOneStatementEnqueuesAllItsOrders(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	pgtest.Exec(t, b.DB,
		`insert into erp.sales_order (customer_id, source) select 1, s from unnest(array['WEB', 'PHONE', 'WEB', 'WEB']) s`)
	if n := b.jobs(t); n != 3 {
		t.Errorf("%d jobs", n)
	}
}

// jobRow is what the trigger and River's own insert must agree on.
type jobRow struct {
	Kind         string
	Args         string
	Queue        string
	State        string
	MaxAttempts  int
	Priority     int
	UniqueKey    string
	UniqueStates string
}

func TestTriggerWritesRiversRow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client := b.client(t)
	read := func() (jobRow, error) {
		rows, _ := b.Pool.Query(t.Context(), `select kind, args::text, queue, state::text, max_attempts, priority,
			encode(unique_key, 'hex') as unique_key, unique_states::text from river.river_job`)
		return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[jobRow])
	}
	b.order(t, 7, "WEB")
	bySQL, err := read()
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, b.DB, `delete from river.river_job`)
	if added, err := client.Enqueue(t.Context(), portal.OrderApprovalArgs{OrderID: 7}); err != nil || !added {
		t.Fatalf("added %t, %v", added, err)
	}
	byGo, err := read()
	if err != nil {
		t.Fatal(err)
	}
	if bySQL != byGo {
		t.Errorf("trigger %+v\nRiver   %+v", bySQL, byGo)
	}

	// to be decided again
	pgtest.Exec(t, b.DB,
		`delete from river.river_job; update erp.sales_order set reviewed_at = now(); update erp.sales_order
			set reviewed_at = null`)
	if bySQL, err = read(); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, b.DB, `delete from river.river_job`)
	if added, err := client.Enqueue(t.Context(), portal.OrderApprovalArgs{OrderID: 7, Revision: 1}); err != nil || !added {
		t.Fatalf("added %t, %v", added, err)
	}
	if byGo, err = read(); err != nil {
		t.Fatal(err)
	}
	if bySQL != byGo {
		t.Errorf("again: trigger %+v\nRiver   %+v", bySQL, byGo)
	}
}

// A buyer's change has the order decided once more, though River remembers the
// first decision.
func TestChangedOrderIsDecidedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	pgtest.Exec(t, b.DB, `update erp.web_access set max_order = 60, over_max = 'queue'`)
	b.start(t, b.config(calm(t)))
	pgtest.Exec(t, b.DB,
		`with o as (insert into erp.sales_order (order_id, customer_id, source) values (7, 1, 'WEB') returning order_id)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, 1, 3 from o`)
	if got := b.await(t); got != (decision{7, portal.OutcomeQueued}) {
		t.Fatalf("decided %v", got)
	}
	pgtest.Exec(t, b.DB,
		`select * from portal.change_order(1, (select order_no from erp.sales_order), array[1], array[2])`)
	if got := b.await(t); got != (decision{7, portal.OutcomeApproved}) {
		t.Errorf("decided %v", got)
	}
	if n := b.jobs(t); n != 2 || len(b.decided) != 0 || approvals(t, b) != 1 {
		t.Errorf("%d jobs, %d more decisions, %d approvals", n, len(b.decided), approvals(t, b))
	}
}

func TestSQLAndGoDoNotEnqueueTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client := b.client(t)
	enqueue := func(id portal.OrderID) bool {
		t.Helper()
		added, err := client.Enqueue(t.Context(), portal.OrderApprovalArgs{OrderID: id})
		if err != nil {
			t.Fatal(err)
		}
		return added
	}

	b.order(t, 7, "WEB")
	if enqueue(7) {
		t.Error("Go doubled the trigger's job")
	}
	if !enqueue(8) {
		t.Error("Go added nothing")
	}
	b.order(t, 8, "WEB")
	if n := b.jobs(t); n != 2 {
		t.Errorf("%d jobs for two orders", n)
	}

	pgtest.Exec(t, b.DB, `update river.river_job set state = 'completed', finalized_at = now()`)
	if enqueue(7) {
		t.Error("Go doubled a job that is done")
	}
}

// client is one that only enqueues.
func (b *bench) client(t testing.TB) *jobs.Client {
	t.Helper()
	client, err := jobs.New(jobs.Config{Pool: b.store.Jobs, Logger: calm(t), InsertOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func approvals(t testing.TB, b *bench) int {
	t.Helper()
	return pgtest.Value[int](t, b.DB, `select count(*) from erp.order_status_history where to_status = 'APPROVED'`)
}
