package pgtest

import (
	"context"
	"maps"
	"testing"

	"portal.example/portal/internal/localpg"
)

// Server is the server under a test's database. One from Private may be
// stopped and started; its databases and URLs stay the same, and its settings
// keep every commit through a kill. Not safe for concurrent use.
type Server struct {
	private bool
	cfg     localpg.Config
	running *localpg.Server // the last one started; nil before the first start
	down    bool
}

// URL returns the superuser's connection URL for a database of the server.
func (s *Server) URL(db string) string { return s.running.URL(db) }

// Start starts a server that was stopped or killed, with the data it had.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.mustBePrivate(t)
	if s.running != nil && !s.down {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, err := localpg.Start(ctx, s.cfg)
	must(t, err)
	s.running, s.down = server, false
}

// Stop shuts the server down as an operator would: clients are told.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.mustBePrivate(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(t, s.running.Stop(ctx))
	s.down = true
}

// Kill ends the server as a crash of its machine would: clients find their
// connections broken, the next Start recovers.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.mustBePrivate(t)
	must(t, s.running.Kill())
	s.down = true
}

// Restart is Stop and Start.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

// Set changes settings from the next Start on.
func (s *Server) Set(t testing.TB, settings map[string]string) {
	t.Helper()
	s.mustBePrivate(t)
	s.cfg.Settings = maps.Clone(s.cfg.Settings)
	maps.Copy(s.cfg.Settings, settings)
}

// Standby starts a streaming standby of the server, which ends with the test.
// It reads only, until somebody calls pg_promote() there.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	s.mustBePrivate(t)
	dir, err := newDir()
	must(t, err)
	standby := &Server{private: true, cfg: localpg.Config{Dir: dir, Settings: s.cfg.Settings, Standby: s.URL("postgres")}}
	t.Cleanup(func() {
		if standby.running != nil {
			standby.running.StopNow()
		}
		if err := localpg.Remove(dir); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	standby.Start(t)
	return standby
}

func (s *Server) mustBePrivate(t testing.TB) {
	t.Helper()
	if !s.private {
		t.Fatal("pgtest: this server is shared with other tests; take one from Private")
	}
}
