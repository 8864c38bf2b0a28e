package sql_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// signOns is a database with a customer's log-in, pat@c1.example, and staff: dana, who
// has every duty, and walt, who picks.
type signOns struct {
	signIn
	store  *sql.SignOnStore // that makes no log-ins
	create *sql.SignOnStore
}

func newSignOns(t *testing.T) signOns {
	t.Helper()
	s := signOns{signIn: newSignIn(t, bcrypt.MinCost)}
	s.store, s.create = sql.NewSignOnStore(s.sessions, false), sql.NewSignOnStore(s.sessions, true)
	pgtest.Exec(t, s.DB, "insert into portal.user_duty (user_id, duty) select l.login_id, d.code from portal.login l cross join portal.duty d where l.email = 'dana@demo.example'")
	addStaff(t, s.DB, map[string]string{"walt@demo.example": "warehouse"})
	return s
}

const issuer = "https://login.example"

// account is one at the provider, whose groups give the duties.
func account(subject, email string, duties ...string) portal.Identity {
	return portal.Identity{Issuer: issuer, Subject: subject, Email: email, EmailVerified: true, Duties: duties, AuthTime: time.Now()}
}

var browsers int

// comes logs in by an account, each time in a browser of its own; "" or why not.
func (s signOns) comes(t *testing.T, store *sql.SignOnStore, id portal.Identity) (token string, who portal.Session, refused portal.SignOnRefusal) {
	t.Helper()
	browsers++
	token, who, err := store.LogInByIdentity(t.Context(), id, browserNamed(fmt.Sprint("sso", browsers)))
	if e, ok := errors.AsType[*portal.SignOnError](err); ok {
		return "", who, e.Refusal
	}
	if err != nil {
		t.Fatal(err)
	}
	return token, who, ""
}

