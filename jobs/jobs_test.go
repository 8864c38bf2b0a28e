package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// patience bounds what a test waits for; it is no measure.
const patience = 30 * time.Second

// bench is a database with a customer and an item to order, and what the
// workers did to it.
type bench struct {
	*pgtest.DB
	store *sql.DB
	// decided receives every answer of the approver, after its transaction.
	decided chan decision
	// before, if set, is asked before an order is decided.
	before func(ctx context.Context, id portal.OrderID) error
}

type decision struct {
	order   portal.OrderID
	outcome string
}

func newBench(t testing.TB) *bench {
	t.Helper()
	return newBenchOn(t, pgtest.New(t))
}

func newBenchOn(t testing.TB, db *pgtest.DB) *bench {
	t.Helper()
	b := &bench{DB: db, decided: make(chan decision, 1000)}
	store, err := sql.Open(t.Context(), sql.Config{URL: b.URL, WebConns: 1, DeskConns: 1, WorkConns: 12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	b.store = store
	pgtest.Exec(t, b.DB, `
		insert into erp.customer (customer_id, customer_no, name) values (1, 'C1001', 'Corner Shop');
		insert into erp.item (item_id, item_no, description, price_a) values (1, 'OIL5', 'Olive oil, 5 l', 30.00);
		insert into erp.stock (item_id, on_hand) values (1, 1000)`)
	return b
}

// DecideOrder lets the real approver decide and tells the test.
func (b *bench) DecideOrder(ctx context.Context, id portal.OrderID) (string, error) {
	if b.before != nil {
		if err := b.before(ctx, id); err != nil {
			return "", err
		}
	}
	outcome, err := sql.NewApproval(b.store.Work).DecideOrder(ctx, id)
	if err == nil {
		b.decided <- decision{id, outcome}
	}
	return outcome, err
}

// config is a client that is only woken, never polls while a test lasts.
func (b *bench) config(logger *slog.Logger) jobs.Config {
	return jobs.Config{Pool: b.store.Jobs, Orders: b, Housekeeper: sql.NewHousekeeper(b.store.Work), Logger: logger,
		FetchPollInterval: time.Hour}
}

// start runs a client until the test ends.
func (b *bench) start(t testing.TB, config jobs.Config) *jobs.Client {
	t.Helper()
	client, err := jobs.New(config)
	if err != nil {
		t.Fatal(err)
	}
	b.run(t, client)
	return client
}

// run starts a client and stops it at the end of the test.
func (b *bench) run(t testing.TB, client *jobs.Client) {
	t.Helper()
	// The test's own context ends before its cleanups.
	if err := client.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := client.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

const orderSQL = `
	with o as (insert into erp.sales_order (order_id, customer_id, source) values ($1, 1, $2) returning order_id)
	insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, 1, 2 from o`

// order inserts an order as a program that knows only SQL does.
func (b *bench) order(t testing.TB, id portal.OrderID, source string) {
	t.Helper()
	pgtest.Exec(t, b.DB, orderSQL, id, source)
}

// await returns the next decision.
func (b *bench) await(t testing.TB) decision {
	t.Helper()
	select {
	case d := <-b.decided:
		return d
	case <-time.After(patience):
		t.Fatal("no order was decided")
		return decision{}
	}
}

func (b *bench) status(t testing.TB, id portal.OrderID) string {
	t.Helper()
	return pgtest.Value[string](t, b.DB, `select status from erp.sales_order where order_id = $1`, id)
}

func (b *bench) jobs(t testing.TB) int {
	t.Helper()
	return pgtest.Value[int](t, b.DB, `select count(*) from river.river_job where kind = 'order_approval'`)
}

// awaitEvent returns the first event that fits.
func awaitEvent(t testing.TB, events <-chan *river.Event, fits func(*river.Event) bool) *river.Event {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-events:
			if fits(e) {
				return e
			}
		case <-deadline:
			t.Fatal("the event did not come")
		}
	}
}

// calm is a logger for which an error is a failure of the test: River logs
// there what the database forbids it.
func calm(t testing.TB) *slog.Logger { return slog.New(calmHandler{t}) }

type calmHandler struct{ t testing.TB }

func (h calmHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}
func (h calmHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h calmHandler) WithGroup(string) slog.Handler      { return h }
func (h calmHandler) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += fmt.Sprintf(" %v", a); return true })
	h.t.Errorf("logged %v: %s", r.Level, line)
	return nil
}

// journal keeps what is logged.
type journal struct{ records chan slog.Record }

func newJournal() *journal { return &journal{make(chan slog.Record, 1000)} }

func (j *journal) logger() *slog.Logger                     { return slog.New(j) }
func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	select {
	case j.records <- r:
	default:
	}
	return nil
}

// await returns the next record with a message.
func (j *journal) await(t testing.TB, message string) slog.Record {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case r := <-j.records:
			if r.Message == message {
				return r
			}
		case <-deadline:
			t.Fatalf("%q was not logged", message)
		}
	}
}
