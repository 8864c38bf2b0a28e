package sql

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/health"
)

const (
	notifyLimit    = 0.01           // of the NOTIFY queue
	logAgeLimit    = 84 * time.Hour // housekeeping prunes after 72
	logBytesLimit  = 1 << 30
	slotBytesLimit = 64 << 20      // of WAL that a slot nobody reads may hold
	housekept      = time.Hour     // housekeeping runs every ten minutes
	otherConns     = 6 + 8 + 6 + 3 // of a node, beside customers' requests: desk, work, auth; listener, replication, jobs
	defaultWeb     = 16
)

// events looks at the way from a commit to the listener.
func (e Examination) events(ctx context.Context, conn *pgx.Conn, found *findings) error {
	direct := conn
	if e.DirectURL != "" && e.DirectURL != e.URL {
		var err error
		if direct, err = connectPlainly(ctx, e.DirectURL); err != nil {
			found.add(false, "Look at PORTAL_DIRECT_URL. It said: "+err.Error(), "the direct connection stands")
			return nil
		}
		defer direct.Close(context.WithoutCancel(ctx))
	}
	var backend uint32
	if err := direct.QueryRow(ctx, "select pg_backend_pid()").Scan(&backend); err != nil {
		return err
	}
	heard := false
	if backend == direct.PgConn().PID() { // else LISTEN would stay with the pooler's connection
		var err error
		if heard, err = hearsItself(ctx, direct); err != nil {
			return err
		}
	}
	found.add(heard,
		"A pooler is in between: LISTEN, replication and migrations need the server itself. Set PORTAL_DIRECT_URL to it; "+
			"DATABASE_URL may go on passing the pooler.", "NOTIFY reaches LISTEN, without a pooler in between")

	rows, _ := conn.Query(ctx, query("examine_log"))
	log, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[struct {
		Rows, Bytes          int64
		OldestSeconds, Usage float64
	}])
	if err != nil {
		return err
	}
	found.add(log.Usage < notifyLimit,
		"A session that listens does not take its notifications: it is in a long transaction, or its program hangs. When "+
			"the queue is full, commits that notify fail, the ERP's too. See below which of ours hangs; end it with select "+
			"pg_terminate_backend(pid): its node connects anew and misses nothing.",
		"NOTIFY's queue is %.1f %% full (look from 1 %%)", 100*log.Usage)
	oldest := time.Duration(log.OldestSeconds * float64(time.Second))
	found.add(oldest < logAgeLimit && log.Bytes < logBytesLimit,
		"Housekeeping prunes events after 72 hours, but none that a running transaction may not have seen. Look for long "+
			"transactions below, and at the job housekeeping at /ops/jobs.",
		"the event log has about %d events, %s; the oldest is %s old (pruned after 72 hours)", log.Rows,
		health.Bytes(log.Bytes), oldest.Round(time.Second))
	if err := e.housekeeping(ctx, conn, found, oldest); err != nil {
		return err
	}

	rows, _ = conn.Query(ctx, query("examine_listeners"), args{"stuck": or64(e.Stuck, 30*time.Second)})
	type listener struct {
		PID   int32
		Stuck *bool // nil where the log-in may not see it
	}
	listeners, err := pgx.CollectRows(rows, pgx.RowToStructByPos[listener])
	if err != nil {
		return err
	}
	var stuck []string
	for _, l := range listeners {
		if l.Stuck != nil && *l.Stuck {
			stuck = append(stuck, fmt.Sprint(l.PID))
		}
	}
	found.add(len(stuck) == 0,
		fmt.Sprintf("Its node hangs, or the network to it does. End it: select pg_terminate_backend(pid), for %s. The "+
			"node connects anew and catches up.", strings.Join(stuck, ", ")),
		"no listener of the portal hangs (%d listen, %d hang)", len(listeners), len(stuck))
	return nil
}

// housekeeping looks at whether the log is pruned. A portal that has never run
// has nothing to prune.
func (e Examination) housekeeping(ctx context.Context, conn *pgx.Conn, found *findings, oldest time.Duration) error {
	var there bool
	if err := conn.QueryRow(ctx, query("examine_jobs")).Scan(&there); err != nil || !there {
		return err
	}
	var ago *float64
	if err := conn.QueryRow(ctx, query("examine_housekeeping")).Scan(&ago); err != nil {
		return err
	}
	if ago == nil {
		found.add(oldest < 73*time.Hour, "Is a node running that works jobs (portal serve without --only web)?",
			"housekeeping has not run yet")
		return nil
	}
	last := time.Duration(*ago * float64(time.Second))
	found.add(last < housekept || oldest < 73*time.Hour,
		"It runs every ten minutes where jobs are worked: is a node running without --only web? See /ops/jobs.",
		"housekeeping prunes the event log; it ran %s ago", last.Round(time.Second))
	return nil
}

