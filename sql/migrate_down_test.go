package sql_test

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

// downTo is the version that the test below goes back to: every later migration goes down and up.
const downTo = 29

// The Down of each later migration takes away what its Up made, with the functions and triggers of
// today standing on it, and migrating again brings everything back.
func TestMigrationsDown(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	schema := func() string {
		t.Helper()
		rows, _ := db.Pool.Query(t.Context(), schemaQuery)
		lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (line string, err error) {
			return line, row.Scan(nil, nil, nil, nil, &line)
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	}
	before := schema()

	config, err := pgx.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["role"] = "portal_owner"
	owner := stdlib.OpenDB(*config)
	defer owner.Close()
	store, err := database.NewStore(database.DialectPostgres, "portal.migration")
	if err != nil {
		t.Fatal(err)
	}
	migrations, err := goose.NewProvider("", owner, os.DirFS("migrations"), goose.WithStore(store))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.DownTo(t.Context(), downTo); err != nil {
		t.Fatal(err)
	}
	left := pgtest.Value[[]string](t, db, `select coalesce(array_agg(o.name), '{}') from (
			select c.oid::regclass::text as name from pg_class c
			where c.oid in (to_regclass('erp.order_status'), to_regclass('erp.web_access_switch'),
			to_regclass('erp.web_access_choice'))
			union all
			select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
			where n.nspname = 'erp' and (p.proname like 'is\_%' or p.proname = 'set_web_access') or p.proname = 'notify_all'
			union all
			select to_regtype('portal.news')::text
		) o where o.name is not null`)
	if len(left) > 0 {
		t.Errorf("left by the migrations that went down: %v", left)
	}

	if err := sql.Migrate(t.Context(), db.URL, jobs.Migrate); err != nil {
		t.Fatalf("up again: %v", err)
	}
	if again := schema(); again != before {
		t.Errorf("up again: %s", firstDifference(again, before))
	}
}
