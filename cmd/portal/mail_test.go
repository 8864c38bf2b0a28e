package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/internal/smtptest"
)

// newMailSite is a site with a mail server.
func newMailSite(t testing.TB) (*site, *smtptest.Server) {
	t.Helper()
	post := smtptest.New(t)
	return startSite(t, pgtest.New(t), "127.0.0.1:0", fixtures, func(c *settings) {
		c.SMTPURL, c.MailFrom, c.PublicURL = post.URL, "orders@harbor.example", "https://orders.harbor.example"
	}), post
}

// mailsSettled waits until no mail is queued any more. Tries that River would
// leave for later are made at once.
func (s *site) mailsSettled() {
	s.t.Helper()
	eventually(s.t, "the mails are done", func() bool {
		pgtest.Exec(s.t, s.db, `with again as (
			update river.river_job set state = 'available', scheduled_at = now() where kind = 'mail' and state = 'retryable'
				returning id)
			select pg_notify('river.river_insert', '{"queue":"mail"}') from again`)
		return pgtest.Value[int](s.t, s.db, "select count(*)::int from portal.mail where status = 'queued'") == 0
	})
}

// mailed is what portal.mail says of a recipient: kind and status, in order.
func (s *site) mailed(to string) string {
	s.t.Helper()
	return pgtest.Value[string](s.t, s.db,
		"select coalesce(string_agg(kind || ' ' || status, ', ' order by mail_id), '') from portal.mail where recipient = $1",
		to)
}

// Of three orders one is approved, one rejected, one changed, by plain SQL and
// at the desk: who ordered gets a mail each, nobody else does, and reads the
// same in the portal.
func TestAcceptance38Mails(t *testing.T) {
	t.Parallel()
	s, post := newMailSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	s.addPerson("C1003", "bea@c1003.example", "buyer", "")
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	one, two, three := v.waiting("RICE25", "1"), v.waiting("RICE25", "2"), v.waiting("OIL5", "10")
	if got := v.read("/notifications"); got.get("unread") != 0.0 ||
		got.get("notifications.0.title") != "Order "+three+" received" {
		t.Errorf("what the buyer did itself: %s", got.body)
	}
	socket := v.live("")
	socket.hello()
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'APPROVED', po_no = 'PO 77' where order_no = $1", one)
	socket.until(func(kind, ref, _ string) bool { return kind == "notice" && ref == "message" })
	desk.post("/desk/orders/"+two+"/move", "status", "REJECTED", "reason", "no truck")
	if a := desk.post("/desk/orders/"+three+"/edit", "qty_1", "8", "reason", "no truck space",
		"revision", "0"); a.status != http.StatusOK {
		t.Errorf("edit: %d %s", a.status, a.body)
	}
	s.mailsSettled()
	got := post.To("buyer@c1003.example")
	if len(got) != 3 || len(post.Messages()) != 3 {
		t.Fatalf("%d mails, %d of them to who ordered", len(post.Messages()), len(got))
	}
	// Two are sent at a time
	slices.SortFunc(got, func(a, b smtptest.Message) int { return strings.Compare(a.Subject, b.Subject) })
	approved, rejected, changed := got[0], got[1], got[2]
	for _, x := range []struct {
		mail    smtptest.Message
		subject string
		holds   []string
	}{
		{approved, "Order " + one + " approved",
			[]string{"PO 77", "RICE25", "20.00", "https://orders.harbor.example/orders/" + one,
				"https://orders.harbor.example/profile#mails"}},
		{rejected, "Order " + two + " rejected", []string{"Reason: no truck."}},
		{changed, "Order " + three + " changed", []string{"Reason: no truck space.", "8 EA", "10 EA", "OIL5"}},
	} {
		if x.mail.Subject != x.subject {
			t.Errorf("subject %q, want %q", x.mail.Subject, x.subject)
		}
		for _, text := range x.holds {
			if !strings.Contains(x.mail.Text, text) || !strings.Contains(x.mail.HTML, text) {
				t.Errorf("%s: %q is not in\n%s\n%s", x.subject, text, x.mail.Text, x.mail.HTML)
			}
		}
		if x.mail.From != "orders@harbor.example" || !strings.Contains(x.mail.Header.Get("From"), "Harbor & Main Wholesale") {
			t.Errorf("from %s: %s", x.mail.From, x.mail.Header.Get("From"))
		}
		if low := strings.ToLower(x.mail.Raw); strings.Contains(low, "go-mail") || strings.Contains(low, "mailer") ||
			strings.Contains(low, "user-agent") {
			t.Errorf("the mail names what wrote it:\n%s", x.mail.Raw)
		}
	}

	// in the portal the same words, unread until they are looked at
	list := v.read("/notifications")
	if list.get("unread") != 3.0 || list.get("notifications.0.title") != changed.Subject ||
		list.get("notifications.1.text") != "Nothing of it will ship. Reason: no truck." {
		t.Errorf("notifications: %s", list.body)
	}
	if page := v.page("/orders"); !strings.Contains(page.body,
		`<span class="count">3</span><span class="visually-hidden"> unread`) {
		t.Error("the bell does not count them")
	}
	if a := v.page("/notifications/" + fmt.Sprint(list.get("notifications.2.id"))); a.status != http.StatusSeeOther ||
		a.header.Get("Location") != "/orders/"+one {
		t.Errorf("open: %d %s", a.status, a.header.Get("Location"))
	}
	if got := v.read("/notifications").get("unread"); got != 2.0 {
		t.Errorf("%v unread after one was opened", got)
	}
	if a := s.logIn("bea@c1003.example").page("/notifications/" +
		fmt.Sprint(list.get("notifications.0.id"))); a.status != http.StatusNotFound {
		t.Errorf("a colleague opens it: %d", a.status)
	}
	v.post("/notifications")
	if got := v.read("/notifications").get("unread"); got != 0.0 {
		t.Errorf("%v unread after all were read", got)
	}
	s.sound()
}

