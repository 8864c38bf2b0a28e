package pgtest

import (
	"context"

	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

// prepare fills the database that every New is a copy of. It runs once for a
// set of migrations, as superuser, and must have closed its connections when it returns.
func prepare(ctx context.Context, url string) error {
	return sql.Migrate(ctx, url, jobs.Migrate)
}
