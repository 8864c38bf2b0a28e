package listener

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// NOTIFY makes commits wait for each other until each is on disk. So a node to
// which events come fast reads the log every other millisecond instead, and says
// so in portal.event_node; triggers notify only while a node wants it. A transaction
// that looked there while the node still polled, and commits after it has stopped,
// notifies nobody. So a node that stops polling reads a few more times, at growing
// intervals, until only the slow poll is left, which always runs.

// pace is how fast events come, and what the node does about it.
type pace struct {
	fast    bool          // polls every FastPoll; otherwise waits for notifications
	counted int           // events while it polls fast, notifications while it does not
	since   time.Time     // when counting began
	slowing time.Duration // the next pause after fast polling: it doubles up to Poll
}

// enter says that a node hears the log over this connection, and removes those
// that are gone.
func enter(ctx context.Context, conn *pgx.Conn, name, source string, wantsNotify bool) (node int, err error) {
	if _, err = conn.Exec(ctx, goneSQL, pgx.QueryExecModeExec); err == nil {
		err = conn.QueryRow(ctx, enterSQL, pgx.QueryExecModeExec, name, source, wantsNotify).Scan(&node)
	}
	if err != nil {
		return 0, fmt.Errorf("event source: enter: %w", err)
	}
	return node, nil
}

// enter begins by waiting for notifications.
func (s *session) enter(ctx context.Context) (err error) {
	s.node, err = enter(ctx, s.conn, s.notify.cfg.Name, "notify", true)
	s.pace = pace{since: time.Now(), slowing: s.notify.cfg.FastPoll}
	s.notify.counts.fastPolling.Store(false)
	return err
}

// want says whether triggers are to notify.
func (s *session) want(ctx context.Context, notify bool) error {
	ctx, cancel := context.WithTimeout(ctx, s.notify.cfg.ReadTimeout)
	defer cancel()
	tag, err := s.conn.Exec(ctx, wantSQL, pgx.QueryExecModeExec, s.node, notify)
	if err == nil && tag.RowsAffected() == 0 {
		// removed by another node that could not see us, or by hand
		return s.enter(ctx)
	}
	if err != nil {
		return fmt.Errorf("event source: want notifications: %w", err)
	}
	s.fast = !notify
	s.counted, s.since, s.slowing = 0, time.Now(), s.notify.cfg.FastPoll
	s.notify.counts.fastPolling.Store(s.fast)
	if s.fast {
		s.notify.counts.fastPollsBegun.Add(1)
	}
	return nil
}

// adapt counts the events of each read, and decides whether the node polls or waits for
// notifications from now on.
func (s *session) adapt(ctx context.Context, events int) error {
	cfg := &s.notify.cfg
	if cfg.FastPollAt < 0 {
		return nil
	}
	if s.fast {
		s.counted += events
	}
	past := time.Since(s.since)
	switch {
	case s.fast && past >= cfg.slowWindow:
		slow := float64(s.counted) < cfg.FastPollAt/2*past.Seconds()
		s.counted, s.since = 0, time.Now()
		if slow {
			return s.want(ctx, true)
		}
	case !s.fast && past >= cfg.fastWindow:
		rate := float64(s.counted) / past.Seconds()
		s.counted, s.since = 0, time.Now()
		if rate < cfg.FastPollAt {
			// On a slow disk few commits are enough to wait for each other.
			if rate < cfg.FastPollAt/4 {
				return nil
			}
			if waits, err := s.contended(ctx); err != nil || !waits {
				return err
			}
		}
		return s.want(ctx, false)
	}
	return nil
}

// contended reports whether commits wait to notify.
func (s *session) contended(ctx context.Context) (waits bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.notify.cfg.ReadTimeout)
	defer cancel()
	err = s.conn.QueryRow(ctx, contendedSQL, s.reader.mode).Scan(&waits)
	if err != nil {
		return false, fmt.Errorf("event source: look at locks: %w", err)
	}
	return waits, nil
}

// pause is how long to wait, for a notification or not, before looking at the log.
func (s *session) pause() time.Duration {
	cfg := &s.notify.cfg
	if s.fast {
		return cfg.FastPoll
	}
	if s.slowing > 0 && s.slowing < cfg.Poll {
		d := s.slowing
		s.slowing *= 2
		return d
	}
	return cfg.Poll
}

// unblock ends listeners of ours that hang: PostgreSQL keeps every notification
// for the slowest listener, and once that queue is full no commit that notifies
// goes through, whichever program's it is. Triggers stop notifying when it is half
// full, so that this is never the ERP's trouble.
func (s *session) unblock(ctx context.Context, full float64) error {
	cfg := &s.notify.cfg
	cfg.Logger.Error("NOTIFY's queue fills up: a listener hangs", "full", full)
	rows, _ := s.conn.Query(ctx, stuckSQL, pgx.QueryExecModeExec, s.node, 3*cfg.TestEvery)
	stuck, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		PID  int32
		Name string
	}])
	if err != nil {
		return fmt.Errorf("event source: look for listeners that hang: %w", err)
	}
	// it is the log-in's right to see and to end its own connections, not the role's
	if _, err := s.conn.Exec(ctx, `reset role`, pgx.QueryExecModeExec); err != nil {
		return fmt.Errorf("event source: %w", err)
	}
	for _, l := range stuck {
		var ended bool
		if err := s.conn.QueryRow(ctx, endSQL, pgx.QueryExecModeExec, l.PID).Scan(&ended); errors.Is(err, pgx.ErrNoRows) {
			continue // it is gone, or its pid is another program's by now
		} else if err != nil {
			cfg.Logger.Error("a listener that hangs cannot be ended: do it as a superuser, with pg_terminate_backend",
				"pid", l.PID, "node", l.Name, "error", err)
			continue
		}
		cfg.Logger.Error("a listener that hangs was ended", "pid", l.PID, "node", l.Name)
	}
	if _, err = s.conn.Exec(ctx, `set role `+pgx.Identifier{cfg.Role}.Sanitize(), pgx.QueryExecModeExec); err != nil {
		return fmt.Errorf("event source: %w", err)
	}
	return nil
}
