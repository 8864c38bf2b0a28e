package listener

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

//go:embed since.sql
var sinceSQL string

// reader reads portal.event over one connection. Not safe for concurrent use.
type reader struct {
	conn    *pgx.Conn
	mode    pgx.QueryExecMode
	timeout time.Duration // of one read
	most    int           // events in one batch; more are told as a resync
}

// logRow is what since.sql returns; without events one row says the rest.
type logRow struct {
	Snapshot   string
	Lost       bool
	EventID    *int64
	Kind       *string
	CustomerID portal.CustomerID
	Ref        *string
	At         *time.Time
	Data       json.RawMessage
}

// position is that of this moment.
func (r *reader) position(ctx context.Context) (portal.Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var at string
	if err := r.conn.QueryRow(ctx, `select pg_current_snapshot()::text`, r.mode).Scan(&at); err != nil {
		return "", fmt.Errorf("read position of the event log: %w", err)
	}
	return portal.Cursor(at), nil
}

// since returns what is new since a position, and the position after it. If
// something in between cannot be had any more, or is too much, the batch says
// so and holds none of it.
func (r *reader) since(ctx context.Context, after portal.Cursor) (portal.Batch, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	rows, _ := r.conn.Query(ctx, sinceSQL, r.mode, string(after), r.most+1)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[logRow])
	if err != nil {
		return portal.Batch{}, fmt.Errorf("read event log after %q: %w", after, err)
	}
	b := portal.Batch{Cursor: portal.Cursor(list[0].Snapshot)} // the outer join always has a row
	if list[0].Lost || len(list) > r.most {
		b.Resync = true
		return b, nil
	}
	if list[0].EventID == nil {
		return b, nil
	}
	b.Events = make([]portal.Event, len(list))
	for i, e := range list {
		b.Events[i] = portal.Event{ID: *e.EventID, Kind: portal.EventKind(*e.Kind), CustomerID: e.CustomerID,
			Ref: *e.Ref, At: *e.At, Data: e.Data}
	}
	return b, nil
}