// server looks at what the portal shares with others: WAL, slots, connections,
// transactions.
func (e Examination) server(ctx context.Context, conn *pgx.Conn, found *findings) error {
	rows, _ := conn.Query(ctx, query("examine_server"))
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
		WalLevel       string
		FreeSlots      int
		FreeSenders    int
		MayReplicate   bool
		MaxConnections int
		Connections    int
		Ours           int
		LoginLimit     int
	}])
	if err != nil {
		return err
	}
	var lacks []string
	if s.WalLevel != "logical" {
		lacks = append(lacks, "wal_level is "+s.WalLevel+" (set wal_level = logical and restart PostgreSQL)")
	}
	if s.FreeSlots < 1 {
		lacks = append(lacks, "no replication slot is free (max_replication_slots)")
	}
	if s.FreeSenders < 1 {
		lacks = append(lacks, "no WAL sender is free (max_wal_senders)")
	}
	if !s.MayReplicate {
		lacks = append(lacks, "the log-in may not replicate (alter role … replication)")
	}
	if len(lacks) == 0 {
		found.add(true, "", "events can come by notify or by wal: wal_level is logical, %d slots and %d senders are free, "+
			"one of each a node", s.FreeSlots, s.FreeSenders)
	} else {
		found.add(true, "", "events can come by notify; for wal, %s", strings.Join(lacks, "; "))
	}
	found.note("Choose notify, the default, unless the ERP commits from many sessions at once all day: triggers then " +
		"wake the portal now and then, and NOTIFY takes a lock that all commits share. With wal they never do, for one " +
		"slot a node and the decoding of all WAL.")

	if err := e.slots(ctx, conn, found); err != nil {
		return err
	}
	need := int(or(e.WebConns, defaultWeb)) + otherConns
	others := max(s.Connections-s.Ours, 0)
	found.add(others+need <= s.MaxConnections && (s.LoginLimit < 0 || need <= s.LoginLimit),
		"Nodes would be refused connections, or the ERP. Lower PORTAL_WEB_CONNS, put a pooler in between (and "+
			"PORTAL_DIRECT_URL past it), or raise max_connections or the log-in's own limit.",
		"connections suffice: others use %d of %d, a node takes up to %d", others, s.MaxConnections, need)

	return e.transactions(ctx, conn, found)
}

// slots looks for WAL that is kept for nobody. The portal's own slots are
// temporary and end with their connection.
func (e Examination) slots(ctx context.Context, conn *pgx.Conn, found *findings) error {
	rows, _ := conn.Query(ctx, query("examine_slots"))
	type slot struct {
		Name, Database string
		RetainedBytes  int64
	}
	slots, err := pgx.CollectRows(rows, pgx.RowToStructByPos[slot])
	if err != nil {
		return err
	}
	var holding []string
	for _, s := range slots {
		if s.RetainedBytes >= slotBytesLimit {
			holding = append(holding, fmt.Sprintf("%s holds %s", s.Name, health.Bytes(s.RetainedBytes)))
		}
	}
	found.add(len(holding) == 0,
		fmt.Sprintf("The disk fills, and the ERP stops: %s. Bring the reader back, or: select "+
			"pg_drop_replication_slot('name'). max_slot_wal_keep_size sets a limit.", strings.Join(holding, ", ")),
		"no replication slot keeps WAL for a reader that is gone (%d are not in use)", len(slots))
	return nil
}

// transactions looks for those that hold up pruning.
func (e Examination) transactions(ctx context.Context, conn *pgx.Conn, found *findings) error {
	long := or64(e.LongTransaction, 5*time.Minute)
	rows, _ := conn.Query(ctx, query("examine_transactions"), args{"long": long})
	type transaction struct {
		Who, Program string
		Seconds      float64
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[transaction])
	if err != nil {
		return err
	}
	var names []string
	for _, t := range list {
		names = append(names, fmt.Sprintf("%s (%s) for %s", t.Who, t.Program,
			time.Duration(t.Seconds*float64(time.Second)).Round(time.Second)))
	}
	found.add(len(list) == 0,
		fmt.Sprintf("Events pass it by, but the log is not pruned, nothing is vacuumed, and every reader's position has "+
			"to name it: %s. Ask who it is; select pg_terminate_backend(pid) ends one, rollback prepared a prepared one.",
			strings.Join(names, ", ")), "no transaction has been open for more than %s", long)
	var all bool
	if err := conn.QueryRow(ctx, "select pg_has_role('pg_read_all_stats', 'usage')").Scan(&all); err != nil {
		return err
	}
	if !all {
		found.note("This log-in sees its own sessions only: grant pg_monitor to it, or run this with a user that has it.")
	}
	return nil
}

func or64(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// hearsItself notifies a channel of its own and waits for it. Where nothing
// comes, the connection is a new one afterwards.
func hearsItself(ctx context.Context, conn *pgx.Conn) (bool, error) {
	for _, statement := range []string{"listen portal_doctor", "select pg_notify('portal_doctor', '')"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return false, err
		}
	}
	wait, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := conn.WaitForNotification(wait)
	if wait.Err() != nil && ctx.Err() == nil {
		// the wait has cost the connection its use; go on with a new one
		config := conn.Config()
		fresh, e := pgx.ConnectConfig(ctx, config)
		if e != nil {
			return false, e
		}
		*conn = *fresh
		return false, nil
	}
	return err == nil, err
}
