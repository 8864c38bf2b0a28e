package sql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// keptMails is a postman that keeps the mails that it was to write.
type keptMails map[string]portal.Mail

func (k keptMails) Write(m portal.Mail) (portal.Letter, error) {
	k[m.To] = m
	return portal.Letter{Subject: "x"}, nil
}
func (keptMails) Send(context.Context, portal.Mail, portal.Letter) error { return nil }
func (keptMails) Keeps() bool                                            { return true }

// peopleStore is a store of db's people, and the session of ann, who manages C1's.
func peopleStore(t *testing.T, db *pgtest.DB) (*sql.DB, *sql.PeopleStore, portal.Session) {
	t.Helper()
	pools, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 2, DeskConns: 1, WorkConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	return pools, sql.NewPeopleStore(pools, bcrypt.MinCost), portal.Session{
		LoginID:    pgtest.Value[portal.LoginID](t, db, "select login_id from portal.login where name = 'ann'"),
		CustomerID: pgtest.Value[portal.CustomerID](t, db, "select customer_id from erp.customer where customer_no = 'C1'"),
		CustomerNo: "C1", Email: "ann@c1.example", Role: portal.RoleBuyer,
	}
}

// elsewhere are addresses that have a log-in, but none of C1's.
const elsewhere = `
	insert into portal.login (customer_id, email, name, password_hash, disabled)
		select customer_id, v.email, 'Other', '$2a$04$' || repeat('x', 53), v.email like 'shut%'
		from erp.customer, (values ('pat@rival.example'), ('shut@rival.example')) v(email) where customer_no = 'C2';
	insert into portal.login (staff_role, email, name, password_hash) values 
		('desk', 'sales@house.example', 'Sales', '$2a$04$' || repeat('x', 53))`

// invitedAddresses are those, and one that nobody has.
var invitedAddresses = []string{"free@nobody.example", "pat@rival.example", "Shut@Rival.example", "sales@house.example"}

// Whoever invites an address learns nothing of where else it has a log-in: the answer, the list, what
// can be done with the row, the audit and the events are the same for all. The mail, which only the
// owner of the address reads, says the rest.
func TestInvitationTellsNothing(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t)
	pgtest.Exec(t, db, elsewhere)
	pools, people, ann := peopleStore(t, db)
	var seen []string
	for _, address := range invitedAddresses {
		mark := pgtest.Value[int64](t, db, "select coalesce(max(audit_id), 0) from portal.audit")
		at := pgtest.Value[int64](t, db, "select coalesce(max(event_id), 0) from portal.event")
		made, err := people.Invite(t.Context(), ann, "",
			portal.PersonEdit{Email: address, Name: "Pat", Role: "buyer", SpendPeriod: "order"})
		story := fmt.Sprintln("invited:", err, made.LoginID > 0)
		story += fmt.Sprintln(people.SavePerson(t.Context(), ann, "", made.LoginID,
			portal.PersonEdit{Name: "Pat", Role: "view", SpendPeriod: "order"}))
		story += fmt.Sprintln(people.DisablePerson(t.Context(), ann, "", made.LoginID, true))
		story += fmt.Sprintln(people.DisablePerson(t.Context(), ann, "", made.LoginID, false))
		_, err = people.RenewInvitation(t.Context(), ann, "", made.LoginID)
		story += fmt.Sprintln("renewed:", err)
		_, err = people.Invite(t.Context(), ann, "", portal.PersonEdit{Email: strings.ToUpper(address), Role: "buyer"})
		story += fmt.Sprintln("again:", portal.ErrorCode(err), err != nil)
		list, err := people.People(t.Context(), ann, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			if strings.EqualFold(p.Email, address) {
				story += fmt.Sprintln(p.Email, p.Name, p.Role, p.Disabled, p.InvitedTill != nil, p.LastLogInAt,
					p.ID == made.LoginID)
			}
		}
		story += pgtest.Value[string](t, db, `select coalesce(string_agg(
				concat_ws(' ', action, customer_id, subject, data), E'\n' order by audit_id), '')
			from portal.audit where audit_id > $1`, mark)
		story += pgtest.Value[string](t, db, `select coalesce(string_agg(
				concat_ws(' ', kind, customer_id, ref), E'\n' order by event_id), '')
			from portal.event where event_id > $1`, at)
		seen = append(seen, strings.ReplaceAll(story, address, "ADDRESS"))
	}
	if !strings.HasPrefix(seen[0], "invited: <nil> true") || strings.Count(seen[0], "ADDRESS") < 4 {
		t.Errorf("of an address that nobody has:\n%s", seen[0])
	}
	for i, story := range seen[1:] {
		if story != seen[0] {
			t.Errorf("%s tells:\n%s\nand an address that nobody has:\n%s", invitedAddresses[i+1], story, seen[0])
		}
	}
	mails := keptMails{}
	ids := pgtest.Value[[]int64](t, db,
		"select array_agg(mail_id order by mail_id) from portal.mail where kind = 'invitation'")
	for _, id := range ids {
		outcome, err := sql.NewMailStore(pools).Deliver(t.Context(), portal.MailID(id), false, mails)
		if outcome != portal.MailKept || err != nil {
			t.Errorf("mail %d: %s %v", id, outcome, err)
		}
	}
	for i, address := range invitedAddresses {
		if m, ok := mails[address]; !ok || m.HasLogin != (i > 0) || m.Customer == "" || m.ToName != "Pat" {
			t.Errorf("the mail to %s: %+v", address, m)
		}
	}
}

