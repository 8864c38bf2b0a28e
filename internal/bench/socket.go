package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA
)

// frameBuffer is what a socket's reader begins with, in bytes. Ten thousand of
// them run beside the server that is measured; the buffer grows for a frame
// that needs more.
const frameBuffer = 512

// largestFrame bounds what a server may send at once, in bytes.
const largestFrame = 16 << 20

// frames reads whole websocket frames from a stream that may break them
// anywhere. Not safe for concurrent use; after an error it is of no use.
type frames struct {
	from io.Reader
	buf  []byte
	have []byte // read and not yet given out; within buf
}

func newFrames(from io.Reader) *frames { return &frames{from: from, buf: make([]byte, frameBuffer)} }

// next returns a frame's opcode and payload, which is valid until the next call.
func (f *frames) next() (op byte, payload []byte, err error) {
	for {
		need := 2
		if len(f.have) >= 2 {
			head, n := 2, int(f.have[1]&0x7f)
			switch n {
			case 126:
				head = 4
			case 127:
				head = 10
			}
			need = head
			if len(f.have) >= head {
				switch head {
				case 4:
					n = int(binary.BigEndian.Uint16(f.have[2:]))
				case 10:
					long := binary.BigEndian.Uint64(f.have[2:])
					if long > largestFrame {
						return 0, nil, fmt.Errorf("frame of %d bytes", long)
					}
					n = int(long)
				}
				if f.have[0]&0x80 == 0 || f.have[0]&0x70 != 0 || f.have[1]&0x80 != 0 {
					return 0, nil, fmt.Errorf("frame header %x: fragmented, compressed or masked", f.have[:2])
				}
				need = head + n
				if len(f.have) >= need {
					op, payload = f.have[0]&0xf, f.have[head:need]
					f.have = f.have[need:]
					return op, payload, nil
				}
			}
		}
		if err := f.fill(need); err != nil {
			return 0, nil, err
		}
	}
}

// fill reads once more, with room for a frame of n bytes.
func (f *frames) fill(n int) error {
	if n > len(f.buf) {
		grown := make([]byte, n+frameBuffer)
		f.have = grown[:copy(grown, f.have)]
		f.buf = grown
	} else if len(f.have) == 0 || cap(f.have) < n || len(f.have) == cap(f.have) {
		f.have = f.buf[:copy(f.buf, f.have)]
	}
	k, err := f.from.Read(f.have[len(f.have):cap(f.have)])
	f.have = f.have[:len(f.have)+k]
	if k > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// maskedFrame is a frame as a client has to send it. The key is nothing: it
// protects proxies from scripts, and there are none here.
func maskedFrame(op byte, payload []byte) []byte {
	b := []byte{0x80 | op, 0x80 | byte(len(payload)), 0, 0, 0, 0}
	return append(b, payload...)
}

// refused is the answer to an upgrade that was not one.
type refused struct {
	status int
	body   string
}

func (e refused) Error() string {
	return fmt.Sprintf("upgrade refused: status %d: %.200s", e.status, e.body)
}

// openSocket upgrades to /live. The caller closes the connection.
func openSocket(ctx context.Context, portal, cookie, after string) (net.Conn, *frames, error) {
	u, err := url.Parse(portal)
	if err != nil {
		return nil, nil, err
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(),
			map[string]string{"https": "443"}[u.Scheme]+map[string]string{"http": "80"}[u.Scheme])
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, nil, err
	}
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if u.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: u.Hostname()})
	}
	path := "/live"
	if after != "" {
		path += "?after=" + url.QueryEscape(after)
	}
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	_, err = fmt.Fprintf(conn,
		"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "+
			"13\r\nSec-WebSocket-Key: %s\r\nOrigin: %s\r\nCookie: portal_session=%s; __Host-portal_session=%s\r\n\r\n", path,
		u.Host, base64.StdEncoding.EncodeToString(key), strings.TrimRight(portal, "/"), cookie, cookie)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	r := bufio.NewReaderSize(conn, 2048)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		_ = conn.Close()
		return nil, nil, refused{resp.StatusCode, string(text)}
	}
	f := newFrames(conn)
	early, _ := r.Peek(r.Buffered()) // frames that came with the answer
	f.buf = make([]byte, max(frameBuffer, len(early)))
	f.have = f.buf[:copy(f.buf, early)]
	_ = conn.SetDeadline(time.Time{})
	return conn, f, nil
}

// closed is the end of a socket in the server's words.
type closed struct{ code int }

func (e closed) Error() string { return fmt.Sprintf("closed with %d", e.code) }

// nextText returns the next text frame; pings are answered meanwhile.
func nextText(conn net.Conn, f *frames) ([]byte, error) {
	for {
		op, payload, err := f.next()
		if err != nil {
			return nil, err
		}
		switch op {
		case opText:
			return payload, nil
		case opPing:
			if len(payload) > 125 {
				return nil, errors.New("ping too long")
			}
			if _, err := conn.Write(maskedFrame(opPong, payload)); err != nil {
				return nil, err
			}
		case opClose:
			code := 1005
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
				_, _ = conn.Write(maskedFrame(opClose, payload[:2]))
			}
			return nil, closed{code}
		}
	}
}
