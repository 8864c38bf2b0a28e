package page

import (
	"net/http"
	"net/netip"
	"sync"

	"portal.example/portal"
)

// peer is who the connection comes from: the client, or a proxy.
func peer(r *http.Request) netip.Addr { return portal.ParseAddress(r.RemoteAddr) }

// Source is where a request comes from, as portal.SourceOf counts it: what limits
// and lockouts go by, and all that is kept of an address.
func (k *Kit) Source(r *http.Request) string {
	return portal.SourceOf(k.TrustedProxies.ClientAddress(peer(r), r.Header.Values("X-Forwarded-For")))
}

// strangers are sources that forwarded requests unasked and were told of. After
// some, more say nothing new.
type strangers struct {
	mu   sync.Mutex
	seen map[string]bool
}

const strangersMost = 10

func (s *strangers) isNew(source string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[source] || len(s.seen) >= strangersMost {
		return false
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[source] = true
	return true
}

// noteStranger tells, once a source, of X-Forwarded-For that is not believed: a
// proxy that was forgotten in the settings makes all its visitors look like one.
func (k *Kit) noteStranger(r *http.Request) {
	if r.Header.Get("X-Forwarded-For") == "" {
		return
	}
	address := peer(r)
	if k.TrustedProxies.Contain(address) {
		return
	}
	source := portal.SourceOf(address)
	if !k.strangers.isNew(source) {
		return
	}
	k.Logger.Warn("X-Forwarded-For came from an address that is no trusted proxy, and is not believed. If it is your "+
		"proxy, name it with --trusted-proxy",
		"from", source)
	if k.UnknownProxy != nil {
		go k.UnknownProxy(source) // the visitor need not wait for that
	}
}