// The mail server's answers: try again, no for good, an answer that got lost;
// and what a log-in chose.
func TestMailDelivery(t *testing.T) {
	t.Parallel()
	s, post := newMailSite(t)
	s.addPerson("C1003", "bea@c1003.example", "buyer", "")
	s.addPerson("C1003", "gone@c1003.example", "buyer", "")
	s.addPerson("C1003", "vic@c1003.example", "view", "")
	s.addPerson("C1003", "acc@c1003.example", "accounts", "")
	pgtest.Exec(t, s.db, "update erp.web_access set see_prices = false where customer_id = (select customer_id from "+
		"erp.customer where customer_no = 'C1003')")
	bea := s.logIn("bea@c1003.example")
	if got := bea.read("/profile"); !strings.Contains(got.body, `"kind":"order_shipped","by_mail":true`) ||
		strings.Contains(got.body, `"kind":"statement"`) == (got.get("profile") == nil) {
		t.Errorf("choices: %s", got.body)
	}
	if a := bea.do("POST", "/profile/mail", "application/json",
		strings.NewReader("mail=order_rejected&mail=order_received&mail=cutoff_reminder")); a.status != http.StatusOK {
		t.Fatalf("choose: %d %s", a.status, a.body)
	}
	if page := bea.page("/profile"); !regexp.MustCompile(
		`value="order_received" id="mail-order_received" checked`).MatchString(page.body) ||
		regexp.MustCompile(`value="order_shipped" id="mail-order_shipped" checked`).MatchString(page.body) {
		t.Error("the profile does not show what was chosen")
	}

	var tries atomic.Int32
	post.OnRecipient(func(to string) error {
		switch {
		case to == "gone@c1003.example":
			return smtptest.Refuse(550, "No such mailbox here")
		case to == "buyer@c1003.example" && tries.Add(1) == 1:
			return smtptest.Refuse(451, "Greylisted, come back")
		}
		return nil
	})
	var lost atomic.Bool
	post.OnTaken(func(smtptest.Message) error {
		if lost.CompareAndSwap(false, true) {
			return smtptest.Refuse(451, "the answer that got lost")
		}
		return nil
	})

	// an order by phone is told to who may order
	pgtest.Exec(t, s.db,
		`with o as (insert into erp.sales_order (order_no, customer_id, source, status) select 'PH-1', customer_id, 'PHONE',
			'APPROVED' from erp.customer where customer_no = 'C1003' returning order_id)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, n, (select item_id from erp.item
			where item_no = 'OIL5'), 2 from o, generate_series(1, 2) n`)
	s.mailsSettled()
	if got := s.mailed("buyer@c1003.example") + "; " + s.mailed("gone@c1003.example") + "; " +
		s.mailed("bea@c1003.example") + s.mailed("vic@c1003.example") +
		s.mailed("acc@c1003.example"); got != "order_approved sent; order_approved failed; " {
		t.Errorf("mails: %s", got)
	}
	got := post.To("buyer@c1003.example")
	if len(got) != 2 || got[0].Header.Get("Message-ID") == "" ||
		got[0].Header.Get("Message-ID") != got[1].Header.Get("Message-ID") ||
		!strings.HasSuffix(got[0].Header.Get("Message-ID"), "@harbor.example>") {
		t.Fatalf("an answer that got lost: %d mails, %v", len(got), got)
	}
	if n := pgtest.Value[int](t, s.db,
		"select attempts from portal.mail where recipient = 'buyer@c1003.example'"); n != 3 {
		t.Errorf("%d tries, want: refused for now, answer lost, taken", n)
	}
	if strings.Contains(got[0].Raw, "27.00") || strings.Contains(got[0].Raw, "54.00") ||
		strings.Contains(got[0].Text, "Total") {
		t.Errorf("prices in the mail of who sees none:\n%s", got[0].Text)
	}

	// the same news once more: nobody is told, nothing is mailed; a job that
	// runs twice sends nothing
	mails := len(post.Messages())
	pgtest.Exec(t, s.db,
		`select portal.notify(n.kind, n.customer_id, n.ref, n.data) from portal.notification n
			where n.kind = 'order_approved' limit 1;
		select portal.enqueue_mails(array_agg(mail_id)) from portal.mail`)
	eventually(t, "all jobs have run", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(*)::int from river.river_job where kind = 'mail' and state <> 'completed'") == 0
	})
	if n := len(post.Messages()); n != mails {
		t.Errorf("%d mails more for the same news", n-mails)
	}

	// shipped, with where to follow it; the rest is said to be to come
	pgtest.Exec(t, s.db,
		`with s as (insert into erp.shipment (order_id, carrier, tracking_no) select order_id, 'UPS', '1Z 999'
			from erp.sales_order where order_no = 'PH-1' returning shipment_id, order_id)
		insert into erp.shipment_line (shipment_id, order_id, line_no, qty) select shipment_id, order_id, 1, 2 from s`)
	s.mailsSettled()
	shipped := post.To("buyer@c1003.example")[2]
	if shipped.Subject != "Order PH-1: goods are on their way" || !strings.Contains(shipped.Text, "1Z 999") ||
		!strings.Contains(shipped.HTML, "ups.com") ||
		!strings.Contains(shipped.Text, "The rest of the order follows.") || strings.Count(shipped.Text, "OIL5") != 1 {
		t.Errorf("%s\n%s", shipped.Subject, shipped.Text)
	}

	// operators see the refusal, and try again once the mailbox is there
	desk, ops := s.logIn("desk@demo.example"), s.logIn("ops@demo.example")
	if a := desk.page("/ops/mail"); a.status != http.StatusNotFound {
		t.Errorf("the desk at /ops/mail: %d", a.status)
	}
	if a := ops.page("/ops/mail?status=failed&q=gone%40"); !strings.Contains(a.body, "550 5.0.0 No such mailbox here") ||
		strings.Contains(a.body, "buyer@c1003.example") {
		t.Error("the refused mail is not in the list, with why")
	}
	id := pgtest.Value[string](t, s.db,
		"select mail_id::text from portal.mail where recipient = 'gone@c1003.example' and kind = 'order_approved'")
	page := ops.page("/ops/mail/" + id)
	if !strings.Contains(page.body, "Order PH-1 approved") || !strings.Contains(page.body, "No such mailbox here") ||
		!strings.Contains(page.body, `sandbox="`) {
		t.Errorf("the mail's page: %d", page.status)
	}
	letter := ops.page("/ops/mail/" + id + "/html")
	if csp := letter.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") ||
		!strings.Contains(csp, "frame-ancestors 'self'") || !strings.Contains(letter.body, "PH-1") {
		t.Errorf("the letter: %s", csp)
	}
	post.OnRecipient(nil)
	if a := ops.post("/ops/mail/" + id + "/retry"); a.status != http.StatusOK {
		t.Errorf("retry: %d %s", a.status, a.body)
	}
	s.mailsSettled()
	if got := post.To("gone@c1003.example"); len(got) == 0 {
		t.Error("it was not tried again")
	}
	if a := ops.post("/ops/mail/" + id + "/retry"); a.status != http.StatusConflict {
		t.Errorf("retry of one that was sent: %d", a.status)
	}
}

