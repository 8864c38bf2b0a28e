package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/localpg"
)

// Bouncer starts a PgBouncer in transaction mode in front of a test's database,
// with fewer connections to the server than the portal makes, and with settings
// that forgive nothing. It returns two URLs of a log-in as operators make one: a
// member of the three roles that inherits none of their rights, so that a
// statement without a role is refused. The first passes PgBouncer, the second
// does not.
func Bouncer(t testing.TB, db *DB) (pooled, direct string) {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		for _, at := range []string{"/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer", "/opt/homebrew/bin/pgbouncer"} {
			if _, e := os.Stat(at); e == nil {
				program, err = at, nil
			}
		}
	}
	if err != nil {
		t.Fatal("pgtest: PgBouncer is missing: apt-get install pgbouncer, or run scripts/setup")
	}
	login := "server_of_" + db.Name
	Exec(t, db, "create role "+login+" login noinherit; grant portal_web, portal_desk, portal_work to "+login)

	server, err := url.Parse(db.server.running.SocketURL(db.Name))
	must(t, err)
	dir, err := newDir()
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	write := func(name, text string) {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	write("users", fmt.Sprintf("%q \"\"\n", login))
	write("pgbouncer.ini", fmt.Sprintf(`[databases]
%s = host=%s port=%s dbname=%[1]s
[pgbouncer]
listen_addr =
unix_socket_dir = %[4]s
listen_port = 6432
auth_type = trust
auth_file = %[4]s/users
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
`, db.Name, server.Query().Get("host"), server.Query().Get("port"), dir))
	cmd, err := localpg.Beside(dir, program, "-q", filepath.Join(dir, "pgbouncer.ini"))
	must(t, err)
	out, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	life, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = life.Close(); _ = cmd.Wait() })

	address := func(host, port string) string {
		q := url.Values{"host": {host}, "port": {port}, "sslmode": {"disable"}}
		return (&url.URL{Scheme: "postgres", User: url.User(login), Path: "/" + db.Name, RawQuery: q.Encode()}).String()
	}
	pooled = address(dir, "6432")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, pooled)
		if err == nil {
			must(t, conn.Close(ctx))
			return pooled, address(server.Query().Get("host"), server.Query().Get("port"))
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(out.Name())
			t.Fatalf("pgtest: PgBouncer: %v\n%s", err, log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
