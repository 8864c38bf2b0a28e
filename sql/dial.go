package sql

import (
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// How long a network may be gone before a connection over it counts as dead. The
// kernel's own limits are a quarter of an hour for what was sent and two hours
// for who only waits, and as long a page would hang.
const (
	silence        = 20 * time.Second // with a statement under way
	pingTimeout    = 2 * time.Second  // of a connection that was idle, before it is used
	connectTimeout = 5 * time.Second
)

// noticeSilence makes a pool find out about connections whose other end is gone
// without a word.
func noticeSilence(config *pgxpool.Config, url string) {
	dialer := &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 2, Interval: silence / 8, Count: 4},
		Control:         limitUnacknowledged,
	}
	config.ConnConfig.DialFunc = dialer.DialContext
	config.PingTimeout = pingTimeout
	if !strings.Contains(url, "connect_timeout") {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
}