// The process is killed after the server took a mail and before it is marked:
// whoever comes next sends it under the same Message-ID, and once.
func TestMailKilled(t *testing.T) {
	t.Parallel()
	s, post := newMailSite(t)
	s.stop()
	process, _ := startProcess(t, s.db.URL, "--smtp-url", post.URL, "--mail-from", "orders@harbor.example", "--public-url",
		"https://orders.harbor.example")
	post.OnTaken(func(smtptest.Message) error { return process.Kill() })
	pgtest.Exec(t, s.db,
		"select portal.notify('order_approved', customer_id, 'SO-1', '{}') from erp.customer where customer_no = 'C1003'")
	eventually(t, "its connections are gone", func() bool {
		return len(post.Messages()) == 1 &&
			pgtest.Value[int](t, s.db, "select count(*)::int from pg_stat_activity where datname = current_database() and "+
				"application_name = 'portal'") == 0
	})
	if got := s.mailed("buyer@c1003.example"); got != "order_approved queued" {
		t.Fatalf("%s: the test has shown nothing", got)
	}
	post.OnTaken(nil)
	// River takes the job for dead after a minute and a half; so do we, now
	pgtest.Exec(t, s.db, "update river.river_job set state = 'available', scheduled_at = now() where kind = 'mail'; "+
		"update river.river_leader set expires_at = now()")
	for range 2 {
		startSite(t, s.db, "127.0.0.1:0", "", func(c *settings) {
			c.SMTPURL, c.MailFrom, c.PublicURL = post.URL, "orders@harbor.example", "https://orders.harbor.example"
		})
	}
	s.mailsSettled()
	got := post.Messages()
	if len(got) != 2 || got[0].Header.Get("Message-ID") != got[1].Header.Get("Message-ID") {
		t.Errorf("%d mails: %s, %s", len(got), got[0].Header.Get("Message-ID"), got[len(got)-1].Header.Get("Message-ID"))
	}
}

