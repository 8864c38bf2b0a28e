package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"portal.example/portal"
)

// DB holds one pool of connections for each role. It is safe for concurrent
// use; Close it when nothing uses it any more.
type DB struct {
	Web  *Pool // role portal_web: customer requests, behind row-level security
	Desk *Pool // role portal_desk: staff
	Work *Pool // role portal_work: jobs, and what operators see of them
	Auth *Pool // role portal_auth: log-ins, sessions, replay of events

	// A pool that this process has no use for is nil: see Config.Only.

	// Jobs is for the job queue, which listens and prepares statements: direct
	// connections of the role portal_work. Without a pooler in between they are
	// Work's. Nil where there is a pooler and Config has no DirectURL.
	Jobs *pgxpool.Pool
}

// Config says how to reach the database. The zero value of a number takes its
// default.
type Config struct {
	URL       string // a member of portal_web, portal_desk and portal_work; not needed where Logins has all
	Logins    LoginURLs
	Only      Only
	DirectURL string // passes no pooler, for Jobs; only looked at where URL passes one
	Pooling   Pooling
	WebConns  int32 // most connections for customer requests; default 16
	DeskConns int32 // for staff; default 6
	WorkConns int32 // for jobs; default 8
	AuthConns int32 // for log-ins and sessions; default 6
}

// Open makes the pools and checks that each reaches the database.
func Open(ctx context.Context, config Config) (*DB, error) {
	db := &DB{}
	pooled := map[string]bool{} // by URL
	for _, p := range []struct {
		into **Pool
		role Role
		max  int32
	}{
		{&db.Web, RoleWeb, or(config.WebConns, 16)},
		{&db.Desk, RoleDesk, or(config.DeskConns, 6)},
		{&db.Work, RoleWork, or(config.WorkConns, 8)},
		{&db.Auth, RoleAuth, or(config.AuthConns, 6)},
	} {
		if !config.Only.needs(p.role) {
			continue
		}
		url := config.urlOf(p.role)
		through, known := pooled[url]
		if !known {
			var err error
			if through, err = config.Pooling.pooled(ctx, url); err != nil {
				db.Close()
				return nil, fmt.Errorf("look for a pooler: %w", err)
			}
			pooled[url] = through
		}
		pool, err := openRole(ctx, url, string(p.role), p.max, through)
		if err != nil {
			db.Close()
			return nil, fmt.Errorf("open as %s: %w", p.role, err)
		}
		*p.into = &Pool{pool: pool, role: string(p.role), pooled: through}
	}
	if db.Work == nil {
		return db, nil
	}
	if db.Jobs = db.Work.pool; db.Work.pooled {
		db.Jobs = nil
		var err error
		if config.DirectURL != "" {
			if db.Jobs, err = openDirect(ctx, config); err != nil {
				db.Close()
				return nil, fmt.Errorf("open the direct connection: %w", err)
			}
		}
	}
	return db, nil
}

// openDirect makes the pool of the job queue where the others pass a pooler.
func openDirect(ctx context.Context, config Config) (*pgxpool.Pool, error) {
	url, err := config.Logins.Direct(RoleWork, config.Only, config.DirectURL, config.URL)
	if err != nil {
		return nil, err
	}
	if url == config.urlOf(RoleWork) {
		return nil, errIndirect
	}
	pooled, err := PoolingAuto.pooled(ctx, url)
	if err != nil {
		return nil, err
	}
	if pooled {
		return nil, errIndirect
	}
	return openRole(ctx, url, string(RoleWork), or(config.WorkConns, 8), false)
}

func or(n, fallback int32) int32 {
	if n > 0 {
		return n
	}
	return fallback
}

func openRole(ctx context.Context, url, role string, max int32, pooled bool) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = max
	noticeSilence(config, url)
	config.ConnConfig.RuntimeParams["application_name"] = "portal"
	if pooled {
		// A prepared statement would be on another connection of the pooler's. What
		// is remembered of a statement here is its types, on our side.
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	} else {
		// our statements return pages, not reports: compiling one costs a hundred
		// times more than running it
		config.ConnConfig.RuntimeParams["jit"] = "off"
		config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, "set role "+role)
			return err
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// Close waits for the connections in use and closes them all.
func (db *DB) Close() {
	for _, p := range []*Pool{db.Web, db.Desk, db.Work, db.Auth} {
		if p != nil {
			p.Close()
		}
	}
	if db.Jobs != nil {
		db.Jobs.Close() // Work's own is closed already, which does no harm
	}
}

// asCustomer runs f in a transaction that acts for who's log-in and customer:
// row-level security shows the customer's rows only, as far as the log-in's role
// goes. The setting travels with BEGIN, in the same
// round trip.
func (db *DB) asCustomer(ctx context.Context, who portal.Session, access pgx.TxAccessMode,
	f func(tx pgx.Tx) error) error {
	if access == pgx.ReadWrite {
		return db.asCustomerAt(ctx, who, "begin", f)
	}
	return db.asCustomerAt(ctx, who, "begin read only", f)
}

