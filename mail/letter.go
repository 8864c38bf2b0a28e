package mail

import (
	"bytes"
	"embed"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
)

//go:embed letter.html.tmpl letter.txt.tmpl
var templates embed.FS

// One letter for all kinds: a headline, what to know, facts, lines, a button.
var (
	htmlLetter = html.Must(html.ParseFS(templates, "letter.html.tmpl"))
	textLetter = text.Must(text.ParseFS(templates, "letter.txt.tmpl"))
)

// letter is what the templates show.
type letter struct {
	Head       portal.Letterhead
	Subject    string
	Preheader  string // what a list of mails shows beside the subject
	Greeting   string
	Paragraphs []string
	Facts      []fact
	Lines      []line
	Amounts    bool // the lines have amounts
	Currency   string
	More       int // lines that are not shown
	Total      string
	Button     link
	After      []string
	Why        string // why this mail came
	Choices    string // address where it can be turned off; empty: it cannot
}

type fact struct {
	Label, Value string
	URL          string // may be empty
}

type line struct {
	ItemNo, Description, Qty, Was, Note, Total string
}

type link struct{ Label, URL string }

// Write implements portal.Postman.
func (p *Postman) Write(m portal.Mail) (portal.Letter, error) {
	l := p.letter(m)
	var h, t bytes.Buffer
	if err := htmlLetter.Execute(&h, l); err != nil {
		return portal.Letter{}, fmt.Errorf("mail write %d: %w", m.ID, err)
	}
	if err := textLetter.Execute(&t, l); err != nil {
		return portal.Letter{}, fmt.Errorf("mail write %d: %w", m.ID, err)
	}
	return portal.Letter{Subject: l.Subject, HTML: h.String(), Text: tidy(t.String())}, nil
}

func (p *Postman) letter(m portal.Mail) letter {
	zone := m.Zone
	if zone == nil {
		zone = time.UTC
	}
	l := letter{Head: p.config.Letterhead, Subject: m.Title(zone), Currency: m.Currency,
		Button: link{"Open the portal", p.public + m.Link()},
		Why:    "You get this mail because you have the log-in " + m.To + ".", Choices: p.public + "/profile#mails"}
	if m.ToName != "" {
		l.Greeting = "Hello " + m.ToName + ","
	}
	if words := m.Text(); words != "" {
		l.Paragraphs = append(l.Paragraphs, words)
	}
	switch m.Kind {
	case portal.NotifyInvitation:
		p.invitation(&l, m)
	case portal.NotifyPasswordReset:
		l.Choices = ""
		l.Paragraphs = []string{"Somebody asked for a new password for the log-in " + m.To +
			". If it was you, set it here. The link serves once, within an hour.",
			"If it was not you, do nothing: your password stays as it is."}
		l.Button = link{"Set a new password", p.public + "/reset/" + portal.SecretMark}
		l.Why = "You get this mail because somebody asked for a new password with this address."
	case portal.NotifyNewDevice, portal.NotifyPasswordChanged, portal.NotifyFactorChanged, portal.NotifySignOnChanged:
		security(&l, m, zone)
	case portal.NotifyStatement:
		l.Button.Label = "Open your account"
		l.Paragraphs = []string{"The statement is attached as PDF."}
	case portal.NotifySignOffWaiting:
		l.Button.Label = "Look at the request"
	case portal.NotifySignOffDecided:
		l.Button.Label = "Open the request"
	case portal.NotifyReturnDecided:
		l.Button.Label = "Open return " + m.Ref
	case portal.NotifyReminder:
		l.Button.Label = "Order now"
		l.Facts = append(l.Facts, fact{"Order until", m.Facts.Cutoff.In(zone).Format("Monday 2 January, 15:04"), ""},
			fact{"Delivery", longDay(m.Facts.DeliveryDate), ""})
	}
	if strings.HasPrefix(string(m.Kind), "order_") {
		l.Button.Label = "Open order " + m.Ref
	}
	if m.Order != nil {
		p.order(&l, m, zone)
	}
	if len(l.Paragraphs) > 0 {
		l.Preheader = l.Paragraphs[0]
	}
	return l
}