// A statement is mailed once, with the PDF that is stored, to who asked or to
// all who see the account, and only while the customer sees its balance.
func TestAcceptance33StatementMails(t *testing.T) {
	t.Parallel()
	s, post := newMailSite(t)
	s.addPerson("C1003", "vic@c1003.example", "view", "")
	s.addPerson("C1003", "acc@c1003.example", "accounts", "")
	notify := func(month int) {
		t.Helper()
		pgtest.Exec(t, s.db,
			fmt.Sprintf(
				`insert into portal.statement (customer_id, period_from, period_to) select customer_id, '2026-0%d-01',
					'2026-0%[1]d-28' from erp.customer where customer_no = 'C1003'`, month))
		eventually(t, "the paper is made", func() bool {
			return pgtest.Value[int](t, s.db, "select count(*)::int from portal.statement where status = 'QUEUED'") == 0
		})
	}
	sees := func(yes bool) {
		t.Helper()
		pgtest.Exec(t, s.db, "update erp.web_access set see_balance = $1 where customer_id = (select customer_id from "+
			"erp.customer where customer_no = 'C1003')", yes)
	}
	v := s.buyer("C1003")
	if a := v.post("/statement", "from", "2026-03-01", "to", "2026-03-31"); a.status != http.StatusOK {
		t.Fatalf("ask: %d %s", a.status, a.body)
	}
	eventually(t, "the mail", func() bool { return len(post.Messages()) == 1 })
	// the jobs run once more, and somebody tells the news again
	pgtest.Exec(t, s.db,
		`insert into river.river_job (kind, args, queue, max_attempts, priority) values ('statement', '{}', 'statement', 25,
			1);
		select portal.enqueue_mails(array_agg(mail_id)) from portal.mail;
		select portal.notify(n.kind, n.customer_id, n.ref, n.data, array[n.login_id], n.document_id)
			from portal.notification n`)
	eventually(t, "the jobs have run", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(*)::int from river.river_job where kind in ('statement', 'mail') and state <> 'completed'") == 0
	})
	got := post.Messages()
	const name = "statement-C1003-2026-03-31.pdf"
	if len(got) != 1 || got[0].To != "buyer@c1003.example" ||
		got[0].Subject != "Your statement from 1 Mar 2026 to 31 Mar 2026" ||
		!strings.HasPrefix(string(got[0].Attachments[name]), "%PDF-1.") {
		t.Fatalf("%d mails, to %s: %s with %d files", len(got), got[0].To, got[0].Subject, len(got[0].Attachments))
	}
	if paper := pgtest.Value[[]byte](t, s.db,
		"select data from portal.document"); string(paper) != string(got[0].Attachments[name]) {
		t.Error("the PDF that was mailed is not the one that is stored")
	}
	if !strings.Contains(v.page("/notifications").body, "Your statement from 1 Mar 2026") {
		t.Error("it is not told in the portal")
	}

	// hidden: nothing is told or shown, and what was queued before is not sent
	post.OnRecipient(func(string) error {
		sees(false)
		return smtptest.Refuse(451, "later")
	})
	notify(4)
	s.mailsSettled()
	notify(5)
	if n := len(post.Messages()); n != 1 {
		t.Errorf("%d mails while the balance is hidden", n-1)
	}
	const hidden = "failed: Not sent: the customer does not see its balance."
	if got := pgtest.Value[string](t, s.db,
		"select string_agg(concat_ws(': ', split_part(recipient, '@', 1), status, nullif(last_error, '')), ', ' order by "+
			"recipient, mail_id) from portal.mail"); got != "acc: "+hidden+", buyer: sent, buyer: "+hidden {
		t.Errorf("mails: %s", got)
	}
	if body := v.page("/notifications").body + v.page("/").body; strings.Contains(body, "statement from") {
		t.Error("a statement is told while the balance is hidden")
	}
	if a := v.read("/profile"); strings.Contains(a.body, `"statement"`) {
		t.Error("statements are offered by mail while the balance is hidden")
	}
}

