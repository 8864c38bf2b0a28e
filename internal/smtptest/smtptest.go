// Package smtptest is a mail server in the test's own process: it takes what it
// is told to take and remembers it.
package smtptest

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// Message is a mail that arrived.
type Message struct {
	From, To    string // of the envelope
	Header      mail.Header
	Subject     string
	Text, HTML  string
	Attachments map[string][]byte // by name
	Raw         string
}

// Refuse is an answer of the server: 451 to try again, 550 for good.
func Refuse(code int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: words}
}

// Server is a mail server that lives until the test's end. Safe for concurrent
// use.
type Server struct {
	URL string // smtp://127.0.0.1:port

	mu       sync.Mutex
	rcpt     func(to string) error
	taken    func(Message) error
	messages []Message
}

// New starts a server.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.URL = "smtp://" + l.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }))
	server.Domain = "mail.test"
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends with the listener
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return s
}

// OnRecipient has f answer for each recipient; nil takes all.
func (s *Server) OnRecipient(f func(to string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcpt = f
}

// OnTaken has f called for each message that was taken and is remembered. An
// error is what the client hears nevertheless, as if the answer had been lost.
func (s *Server) OnTaken(f func(Message) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = f
}

// Messages are those that arrived so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// To are those that arrived for an address.
func (s *Server) To(address string) []Message {
	var out []Message
	for _, m := range s.Messages() {
		if m.To == address {
			out = append(out, m)
		}
	}
	return out
}

type session struct {
	server   *Server
	from, to string
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.server.mu.Lock()
	answer := s.server.rcpt
	s.server.mu.Unlock()
	if answer != nil {
		return answer(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := parse(raw)
	if err != nil {
		return Refuse(554, err.Error())
	}
	m.From, m.To = s.from, s.to
	s.server.mu.Lock()
	s.server.messages = append(s.server.messages, m)
	taken := s.server.taken
	s.server.mu.Unlock()
	if taken != nil {
		return taken(m)
	}
	return nil
}

func parse(raw []byte) (Message, error) {
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Message{}, err
	}
	m := Message{Header: parsed.Header, Attachments: map[string][]byte{}, Raw: string(raw)}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		return m, err
	}
	return m, m.part(parsed.Header.Get("Content-Type"), parsed.Header.Get("Content-Transfer-Encoding"), "", parsed.Body)
}

func (m *Message) part(contentType, encoding, disposition string, r io.Reader) error {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(r, parameters["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"),
				p.Header.Get("Content-Disposition"), p); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(disposition, "attachment"):
		_, names, err := mime.ParseMediaType(disposition)
		if err != nil {
			return err
		}
		m.Attachments[names["filename"]] = body
	case kind == "text/html":
		m.HTML = string(body)
	default:
		m.Text = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	return nil
}