// A link makes the log-in that was invited, once and under its number, and nothing where the address
// has got a log-in meanwhile: whoever comes by the mail is told so.
func TestAcceptInvitation(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t)
	pgtest.Exec(t, db, elsewhere)
	_, people, ann := peopleStore(t, db)
	const password = "seven plain words here"
	invite := func(address string) portal.Invitation {
		t.Helper()
		made, err := people.Invite(t.Context(), ann, "",
			portal.PersonEdit{Email: address, Name: "New", Role: "approver", SpendLimit: "50", SpendPeriod: "day"})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	taken := invite("pat@rival.example")
	_, err := people.AcceptInvitation(t.Context(), taken.Token, password)
	if portal.ErrorCode(err) != portal.CodeConflict {
		t.Errorf("an address with a log-in elsewhere: %v", err)
	}
	if n := pgtest.Value[int](t, db,
		"select count(*)::int from portal.invited_person where login_id = $1", taken.LoginID); n != 1 {
		t.Error("its row in the list is gone")
	}
	free := invite("new@nobody.example")
	if n := pgtest.Value[int](t, db,
		"select count(*)::int from portal.login where email = 'new@nobody.example'"); n != 0 {
		t.Error("there is a log-in before it was accepted")
	}
	// somebody who is only invited does not count among those who sign off
	pgtest.Exec(t, db, `insert into portal.login (customer_id, email, name, password_hash, customer_role)
		select customer_id, 'b@c1.example', 'b', password_hash, 'buyer' from portal.login where name = 'ann'`)
	if c := refused(t, db, "update portal.login set disabled = true where name = 'ann'"); c != "login_last_approver" {
		t.Errorf("closed beside an approver who is only invited: %s", c)
	}
	shut := invite("shut@nobody.example")
	if err := people.DisablePerson(t.Context(), ann, "", shut.LoginID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := people.Invited(t.Context(), shut.Token); portal.ErrorCode(err) != portal.CodeNotFound {
		t.Errorf("the link of a closed one: %v", err)
	}
	email, err := people.AcceptInvitation(t.Context(), free.Token, password)
	if email != "new@nobody.example" || err != nil {
		t.Errorf("accepted: %s %v", email, err)
	}
	got := pgtest.Value[string](t, db, `select concat_ws(' ', customer_id, name, customer_role, spend_limit, spend_period, disabled)
		from portal.login where login_id = $1`, free.LoginID)
	if got != fmt.Sprintf("%d New approver 50.00 day f", ann.CustomerID) {
		t.Errorf("the log-in: %s", got)
	}
	if _, err := people.AcceptInvitation(t.Context(), free.Token, password); portal.ErrorCode(err) != portal.CodeNotFound {
		t.Errorf("a second time: %v", err)
	}
	if _, err := people.RenewInvitation(t.Context(), ann, "", free.LoginID); portal.ErrorCode(err) != portal.CodeConflict {
		t.Errorf("a new link for who has a password: %v", err)
	}
	// a log-in that another program makes for the same address is the one that was invited
	late := invite("late@nobody.example")
	pgtest.Exec(t, db, `insert into portal.login (customer_id, email, password_hash)
		select customer_id, 'Late@nobody.example', password_hash from portal.login where name = 'ann'`)
	if n := pgtest.Value[int](t, db,
		"select count(*)::int from portal.invited_person where login_id = $1", late.LoginID); n != 0 {
		t.Error("it is still invited")
	}
}
