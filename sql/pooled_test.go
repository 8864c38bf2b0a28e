package sql_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// Behind a PgBouncer in transaction mode connections are anybody's. Whatever
// runs on a pool, in a transaction or outside of one, runs as the pool's role,
// while twenty others of all roles take turns on the same four connections.
func TestRoleThroughPgBouncer(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	pooled, direct := pgtest.Bouncer(t, d)
	db := openThrough(t, sql.Config{URL: pooled, DirectURL: direct})

	who := "select current_user::text, current_setting('jit') from generate_series(1, $1)"
	var wg sync.WaitGroup
	for range 7 {
		for role, pool := range map[string]*sql.Pool{"portal_web": db.Web, "portal_desk": db.Desk, "portal_work": db.Work} {
			wg.Go(func() {
				ctx := t.Context()
				right := func(doing string, rows pgx.Rows, err error) {
					for err == nil && rows.Next() {
						var got, jit string
						if err = rows.Scan(&got, &jit); got != role || jit != "off" {
							t.Errorf("%s: %s with jit %s on the pool of %s", doing, got, jit, role)
						}
					}
					if rows.Close(); err != nil || rows.Err() != nil {
						t.Errorf("%s as %s: %v, %v", doing, role, err, rows.Err())
					}
				}
				for range 20 {
					rows, err := pool.Query(ctx, who, 3)
					right("query", rows, err)
					var got string
					if err := pool.QueryRow(ctx, "select current_user::text where $1", true).Scan(&got); err != nil || got != role {
						t.Errorf("row: %s on the pool of %s, %v", got, role, err)
					}
					if _, err := pool.Exec(ctx, "do $$ begin if current_user <> '"+role+
						"' then raise 'as %', current_user; end if; end $$"); err != nil {
						t.Errorf("exec as %s: %v", role, err)
					}
					for _, begin := range []pgx.TxOptions{{}, {AccessMode: pgx.ReadOnly},
						{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
						{BeginQuery: "begin read only; select set_config('portal.customer_id', '7', true)"}} {
						err := pgx.BeginTxFunc(ctx, pool, begin, func(tx pgx.Tx) error {
							rows, err := tx.Query(ctx, who, 2)
							right("transaction", rows, err)
							return nil
						})
						if err != nil {
							t.Errorf("transaction as %s: %v", role, err)
						}
					}
				}
			})
		}
	}
	wg.Wait()

	// what a transaction sets ends with it: the next customer's requests see nothing of it
	// PgBouncer's, and those of Jobs
	if n := pgtest.Value[int](t, d,
		`select count(*)::int from pg_stat_activity where datname = current_database()
			and usename like 'server_of_%'`); n > 4+9 {
		t.Errorf("%d connections to the server: PgBouncer shared nothing", n)
	}
	// the log-in itself may nothing, so a statement that had lost its role would be refused
	conn, err := pgx.Connect(t.Context(), pooled)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), "select from erp.customer")
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "42501" {
		t.Errorf("the log-in by itself reads customers: %v", err)
	}
}

// A statement that fails leaves nothing open, and its error is that of the
// statement; a role that may not be taken fails the transaction before anything
// runs in it.
func TestErrorsThroughPgBouncer(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	pooled, direct := pgtest.Bouncer(t, d)
	db := openThrough(t, sql.Config{URL: pooled, DirectURL: direct, WebConns: 1, WorkConns: 1})
	code := func(err error) string {
		pg, _ := errors.AsType[*pgconn.PgError](err)
		if pg == nil {
			t.Errorf("not the server's error: %v", err)
			return ""
		}
		return pg.Code
	}
	for range 3 { // more often than there are connections
		rows, _ := db.Work.Query(t.Context(), "select 1 / n from generate_series(1, 0, -1) n")
		if _, err := pgx.CollectRows(rows, pgx.RowTo[int]); code(err) != "22012" {
			t.Errorf("rows: %v", err)
		}
		rows, _ = db.Work.Query(t.Context(), "select nothing")
		if _, err := pgx.CollectRows(rows, pgx.RowTo[int]); code(err) != "42703" {
			t.Errorf("no rows: %v", err)
		}
		var n int
		if err := db.Work.QueryRow(t.Context(), "select 1 where false").Scan(&n); !errors.Is(err, pgx.ErrNoRows) {
			t.Errorf("no row: %v", err)
		}
		if err := db.Work.QueryRow(t.Context(), "select 'x'").Scan(&n); err == nil {
			t.Error("a text was scanned into a number")
		}
		if _, err := db.Web.Exec(t.Context(), "select from portal.login"); code(err) != "42501" {
			t.Errorf("exec: %v", err)
		}
	}
	if n := pgtest.Value[int](t, d, "select count(*)::int from pg_stat_activity where state like 'idle in "+
		"transaction%' and datname = current_database()"); n != 0 {
		t.Errorf("%d transactions were left open", n)
	}

	login := "server_of_" + d.Name
	pgtest.Exec(t, d, "revoke portal_web from "+login)
	ran := false
	err := pgx.BeginFunc(t.Context(), db.Web, func(pgx.Tx) error { ran = true; return nil })
	if code(err) != "42501" || ran {
		t.Errorf("began without the role: %v", err)
	}
	if rows, err := db.Web.Query(t.Context(), "select 1"); code(err) != "42501" || rows.Next() || rows.Err() == nil {
		t.Errorf("queried without the role: %v", err)
	}
}

// A pooler is found by itself, and jobs are refused one.
func TestPoolerIsNoticed(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	pooled, direct := pgtest.Bouncer(t, d)
	if db := openThrough(t, sql.Config{URL: direct, WebConns: 1}); db.Jobs == nil {
		t.Error("no pool for jobs on a direct connection")
	}
	if db := openThrough(t, sql.Config{URL: pooled, WebConns: 1}); db.Jobs != nil {
		t.Error("jobs were given a pooler")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, wrong := range []string{pooled, pooled + "&application_name=other"} {
		if _, err := sql.Open(ctx, sql.Config{URL: pooled, DirectURL: wrong}); err == nil ||
			!strings.Contains(err.Error(), "PORTAL_DIRECT_URL") {
			t.Errorf("a direct URL that passes the pooler: %v", err)
		}
	}
	// told so, it is believed
	db := openThrough(t, sql.Config{URL: direct, DirectURL: direct + "&application_name=jobs",
		Pooling: sql.PoolingYes, WebConns: 1})
	var role string
	if err := db.Web.QueryRow(t.Context(), "select current_user::text").Scan(&role); err != nil || role != "portal_web" {
		t.Errorf("%s, %v", role, err)
	}
}

func openThrough(t *testing.T, config sql.Config) *sql.DB {
	t.Helper()
	db, err := sql.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}
