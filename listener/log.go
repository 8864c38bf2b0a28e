package listener

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

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
	Epoch      string
	Lost       bool
	EventID    *int64
	XID        int64
	Kind       *string
	CustomerID portal.CustomerID
	Ref        *string
	At         *time.Time
	Data       json.RawMessage
}

// position is that of this moment. It makes sure that the log has an epoch, and
// belongs to this server.
func (r *reader) position(ctx context.Context) (portal.Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var epoch, at string
	if err := r.conn.QueryRow(ctx, positionSQL, r.mode).Scan(&at, &epoch); err != nil {
		return "", fmt.Errorf("read position of the event log: %w", err)
	}
	return portal.CursorOf(at, epoch), nil
}

// since returns what is new since a position, and the position after it. If
// something in between cannot be had any more, or is too much, the batch says
// so and holds none of it; if the position is of another epoch, it says so and
// holds what can be had.
func (r *reader) since(ctx context.Context, after portal.Cursor) (portal.Batch, error) {
	timed, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	snapshot, epoch := after.Split()
	rows, _ := r.conn.Query(timed, sinceSQL, r.mode, snapshot, r.most+1)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[logRow])
	if err != nil {
		return portal.Batch{}, fmt.Errorf("read event log after %q: %w", after, err)
	}
	if list[0].Epoch == "" {
		if _, err := r.position(ctx); err != nil {
			return portal.Batch{}, err
		}
		return r.since(ctx, after)
	}
	b := portal.Batch{Cursor: portal.CursorOf(list[0].Snapshot, list[0].Epoch)} // the outer join always has a row
	if list[0].Lost || len(list) > r.most {
		b.Resync = true
		return b, nil
	}
	b.Resync = epoch != "" && epoch != list[0].Epoch
	if list[0].EventID == nil {
		return b, nil
	}
	b.Events = make([]portal.Event, len(list))
	for i, e := range list {
		b.Events[i] = portal.Event{ID: *e.EventID, XID: uint64(e.XID), Kind: portal.EventKind(*e.Kind),
			CustomerID: e.CustomerID, Ref: *e.Ref, At: *e.At, Data: e.Data}
	}
	return b, nil
}

// missed is how many transactions could not write their events; it moves before
// they commit, and is announced when they do.
func (r *reader) missed(ctx context.Context) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := r.conn.QueryRow(ctx, missedSQL, r.mode).Scan(&n); err != nil {
		return 0, fmt.Errorf("read how many events are missing: %w", err)
	}
	return n, nil
}