// Invitations come by mail; a forgotten password is set anew by a link that
// serves once, and nobody learns who has a log-in.
func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	s, post := newMailSite(t)
	link := func(m smtptest.Message, path string) string {
		t.Helper()
		found := regexp.MustCompile(`https://orders\.harbor\.example(` + path + `[\w-]{43})\b`).FindStringSubmatch(m.Text)
		if found == nil || !strings.Contains(m.HTML, found[1]) {
			t.Fatalf("no link to %s in\n%s", path, m.Text)
		}
		return found[1]
	}
	noSecrets := func() {
		t.Helper()
		if n := pgtest.Value[int](t, s.db, "select count(*)::int from portal.mail where secret <> ''"); n != 0 {
			t.Errorf("%d secrets are kept after they were sent", n)
		}
	}

	// invited at the desk
	desk := s.logIn("desk@demo.example")
	made := desk.post("/desk/customers/C1003/people", "email", "new@c1003.example", "role", "buyer")
	s.mailsSettled()
	invited := post.To("new@c1003.example")
	if len(invited) != 1 || !strings.Contains(invited[0].Text, "Cedar Diner") {
		t.Fatalf("invitation: %s, %d mails", made.body, len(invited))
	}
	if at := link(invited[0], `/invite\?token=`); !strings.HasSuffix(fmt.Sprint(made.get("link")), at) {
		t.Errorf("the mail leads to %s, the page to %s", at, made.get("link"))
	}
	noSecrets()

	// the same answer, whoever asks
	thief, owner := s.buyer("C1003"), s.visit()
	known := owner.send("/forgot", "email", "Buyer@C1003.example")
	unknown := s.visit().send("/forgot", "email", "nobody@c1003.example")
	if known.status != http.StatusOK || known.status != unknown.status || known.body != unknown.body &&
		strip(known.body) != strip(unknown.body) {
		t.Errorf("known %d, unknown %d", known.status, unknown.status)
	}
	pgtest.Exec(t, s.db, "update portal.login set disabled = true where email = 'buyer@c1002.example'")
	s.visit().send("/forgot", "email", "buyer@c1002.example")
	s.visit().send("/forgot", "email", "buyer@c1003.example") // again, at once
	eventually(t, "all have been looked up", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(*)::int from river.river_job where kind = 'password_reset' and state = 'completed'") == 4
	})
	s.mailsSettled()
	got := post.To("buyer@c1003.example")
	if len(got) != 1 || len(post.Messages()) != 2 {
		t.Fatalf("%d mails to the owner, %d in all", len(got), len(post.Messages()))
	}
	at := link(got[0], "/reset/")
	token := strings.TrimPrefix(at, "/reset/")
	noSecrets()
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from portal.password_reset r where r::text like '%'||$1||'%'",
		token) +
		pgtest.Value[int](t, s.db, "select count(*)::int from portal.mail r where r::text like '%'||$1||'%'", token) +
		pgtest.Value[int](t, s.db, "select count(*)::int from river.river_job r where r::text like '%'||$1||'%'",
			token); n != 0 {
		t.Error("the token stands in the database")
	}
	id := pgtest.Value[string](t, s.db, "select mail_id::text from portal.mail where kind = 'password_reset'")
	if ops := s.logIn("ops@demo.example"); strings.Contains(ops.page("/ops/mail/"+id).body+
		ops.page("/ops/mail/"+id+"/html").body, token) {
		t.Error("operators see the link of a mail that was sent")
	}

	form := owner.page(at)
	if form.status != http.StatusOK || !strings.Contains(form.body, "buyer@c1003.example") ||
		form.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the form: %d %s", form.status, form.header.Get("Referrer-Policy"))
	}
	if a := owner.send(at, "new_password", "short"); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "at least 12") {
		t.Errorf("a short one: %d", a.status)
	}
	if a := owner.send(at, "new_password", "a-new-password", "repeat_password",
		"another"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("two that differ: %d", a.status)
	}
	socket := thief.live("")
	socket.hello()
	if a := owner.send(at, "new_password", "a-new-password", "repeat_password",
		"a-new-password"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/login") {
		t.Fatalf("set: %d %s", a.status, a.body)
	}
	if code := socket.closing(); code != 4001 {
		t.Errorf("the socket of another session closed with %d", code)
	}
	if a := thief.read("/"); a.status != http.StatusUnauthorized {
		t.Errorf("another session lives on: %d", a.status)
	}
	if a := owner.page(at); a.status != http.StatusNotFound {
		t.Errorf("the link serves twice: %d", a.status)
	}
	if a := owner.post(at, "new_password", "third-password"); a.status != http.StatusNotFound {
		t.Errorf("the link sets twice: %d", a.status)
	}
	if a := owner.post("/login", "email", "buyer@c1003.example", "password", "a-new-password"); a.status != http.StatusOK {
		t.Errorf("log in with it: %d %s", a.status, a.body)
	}

	// a link that has ended, and one of a log-in that was closed meanwhile
	for email, ends := range map[string]string{"buyer@c1001.example": "select erp.set_clock(now() + interval '61 minutes')", "buyer@c1004.example": "update portal.login set disabled = true where email = 'buyer@c1004.example'"} {
		s.visit().send("/forgot", "email", email)
		eventually(t, "the mail to "+email, func() bool { return len(post.To(email)) == 1 })
		at := link(post.To(email)[0], "/reset/")
		pgtest.Exec(t, s.db, ends)
		if a := s.visit().post(at, "new_password", "a-new-password"); a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", email, a.status, a.body)
		}
		pgtest.Exec(t, s.db, "select erp.set_clock(null)")
	}
	if strings.Contains(s.log.String(), token) {
		t.Error("the token stands in the log")
	}
}

// strip takes away what differs in every answer.
func strip(page string) string {
	return regexp.MustCompile(`(?i)value="[^"]*c1003\.example"`).ReplaceAllString(page, "")
}
