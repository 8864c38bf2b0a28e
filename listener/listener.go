// Package listener turns the commits of PostgreSQL into one ordered stream of
// events. A source reads the log that triggers write (portal.event) and hands
// over every committed event exactly once, in batches, each with the position
// after it.
//
// Who hears what is realtime's affair; the rows are the triggers'.
package listener

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// readLog reads, in one statement and so under one snapshot, that snapshot and
// the events visible in it but not in the one before: those of transactions
// that were running then, or had not begun. Lost says that some of these can no
// longer be read: housekeeping has pruned a transaction that the position does
// not hold, or the position is not of this server's past.
const readLog = `
with now as materialized (
  select pg_current_snapshot() as snapshot,
    f.pruned_xid >= pg_snapshot_xmin($1::pg_snapshot) or pg_snapshot_xmax($1::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) as lost
  from portal.event_floor f
)
select n.snapshot::text, n.lost, e.event_id, e.kind, e.customer_id, e.ref, e.at, e.data
from now n
left join portal.event e
  on e.xid >= pg_snapshot_xmax($1::pg_snapshot)
  or e.xid = any (array(select pg_snapshot_xip($1::pg_snapshot)))
order by e.event_id`

type logRow struct {
	Snapshot   string
	Lost       bool
	EventID    *int64
	Kind       *string
	CustomerID *int64
	Ref        *string
	At         *time.Time
	Data       []byte
}

// read returns what is new since a position.
func read(ctx context.Context, conn *pgx.Conn, after portal.Cursor) (portal.Batch, error) {
	rows, _ := conn.Query(ctx, readLog, string(after))
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[logRow])
	if err != nil {
		return portal.Batch{}, fmt.Errorf("read event log after %s: %w", after, err)
	}
	batch := portal.Batch{Cursor: after}
	for _, r := range list {
		batch.Cursor, batch.Resync = portal.Cursor(r.Snapshot), r.Lost
		if r.EventID == nil {
			continue
		}
		e := portal.Event{ID: *r.EventID, Kind: portal.EventKind(*r.Kind), Ref: *r.Ref, At: *r.At, Data: r.Data}
		if r.CustomerID != nil {
			e.CustomerID = portal.CustomerID(*r.CustomerID)
		}
		batch.Events = append(batch.Events, e)
	}
	return batch, nil
}

// now is the position of this moment.
func now(ctx context.Context, conn *pgx.Conn) (portal.Cursor, error) {
	var at string
	if err := conn.QueryRow(ctx, "select pg_current_snapshot()::text").Scan(&at); err != nil {
		return "", fmt.Errorf("event log position: %w", err)
	}
	return portal.Cursor(at), nil
}
