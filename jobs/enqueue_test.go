package jobs_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// What SQL enqueues by portal.enqueue is, for every kind, the row that River's client
// inserts; nothing else in functions and triggers inserts jobs.
func TestEnqueueWritesRiversRow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client := b.client(t)
	read := func() jobRow {
		rows, _ := b.Pool.Query(t.Context(), `delete from river.river_job
			returning kind, args::text, queue, state::text, max_attempts, priority,
				coalesce(encode(unique_key, 'hex'), '') as unique_key, coalesce(unique_states::text, '') as unique_states`)
		row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[jobRow])
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	kinds := map[string]bool{}
	for _, args := range []portal.JobArgs{
		portal.OrderApprovalArgs{OrderID: 7, Revision: 1}, portal.OrderSettleArgs{OrderID: 7}, portal.MailArgs{MailID: 7},
		portal.PasswordResetArgs{Email: "bea@bells.example"}, portal.StatementArgs{},
	} {
		text, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Pool.Exec(t.Context(), "select portal.enqueue($1, array[$2::text::json])", args.Kind(), string(text))
		if err != nil {
			t.Fatal(err)
		}
		bySQL := read()
		if added, err := client.Enqueue(t.Context(), args); err != nil || !added {
			t.Fatalf("%s: added %t, %v", args.Kind(), added, err)
		}
		if byGo := read(); bySQL != byGo {
			t.Errorf("SQL   %+v\nRiver %+v", bySQL, byGo)
		}
		kinds[args.Kind()] = true
	}

	// every kind that SQL knows is among them, and every call names one
	body := pgtest.Value[string](t, b.DB, "select prosrc from pg_proc where oid = 'portal.enqueue'::regproc")
	known := regexp.MustCompile(`\('([a-z_]+)', '[a-z]+', \d+, (?:true|false)\)`).FindAllStringSubmatch(body, -1)
	if len(known) != len(kinds) {
		t.Errorf("portal.enqueue knows %d kinds, %d are compared", len(known), len(kinds))
	}
	called := pgtest.Value[[]string](t, b.DB, `select array_agg(distinct m[1])
		from pg_proc p, regexp_matches(p.prosrc, 'portal\.enqueue\(''([a-z_]+)''', 'g') m`)
	if len(called) != len(kinds) {
		t.Errorf("functions enqueue %v", called)
	}
	for _, kind := range called {
		if !kinds[kind] {
			t.Errorf("a function enqueues %s, which is not compared", kind)
		}
	}
	inserting := pgtest.Value[[]string](t, b.DB, `select array_agg(p.oid::regproc::text)
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname in ('erp', 'portal') and p.prosrc ~* 'insert\s+into\s+river\.'`)
	if len(inserting) != 1 {
		t.Errorf("jobs are inserted by %v", inserting)
	}
	if _, err := b.Pool.Exec(t.Context(), "select portal.enqueue('maill', array['{}'::json])"); err == nil {
		t.Error("a kind that is misspelt was enqueued")
	}
}
