package mail_test

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/internal/smtptest"
	"portal.example/portal/mail"
)

var acme = portal.Letterhead{Name: "Acme Foods", ShortName: "Acme", Accent: "#7a1f3d", OnAccent: "#ffffff",
	Phone: "555-0100", Email: "desk@acme.example", Footer: "Acme Foods, 1 Dock Road"}

func postman(t *testing.T, url string) *mail.Postman {
	t.Helper()
	p, err := mail.New(mail.Config{URL: url, From: "orders@acme.example",
		PublicURL: "https://shop.acme.example/", Letterhead: acme})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]mail.Config{
		"no host":         {URL: "smtp://", From: "a@b.example", PublicURL: "https://x.example"},
		"another scheme":  {URL: "http://host", From: "a@b.example", PublicURL: "https://x.example"},
		"no from":         {URL: "smtp://host", PublicURL: "https://x.example"},
		"from is nobody":  {URL: "smtp://host", From: "nobody", PublicURL: "https://x.example"},
		"no public URL":   {URL: "smtp://host", From: "a@b.example"},
		"a path in it":    {URL: "smtp://host", From: "a@b.example", PublicURL: "https://x.example/shop"},
		"another scheme2": {URL: "smtp://host", From: "a@b.example", PublicURL: "ftp://x.example"},
	} {
		if _, err := mail.New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	_, err := mail.New(mail.Config{URL: "smtp://user:s3cret@host:99999", From: "a@b.example",
		PublicURL: "https://x.example"})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error holds the password, or there is none: %v", err)
	}
	if p, err := mail.New(mail.Config{Letterhead: acme}); err != nil || !p.Keeps() {
		t.Errorf("without a server: %v", err)
	}
}

// Every kind of mail is whole, in the brand, with all that is foreign escaped,
// in HTML and in plain text.
func TestLetters(t *testing.T) {
	t.Parallel()
	p := postman(t, "")
	price := portal.Money{Decimal: decimal.RequireFromString("1234.5")}
	was := portal.Qty{Decimal: decimal.NewFromInt(10)}
	for _, kind := range []portal.NotificationKind{portal.NotifyOrderReceived, portal.NotifyOrderApproved,
		portal.NotifyOrderChanged, portal.NotifyOrderWaits, portal.NotifyOrderRejected, portal.NotifyOrderCancelled,
		portal.NotifyOrderShipped, portal.NotifyOrderDelivered, portal.NotifySignOffWaiting, portal.NotifySignOffDecided,
		portal.NotifyStandingOrder, portal.NotifyReminder, portal.NotifyReturnDecided, portal.NotifyStatement,
		portal.NotifyInvitation, portal.NotifyPasswordReset} {
		m := portal.Mail{ID: 1, To: "pat@cafe.example", ToName: "Pat <b>", Customer: "Café & Co", Secret: "s3cret",
			Zone: time.UTC, Currency: "USD", SeePrices: true,
			NotificationContent: portal.NotificationContent{Kind: kind, Ref: "SO-1",
				Facts: portal.NotificationFacts{Reason: "<script>no</script>", By: "Bea", Status: "REJECTED", Carrier: "UPS",
					TrackingNo: "1Z", DeliveryDate: "2026-06-05", Cutoff: time.Date(2026, 6, 4, 15, 0, 0, 0, time.UTC),
					From: "2026-03-01", To: "2026-03-31", Text: "Order SO-1 was sent. Left out: salt.", Link: "/orders/SO-1"}}}
		if strings.HasPrefix(string(kind), "order_") {
			m.Order = &portal.MailOrder{OrderNo: "SO-1", Total: &price, Count: 3, TrackingURL: "https://ups.example/1Z",
				Lines: []portal.MailLine{{ItemNo: "OIL5", Description: `Oil "5 L"`, UOM: "EA",
					Qty: portal.Qty{Decimal: decimal.NewFromInt(8)}, Was: &was, Total: &price}}}
		}
		l, err := p.Write(m)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if l.Subject == "" || strings.ContainsAny(l.Subject, "\r\n") ||
			!strings.Contains(l.HTML, "<title>"+strings.ReplaceAll(l.Subject, "'", "&#39;")) {
			t.Errorf("%s: subject %q", kind, l.Subject)
		}
		for _, text := range []string{"Acme Foods, 1 Dock Road", "555-0100", "https://shop.acme.example/"} {
			if !strings.Contains(l.HTML, text) || !strings.Contains(l.Text, text) {
				t.Errorf("%s: %q is missing", kind, text)
			}
		}
		if strings.Contains(l.HTML, "<script>") || strings.Contains(l.HTML, "Pat <b>") ||
			strings.Contains(l.HTML, "ZgotmplZ") || !strings.Contains(l.HTML, "background-color:#7a1f3d") {
			t.Errorf("%s: not escaped, or without its colour:\n%s", kind, l.HTML)
		}
		link := kind == portal.NotifyInvitation || kind == portal.NotifyPasswordReset
		if strings.Contains(l.HTML+l.Text, "s3cret") || link != strings.Contains(l.Text, portal.SecretMark) ||
			link != strings.Contains(l.HTML, portal.SecretMark) {
			t.Errorf("%s: the secret of a link", kind)
		}
		if m.Order != nil && (!strings.Contains(l.Text, "1,234.50") || !strings.Contains(l.HTML, "1,234.50") ||
			!strings.Contains(l.Text, "and 2 more") || !strings.Contains(l.Text, "was 10 EA")) {
			t.Errorf("%s: lines\n%s", kind, l.Text)
		}
	}
}

