package sql

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// args are the named parameters of a query, @name in its text. A name that the text
// has and the map has not is an error of the call; pgx.NamedArgs would send a NULL.
//
// Names that the text has not are allowed, since one map often serves all statements of
// a page (pgx.StrictNamedArgs refuses them). Where the map is written out in the call
// itself, TestArgsAreTheQuerys has both be the same.
type args map[string]any

// RewriteQuery implements pgx.QueryRewriter.
func (a args) RewriteQuery(ctx context.Context, conn *pgx.Conn, text string, list []any) (string, []any, error) {
	rewritten, values, err := pgx.NamedArgs(a).RewriteQuery(ctx, conn, text, list)
	if err != nil || !slices.Contains(values, nil) {
		return rewritten, values, err
	}
	// a nil is one that the map has, or the sign of a name that it has not
	has := make(pgx.NamedArgs, len(a))
	for name := range a {
		has[name] = true
	}
	if _, found, err := has.RewriteQuery(ctx, conn, text, list); err != nil || !slices.Contains(found, nil) {
		return rewritten, values, err
	}
	_, _, err = pgx.StrictNamedArgs(a).RewriteQuery(ctx, conn, text, list) // which says the name
	return "", nil, fmt.Errorf("sql: %w", err)
}
