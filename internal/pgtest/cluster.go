package pgtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"portal.example/portal/internal/localpg"
)

// template is the name of the database that New copies.
const template = "template_portal"

// patience bounds every step that a test waits for here. A machine that needs
// longer is not slow but stuck.
const patience = 60 * time.Second

// cluster is the server that the tests of one process share. It is started by
// the first that needs it. Safe for concurrent use.
type cluster struct {
	sweeping sync.Once

	starting sync.Once
	dir      string
	server   *localpg.Server
	admin    *pgxpool.Pool // for CREATE and DROP DATABASE
	startErr error

	last atomic.Int64 // number of the last database made
}

// start returns the same error to every caller.
func (c *cluster) start() error {
	c.starting.Do(func() {
		c.sweeping.Do(sweep)
		c.startErr = c.startOnce()
	})
	return c.startErr
}

func (c *cluster) startOnce() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	dir, err := newDir()
	if err != nil {
		return err
	}
	if err := plant(ctx, dir); err != nil {
		localpg.Remove(dir)
		return err
	}
	// Nobody reads the data after a crash, so commits need not be written.
	server, err := localpg.Start(ctx, localpg.Config{Dir: dir, Settings: settings("off")})
	if err != nil {
		localpg.Remove(dir)
		return err
	}
	cfg, err := pgxpool.ParseConfig(server.URL("postgres"))
	if err == nil {
		cfg.MaxConns = 4
		c.admin, err = pgxpool.NewWithConfig(ctx, cfg)
	}
	if err != nil {
		server.StopNow()
		localpg.Remove(dir)
		return err
	}
	c.dir, c.server = dir, server
	return nil
}

func (c *cluster) stop() error {
	c.starting.Do(func() { c.startErr = errors.New("the tests are over") })
	if c.server == nil {
		return nil
	}
	// Not waited for: a test that left a connection in use would hang it.
	go c.admin.Close()
	if err := c.server.StopNow(); err != nil {
		return err
	}
	return localpg.Remove(c.dir)
}

// create makes a database with a name of its own.
func (c *cluster) create(ctx context.Context, from string) (name string, err error) {
	name = fmt.Sprintf("t%d", c.last.Add(1))
	if err := create(ctx, c.admin, c.server.Version(), name, from); err != nil {
		// If the server is down, why it went says more than a refused connection.
		return "", errors.Join(err, c.server.Err())
	}
	return name, nil
}

// create makes a database, as a copy of the template or, from "", empty.
func create(ctx context.Context, admin *pgxpool.Pool, version int, name, from string) error {
	sql := "create database " + name
	if from != "" {
		sql += " template " + from
	}
	if version >= 15 {
		// Without fsync, copying files is quicker than logging every block.
		sql += " strategy file_copy"
	}
	if _, err := admin.Exec(ctx, sql); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	if from == "" {
		return nil
	}
	// A copy has not the rights on the database itself, which portal migrate gives.
	_, err := admin.Exec(ctx, "revoke temporary on database "+name+" from public; grant temporary on database "+name+
		" to portal_owner, portal_desk")
	if err != nil {
		return fmt.Errorf("restrict database %s: %w", name, err)
	}
	return nil
}

func (c *cluster) drop(ctx context.Context, name string) error {
	// FORCE ends connections, but refuses where one of them holds a slot.
	_, err := c.admin.Exec(ctx,
		`select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where database = $1
			and active_pid is not null`, name)
	if err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	_, err = c.admin.Exec(ctx, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)")
	if err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// settings are those of the test servers. The write-ahead log is kept small
// because it lies in memory, and dynamic shared memory in the data directory
// so that a killed server leaves none behind.
func settings(synchronousCommit string) map[string]string {
	return map[string]string{
		"synchronous_commit":         synchronousCommit,
		"max_connections":            "300",
		"max_prepared_transactions":  "10",
		"max_replication_slots":      "50",
		"max_wal_senders":            "50",
		"wal_writer_delay":           "10ms", // commits that are not waited for come soon in the stream of the log
		"max_wal_size":               "256MB",
		"dynamic_shared_memory_type": "mmap",
		"timezone":                   "UTC",
	}
}

// must is for steps of the harness itself.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}
