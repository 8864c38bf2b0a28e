package localpg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childDir in the environment makes the test binary a process that starts a
// server there, says so and waits to be killed.
const childDir = "LOCALPG_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		s, err := Start(context.Background(), Config{Dir: dir})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready", s.PID())
		select {}
	}
	os.Exit(m.Run())
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// newDir returns a directory to start servers in; it is removed together with
// whatever was kept elsewhere.
func newDir(t *testing.T) string {
	dir := filepath.Join(openTempDir(t), "pg")
	t.Cleanup(func() {
		if err := Remove(dir); err != nil {
			t.Errorf("remove: %v", err)
		}
	})
	return dir
}

// openTempDir is t.TempDir for other accounts too.
func openTempDir(t *testing.T) string {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustStart(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.StopNow() })
	return s
}

func mustStop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

func keep(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(testContext(t), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(testContext(t), `create table kept as select 'kept' as v`); err != nil {
		t.Fatal(err)
	}
}

func kept(t *testing.T, url string) {
	t.Helper()
	if got := ask(t, url, `select v from kept`); got != "kept" {
		t.Errorf("kept %q", got)
	}
}

// ask runs one statement and returns its only value as text.
func ask(t *testing.T, url, sql string) string {
	t.Helper()
	text, err := tryAsk(testContext(t), url, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func tryAsk(ctx context.Context, url, sql string) (text string, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, sql).Scan(&text)
	return text, err
}
