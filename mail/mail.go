// Package mail writes the portal's mails in the distributor's brand and hands
// them to a mail server by SMTP. Which mails there are, who gets them and what
// became of each is the database's business; the words are package portal's.
package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"portal.example/portal"
)

// Config says how mails are written and sent.
type Config struct {
	// URL of the mail server: smtp://user:password@host:port (TLS by STARTTLS
	// where the server offers it; a password is never sent without) or
	// smtps://… (TLS from the start). Ports default to 587 and 465. Empty:
	// there is none, mails are written and kept.
	URL string
	// From is who mails come from: "orders@example.com", or with a name before
	// it in angle brackets; without one the letterhead's name. Required with a
	// URL.
	From string
	// PublicURL is where the portal is reached, for links: "https://orders.example.com".
	// Required with a URL.
	PublicURL string
	// Letterhead is the brand.
	Letterhead portal.Letterhead
	// Timeout bounds one delivery; default 30 s.
	Timeout time.Duration

	// TLS, if set, replaces the TLS configuration; tests trust their own server by it.
	TLS *tls.Config
}

// Postman implements portal.Postman. Safe for concurrent use; each delivery has
// a connection of its own, so there is nothing to close.
type Postman struct {
	config Config
	server *server // nil: letters are kept
	from   mail.Address
	public string // without a slash at its end
}

// server is what a URL says of a mail server.
type server struct {
	host     string
	port     int
	implicit bool
	user     string
	password string
}

// New checks the settings and reads the templates.
func New(config Config) (*Postman, error) {
	p := &Postman{config: config}
	if p.config.Timeout == 0 {
		p.config.Timeout = 30 * time.Second
	}
	if config.URL != "" {
		s, err := parseURL(config.URL)
		if err != nil {
			return nil, err
		}
		if config.From == "" || config.PublicURL == "" {
			return nil, errors.New("mail: a mail server needs an address that mails come from, and the portal's public URL " +
				"for links")
		}
		p.server = &s
	}
	if config.From != "" {
		from, err := mail.ParseAddress(config.From)
		if err != nil {
			return nil, fmt.Errorf("mail: from %q: not an address: %w", config.From, err)
		}
		p.from = *from
	}
	if p.from.Name == "" {
		p.from.Name = config.Letterhead.Name
	}
	public, err := url.Parse(config.PublicURL)
	if err != nil || config.PublicURL != "" && (public.Scheme != "https" && public.Scheme != "http" || public.Host == "" ||
		public.RawQuery != "" || strings.Trim(public.Path, "/") != "") {
		return nil, fmt.Errorf("mail: the public URL %q is not one like https://orders.example.com", config.PublicURL)
	}
	p.public = strings.TrimRight(config.PublicURL, "/")
	return p, nil
}

// parseURL reads the URL of a mail server. The error does not hold it, since it
// has a password.
func parseURL(raw string) (server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return server{}, errors.New("mail: the mail server's URL is not one like smtp://user:password@host:587 or " +
			"smtps://user:password@host")
	}
	s := server{host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", user: u.User.Username()}
	s.password, _ = u.User.Password()
	if s.implicit {
		s.port = 465
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port > 65535 {
			return server{}, errors.New("mail: the mail server's port is not a number")
		}
	}
	return s, nil
}

// Keeps implements portal.Postman.
func (p *Postman) Keeps() bool { return p.server == nil }

// Send implements portal.Postman. A refusal of the recipient or of the letter
// is for good; one of the log-in or of the sender is a matter of our settings,
// which somebody may mend, and is tried again.
func (p *Postman) Send(ctx context.Context, m portal.Mail, l portal.Letter) error {
	if p.server == nil {
		return errors.New("mail send: there is no mail server")
	}
	msg, err := p.message(m, l)
	if err != nil {
		return &portal.MailRefusal{Words: err.Error()}
	}
	client, err := p.client()
	if err != nil {
		return fmt.Errorf("mail send %d: %w", m.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		if words, refused := refusal(err); refused {
			return &portal.MailRefusal{Words: words}
		}
		return fmt.Errorf("mail send %d: %w", m.ID, errors.New(plain(err)))
	}
	return nil
}

// Check reaches the mail server and logs in, without sending anything.
func (p *Postman) Check(ctx context.Context) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := client.DialWithContext(ctx); err != nil {
		return errors.New(plain(err))
	}
	return client.Close()
}

func (p *Postman) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithPort(p.server.port), gomail.WithTimeout(p.config.Timeout),
		gomail.WithTLSPolicy(gomail.TLSOpportunistic)}
	if p.server.implicit {
		options = append(options, gomail.WithSSL())
	}
	if p.config.TLS != nil {
		options = append(options, gomail.WithTLSConfig(p.config.TLS))
	}
	if p.server.user != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(p.server.user),
			gomail.WithPassword(p.server.password))
	}
	return gomail.NewClient(p.server.host, options...)
}

// message puts a letter into an envelope.
func (p *Postman) message(m portal.Mail, l portal.Letter) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.From((&mail.Address{Name: oneLine(p.from.Name), Address: p.from.Address}).String()); err != nil {
		return nil, err
	}
	if err := msg.AddTo((&mail.Address{Name: oneLine(m.ToName), Address: m.To}).String()); err != nil {
		return nil, err
	}
	if p.config.Letterhead.Email != "" {
		if err := msg.ReplyTo(p.config.Letterhead.Email); err != nil {
			return nil, err
		}
	}
	_, domain, _ := strings.Cut(p.from.Address, "@")
	msg.SetMessageIDWithValue(m.MessageID + "@" + domain)
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.Subject(oneLine(l.Subject))
	msg.SetBodyString(gomail.TypeTextPlain, strings.ReplaceAll(l.Text, portal.SecretMark, url.PathEscape(m.Secret)))
	msg.AddAlternativeString(gomail.TypeTextHTML, strings.ReplaceAll(l.HTML, portal.SecretMark, url.PathEscape(m.Secret)))
	if d := m.Document; d != nil {
		msg.AttachReadSeeker(d.Name, bytes.NewReader(d.Data), gomail.WithFileContentType(gomail.ContentType(d.MediaType)))
	}
	return msg, nil
}

// oneLine takes away what would begin another header.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// refusal is the server's words where it refused the recipient or the letter
// for good.
func refusal(err error) (words string, refused bool) {
	e, ok := errors.AsType[*gomail.SendError](err)
	if !ok || e.IsTemp() || e.ErrorCode() < 500 {
		return "", false
	}
	switch e.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrWriteContent:
		return plain(err), true
	}
	return "", false
}

// answered is a mail server's code and its words, which the library quotes.
var answered = regexp.MustCompile(`\b([45]\d\d) ("(?:[^"\\]|\\.)*"|.*)$`)

// plain is an error in the server's words, on one line.
func plain(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", affected ")
	text = oneLine(text)
	if found := answered.FindStringSubmatch(text); found != nil {
		text = found[1] + " " + found[2]
		if words, err := strconv.Unquote(found[2]); err == nil {
			text = found[1] + " " + words
		}
	}
	if len(text) > 500 {
		text = text[:500]
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		text = "the mail server did not answer in time: " + text
	}
	return text
}
