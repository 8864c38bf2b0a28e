package localpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running PostgreSQL server. Safe for concurrent use. Whoever
// started it calls Stop, also after it has died by itself: until then Dir
// stays held. On Linux the server ends with our process, however that ends;
// elsewhere the next Start on Dir finds it and stops it.
type Server struct {
	major    int
	home     *home
	data     string
	socket   string
	port     int // of the socket's name, too
	password string
	log      string
	cmd      *exec.Cmd

	done chan struct{} // closed after err is set
	err  error

	mu       sync.Mutex // guards the rest
	stopping bool
	released bool
	stopErr  error
}

// Start makes the cluster if there is none yet and starts its server. It
// returns when the server accepts connections; ctx bounds the wait for that
// and not the server's life. Errors: ErrRunning, ErrPortTaken, no programs
// found, and for a server that does not come up the end of its log.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	h, err := openHome(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s, err := start(ctx, cfg, h)
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("start PostgreSQL in %s: %w", h.dir, err)
	}
	return s, nil
}

func start(ctx context.Context, cfg Config, h *home) (*Server, error) {
	acct, err := plainAccount(cfg.User)
	if err != nil {
		return nil, err
	}
	major, err := majorOf(h.data())
	if err != nil {
		return nil, err
	}
	if major != 0 {
		info, err := os.Stat(h.data())
		if err != nil {
			return nil, err
		}
		if owner := ownerOf(info); owner != nil {
			acct = owner
		}
		if !acct.reaches(h.place) {
			return nil, fmt.Errorf("account %s, which owns the data, cannot reach %s: a directory above it is closed to others",
				acct.name, h.place)
		}
	}
	b, err := find(acct, major)
	if err != nil {
		return nil, err
	}
	if major != 0 && b.Major != major {
		return nil, fmt.Errorf("%s was made by PostgreSQL %d and cannot be used by %d in %s: install %d, or remove %s to "+
			"begin anew",
			h.data(), major, b.Major, b.Dir, major, h.dir)
	}
	if major == 0 && !acct.reaches(h.place) {
		if err := h.moveOut(acct); err != nil {
			return nil, err
		}
	}
	if err := settle(ctx, h.data(), syscall.SIGINT); err != nil {
		return nil, err
	}
	if err := portFree(cfg.Port); err != nil {
		return nil, err
	}
	if major == 0 && cfg.Standby != "" {
		if err := copyOf(ctx, b, acct, h.data(), cfg.Standby); err != nil {
			return nil, err
		}
	} else if major == 0 {
		if err := initialize(ctx, b, acct, h.data(), cfg.Durable); err != nil {
			return nil, err
		}
	}

	s := &Server{major: b.Major, home: h, data: h.data(), port: 5432, log: cfg.logFile(h.dir), done: make(chan struct{})}
	if cfg.Port != 0 {
		s.port = cfg.Port
		if s.password, err = passwordIn(filepath.Join(h.dir, "password")); err != nil {
			return nil, err
		}
	}
	if s.socket, err = h.socket(acct); err != nil {
		return nil, err
	}
	s.cmd = acct.command(filepath.Join(b.Dir, "postgres"), cfg.arguments(s.data, s.socket, s.port)...)
	if err := s.launch(ctx); err != nil {
		os.RemoveAll(s.socket)
		return nil, err
	}
	if s.password != "" {
		// Every time: the file may be newer than the cluster's password.
		if err := s.setPassword(ctx); err != nil {
			s.shutDown(ctx, syscall.SIGQUIT)
			return nil, fmt.Errorf("set password: %w", err)
		}
	}
	return s, nil
}

// launch starts the process and waits until it is ready.
func (s *Server) launch(ctx context.Context) error {
	log, err := openLog(s.log)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log

	started := make(chan error, 1)
	go func() {
		// The kernel sends the parent-death signal when the thread that
		// forked ends, so the thread stays until the server is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.ended(s.cmd.Wait())
		}
	}()
	if err := <-started; err != nil {
		return err
	}

	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if pm, err := readPostmaster(s.data); err == nil && pm.ready && pm.pid == s.cmd.Process.Pid {
			return nil
		}
		select {
		case <-s.done:
			return s.err
		case <-ctx.Done():
			s.end(context.Background(), syscall.SIGQUIT)
			return fmt.Errorf("not ready in time: %w; its log ends:\n%s", ctx.Err(), logEnd(s.log))
		case <-tick.C:
		}
	}
}

