package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
)

// EventLog implements portal.EventLog on portal.event. Safe for concurrent
// use.
type EventLog struct{ db *DB }

// NewEventLog reads the log of db.
func NewEventLog(db *DB) *EventLog { return &EventLog{db} }

// Since implements portal.EventLog.
func (l *EventLog) Since(ctx context.Context, who portal.Session, after portal.Cursor,
	items []string) (portal.Batch, error) {
	if after == "" {
		var now string
		if err := l.db.Auth.QueryRow(ctx, query("event_now")).Scan(&now); err != nil {
			return portal.Batch{}, fmt.Errorf("position of now: %w", err)
		}
		return portal.Batch{Cursor: portal.Cursor(now)}, nil
	}
	if items == nil {
		items = []string{}
	}
	return l.read(ctx, after, args{"whole": false, "customer_id": who.CustomerID, "staff": who.Staff(),
		"items": items, "most": nil})
}

// Tail implements portal.EventLog.
func (l *EventLog) Tail(ctx context.Context, after portal.Cursor, most int) (portal.Batch, error) {
	return l.read(ctx, after, args{"whole": true, "customer_id": 0, "staff": false, "items": []string{}, "most": most})
}

// read returns what came after a cursor.
func (l *EventLog) read(ctx context.Context, after portal.Cursor, a args) (portal.Batch, error) {
	a["cursor"], a["epoch"] = after.Split()
	type row struct {
		Cursor     string
		Lost       bool
		EventID    *int64
		XID        int64 `db:"xid"`
		Kind       *string
		CustomerID portal.CustomerID
		Ref        *string
		At         *time.Time
		Data       json.RawMessage
	}
	rows, _ := l.db.Auth.Query(ctx, query("event_since"), a)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(pg.Code, "22") { // not a snapshot at all
		return portal.Batch{}, portal.ErrCursorTooOld
	}
	if err != nil {
		return portal.Batch{}, fmt.Errorf("replay after %q: %w", after, err)
	}
	out := portal.Batch{Cursor: after}
	for _, r := range list {
		if r.Lost {
			return portal.Batch{}, portal.ErrCursorTooOld
		}
		out.Cursor = portal.Cursor(r.Cursor)
		if r.EventID != nil {
			out.Events = append(out.Events, portal.Event{ID: *r.EventID, XID: uint64(r.XID), Kind: portal.EventKind(*r.Kind),
				CustomerID: r.CustomerID, Ref: *r.Ref, At: *r.At, Data: r.Data})
		}
	}
	return out, nil
}

// Visible implements portal.EventLog.
func (l *EventLog) Visible(ctx context.Context, who portal.Session, items []string) ([]string, error) {
	rows, _ := l.db.Auth.Query(ctx, query("event_visible"),
		args{"items": items, "staff": who.Staff(), "customer_id": who.CustomerID})
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("visible items: %w", err)
	}
	return list, nil
}
