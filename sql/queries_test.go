package sql_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// Every statement in queries/ must be one that PostgreSQL can prepare on the
// migrated database, with the rights of the role that runs it.
func TestQueriesPrepare(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if len(sql.Queries()) < 20 {
		t.Fatalf("only %d queries found", len(sql.Queries()))
	}
	for name, text := range sql.Queries() {
		rewritten, _, err := pgx.NamedArgs{}.RewriteQuery(ctx, conn, text, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := conn.Prepare(ctx, name, rewritten); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