// ended records that the process is gone.
func (s *Server) ended(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		if err == nil {
			err = errors.New("stopped by somebody else")
		}
		s.err = fmt.Errorf("postgres ended: %w; its log ends:\n%s", err, logEnd(s.log))
	}
	close(s.done)
}

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns why the server ended by itself: nil while it runs and after Stop.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Stop shuts the server down (PostgreSQL's fast shutdown: open transactions are
// rolled back), waits for its end and lets go of Dir; the data stays. When ctx
// ends first, or has ended already, the shutdown becomes an immediate one,
// which loses nothing either but makes the next start recover, and Stop says
// so in an error. Further calls return what the first returned.
func (s *Server) Stop(ctx context.Context) error { return s.shutDown(ctx, syscall.SIGINT) }

// StopNow is Stop with PostgreSQL's immediate shutdown: for data that nobody
// wants any more.
func (s *Server) StopNow() error { return s.shutDown(context.Background(), syscall.SIGQUIT) }

// Kill ends every process of the server as a crash of the machine would, and
// lets go of Dir. For tests of what clients then do: until the next start, some
// bytes of shared memory stay allocated.
func (s *Server) Kill() error { return s.shutDown(context.Background(), syscall.SIGKILL) }

func (s *Server) shutDown(ctx context.Context, sig syscall.Signal) error {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	err := s.end(ctx, sig)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.released {
		return s.stopErr
	}
	s.released = true
	s.stopErr = err
	os.RemoveAll(s.socket)
	s.home.Close()
	return err
}

// end sends the signal and waits until no process of the server is left, with
// ever harder signals if need be.
func (s *Server) end(ctx context.Context, sig syscall.Signal) error {
	var late error
	if sig == syscall.SIGINT {
		s.cmd.Process.Signal(sig)
		select {
		case <-s.done:
			return nil
		case <-ctx.Done():
			late = fmt.Errorf("stop PostgreSQL: %w; it was stopped at once", ctx.Err())
		}
		sig = syscall.SIGQUIT
	}
	if sig == syscall.SIGQUIT {
		s.cmd.Process.Signal(sig)
		select {
		case <-s.done:
			return late
		case <-time.After(15 * time.Second): // PostgreSQL kills its own children after 5
		}
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		s.cmd.Process.Kill()
		for _, pid := range serverProcesses(s.data, 0) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		select {
		case <-s.done:
			if len(serverProcesses(s.data, 0)) == 0 {
				return late
			}
		default:
		}
		<-tick.C
	}
}

// Version is the major version of the server.
func (s *Server) Version() int { return s.major }

// PID is the postmaster's process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// URL returns the superuser's connection URL for a database: over TCP and with
// the password if a port was asked for, else over the unix socket. It stays the
// same from one start to the next.
func (s *Server) URL(db string) string {
	if s.password == "" {
		return s.SocketURL(db)
	}
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(Superuser, s.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + db,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// SocketURL returns the superuser's connection URL over the unix socket, which
// needs no password but only works for the server's account and root.
func (s *Server) SocketURL(db string) string {
	q := url.Values{"host": {s.socket}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(Superuser), Path: "/" + db, RawQuery: q.Encode()}
	return u.String()
}

// EnsureDatabase creates a database unless it exists.
func (s *Server) EnsureDatabase(ctx context.Context, db string) error {
	err := s.asSuperuser(ctx, func(conn *pgx.Conn) error {
		var exists bool
		err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, db).Scan(&exists)
		if err != nil || exists {
			return err
		}
		_, err = conn.Exec(ctx, "create database "+pgx.Identifier{db}.Sanitize())
		return err
	})
	if err != nil {
		return fmt.Errorf("ensure database %s: %w", db, err)
	}
	return nil
}

func (s *Server) setPassword(ctx context.Context) error {
	return s.asSuperuser(ctx, func(conn *pgx.Conn) error {
		// The password is of letters and digits only, see passwordIn.
		_, err := conn.Exec(ctx, "alter role "+Superuser+" password '"+s.password+"'")
		return err
	})
}

func (s *Server) asSuperuser(ctx context.Context, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.SocketURL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return do(conn)
}

// passwordIn reads the password from a file, or makes one.
func passwordIn(path string) (string, error) {
	text, err := os.ReadFile(path)
	password := strings.TrimSpace(string(text))
	if err == nil && len(password) >= 16 && !strings.ContainsFunc(password, notLetterOrDigit) {
		return password, os.Chmod(path, 0o600)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	password = rand.Text()
	if err := os.RemoveAll(path); err != nil { // its mode may be wider
		return "", err
	}
	return password, os.WriteFile(path, []byte(password+"\n"), 0o600)
}

func notLetterOrDigit(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// portFree says in plain words what the server's log would say at length.
func portFree(port int) error {
	if port == 0 {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: something else listens on 127.0.0.1:%d", ErrPortTaken, port)
	}
	if err != nil {
		return err
	}
	return l.Close()
}
