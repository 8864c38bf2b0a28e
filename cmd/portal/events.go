package main

import (
	"cmp"
	domain "portal.example/portal"
	"time"

	"portal.example/portal/listener"
	"portal.example/portal/sql"
)

// eventSource is either of the listener's two.
type eventSource interface {
	domain.EventSource
	Stats() listener.Stats
}

// newSource prepares the one that is set. They deliver the same, with positions
// that either understands, so a node may be started with the other at any time.
func (a *app) newSource(direct string) eventSource {
	c := listener.Config{ConnString: direct, Poll: a.Poll, Role: string(sql.RoleAuth), Name: a.node(), Logger: a.logger}
	if a.events == "wal" {
		return listener.NewWAL(listener.WALConfig{Config: c})
	}
	c.ReadTimeout = cmp.Or(a.silence, 10*time.Second)
	return listener.NewNotify(c)
}