// invitation is the letter with the link, or, to somebody who has a log-in elsewhere, what to do instead:
// a log-in serves one account, and nobody but its owner is told that there is one.
func (p *Postman) invitation(l *letter, m portal.Mail) {
	l.Choices = ""
	house := p.config.Letterhead.Name
	l.Paragraphs = []string{"You are invited to order online from " + house + ", for " + m.Customer + "."}
	if m.HasLogin {
		l.Paragraphs = append(l.Paragraphs, "You have the log-in "+m.To+" already, and a log-in serves one account. "+
			"To order for "+m.Customer+" as well, have another address of yours invited. "+
			"If the account has changed hands, ask us to move your log-in.")
		l.Button = link{"Log in as before", p.public + "/login"}
		l.Why = "You get this mail because somebody invited this address. Nobody was told that you have a log-in. " +
			"If you did not expect it, do nothing."
		return
	}
	l.Paragraphs = append(l.Paragraphs,
		"Your log-in is "+m.To+". Set its password to begin. The link serves once, within a week.")
	l.Button = link{"Set your password", p.public + "/invite?token=" + portal.SecretMark}
	l.Why = "You get this mail because somebody invited this address. If you did not expect it, do nothing."
}

// order adds what stands in the document that the mail is about.
func (p *Postman) order(l *letter, m portal.Mail, zone *time.Location) {
	o := m.Order
	add := func(label, value, url string) {
		if value != "" {
			l.Facts = append(l.Facts, fact{label, value, url})
		}
	}
	add("Order", o.OrderNo, "")
	add("Your PO", o.PONo, "")
	if o.SubmittedAt != nil {
		add("Sent", o.SubmittedAt.In(zone).Format("Mon 2 Jan 2006, 15:04"), "")
	}
	add("Ship to", o.ShipTo, "")
	switch m.Kind {
	case portal.NotifyOrderReceived, portal.NotifyOrderApproved, portal.NotifyOrderChanged, portal.NotifyOrderWaits,
		portal.NotifySignOffWaiting, portal.NotifySignOffDecided:
		add("Planned delivery", longDay(o.DeliveryDate), "")
	case portal.NotifyOrderShipped:
		add("Carrier", m.Facts.Carrier, "")
		add("Tracking number", m.Facts.TrackingNo, o.TrackingURL)
		if o.Open {
			l.After = append(l.After, "The rest of the order follows.")
		}
	}
	for _, x := range o.Lines {
		note := x.Note
		if note == strings.TrimSpace(m.Facts.Reason) { // said above
			note = ""
		}
		row := line{ItemNo: x.ItemNo, Description: x.Description, Note: note, Qty: quantity(x.Qty, x.UOM)}
		if x.Was != nil {
			row.Was = quantity(*x.Was, x.UOM)
		}
		if x.Total != nil {
			row.Total = amount(x.Total.Decimal)
			l.Amounts = true
		}
		l.Lines = append(l.Lines, row)
	}
	l.More = max(o.Count-len(o.Lines), 0)
	if o.Total != nil {
		l.Total = amount(o.Total.Decimal)
		l.Amounts = true
	}
}

func longDay(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format("Monday 2 January")
}

func quantity(q portal.Qty, uom string) string { return q.Decimal.String() + " " + uom }

// amount is "1,204.50".
func amount(d decimal.Decimal) string {
	digits, minus := strings.CutPrefix(d.StringFixed(2), "-")
	whole, cents, _ := strings.Cut(digits, ".")
	var b strings.Builder
	if minus {
		b.WriteString("−")
	}
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return b.String() + "." + cents
}

// tidy leaves one empty line where the template made several.
func tidy(s string) string {
	var out []string
	empty := true
	for _, row := range strings.Split(strings.TrimSpace(s), "\n") {
		row = strings.TrimRight(row, " \t")
		if row == "" && empty {
			continue
		}
		empty = row == ""
		out = append(out, row)
	}
	return strings.Join(out, "\n") + "\n"
}
