package sql

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pool is a pool of connections that act as one role, whatever lies between us
// and the server. Safe for concurrent use.
//
// On direct connections the role is set once. A pooler in transaction mode
// (PgBouncer) gives each transaction to another of its connections: what one
// leaves behind is gone for the next, or somebody else's. There every
// transaction names its role in the round trip that opens it, and a statement
// outside of one gets a transaction of its own. Nothing reaches the server
// without a role: the pool underneath is handed to nobody.
type Pool struct {
	pool   *pgxpool.Pool
	role   string
	pooled bool
}

// BeginTx starts a transaction that acts as the role. Its name travels with
// BEGIN, in the same round trip; on a direct connection, too, which costs next
// to nothing and makes row-level security independent of what was set before.
func (p *Pool) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	return p.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: p.begin(options), CommitQuery: options.CommitQuery})
}

// Begin is BeginTx without options.
func (p *Pool) Begin(ctx context.Context) (pgx.Tx, error) { return p.BeginTx(ctx, pgx.TxOptions{}) }

// begin puts the role right behind BEGIN, before anything else is done. If it
// may not be taken, the transaction has failed before it began.
func (p *Pool) begin(options pgx.TxOptions) string {
	first, rest, more := strings.Cut(options.BeginQuery, ";")
	if first == "" {
		first = "begin"
		if options.IsoLevel != "" {
			first += " isolation level " + string(options.IsoLevel)
		}
		for _, mode := range []string{string(options.AccessMode), string(options.DeferrableMode)} {
			if mode != "" {
				first += " " + mode
			}
		}
	}
	first += "; set local role " + p.role
	if p.pooled { // where it is no start-up parameter: see openRole
		first += "; set local jit = off"
	}
	if more {
		first += ";" + rest
	}
	return first
}

// Exec runs one statement.
func (p *Pool) Exec(ctx context.Context, sql string, arguments ...any) (tag pgconn.CommandTag, err error) {
	if !p.pooled {
		return p.pool.Exec(ctx, sql, arguments...)
	}
	err = pgx.BeginFunc(ctx, p, func(tx pgx.Tx) error {
		tag, err = tx.Exec(ctx, sql, arguments...)
		return err
	})
	return tag, err
}

// Query runs a query. As in pgx, an error may be left to the rows.
func (p *Pool) Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error) {
	if !p.pooled {
		return p.pool.Query(ctx, sql, arguments...)
	}
	tx, err := p.Begin(ctx)
	if err != nil {
		return failedRows{err: err}, err
	}
	rows, err := tx.Query(ctx, sql, arguments...)
	if err != nil {
		_ = tx.Rollback(ctx)
		return failedRows{err: err}, err
	}
	return &ownRows{Rows: rows, end: func(err error) error {
		if err != nil {
			_ = tx.Rollback(ctx) // what the query said is what went wrong
			return err
		}
		return tx.Commit(ctx)
	}}, nil
}

// QueryRow runs a query of one row.
func (p *Pool) QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row {
	if !p.pooled {
		return p.pool.QueryRow(ctx, sql, arguments...)
	}
	rows, _ := p.Query(ctx, sql, arguments...)
	return ownRow{rows}
}

// Ping asks the server for nothing.
func (p *Pool) Ping(ctx context.Context) error { return p.pool.Ping(ctx) }

// Stat tells how the pool stands.
func (p *Pool) Stat() *pgxpool.Stat { return p.pool.Stat() }

// Close waits for the connections in use and closes them.
func (p *Pool) Close() { p.pool.Close() }

// ownRows are rows in a transaction of their own, which ends with them.
type ownRows struct {
	pgx.Rows
	end   func(error) error
	ended bool
	err   error
}

// Next implements pgx.Rows.
func (r *ownRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close implements pgx.Rows. A commit that fails is an error of the rows.
func (r *ownRows) Close() {
	r.Rows.Close()
	if !r.ended {
		r.ended = true
		r.err = r.end(r.Rows.Err())
	}
}

// Scan implements pgx.Rows, which closes the rows on an error.
func (r *ownRows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return err
}

// Err implements pgx.Rows.
func (r *ownRows) Err() error {
	if r.ended {
		return r.err
	}
	return r.Rows.Err()
}

// ownRow is the first of some rows.
type ownRow struct{ rows pgx.Rows }

// Scan implements pgx.Row.
func (r ownRow) Scan(dest ...any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// failedRows are those of a query that never ran.
type failedRows struct {
	pgx.Rows
	err error
}

func (failedRows) Next() bool                                   { return false }
func (failedRows) Close()                                       {}
func (failedRows) CommandTag() (tag pgconn.CommandTag)          { return tag }
func (failedRows) FieldDescriptions() []pgconn.FieldDescription { return nil }
func (failedRows) Conn() *pgx.Conn                              { return nil }
func (failedRows) RawValues() [][]byte                          { return nil }
func (r failedRows) Err() error                                 { return r.err }
func (r failedRows) Scan(...any) error                          { return r.err }
func (r failedRows) Values() ([]any, error)                     { return nil, r.err }

// Pooling says whether a pooler lies between us and the server.
type Pooling string

// The ways to know.
const (
	PoolingAuto Pooling = "auto" // find out; also the zero value's meaning
	PoolingYes  Pooling = "yes"  // a pooler, even if it is not noticed
	PoolingNo   Pooling = "no"   // none, or one that keeps a session's connection (session mode)
)

// pooled finds out: the process that answers is not the one that the protocol
// named for cancelling. A pooler has to name something of its own, because its
// connections come and go.
func (way Pooling) pooled(ctx context.Context, url string) (bool, error) {
	switch way {
	case PoolingYes:
		return true, nil
	case PoolingNo:
		return false, nil
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return false, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	var backend uint32
	if err := conn.QueryRow(ctx, "select pg_backend_pid()").Scan(&backend); err != nil {
		return false, err
	}
	return backend != conn.PgConn().PID(), nil
}

// errIndirect is what a pooler in the direct connection is answered with.
var errIndirect = errors.New("jobs and LISTEN need a connection that passes no pooler: give it as PORTAL_DIRECT_URL")