// asCustomerAt is asCustomer with a BEGIN of the caller's.
func (db *DB) asCustomerAt(ctx context.Context, who portal.Session, begin string, f func(tx pgx.Tx) error) error {
	if who.CustomerID == 0 {
		return portal.Errorf(portal.CodeForbidden, "This page is for customers.")
	}
	if who.Acting == portal.ActingPreview {
		// whatever is asked for; nothing can make it writable once it has read
		begin = "begin read only"
	}
	begin += "; select set_config('portal.customer_id', '" + strconv.FormatInt(int64(who.CustomerID), 10) + "', true)" +
		", set_config('portal.login_id', '" + strconv.FormatInt(int64(who.LoginID), 10) + "', true)" +
		", " + mark(who) + sessionSetting(who)
	if who.Acting != portal.ActingNot {
		begin += ", set_config('portal.acting_by', " + quote(who.ActingBy) + ", true)"
	}
	return inTx(ctx, db.Web, pgx.TxOptions{BeginQuery: begin}, f)
}

// asStaff runs f in a transaction of the desk's role that is marked with who
// acts: what it may write follows from the duties of that log-in.
func (db *DB) asStaff(ctx context.Context, who portal.Session, f func(tx pgx.Tx) error) error {
	if !who.Staff() {
		return portal.Errorf(portal.CodeForbidden, "This page is for staff.")
	}
	begin := "begin; select " + mark(who) + sessionSetting(who) +
		", set_config('portal.staff_id', '" + strconv.FormatInt(int64(who.LoginID), 10) + "', true)"
	return inTx(ctx, db.Desk, pgx.TxOptions{BeginQuery: begin}, f)
}

// sessionSetting names the session that asks: people and money want it to have been
// confirmed lately (portal.assert_request_confirmed).
func sessionSetting(who portal.Session) string {
	if who.ID == 0 {
		return ""
	}
	return ", set_config('portal.session_id', '" + strconv.FormatInt(int64(who.ID), 10) + "', true)"
}

// maxAttempts is how often a transaction is tried: again after a deadlock, a serialization
// failure, or a number or id that another transaction has taken.
const maxAttempts = 5

// inTx runs f in a transaction. Our own programs lock in one order (an order,
// its customer, lines, stock; what holds a customer waits for no order of it),
// but plain SQL locks as it likes: where the two wait for each other, PostgreSQL
// ends one. And a program may have written the very number that came next, and
// committed after it was found free. If we are the ones, f runs again, so it must
// set what it returns and not add to it.
func inTx(ctx context.Context, pool *Pool, options pgx.TxOptions, f func(tx pgx.Tx) error) error {
	var err error
	for range maxAttempts {
		if err = pgx.BeginTxFunc(ctx, pool, options, f); inTheWay(err) || numberTaken(err) {
			continue
		}
		table := idTaken(err)
		if table == "" {
			break
		}
		if _, e := pool.Exec(ctx, query("pass_taken_ids"), args{"table": table}); e != nil {
			break
		}
	}
	return refusal(err)
}

// inTheWay reports a deadlock or a serialization failure.
func inTheWay(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && strings.HasPrefix(pg.Code, "40")
}

// drawnNumbers are the constraints of numbers that the database draws where
// nobody gives one: erp.next_no and erp.next_invoice_no.
var drawnNumbers = []string{"sales_order_no_key", "invoice_no_key", "credit_memo_no_key", "payment_no_key",
	"credit_request_no_key"}

// numberTaken reports that another transaction took a number while it was drawn.
// The next draw passes over it. A number that somebody typed is refused again.
func numberTaken(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "23505" && slices.Contains(drawnNumbers, pg.ConstraintName)
}

// idTaken names the table where an id was drawn that another program has given to
// a row of its own; else it is empty.
func idTaken(err error) string {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if ok && pg.Code == "23505" && pg.ConstraintName == pg.TableName+"_pkey" {
		return pg.SchemaName + "." + pg.TableName
	}
	return ""
}

// quote makes a string literal. The begin query goes out without parameters,
// so that it stays one round trip.
func quote(s string) string {
	out := make([]byte, 0, len(s)+4)
	out = append(out, ' ', 'E', '\'')
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'', '\\':
			out = append(out, '\\', s[i])
		case 0:
		default:
			out = append(out, s[i])
		}
	}
	return string(append(out, '\''))
}

// mark is the part of BEGIN that says who acts, and from where, for the audit log.
func mark(who portal.Session) string {
	return "set_config('portal.actor', " + quote(who.Actor()) + ", true)" +
		", set_config('portal.source', " + quote(who.Source) + ", true)"
}

// markedWith marks a transaction of the log-in path with who acts, and from where, for the audit log.
func markedWith(ctx context.Context, tx pgx.Tx, actor, source string) error {
	_, err := tx.Exec(ctx, "select "+mark(portal.Session{Email: actor, Source: source}))
	return err
}
