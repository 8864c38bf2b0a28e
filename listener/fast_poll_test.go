package listener_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/listener"
)

// restless is a node that begins and ends fast polling at the least occasion. Its
// slow poll is left to the test.
func restless(t testing.TB, db *pgtest.DB, poll time.Duration) *listener.Notify {
	return listener.NewNotify(listener.Config{ConnString: db.URL, Poll: poll, FastPollAt: 20,
		TestEvery: -1, Logger: logTo(t)}.
		Counting(10*time.Millisecond, 30*time.Millisecond))
}

func wantsNotify(t testing.TB, db *pgtest.DB) bool {
	t.Helper()
	return pgtest.Value[bool](t, db, `select bool_or(wants_notify) from portal.event_node`)
}

// Commits race nodes that begin and end fast polling all the time; some have
// written while every node polled, and commit when they wait for notifications.
func TestEndOfFastPollingLosesNothing(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint(nodes, " nodes"), func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			var sources []*listener.Notify
			var streams []*stream
			for range nodes {
				n := restless(t, db, 0)
				sources, streams = append(sources, n), append(streams, listen(t, n))
			}
			want := make([][]string, 4)
			const rounds, each = 5, 30
			for r := range rounds {
				var writers sync.WaitGroup
				for w := range want {
					writers.Go(func() {
						for i := range each {
							ref := fmt.Sprint("w", w, " ", r*each+i)
							want[w] = append(want[w], ref)
							if w > 0 {
								emit(t, db, ref)
								continue
							}
							// written now, told later; the last ones outlast the others and
							// end while the nodes stop polling
							if err := pgx.BeginFunc(context.Background(), db.Pool, func(tx pgx.Tx) error {
								tell(t, tx, ref)
								_, err := tx.Exec(context.Background(), `select pg_sleep($1)`, rand.Float64()/50)
								return err
							}); err != nil {
								t.Error(err)
							}
						}
					})
				}
				writers.Wait()
				eventually(t, "all wait for notifications", func() bool {
					return !slices.ContainsFunc(sources, func(n *listener.Notify) bool { return n.Stats().FastPolling })
				})
			}
			for _, s := range streams {
				got := s.finish(db)
				for w := range want {
					own := slices.DeleteFunc(slices.Clone(got),
						func(ref string) bool { return !strings.HasPrefix(ref, fmt.Sprint("w", w, " ")) })
					if !slices.Equal(own, want[w]) {
						t.Errorf("of writer %d came %v", w, own)
					}
				}
			}
			for _, n := range sources {
				if st := n.Stats(); st.FastPollsBegun < rounds {
					t.Errorf("the node began to poll %d times in %d rounds", st.FastPollsBegun, rounds)
				}
			}
		})
	}
}

// While a node polls fast nobody notifies; once it stops everybody does. The slow
// poll is off here.
func TestFastPolling(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	n := restless(t, db, time.Hour)
	s := listen(t, n)
	if !wantsNotify(t, db) {
		t.Error("a node that has just come is not to be notified")
	}
	rounds := 0
	rouse := func() {
		eventually(t, "the node polls fast", func() bool {
			rounds++
			emit(t, db, fmt.Sprint("round ", rounds))
			return n.Stats().FastPolling
		})
	}
	rouse()
	if wantsNotify(t, db) {
		t.Error("a node that polls fast wants to be notified")
	}
	// Written while it polls, committed when it has stopped: nobody announces it.
	open := begin(t, db)
	tell(t, open, "open across")
	eventually(t, "the node stops", func() bool { return !n.Stats().FastPolling })
	commit(t, open)
	s.until("open across")

	told := func(ref string) (how string) {
		tx := begin(t, db)
		tell(t, tx, ref)
		if err := tx.QueryRow(t.Context(), `select current_setting('portal.event_state')`).Scan(&how); err != nil {
			t.Fatal(err)
		}
		commit(t, tx)
		s.until(ref)
		return how
	}
	if how := told("to who waits"); how != "notified" {
		t.Errorf("the waiting node was only %s", how)
	}
	rouse()
	if how := told("to who polls"); how != "written" {
		t.Errorf("a node that polls fast was %s", how)
	}
	refs := s.finish(db)
	slices.Sort(refs)
	if len(slices.Compact(refs)) != rounds+3 {
		t.Errorf("%d different events of %d: %v", len(slices.Compact(refs)), rounds+3, refs)
	}
}