// Whose log-in an account is.
func TestWhoseAccount(t *testing.T) { //nolint:paralleltest // browsers are counted
	s := newSignOns(t)
	links := func() int { return pgtest.Value[int](t, s.DB, "select count(*)::int from portal.staff_identity") }
	unverified := account("dana-1", "dana@demo.example", "sales")
	unverified.EmailVerified = false
	other := account("dana-1", "dana@demo.example", "sales")
	other.Issuer = "https://evil.example"

	for _, c := range []struct {
		what string
		id   portal.Identity
		want portal.SignOnRefusal
	}{
		{"an e-mail that nobody verified", unverified, portal.SignOnUnverified},
		{"no e-mail", account("dana-1", "", "sales"), portal.SignOnUnverified},
		{"an e-mail that nobody has", account("new-1", "new@demo.example", "sales"), portal.SignOnUnknown},
		{"groups that give nothing", account("walt-1", "walt@demo.example"), portal.SignOnNoDuty},
		{"a customer's e-mail", account("pat-1", "PAT@c1.example", "administrator"), portal.SignOnCustomer},
	} {
		if _, _, got := s.comes(t, s.store, c.id); got != c.want || links() != 0 {
			t.Errorf("%s: %s, %d links", c.what, got, links())
		}
	}
	if _, _, got := s.comes(t, s.create, account("pat-1", "pat@c1.example", "administrator")); got != portal.SignOnCustomer {
		t.Errorf("a customer's e-mail, where log-ins are made: %s", got)
	}
	if got := dutiesOf(t, s.DB, "walt@demo.example"); got != "warehouse" {
		t.Errorf("Walt came with an account that is not linked, and has %s", got)
	}

	_, who, refused := s.comes(t, s.store, account("dana-1", "Dana@demo.example", "administrator", "sales"))
	if refused != "" || who.Email != "dana@demo.example" || who.By != portal.ByProvider || who.Stage != portal.StageFull || links() != 1 {
		t.Fatalf("the first time: %s %+v", refused, who)
	}
	if got := dutiesOf(t, s.DB, "dana@demo.example"); got != "sales administrator" {
		t.Errorf("Dana has %s", got)
	}
	if got := pgtest.Value[string](t, s.DB, "select data ->> 'single_sign_on' from portal.audit where subject = 'dana@demo.example' and data ? 'single_sign_on'"); !strings.Contains(got, `"subject": "dana-1"`) {
		t.Errorf("the audit has %s", got)
	}
	if got := pgtest.Value[string](t, s.DB, "select coalesce(data ->> 'by', '') from portal.audit "+
		"where action = 'logged_in' and actor = 'dana@demo.example' order by audit_id desc limit 1"); got != "sso" {
		t.Errorf("the audit has a log-in by %q", got)
	}
	if s.mails(t, "sign_on_changed") != 1 {
		t.Error("Dana was not told")
	}

	// the same account under another e-mail stays Dana's; Dana's e-mail under others is nobody's
	for _, c := range []struct {
		what string
		id   portal.Identity
		want portal.SignOnRefusal
		was  string
	}{
		{"another e-mail", account("dana-1", "walt@demo.example", "administrator", "sales"), "", "dana@demo.example"},
		{"no e-mail any more", account("dana-1", "", "administrator", "sales"), "", "dana@demo.example"},
		{"a customer's e-mail", account("dana-1", "pat@c1.example", "administrator", "sales"), "", "dana@demo.example"},
		{"another subject", account("dana-2", "dana@demo.example", "sales"), portal.SignOnOtherAccount, ""},
		{"the same subject of another issuer", other, portal.SignOnOtherAccount, ""},
	} {
		if _, who, got := s.comes(t, s.create, c.id); got != c.want || who.Email != c.was {
			t.Errorf("%s: %s %s", c.what, got, who.Email)
		}
	}
	if links() != 1 || s.mails(t, "sign_on_changed") != 1 {
		t.Errorf("%d links", links())
	}

	pgtest.Exec(t, s.DB, "update portal.login set disabled = true where email = 'walt@demo.example'")
	if _, _, got := s.comes(t, s.store, account("walt-1", "walt@demo.example", "warehouse")); got != portal.SignOnDisabled || links() != 1 {
		t.Errorf("a closed log-in: %s", got)
	}
	pgtest.Exec(t, s.DB, "update portal.login set disabled = false where email = 'walt@demo.example'")
	if _, _, got := s.comes(t, s.store, account("walt-1", "walt@demo.example", "warehouse")); got != "" {
		t.Errorf("open again: %s", got)
	}
	pgtest.Exec(t, s.DB, "update portal.login set disabled = true where email = 'walt@demo.example'")
	if _, _, got := s.comes(t, s.store, account("walt-1", "walt@demo.example", "warehouse")); got != portal.SignOnDisabled {
		t.Errorf("closed after it was linked: %s", got)
	}
	if _, err := s.Pool.Exec(t.Context(), "insert into portal.staff_identity (issuer, subject, login_id, email) select 'x', 'y', login_id, 'z' from portal.login where customer_id is not null"); err == nil {
		t.Error("a customer's log-in was linked")
	}
}

// Groups decide about duties at each log-in; who has none any more is out.
func TestDutiesOfGroups(t *testing.T) { //nolint:paralleltest // browsers are counted
	s := newSignOns(t)
	yes, no := true, false
	operator := account("walt-1", "walt@demo.example", "warehouse")
	operator.Operator = &yes
	if _, who, _ := s.comes(t, s.store, operator); who.Role != portal.RoleOps {
		t.Errorf("Walt is %s", who.Role)
	}
	operator.Duties = nil
	if _, who, refused := s.comes(t, s.store, operator); refused != "" || who.Role != portal.RoleOps || len(who.Duties) != 0 {
		t.Errorf("an operator without a duty: %s %+v", refused, who)
	}
	operator.Operator, operator.Duties = &no, []string{"warehouse"}
	token, who, _ := s.comes(t, s.store, operator)
	if who.Role != portal.RoleDesk || !s.lives(t, token) {
		t.Errorf("Walt is %s", who.Role)
	}
	if _, _, got := s.comes(t, s.store, account("walt-1", "walt@demo.example")); got != portal.SignOnNoDuty || s.lives(t, token) || dutiesOf(t, s.DB, "walt@demo.example") != "" {
		t.Errorf("no group any more: %s, has %s", got, dutiesOf(t, s.DB, "walt@demo.example"))
	}

	// the last administrator stays one, and the audit says so
	if _, _, got := s.comes(t, s.store, account("dana-1", "dana@demo.example", "sales")); got != "" || dutiesOf(t, s.DB, "dana@demo.example") != "sales administrator" {
		t.Errorf("%s, Dana has %s", got, dutiesOf(t, s.DB, "dana@demo.example"))
	}
	if pgtest.Value[int](t, s.DB, "select count(*)::int from portal.audit where action = 'duty' and data ? 'administrator'") != 1 {
		t.Error("nobody is told that an administrator was kept")
	}
	if _, _, got := s.comes(t, s.store, account("walt-1", "walt@demo.example", "king")); got != portal.SignOnFailed || dutiesOf(t, s.DB, "walt@demo.example") != "" {
		t.Errorf("a duty that there is none of: %s", got)
	}
}

