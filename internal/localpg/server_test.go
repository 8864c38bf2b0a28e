package localpg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestStartKeepsDataFromRunToRun(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	if got := ask(t, s.URL("postgres"),
		`select current_setting('wal_level') || ' ' || current_setting('max_connections') || ' ' ||
			current_setting('listen_addresses')`); got != "logical 200 " {
		t.Errorf("settings: %q", got)
	}
	if got := ask(t, s.URL("postgres"),
		`select lower('ŽÁÉ') || ('ž' ~ '\w')::text || pg_encoding_to_char(encoding) from pg_database
			where datname = 'postgres'`); got != "žáétrueUTF8" {
		t.Errorf("locale: %q", got)
	}
	for range 2 {
		if err := s.EnsureDatabase(testContext(t), `odd "name"`); err != nil {
			t.Fatal(err)
		}
	}
	before := s.URL(`odd "name"`)
	mustStop(t, s)
	if left := serverProcesses(s.data, 0); len(left) != 0 {
		t.Errorf("processes left after Stop: %v", left)
	}

	s = mustStart(t, Config{Dir: dir, Settings: map[string]string{"max_connections": "20", "fsync": "on"}})
	if after := s.URL(`odd "name"`); after != before {
		t.Errorf("the address changed from %s to %s", before, after)
	}
	if got := ask(t, before,
		`select current_database() || ' ' || current_setting('max_connections')`); got != `odd "name" 20` {
		t.Errorf("got %q", got)
	}
}

func TestDurableSyncs(t *testing.T) {
	t.Parallel()
	s := mustStart(t, Config{Dir: newDir(t), Durable: true})
	if got := ask(t, s.URL("postgres"),
		`select current_setting('fsync') || current_setting('synchronous_commit')`); got != "onon" {
		t.Errorf("got %q", got)
	}
}

func TestStopIsIdempotent(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	var stops sync.WaitGroup
	for range 4 {
		stops.Go(func() { mustStop(t, s) })
	}
	stops.Wait()
	mustStop(t, s)
	select {
	case <-s.Done():
	default:
		t.Error("not done after Stop")
	}
	if err := s.Err(); err != nil {
		t.Errorf("a stopped server has the error %v", err)
	}
	if _, err := os.Stat(s.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's directory is left: %v", err)
	}
	again := mustStart(t, Config{Dir: dir})
	mustStop(t, s) // of the first server: must leave the second alone
	ask(t, again.URL("postgres"), `select 'alive'`)
}

func TestStopDoesNotWaitLongerThanTold(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	ask(t, mustStart(t, Config{Dir: dir}).URL("postgres"), `select 'recovered'`)
}

func TestRunsAsPlainAccount(t *testing.T) {
	t.Parallel()
	s := mustStart(t, Config{Dir: newDir(t)})
	for _, path := range []string{s.data, filepath.Join(s.data, "postmaster.pid")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		uid := int(info.Sys().(*syscall.Stat_t).Uid)
		if uid == 0 {
			t.Errorf("%s belongs to root", path)
		}
		if me := os.Geteuid(); me != 0 && uid != me {
			t.Errorf("%s belongs to %d, we are %d", path, uid, me)
		}
	}
}

func TestSecondCopyIsRefused(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	_, err := Start(testContext(t), Config{Dir: dir})
	if !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("second copy: %v", err)
	}
	if err := Remove(dir); !errors.Is(err, ErrRunning) {
		t.Errorf("remove of a running one: %v", err)
	}
	ask(t, s.URL("postgres"), `select 'undisturbed'`)
}

func TestTCPNeedsThePassword(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	port := freePort(t)
	s := mustStart(t, Config{Dir: dir, Port: port})
	if got := ask(t, s.URL("postgres"),
		`select host(inet_server_addr()) || ':' || inet_server_port()`); got != fmt.Sprintf("127.0.0.1:%d", port) {
		t.Errorf("connected to %s", got)
	}
	ask(t, s.SocketURL("postgres"), `select 'socket'`)

	u, err := url.Parse(s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(Superuser, "guess")
	if _, err := tryAsk(testContext(t), u.String(), `select 'in'`); err == nil || !strings.Contains(err.Error(), "28P01") {
		t.Errorf("a wrong password: %v", err)
	}
	file := filepath.Join(dir, "password")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file has mode %v", info.Mode())
	}

	// A lost password is replaced.
	before := s.URL("postgres")
	mustStop(t, s)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s = mustStart(t, Config{Dir: dir, Port: port})
	if s.URL("postgres") == before {
		t.Error("the same password again")
	}
	ask(t, s.URL("postgres"), `select 'in'`)
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := newDir(t)
	_, err = Start(testContext(t), Config{Dir: dir, Port: l.Addr().(*net.TCPAddr).Port})
	if !errors.Is(err, ErrPortTaken) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v", err)
	}
	mustStart(t, Config{Dir: dir}) // the directory was let go
}

func TestDeathIsReported(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	if err := s.Err(); err != nil {
		t.Errorf("a live server has the error %v", err)
	}
	if err := syscall.Kill(s.PID(), syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "immediate shutdown request") {
		t.Errorf("got %v", err)
	}
	if _, err := Start(testContext(t), Config{Dir: dir}); !errors.Is(err, ErrRunning) {
		t.Errorf("before Stop the directory is still held: %v", err)
	}
	mustStop(t, s)
	mustStart(t, Config{Dir: dir})
}

func TestKillThenRecover(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	keep(t, s.URL("postgres"))
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	s = mustStart(t, Config{Dir: dir})
	kept(t, s.URL("postgres"))
}

func TestStandbyFollowsAndIsPromoted(t *testing.T) {
	t.Parallel()
	first := mustStart(t, Config{Dir: newDir(t)})
	keep(t, first.URL("postgres"))
	dir := newDir(t)
	second := mustStart(t, Config{Dir: dir, Standby: first.URL("postgres")})
	kept(t, second.URL("postgres"))
	if got := ask(t, second.URL("postgres"), `select pg_is_in_recovery()::text`); got != "true" {
		t.Errorf("is it a standby? %s", got)
	}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	ask(t, second.URL("postgres"), `select pg_promote()::text`)
	mustStop(t, second)
	second = mustStart(t, Config{Dir: dir, Standby: first.URL("postgres")}) // it is a cluster of its own by now
	kept(t, second.URL("postgres"))
	if got := ask(t, second.URL("postgres"), `select pg_is_in_recovery()::text`); got != "false" {
		t.Errorf("is it still a standby? %s", got)
	}
}

func TestFailedStartQuotesTheLog(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	_, err := Start(testContext(t),
		Config{Dir: dir, Settings: map[string]string{"shared_preload_libraries": "no_such_library"}})
	if err == nil || !strings.Contains(err.Error(), `could not access file "no_such_library"`) {
		t.Errorf("got %v", err)
	}
	mustStart(t, Config{Dir: dir})
}

func TestStartObeysContext(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Config{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("during initdb: %v", err)
	}
	mustStop(t, mustStart(t, Config{Dir: dir}))
	if _, err := Start(ctx, Config{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("during start: %v", err)
	}
	mustStart(t, Config{Dir: dir})
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{
		{},
		{Dir: "x", Port: -1},
		{Dir: "x", Port: 70000},
		{Dir: "x", Settings: map[string]string{"port": "1"}},
	} {
		if s, err := Start(testContext(t), cfg); err == nil {
			s.StopNow()
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
