package transport

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"

	"portal.example/portal"
)

// headerTime is how long a proxy may take to say whom it speaks for.
const headerTime = 5 * time.Second

// proxied hands on connections whose PROXY header has been read, so that their
// address is the client's from the beginning. One that is slow with its header
// holds up no other.
type proxied struct {
	net.Listener // speaks the PROXY protocol
	ready        chan net.Conn
	failed       chan error
	ended        chan struct{}
	once         sync.Once
}

// Proxied has connections from trusted networks begin with a header of the PROXY
// protocol (version 1 or 2), which says who the client is; one without it, a
// health check, stands for itself. From everywhere else such a header is refused.
func Proxied(l net.Listener, trusted portal.Networks) net.Listener {
	p := &proxied{ready: make(chan net.Conn), failed: make(chan error, 1), ended: make(chan struct{})}
	p.Listener = &proxyproto.Listener{Listener: l, ReadHeaderTimeout: headerTime,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if trusted.Contain(portal.ParseAddress(o.Upstream.String())) {
				return proxyproto.USE, nil
			}
			return proxyproto.REJECT, nil
		}}
	go p.accept()
	return p
}

func (p *proxied) accept() {
	for {
		conn, err := p.Listener.Accept()
		if err != nil {
			if temporary(err) {
				time.Sleep(5 * time.Millisecond) // as net/http waits when files run out
				continue
			}
			p.failed <- err
			return
		}
		go func() {
			if c, ok := conn.(*proxyproto.Conn); ok {
				_ = c.RemoteAddr() // reads the header, or gives up; what was wrong with it, the first read says
			}
			select {
			case p.ready <- conn:
			case <-p.ended:
				_ = conn.Close()
			}
		}()
	}
}

func temporary(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, proxyproto.ErrInvalidUpstream)
}

// Accept implements net.Listener.
func (p *proxied) Accept() (net.Conn, error) {
	select {
	case conn := <-p.ready:
		return conn, nil
	case err := <-p.failed:
		return nil, err
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *proxied) Close() error {
	p.once.Do(func() { close(p.ended) })
	return p.Listener.Close()
}