// Who has no log-in gets one, if that is allowed: one, however many tabs come at once.
func TestLogInsAreMade(t *testing.T) { //nolint:paralleltest // browsers are counted
	s := newSignOns(t)
	id := account("new-1", "new@demo.example", "sales")
	id.Name = "Nora New"
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if _, _, err := s.create.LogInByIdentity(t.Context(), id, browserNamed(fmt.Sprint("new", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := pgtest.Value[string](t, s.DB, "select string_agg(concat_ws(' ', name, staff_role, customer_id), '; ') from portal.login where email = 'new@demo.example'")
	if got != "Nora New desk" || dutiesOf(t, s.DB, "new@demo.example") != "sales" {
		t.Errorf("%s", got)
	}
	if _, err := s.logIn(t, "new@demo.example", "", browserNamed("a")); portal.ErrorCode(err) != portal.CodeUnauthorized {
		t.Errorf("without a password: %v", err)
	}
}

// A way to the provider comes back once, in its own browser, within ten minutes.
func TestSignOnIsTakenOnce(t *testing.T) {
	t.Parallel()
	s := newSignIn(t, bcrypt.MinCost)
	store := sql.NewSignOnStore(s.sessions, false)
	mine, theirs := strings.Repeat("m", 26), strings.Repeat("t", 26)
	begin := func() portal.SignOn {
		way, err := store.BeginSignOn(t.Context(), portal.Session{}, mine, "/desk/orders?status=open")
		if err != nil {
			t.Fatal(err)
		}
		return way
	}
	take := func(state, browser string) (portal.SignOn, bool) {
		way, err := store.TakeSignOn(t.Context(), state, browser)
		e, refused := errors.AsType[*portal.SignOnError](err)
		if err != nil && (!refused || e.Refusal != portal.SignOnExpired) {
			t.Fatal(err)
		}
		return way, err == nil
	}
	way := begin()
	if len(way.Verifier) < 43 || way.Nonce == way.Verifier || begin().Nonce == way.Nonce {
		t.Errorf("%+v", way)
	}
	if _, ok := take(way.State, theirs); ok {
		t.Error("another browser took it")
	}
	if _, ok := take("made-up", mine); ok {
		t.Error("a state that is none")
	}
	got, ok := take(way.State, mine)
	if got.Begun = way.Begun; !ok || got != way {
		t.Errorf("%+v, begun as %+v", got, way)
	}
	if _, ok := take(way.State, mine); ok {
		t.Error("it was taken twice")
	}
	late := begin()
	pgtest.Exec(t, s.DB, "update portal.sign_on set expires_at = erp.now() where state_hash = sha256(convert_to($1, 'UTF8'))", late.State)
	if _, ok := take(late.State, mine); ok {
		t.Error("it was taken after ten minutes")
	}
	if n := pgtest.Value[int](t, s.DB, "select portal.forget_sign_ons(100)"); n != 1 {
		t.Errorf("%d forgotten", n)
	}
	if kept := pgtest.Value[string](t, s.DB, "select string_agg(s::text, ' ') from portal.sign_on s"); strings.Contains(kept, mine) || strings.Contains(kept, way.Nonce) {
		t.Errorf("the database keeps %s", kept)
	}

	_, who, err := s.sessions.LogIn(t.Context(), "dana@demo.example", ownPassword, browserNamed("a"))
	if err != nil {
		t.Fatal(err)
	}
	of, err := store.BeginSignOn(t.Context(), who, mine, "/")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := take(of.State, mine); got.Session != who.ID {
		t.Errorf("of session %d, not of %d", got.Session, who.ID)
	}
}

// Closed local log-ins are closed on every path, for staff alone.
func TestLocalLogInsClosed(t *testing.T) { //nolint:paralleltest // browsers are counted
	s := newSignOns(t)
	const close = "update erp.company set staff_local_login = false"
	if _, err := s.Pool.Exec(t.Context(), close); err == nil || !strings.Contains(err.Error(), "No administrator has logged in by single sign-on yet") {
		t.Fatalf("closed before anybody could come in otherwise: %v", err)
	}
	local, customer := s.must(t, "dana@demo.example", browserNamed("a")), s.must(t, "pat@c1.example", browserNamed("b"))
	sso, _, _ := s.comes(t, s.store, account("dana-1", "dana@demo.example", "administrator"))
	pgtest.Exec(t, s.DB, "select portal.make_password_reset('dana@demo.example', 'a-link')")
	pgtest.Exec(t, s.DB, close)
	if s.lives(t, local) || !s.lives(t, sso) || !s.lives(t, customer) {
		t.Errorf("sessions: local %v, single sign-on %v, a customer's %v", s.lives(t, local), s.lives(t, sso), s.lives(t, customer))
	}

	_, err := s.logIn(t, "dana@demo.example", ownPassword, browserNamed("c"))
	if portal.ErrorCode(err) != portal.CodeForbidden || !strings.Contains(portal.ErrorMessage(err), "single sign-on") {
		t.Errorf("the right password: %v", err)
	}
	if _, err := s.logIn(t, "dana@demo.example", "wrong", browserNamed("c")); portal.ErrorCode(err) != portal.CodeUnauthorized {
		t.Errorf("a wrong password tells: %v", err)
	}
	open := "select portal.open_session((select login_id from portal.login where email = $1), sha256($2), sha256('b'), null, '', '', $3)"
	for i, kind := range []string{"password", "passkey"} {
		if _, err := s.Pool.Exec(t.Context(), open, "dana@demo.example", []byte{byte(i)}, kind); err == nil {
			t.Errorf("by %s", kind)
		}
	}
	if _, err := s.Pool.Exec(t.Context(), "insert into portal.session (login_id, token_hash, expires_at) select login_id, sha256('x'), erp.now() + interval '1 hour' from portal.login where email = 'dana@demo.example'"); err == nil {
		t.Error("by a statement of its own")
	}
	if _, err := s.Pool.Exec(t.Context(), "update portal.session set login_id = (select login_id from portal.login where email = 'dana@demo.example'), login_kind = 'password'"); err == nil {
		t.Error("by another's session")
	}
	if n := pgtest.Value[int](t, s.DB, "select count(*)::int from portal.password_reset_of(sha256('a-link'))"); n != 0 {
		t.Error("a link of before serves")
	}
	pgtest.Exec(t, s.DB, "delete from portal.password_reset")
	if pgtest.Value[bool](t, s.DB, "select portal.make_password_reset('dana@demo.example', 'another')") || !pgtest.Value[bool](t, s.DB, "select portal.make_password_reset('pat@c1.example', 'third')") {
		t.Error("links of staff, or none of customers")
	}
	s.must(t, "pat@c1.example", browserNamed("d"))

	// the way back in
	logins := sql.NewLogins(s.stores)
	if _, err := logins.LetIn(t.Context(), "pat@c1.example", time.Hour, ""); portal.ErrorCode(err) != portal.CodeNotFound {
		t.Errorf("a customer was let in: %v", err)
	}
	password, err := logins.LetIn(t.Context(), "dana@demo.example", time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.logIn(t, "dana@demo.example", password, browserNamed("e")); err != nil {
		t.Errorf("let in: %v", err)
	}
	if pgtest.Value[int](t, s.DB, "select count(*)::int from portal.audit where subject = 'dana@demo.example' and data ? 'local_until'") != 1 {
		t.Error("the audit does not say who was let in")
	}
	pgtest.Exec(t, s.DB, "update portal.login set local_until = erp.now()")
	if _, err := s.logIn(t, "dana@demo.example", password, browserNamed("f")); portal.ErrorCode(err) != portal.CodeForbidden {
		t.Errorf("after it: %v", err)
	}

	if err := logins.Unlink(t.Context(), "dana@demo.example"); err != nil || s.lives(t, sso) {
		t.Errorf("unlinked: %v, and lives %v", err, s.lives(t, sso))
	}
	if err := logins.Unlink(t.Context(), "dana@demo.example"); portal.ErrorCode(err) != portal.CodeNotFound {
		t.Errorf("twice: %v", err)
	}
	if _, _, got := s.comes(t, s.store, account("dana-2", "dana@demo.example", "administrator")); got != "" {
		t.Errorf("another account after that: %s", got)
	}
}

// What the provider's proof is worth: as second factor, and when one is asked anew.
func TestProofOfProvider(t *testing.T) { //nolint:paralleltest // browsers are counted
	s := newSignOns(t)
	confirmed := func(who portal.Session) bool {
		return pgtest.Value[bool](t, s.DB, "select confirmed from portal.factor_state($1)", who.ID)
	}
	fresh, old, unsaid := account("dana-1", "dana@demo.example", "administrator"), account("dana-1", "", "administrator"), account("dana-1", "", "administrator")
	old.AuthTime, unsaid.AuthTime = time.Now().Add(-8*time.Hour), time.Time{}
	for what, id := range map[string]*portal.Identity{"fresh": &fresh, "old": &old, "unsaid": &unsaid} {
		if what == "fresh" {
			continue
		}
		pgtest.Exec(t, s.DB, "delete from portal.session")
		if _, _, refused := s.comes(t, s.store, fresh); refused != "" {
			t.Fatal(refused)
		}
		_, who, _ := s.comes(t, s.store, *id)
		if confirmed(who) {
			t.Errorf("%s: confirmed", what)
		}
		if _, err := s.stores.Auth.Exec(t.Context(), "select portal.confirm_by_password($1)", who.ID); err != nil || confirmed(who) {
			t.Errorf("%s: a password confirms: %v", what, err)
		}
		for _, wrong := range []portal.Identity{account("walt-1", "dana@demo.example"), unsaid} {
			if err := s.store.ConfirmByIdentity(t.Context(), who, wrong); err == nil || confirmed(who) {
				t.Errorf("%s: confirmed by %+v", what, wrong)
			}
		}
		if err := s.store.ConfirmByIdentity(t.Context(), who, fresh); err != nil || !confirmed(who) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, who, _ := s.comes(t, s.store, fresh)
	if !confirmed(who) {
		t.Error("who proved it just now is asked")
	}
	_, local, err := s.sessions.LogIn(t.Context(), "dana@demo.example", ownPassword, browserNamed("local"))
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, s.DB, "update portal.session set confirmed_at = null")
	if err := s.store.ConfirmByIdentity(t.Context(), local, fresh); err == nil {
		t.Error("a session of a password was confirmed by the provider")
	}

	pgtest.Exec(t, s.DB, "update erp.company set staff_second_factor = true")
	multi := fresh
	multi.MultiFactor = true
	if _, who, _ := s.comes(t, s.store, fresh); who.Stage != portal.StageEnrol {
		t.Errorf("one factor is enough: %s", who.Stage)
	}
	if _, who, _ := s.comes(t, s.store, multi); who.Stage != portal.StageFull {
		t.Errorf("several are not: %s", who.Stage)
	}
	pgtest.Exec(t, s.DB, "insert into portal.factor (login_id, kind, name, secret, last_step) select login_id, 'app', 'Phone', 'x', 0 from portal.login where email = 'dana@demo.example'")
	if _, who, _ := s.comes(t, s.store, fresh); who.Stage != portal.StageFactor {
		t.Errorf("a factor of ours was not asked: %s", who.Stage)
	}
	if _, who, _ := s.comes(t, s.store, multi); who.Stage != portal.StageFull || !confirmed(who) {
		t.Errorf("several factors: %s", who.Stage)
	}
}
