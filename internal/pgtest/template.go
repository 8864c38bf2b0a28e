package pgtest

import (
	"context"

	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

// prepare fills the database that every New is a copy of. It runs once per test
// process, as superuser, and must have closed its connections when it returns.
func prepare(ctx context.Context, url string) error {
	return sql.Migrate(ctx, url, jobs.Migrate)
}
