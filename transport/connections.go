package transport

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"portal.example/portal"
)

// Connections counts the connections of each source that are at a page, and cuts
// those beyond a number. Sockets that have left the server (websockets) are not
// counted: they have a limit of their own. Safe for concurrent use.
type Connections struct {
	most   int
	exempt portal.Networks
	cut    func(source string) // told once a source, when it first has too many

	mu   sync.Mutex
	open map[string]int
	told map[string]bool
}

// NewConnections allows most connections a source; 0: any number. Those of exempt
// (proxies, which speak for many) and of this machine itself are not counted.
func NewConnections(most int, exempt portal.Networks, cut func(source string)) *Connections {
	return &Connections{most: most, exempt: exempt, cut: cut, open: map[string]int{}, told: map[string]bool{}}
}

// this machine's own programs, and a proxy on it that nobody has named
var itself = portal.Networks{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}

// sendBuffer is what the kernel keeps of an answer until its reader takes it: it
// would keep several MB of each that nobody reads.
const sendBuffer = 128 << 10

// State is for http.Server.ConnState.
func (c *Connections) State(conn net.Conn, state http.ConnState) {
	if state == http.StateNew {
		under := conn
		if secured, ok := conn.(*tls.Conn); ok {
			under = secured.NetConn()
		}
		if tcp, ok := under.(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(sendBuffer)
		}
	}
	if c.most <= 0 || state == http.StateActive || state == http.StateIdle {
		return
	}
	address := portal.ParseAddress(conn.RemoteAddr().String())
	if itself.Contain(address) || c.exempt.Contain(address) {
		return
	}
	source := portal.SourceOf(address)
	c.mu.Lock()
	tooMany, first := false, false
	if state == http.StateNew {
		c.open[source]++
		if tooMany = c.open[source] > c.most; tooMany && len(c.told) < 1000 {
			first = !c.told[source]
			c.told[source] = true
		}
	} else if c.open[source]--; c.open[source] <= 0 {
		delete(c.open, source)
	}
	c.mu.Unlock()
	if tooMany {
		_ = conn.Close() // the server finds out, and says StateClosed
	}
	if first && c.cut != nil {
		c.cut(source)
	}
}
