package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// publication is made for a measurement, and dropped after it.
const publication = "portal_bench"

// readSlot streams the event log from a temporary logical slot and throws it
// away: what decoding costs the server.
func readSlot(ctx context.Context, admin *pgx.Conn, url string) (end func() error, err error) {
	if err := admin.PgConn().Exec(ctx, "drop publication if exists "+publication+"; create publication "+publication+
		" for table portal.event with (publish = 'insert')").Close(); err != nil {
		return nil, err
	}
	drop := func() error {
		_, err := admin.Exec(context.WithoutCancel(ctx), "drop publication if exists "+publication)
		return err
	}
	cfg, err := pgconn.ParseConfig(url)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	cfg.RuntimeParams["replication"] = "database"
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	if err := startSlot(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("logical slot: %w", err), conn.Close(ctx), drop())
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- stream(ctx, conn) }()
	return func() error {
		stop()
		err := <-done
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		_ = conn.Close(context.WithoutCancel(ctx)) // it is broken off within a message
		return errors.Join(err, drop())
	}, nil
}

func startSlot(ctx context.Context, conn *pgconn.PgConn) error {
	if err := conn.Exec(ctx,
		`CREATE_REPLICATION_SLOT "portal_bench" TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`).Close(); err != nil {
		return err
	}
	conn.Frontend().Send(
		&pgproto3.Query{String: `START_REPLICATION SLOT "portal_bench" LOGICAL 0/0 (proto_version '1', publication_names '` +
			publication + `')`})
	if err := conn.Frontend().Flush(); err != nil {
		return err
	}
	for {
		m, err := conn.ReceiveMessage(ctx)
		switch m := m.(type) {
		case *pgproto3.CopyBothResponse:
			return nil
		case *pgproto3.ErrorResponse:
			return pgconn.ErrorResponseToPgError(m)
		}
		if err != nil {
			return err
		}
	}
}

// stream reads what comes and says once a second how far it is.
func stream(ctx context.Context, conn *pgconn.PgConn) error {
	var at uint64
	due := time.Now()
	for {
		if now := time.Now(); now.After(due) {
			due = now.Add(time.Second)
			status := []byte{'r'}
			for _, v := range []uint64{at, at, at, 0} {
				status = binary.BigEndian.AppendUint64(status, v)
			}
			conn.Frontend().Send(&pgproto3.CopyData{Data: append(status, 0)})
			if err := conn.Frontend().Flush(); err != nil {
				return err
			}
		}
		timed, cancel := context.WithDeadline(ctx, due)
		m, err := conn.ReceiveMessage(timed)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case pgconn.Timeout(err):
			continue
		case err != nil:
			return err
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			return pgconn.ErrorResponseToPgError(m)
		case *pgproto3.CopyData:
			// XLogData has the end of the log after its own start
			if from := map[byte]int{'w': 9, 'k': 1}[m.Data[0]]; from > 0 && len(m.Data) >= from+8 {
				at = max(at, binary.BigEndian.Uint64(m.Data[from:]))
			}
			if m.Data[0] == 'k' && m.Data[len(m.Data)-1] == 1 {
				due = time.Now() // an answer is asked for
			}
		}
	}
}
