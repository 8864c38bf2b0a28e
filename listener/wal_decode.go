package listener

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pglogrepl"

	"portal.example/portal"
)

// decoder puts the messages of pgoutput (protocol version 1: whole transactions,
// in the order of their commits) together again. Its zero value is ready. Not
// safe for concurrent use; after an error it is of no use.
type decoder struct {
	most   int            // events of one transaction that are kept
	events uint32         // the relation that portal.event is
	column map[string]int // of portal.event, as it stands for the rows that follow
	open   bool           // between a transaction's begin and its commit
	tx     transaction
}

// transaction is one that has committed.
type transaction struct {
	xid    uint64 // 0 if it holds no event
	events []portal.Event
	count  int           // of events, those not kept included
	end    pglogrepl.LSN // its commit lies before it
}

// columns are those of portal.event that an event is made of. They go by name:
// the order in the table is the migrations' affair.
var columns = []string{"event_id", "xid", "at", "kind", "customer_id", "ref", "data"}

// take reads one message; whole says that it was a transaction's last, which is
// then in d.tx until the next call.
func (d *decoder) take(data []byte) (whole bool, err error) {
	message, err := pglogrepl.Parse(data)
	if err != nil {
		return false, fmt.Errorf("event source: decode: %w", err)
	}
	switch m := message.(type) {
	case *pglogrepl.BeginMessage:
		d.open, d.tx = true, transaction{}
	case *pglogrepl.RelationMessage:
		return false, d.relation(m)
	case *pglogrepl.InsertMessage:
		if d.column == nil || m.RelationID != d.events {
			return false, nil // of a table that somebody added to the publication
		}
		return false, d.insert(m.Tuple)
	case *pglogrepl.CommitMessage:
		if !d.open {
			return false, fmt.Errorf("event source: decode: a commit at %s without a begin", m.CommitLSN)
		}
		d.open, d.tx.end = false, m.TransactionEndLSN
		return true, nil
	}
	return false, nil
}

func (d *decoder) relation(m *pglogrepl.RelationMessage) error {
	if m.Namespace != "portal" || m.RelationName != "event" {
		return nil
	}
	d.events, d.column = m.RelationID, map[string]int{}
	for i, c := range m.Columns {
		d.column[c.Name] = i
	}
	for _, name := range columns {
		if _, ok := d.column[name]; !ok {
			return fmt.Errorf("event source: decode: portal.event has no column %s", name)
		}
	}
	return nil
}

func (d *decoder) insert(row *pglogrepl.TupleData) error {
	d.tx.count++
	if d.tx.count > d.most {
		d.tx.events = nil // told as a resync
		return nil
	}
	value := func(name string) []byte {
		if i := d.column[name]; row != nil && i < len(row.Columns) && row.Columns[i].DataType == pglogrepl.TupleDataTypeText {
			return row.Columns[i].Data
		}
		return nil
	}
	e := portal.Event{Kind: portal.EventKind(value("kind")), Ref: string(value("ref"))}
	var err error
	fail := func(name string) error {
		return fmt.Errorf("event source: decode: %s of an event: %w", name, err)
	}
	if e.ID, err = strconv.ParseInt(string(value("event_id")), 10, 64); err != nil {
		return fail("event_id")
	}
	if d.tx.xid, err = strconv.ParseUint(string(value("xid")), 10, 64); err != nil {
		return fail("xid")
	}
	e.XID = d.tx.xid
	if e.At, err = time.Parse("2006-01-02 15:04:05.999999-07", string(value("at"))); err != nil {
		return fail("at")
	}
	if text := value("customer_id"); text != nil {
		id, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return fmt.Errorf("event source: decode: customer_id of an event: %w", err)
		}
		e.CustomerID = portal.CustomerID(id)
	}
	if data := value("data"); data != nil {
		e.Data = json.RawMessage(data)
	}
	d.tx.events = append(d.tx.events, e)
	return nil
}

// ordered puts the events of a transaction in the order of their ids, as the
// log has them; they nearly always are.
func ordered(events []portal.Event) []portal.Event {
	byID := func(a, b portal.Event) int {
		switch {
		case a.ID < b.ID:
			return -1
		case a.ID > b.ID:
			return 1
		}
		return 0
	}
	if !slices.IsSortedFunc(events, byID) {
		slices.SortFunc(events, byID)
	}
	return events
}
