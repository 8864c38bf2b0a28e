package listener

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// publication is what triggers/event_publication.sql makes.
const publication = "portal_event"

// walStream is a replication connection with a temporary slot of its own. The
// slot ends with the connection, however that ends. Not safe for concurrent use.
type walStream struct {
	conn     *pgconn.PgConn
	slot     string
	start    pglogrepl.LSN // commits before it are in the snapshot, the others are streamed
	snapshot string        // exported; good until begin

	passed   pglogrepl.LSN // everything that committed before it has been received
	askedAt  time.Time     // when the server was last asked where it is
	heardAt  time.Time     // when it last said anything
	statusAt time.Time     // when it was last told where we are
	late     bool          // the last wait ended without a message

	ending  sync.Mutex // guards closing
	closing bool       // close waits for the server
}

// openStream connects and makes the slot. That waits until every transaction
// with a number that is now open, in whichever database, has ended: PostgreSQL
// cannot decode one of which it has not seen the beginning.
func openStream(ctx context.Context, connect func(context.Context) (*pgconn.PgConn, error),
	timeout time.Duration) (*walStream, error) {
	soon, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := connect(soon)
	if err != nil {
		return nil, fmt.Errorf("event source: connect for replication: %w", explain(err))
	}
	s := &walStream{conn: conn, slot: fmt.Sprintf("portal_event_%d_%.8s", conn.PID(), rand.Text())}
	found, err := conn.Exec(soon, "select from pg_publication where pubname = '"+publication+"'").ReadAll()
	if err == nil && len(found[0].Rows) == 0 {
		err = errors.New("there is no publication " + publication + ": run portal migrate")
	}
	if err == nil {
		err = s.createSlot(ctx)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("event source: make a replication slot: %w", explain(err))
	}
	return s, nil
}

func (s *walStream) createSlot(ctx context.Context) error {
	made, err := pglogrepl.CreateReplicationSlot(ctx, s.conn, lower(s.slot),
		"pgoutput", pglogrepl.CreateReplicationSlotOptions{
			Temporary: true, SnapshotAction: "EXPORT_SNAPSHOT", Mode: pglogrepl.LogicalReplication,
		})
	if err != nil {
		return err
	}
	s.slot, s.snapshot = made.SlotName, made.SnapshotName
	s.start, err = pglogrepl.ParseLSN(made.ConsistentPoint)
	return err
}

// lower is for names of slots, which know no upper case.
func lower(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// begin streams from where the snapshot ends, which is not valid any more then.
// Version 1 of the protocol sends a transaction when it has committed, and
// whole; one that is too big for the server's memory waits on its disk.
func (s *walStream) begin(life context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(life, timeout)
	defer cancel()
	err := pglogrepl.StartReplication(ctx, s.conn, s.slot, s.start, pglogrepl.StartReplicationOptions{
		Mode: pglogrepl.LogicalReplication, PluginArgs: []string{"proto_version '1'",
			"publication_names '" + publication + "'"},
	})
	if err != nil {
		return fmt.Errorf("event source: stream: %w", explain(err))
	}
	now := time.Now()
	// the end of ctx, told to a wait that has begun
	context.AfterFunc(life, func() {
		s.ending.Lock()
		defer s.ending.Unlock()
		if !s.closing {
			_ = s.conn.Conn().SetReadDeadline(now)
		}
	})
	s.passed, s.heardAt, s.askedAt = s.start, now, now
	return nil
}

// receive waits for a message of pgoutput until a time, and returns none if
// there was none, or if it was one of the protocol's own. It answers those.
func (s *walStream) receive(ctx context.Context, until time.Time, between bool) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	// A context for each message would cost more than the message.
	if !s.buffered() || s.late {
		if err := s.conn.Conn().SetReadDeadline(until); err != nil {
			return nil, fmt.Errorf("event source: stream: %w", err)
		}
		s.late = false
	}
	message, err := s.conn.ReceiveMessage(context.Background())
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded) && !s.conn.IsClosed():
		s.late = true // part of a message may be here already
		return nil, nil
	default:
		return nil, fmt.Errorf("event source: stream: %w", err)
	}
	s.heardAt = time.Now()
	switch m := message.(type) {
	case *pgproto3.CopyData:
		return s.copied(m.Data, between)
	case *pgproto3.ErrorResponse:
		return nil, fmt.Errorf("event source: stream: %w", explain(pgconn.ErrorResponseToPgError(m)))
	case *pgproto3.CopyDone:
		return nil, errors.New("event source: stream: the server has ended it")
	}
	return nil, nil
}

// copied reads one message of the replication protocol. between says that no
// transaction has been received in part.
func (s *walStream) copied(data []byte, between bool) ([]byte, error) {
	if len(data) == 0 {
		return nil, errors.New("event source: stream: an empty message")
	}
	switch data[0] {
	case pglogrepl.XLogDataByteID:
		m, err := pglogrepl.ParseXLogData(data[1:])
		if err != nil {
			return nil, fmt.Errorf("event source: stream: %w", err)
		}
		return m.WALData, nil
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		m, err := pglogrepl.ParsePrimaryKeepaliveMessage(data[1:])
		if err != nil {
			return nil, fmt.Errorf("event source: stream: %w", err)
		}
		if between {
			s.passed = max(s.passed, m.ServerWALEnd)
		}
		if m.ReplyRequested {
			s.statusAt = time.Time{}
		}
	}
	return nil, nil
}

// buffered reports whether something more has been received already.
func (s *walStream) buffered() bool { return s.conn.Frontend().ReadBufferLen() > 0 }

// tell says up to where everything has been delivered, so that the server need
// not keep it; ask makes it answer with where it is.
func (s *walStream) tell(ctx context.Context, delivered pglogrepl.LSN, ask bool) error {
	err := pglogrepl.SendStandbyStatusUpdate(ctx, s.conn,
		pglogrepl.StandbyStatusUpdate{WALWritePosition: delivered, ReplyRequested: ask})
	if err != nil {
		return fmt.Errorf("event source: stream: say where we are: %w", err)
	}
	s.statusAt = time.Now()
	if ask {
		s.askedAt = s.statusAt
	}
	return nil
}

// close ends the connection and waits, for not more than a second, until the
// server has: then the slot is gone.
func (s *walStream) close() {
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.conn.Close(ctx)
	}()
	if s.conn.IsClosed() {
		return
	}
	s.ending.Lock()
	s.closing = true
	s.ending.Unlock()
	raw := s.conn.Conn()
	if raw.SetDeadline(time.Now().Add(time.Second)) != nil {
		return
	}
	front := s.conn.Frontend()
	front.Send(&pgproto3.Terminate{})
	for err := front.Flush(); err == nil; {
		_, err = front.Receive()
	}
}
