package ops

import (
	"net/http"
	"net/url"
	"strconv"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// mailsPage is the operators' list of mails.
type mailsPage struct {
	portal.MailList
	Status string                  `json:"-"`
	Kind   portal.NotificationKind `json:"-"`
	Query  string                  `json:"-"`
}

func mailsLink(status string, kind portal.NotificationKind, query string, before portal.MailID) string {
	v := url.Values{}
	for name, value := range map[string]string{"status": status, "kind": string(kind), "q": query} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if before != 0 {
		v.Set("before", strconv.FormatInt(int64(before), 10))
	}
	if len(v) == 0 {
		return "/ops/mail"
	}
	return "/ops/mail?" + v.Encode()
}

// NextLink is the address of the older ones, or "".
func (p mailsPage) NextLink() string {
	if p.Next == 0 {
		return ""
	}
	return mailsLink(p.Status, p.Kind, p.Query, p.Next)
}

// mailPill is one choice of status, with how many there are.
type mailPill struct {
	Label, Link string
	Count       int
	Current     bool
}

// Pills narrow the list by what became of a mail.
func (p mailsPage) Pills() []mailPill {
	pills := []mailPill{{Label: "All", Link: mailsLink("", p.Kind, p.Query, 0), Current: p.Status == ""}}
	for _, x := range []struct{ status, label string }{
		{portal.MailQueued, "Waiting"}, {portal.MailFailed, "Refused or failed"}, {portal.MailKept, "Not sent"},
		{portal.MailSent, "Sent"},
	} {
		pills = append(pills, mailPill{x.label, mailsLink(x.status, p.Kind, p.Query, 0), p.Counts[x.status],
			p.Status == x.status})
	}
	return pills
}

// Kinds are the choices of kind.
func (mailsPage) Kinds() []page.Option {
	out := []page.Option{{Value: "", Label: "All kinds"}}
	for _, k := range []portal.NotificationKind{portal.NotifyOrderReceived, portal.NotifyOrderApproved,
		portal.NotifyOrderChanged, portal.NotifyOrderWaits, portal.NotifyOrderRejected, portal.NotifyOrderCancelled,
		portal.NotifyOrderShipped, portal.NotifyOrderDelivered, portal.NotifySignOffWaiting, portal.NotifySignOffDecided,
		portal.NotifyStandingOrder, portal.NotifyReminder, portal.NotifyReturnDecided, portal.NotifyStatement,
		portal.NotifyInvitation, portal.NotifyPasswordReset, portal.NotifyNewDevice, portal.NotifyPasswordChanged,
		portal.NotifyFactorChanged} {
		out = append(out, page.Option{Value: string(k), Label: k.Label()})
	}
	return out
}

// mailStatus is the word that the badge knows.
func mailStatus(s string) string {
	switch s {
	case portal.MailSent:
		return "MAIL_SENT"
	case portal.MailFailed:
		return "MAIL_FAILED"
	case portal.MailKept:
		return "MAIL_KEPT"
	}
	return "MAIL_WAITING"
}

func (c *Counter) ListMails(q *page.Request) error {
	v := q.URL.Query()
	f := portal.MailFilter{Status: v.Get("status"), Kind: portal.NotificationKind(v.Get("kind")), Query: v.Get("q")}
	if b := v.Get("before"); b != "" {
		n, err := strconv.ParseInt(b, 10, 64)
		if err != nil {
			return portal.Errorf(portal.CodeNotFound, "There is no such page.")
		}
		f.Before = portal.MailID(n)
	}
	list, err := c.Mails.Mails(q.Context(), q.Who, f)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "ops/mails", "Mail", "mail", mailsPage{list, f.Status, f.Kind, f.Query})
}

// mailPage is one mail.
type mailPage struct {
	portal.MailDetail
}

// Retries reports whether it may be tried again.
func (p mailPage) Retries() bool {
	return p.Status == portal.MailFailed || p.Status == portal.MailKept
}

// Waits reports whether it is still to be sent.
func (p mailPage) Waits() bool { return p.Status == portal.MailQueued }

func mailID(q *page.Request) (portal.MailID, error) {
	id, err := strconv.ParseInt(q.Param("mail_id"), 10, 64)
	if err != nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such mail.")
	}
	return portal.MailID(id), nil
}

func (c *Counter) ShowMail(q *page.Request) error {
	id, err := mailID(q)
	if err != nil {
		return err
	}
	m, err := c.Mails.Mail(q.Context(), q.Who, id)
	if err != nil {
		return err
	}
	title := m.Subject
	if title == "" {
		title = "Mail " + strconv.FormatInt(int64(id), 10)
	}
	return c.Page(q, http.StatusOK, "ops/mail", title, "mail", mailPage{m})
}

// mailCSP lets a letter show what mail programs show, and nothing run, load or
// be sent. It is framed by our page; its links open elsewhere.
const mailCSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; " +
	"frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"

// MailHTML is a letter as a mail program would show it, for the frame on its page.
func (c *Counter) MailHTML(q *page.Request) error {
	id, err := mailID(q)
	if err != nil {
		return err
	}
	m, err := c.Mails.Mail(q.Context(), q.Who, id)
	if err != nil {
		return err
	}
	q.W.Header().Set("Content-Security-Policy", mailCSP)
	q.W.Header().Set("Referrer-Policy", "no-referrer")
	q.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = q.W.Write([]byte(m.HTML)) // the visitor may be gone
	return nil
}

func (c *Counter) RetryMail(q *page.Request) error {
	id, err := mailID(q)
	if err != nil {
		return err
	}
	if err := c.Mails.RetryMail(q.Context(), q.Who, id); err != nil {
		return err
	}
	return q.Done("/ops/mail/"+strconv.FormatInt(int64(id), 10), "It will be tried again within a second")
}
