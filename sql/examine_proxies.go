package sql

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// proxies tells from where requests came with X-Forwarded-For unasked. From a
// private network that is a proxy which was forgotten in the settings, and all its
// visitors look like one; from anywhere else somebody tries.
func (e Examination) proxies(ctx context.Context, conn *pgx.Conn, found *findings) error {
	rows, _ := conn.Query(ctx, query("examine_unknown_proxies"))
	strangers, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		Source, Node, LastAt string
		Near                 bool
	}])
	if err != nil {
		return err
	}
	for _, s := range strangers {
		found.add(!s.Near,
			"If that is your proxy, set PORTAL_TRUSTED_PROXY to its network on each node: until then all its visitors count "+
				"as one, and share limits.",
			"X-Forwarded-For came from %s, which is no trusted proxy, and was not believed (node %s, last %s)",
			s.Source, s.Node, s.LastAt)
	}
	if len(strangers) == 0 {
		found.add(true, "", "nobody but trusted proxies has sent X-Forwarded-For in the last seven days")
	}
	return nil
}