// A node that is gone is not notified; its row goes with the next that comes.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := listen(t, restless(t, db, 0))
	_ = s.stop()
	listen(t, listener.NewNotify(listener.Config{ConnString: db.URL, TestEvery: 5 * time.Millisecond, Logger: logTo(t)}))
	eventually(t, "one node is left", func() bool {
		return pgtest.Value[int](t, db, `select count(*) from portal.event_node`) == 1
	})
}

// An event that cannot be written stops nobody's work: everybody is told to look
// again, once it is there to be seen.
func TestLogIsFull(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := listen(t, restless(t, db, 0))
	pgtest.Exec(t, db, `create function full_disk() returns trigger language plpgsql as $$
		begin raise 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
		create trigger full_disk before insert on portal.event for each row execute function full_disk();
		create table work (n int)`)
	tx := begin(t, db)
	if _, err := tx.Exec(t.Context(), `insert into work values (1)`); err != nil {
		t.Fatal(err)
	}
	tell(t, tx, "cannot be told", "nor this")
	commit(t, tx)
	s.wait("a resync", func() bool {
		return slices.ContainsFunc(s.batches, func(b portal.Batch) bool { return b.Resync })
	})
	if n := pgtest.Value[int](t, db, `select count(*) from work`); n != 1 {
		t.Error("the work is gone")
	}
	pgtest.Exec(t, db, `drop trigger full_disk on portal.event`)
	s.want(s.finish(db))
}

// One that was announced while the listener was away is known all the same.
func TestLogIsFullWhileAway(t *testing.T) {
	t.Parallel()
	for name, open := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Private(t)
			s := listen(t, open(t, db))
			pgtest.Exec(t, db, `alter role portal_work rename to portal_work_away`)
			terminate(t, db, true)
			pgtest.Exec(t, db, `alter table portal.event add constraint full_disk check (kind <> 'order') not valid`)
			emit(t, db, "cannot be told")
			pgtest.Exec(t, db, `alter role portal_work_away rename to portal_work`)
			s.wait("a resync", func() bool {
				return slices.ContainsFunc(s.batches, func(b portal.Batch) bool { return b.Resync })
			})
		})
	}
}

// A listener that hangs keeps NOTIFY's queue from being emptied, and is ended by
// another node.
func TestListenerThatHangsIsEnded(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	login := "hangs_of_" + db.Name // as operators make one: it inherits nothing
	pgtest.Exec(t, db, "create role "+login+" login noinherit; grant portal_work to "+login)
	t.Cleanup(func() { pgtest.Exec(t, db, "drop role "+login) })
	address, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.User(login)
	stuck, err := pgx.Connect(t.Context(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close(context.Background())
	for _, q := range []string{`set application_name = 'portal listener'`, `listen portal_event`, `set role portal_work`,
		`insert into portal.event_node (name, wants_notify, seen_at) values ('stuck', true, now() - interval '1 hour')`,
		`reset role`, `begin`} { // in a transaction nothing is taken from the queue
		if _, err := stuck.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	other := listen(t, listener.NewNotify(listener.Config{ConnString: address.String(), TestEvery: 5 * time.Millisecond,
		FullAt: 1e-9, Logger: logTo(t)}))
	eventually(t, "the queue fills up, and the hanging listener is ended", func() bool {
		emit(t, db, "one more")
		return pgtest.Value[bool](t, db, `select pg_notify('portal_event', repeat('x', 7000)) is not null
			and not exists (select from pg_stat_activity where pid = $1)`, stuck.PgConn().PID())
	})
	other.finish(db)
}

// A log that came by dump and restore has transactions of another server, which
// are still to come on this one.
func TestRestoredLog(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, `insert into portal.event (kind, ref, xid) values ('order', 'of another server', '90000000000')`)
	pgtest.Exec(t, db, `update portal.event_floor set pruned_xid = '80000000000'`)
	s := listen(t, restless(t, db, time.Millisecond))
	for i := range 5 {
		emit(t, db, fmt.Sprint(i))
		s.until(fmt.Sprint(i))
	}
	s.want(s.finish(db), "0", "1", "2", "3", "4")
}