// Who has a log-in elsewhere reads in the mail of an invitation what to do, and finds no link that makes another.
func TestInvitationElsewhere(t *testing.T) {
	t.Parallel()
	l, err := postman(t, "").Write(portal.Mail{ID: 1, To: "pat@cafe.example", Customer: "Café & Co", Secret: "s3cret", HasLogin: true,
		NotificationContent: portal.NotificationContent{Kind: portal.NotifyInvitation}})
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"for Café & Co", "You have the log-in pat@cafe.example already", "have another address of yours invited", "https://shop.acme.example/login"} {
		if !strings.Contains(l.Text, words) {
			t.Errorf("the letter does not say %q:\n%s", words, l.Text)
		}
	}
	if strings.Contains(l.Text+l.HTML, portal.SecretMark) || strings.Contains(l.Text+l.HTML, "/invite") {
		t.Errorf("the letter has a link that makes a log-in:\n%s", l.Text)
	}
}

// What a server refuses for good, for now, and what is a matter of settings.
func TestRefusals(t *testing.T) {
	t.Parallel()
	server := smtptest.New(t)
	p := postman(t, server.URL)
	m := portal.Mail{ID: 1, MessageID: "one", To: "pat@cafe.example", ToName: "Pat\r\nBcc: x@evil.example",
		NotificationContent: portal.NotificationContent{Kind: portal.NotifyOrderApproved, Ref: "SO-1\r\nBcc: x@evil.example"}}
	l, err := p.Write(m)
	if err != nil {
		t.Fatal(err)
	}
	send := func(m portal.Mail) (refused string, err error) {
		err = p.Send(t.Context(), m, l)
		if r, ok := errors.AsType[*portal.MailRefusal](err); ok {
			return r.Words, nil
		}
		return "", err
	}
	if refused, err := send(m); refused != "" || err != nil {
		t.Errorf("%q, %v", refused, err)
	}
	if got := server.Messages(); len(got) != 1 || got[0].Header.Get("Bcc") != "" ||
		got[0].Header.Get("Message-ID") != "<one@acme.example>" || got[0].Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("arrived: %+v", got)
	}
	for code, want := range map[int]string{550: "550 5.0.0 no such box", 451: ""} {
		server.OnRecipient(func(string) error { return smtptest.Refuse(code, "no such box") })
		refused, err := send(m)
		if refused != want || (want == "") != (err != nil) || err != nil &&
			!strings.HasSuffix(err.Error(), "451 4.0.0 no such box") {
			t.Errorf("%d: refused %q, %v", code, refused, err)
		}
	}
	m.To = "no address"
	if refused, err := send(m); refused == "" || err != nil {
		t.Errorf("an address that is none: %q, %v", refused, err)
	}
	if err := p.Check(t.Context()); err != nil {
		t.Errorf("check: %v", err)
	}
	if err := postman(t, "smtp://127.0.0.1:1").Check(t.Context()); err == nil {
		t.Error("a server that is not there is checked as one")
	}
}

// Names in any script and of any length arrive as they are: in the headers, the
// text and the name of the file.
func TestAnyName(t *testing.T) {
	t.Parallel()
	server := smtptest.New(t)
	p := postman(t, server.URL)
	long := "Amalgamated Chandlers, Grocers, Provisioners, Tobacconists and Purveyors of Fine Foods to Northumberland " +
		"and Beyond Ltd."
	for i, name := range []string{"李記食品有限公司", "مطعم البحر الأبيض المتوسط", "PO-🍋 Café", long, `Mr. "Quote", <b>@x`} {
		m := portal.Mail{ID: portal.MailID(i + 1), MessageID: fmt.Sprint("any", i), To: "pat@cafe.example", ToName: name,
			NotificationContent: portal.NotificationContent{Kind: portal.NotifyOrderApproved, Ref: "SO-" + name,
				Facts: portal.NotificationFacts{PONo: name}},
			Document: &portal.MailDocument{Name: "statement-" + name + ".pdf", MediaType: "application/pdf",
				Data: []byte("%PDF")}}
		l, err := p.Write(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Send(t.Context(), m, l); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := server.Messages()[i]
		var words mime.WordDecoder
		if subject, err := words.DecodeHeader(got.Header.Get("Subject")); err != nil || !strings.Contains(subject, name) {
			t.Errorf("the subject is %q (%v), not of %s", subject, err, name)
		}
		if to, err := got.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Name != name ||
			to[0].Address != "pat@cafe.example" {
			t.Errorf("it goes to %v (%v), not to %s", to, err, name)
		}
		for key, values := range got.Header {
			for _, v := range values {
				if strings.ContainsFunc(v, func(r rune) bool { return r > '~' }) {
					t.Errorf("the header %s is not ASCII: %q", key, v)
				}
			}
		}
		file, err := words.DecodeHeader(strings.Join(slices.Collect(maps.Keys(got.Attachments)), " "))
		if want := "statement-" + strings.NewReplacer(`"`, "_", "<", "_", ">", "_").Replace(name) + ".pdf"; err != nil ||
			file != want {
			t.Errorf("the file is called %q (%v), want %q", file, err, want)
		}
		if !strings.Contains(got.Text, name) {
			t.Errorf("the text does not say %s:\n%s", name, got.Text)
		}
	}
}
