package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pquerna/otp/totp"

	"portal.example/portal/internal/pgtest"
)

// factorKey is a key for the secrets of apps, of tests only.
const factorKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// newFactorSite is a portal that offers apps, and whose company asks anew after a
// quarter of an hour, as a real one does.
func newFactorSite(t *testing.T) *site {
	t.Helper()
	db := pgtest.New(t)
	return startSite(t, db, "127.0.0.1:0", fixtures+"update erp.company set confirm_within = '15 minutes';",
		func(c *settings) { c.FactorKey = factorKey })
}

var appSecret = regexp.MustCompile(`id="app-secret">([A-Z2-7 ]+)<`)

// phone is an authenticator app.
type phone struct {
	t      *testing.T
	s      *site
	secret string
}

// setUp sets up an app for a visitor, and returns it with the recovery codes.
func (v *visitor) setUp(t *testing.T) (phone, []any) {
	t.Helper()
	page := v.send("/profile/app")
	m := appSecret.FindStringSubmatch(page.body)
	if m == nil {
		t.Fatalf("no secret: %d %s", page.status, page.body)
	}
	a := phone{t, v.s, strings.ReplaceAll(m[1], " ", "")}
	if wrong := v.send("/profile/app/add", "code", "000000",
		"name", "Phone"); wrong.status != http.StatusUnprocessableEntity || !strings.Contains(wrong.body, m[1]) {
		t.Fatalf("a wrong code: %d, or another secret", wrong.status)
	}
	added := v.post("/profile/app/add", "code", a.code(), "name", "Phone")
	codes, _ := added.get("recovery_codes").([]any)
	if added.status != http.StatusOK || len(codes) != 10 {
		t.Fatalf("add: %d %s", added.status, added.body)
	}
	return a, codes
}

// code is what the app shows now. The period it was used in last is forgotten, so that
// no test waits for the next.
func (a phone) code() string {
	a.t.Helper()
	pgtest.Exec(a.t, a.s.db, "update portal.factor set last_step = 0 where kind = 'app'")
	return a.again()
}

// again is the same code once more.
func (a phone) again() string {
	a.t.Helper()
	code, err := totp.GenerateCode(a.secret, time.Now())
	if err != nil {
		a.t.Fatal(err)
	}
	return code
}

// begin gives the password only.
func (s *site) begin(t *testing.T, email string) *visitor {
	t.Helper()
	v := s.visit()
	if a := v.post("/login", "email", email, "password", demoPassword); a.status != http.StatusAccepted {
		t.Fatalf("password of %s: %d %s", email, a.status, a.body)
	}
	return v
}

// refusedEverywhere reports that a session goes nowhere: no page, no JSON, no form, no
// socket.
func refusedEverywhere(t *testing.T, v *visitor) {
	t.Helper()
	for _, path := range []string{"/desk/orders", "/desk/customers/C1001/account", "/desk/profile", "/ops/mail", "/",
		"/orders", "/profile"} {
		if a := v.read(path); a.status != http.StatusUnauthorized || a.get("code") != "second_factor" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		if a := v.page(path); a.status != http.StatusSeeOther ||
			!strings.HasPrefix(a.header.Get("Location"), "/login/factor") {
			t.Errorf("%s: %d to %s", path, a.status, a.header.Get("Location"))
		}
	}
	for _, path := range []string{"/desk/customers/C1001/payments", "/profile/password", "/profile/sessions",
		"/acting/end", "/lists"} {
		if a := v.post(path, "amount", "10"); a.status != http.StatusUnauthorized {
			t.Errorf("POST %s: %d %s", path, a.status, a.body)
		}
	}
	u, _ := url.Parse(v.s.URL)
	header := http.Header{"Origin": {v.s.URL}}
	for _, c := range v.client.Jar.Cookies(u) {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	conn, answer, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(v.s.URL, "http")+"/live",
		&websocket.DialOptions{HTTPHeader: header})
	if err == nil {
		_ = conn.CloseNow()
		t.Error("the socket opens")
	} else if answer == nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("socket: %v", err)
	}
}

// Staff who must have a second factor: the password alone, a link that resets it, and a
// session that was stolen lead nowhere.
func TestAcceptance59SecondFactor(t *testing.T) {
	t.Parallel()
	s := newFactorSite(t)
	dana := s.logIn("desk@demo.example")
	socket := dana.live("")
	socket.hello()
	pgtest.Exec(t, s.db, "update erp.company set staff_second_factor = true")
	refusedEverywhere(t, dana) // at once, whoever is logged in
	if a := s.buyer("C1001").read("/orders"); a.status != http.StatusOK {
		t.Errorf("a buyer, of whom none is asked: %d", a.status)
	}

	half := s.begin(t, "desk@demo.example")
	refusedEverywhere(t, half)
	if a := half.post("/login/factor", "code", "123456"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a code where there is no factor: %d %s", a.status, a.body)
	}
	app, codes := half.setUp(t)
	if a := half.read("/desk/orders"); a.status != http.StatusOK {
		t.Fatalf("once set up: %d %s", a.status, a.body)
	}
	if a := dana.read("/desk/orders"); a.status != http.StatusUnauthorized {
		t.Errorf("the session of before: %d", a.status)
	}

	thief := s.begin(t, "desk@demo.example")
	refusedEverywhere(t, thief)
	for _, path := range []string{"/profile/app", "/profile/app/add", "/profile/codes", "/profile/passkey/new",
		"/profile/factors/1/remove"} {
		if a := thief.post(path, "code", "1"); a.status < 400 || a.get("recovery_codes") != nil {
			t.Errorf("POST %s before the factor: %d %s", path, a.status, a.body)
		}
	}

	t.Run("a reset link does not skip it", func(t *testing.T) {
		pgtest.Exec(t, s.db, `insert into portal.password_reset (login_id, token_hash, expires_at)
			select login_id, sha256('a-link'), erp.now() + interval '1 hour' from portal.login
				where email = 'desk@demo.example'`)
		v := s.visit()
		if a := v.send("/reset/a-link", "new_password", "correct horse battery"); a.status != http.StatusSeeOther {
			t.Fatalf("reset: %d %s", a.status, a.body)
		}
		if a := v.read("/desk/orders"); a.status != http.StatusUnauthorized {
			t.Errorf("logged in by a link: %d", a.status)
		}
		if a := v.post("/login", "email", "desk@demo.example",
			"password", "correct horse battery"); a.status != http.StatusAccepted {
			t.Errorf("the new password: %d %s", a.status, a.body)
		}
		refusedEverywhere(t, v)
		pgtest.Exec(t, s.db, "update portal.login set password_hash = (select password_hash from portal.login where email "+
			"= 'ops@demo.example') where email = 'desk@demo.example'")
	})

	t.Run("a stolen session at a payment", func(t *testing.T) {
		v := s.begin(t, "desk@demo.example")
		if a := v.post("/login/factor", "code", app.code()); a.status != http.StatusOK {
			t.Fatalf("code: %d %s", a.status, a.body)
		}
		pay := []string{"amount", "12.34", "payment_date", time.Now().Format(time.DateOnly), "method", "check",
			"reference", "R-77", "key", "7d4e4d0e-6d0a-4bb1-9f0b-2d6f7a0c0001"}
		paid := func() int { return pgtest.Value[int](t, s.db, "select count(*)::int from erp.payment") }
		pgtest.Exec(t, s.db, "update portal.session set confirmed_at = erp.now() - interval '16 minutes'")
		if a := v.post("/desk/customers/C1001/payments", pay...); a.status != http.StatusForbidden ||
			a.get("code") != "confirm" || paid() != 0 {
			t.Errorf("unconfirmed: %d %s, %d payments", a.status, a.body, paid())
		}
		asked := v.send("/desk/customers/C1001/payments", pay...)
		if asked.status != http.StatusForbidden || !strings.Contains(asked.body, "Is it you?") ||
			!strings.Contains(asked.body, `value="R-77"`) {
			t.Errorf("the page that asks: %d %s", asked.status, asked.body)
		}
		if a := v.send("/desk/customers/C1001/payments",
			append(pay, "proof_code", "000000")...); a.status != http.StatusUnprocessableEntity ||
			!strings.Contains(a.body, `value="R-77"`) || paid() != 0 {
			t.Errorf("a wrong code: %d, %d payments", a.status, paid())
		}
		if a := v.send("/desk/customers/C1001/payments",
			append(pay, "proof_password", demoPassword)...); a.status == http.StatusSeeOther || paid() != 0 {
			t.Errorf("the password where there is a factor: %d, %d payments", a.status, paid())
		}
		if a := v.send("/desk/customers/C1001/payments",
			append(pay, "proof_code", app.code())...); a.status != http.StatusSeeOther || paid() != 1 {
			t.Errorf("a right code: %d %s, %d payments", a.status,
				strings.Join(regexp.MustCompile(`(?s)data-errors.*?<.div>`).FindAllString(a.body, 2), ""), paid())
		}
		if a := v.post("/desk/customers/C1001/people", "email", "new@c1001.example", "role",
			"buyer"); a.status != http.StatusOK {
			t.Errorf("the next form within the time: %d %s", a.status, a.body)
		}
	})

	t.Run("codes serve once", func(t *testing.T) {
		one, two := s.begin(t, "desk@demo.example"), s.begin(t, "desk@demo.example")
		if a := one.post("/login/factor", "code", app.code()); a.status != http.StatusOK {
			t.Fatalf("code: %d %s", a.status, a.body)
		}
		if a := two.post("/login/factor", "code", app.again()); a.status != http.StatusUnprocessableEntity {
			t.Errorf("the same code again: %d %s", a.status, a.body)
		}
		recovery := strings.ToUpper(fmt.Sprint(codes[0]))
		if a := two.post("/login/factor", "code", recovery); a.status != http.StatusOK {
			t.Errorf("a recovery code: %d %s", a.status, a.body)
		}
		if a := s.begin(t, "desk@demo.example").post("/login/factor",
			"code", recovery); a.status != http.StatusUnprocessableEntity {
			t.Errorf("the same once more: %d", a.status)
		}
	})

	t.Run("five wrong codes lock codes", func(t *testing.T) {
		v := s.begin(t, "desk@demo.example")
		pgtest.Exec(t, s.db, "delete from portal.factor_failure")
		for range 5 {
			v.post("/login/factor", "code", "000000")
		}
		if a := v.post("/login/factor", "code", app.code()); a.status != http.StatusTooManyRequests {
			t.Errorf("the sixth, right: %d %s", a.status, a.body)
		}
		if a := s.begin(t, "desk@demo.example").post("/login/factor",
			"code", fmt.Sprint(codes[1])); a.status != http.StatusTooManyRequests {
			t.Errorf("from elsewhere: %d", a.status)
		}
		pgtest.Exec(t, s.db, "update portal.factor_failure set locked_until = erp.now() - interval '1 second'")
		if a := v.post("/login/factor", "code", app.code()); a.status != http.StatusOK {
			t.Errorf("when the lock is over: %d %s", a.status, a.body)
		}
	})

	t.Run("a browser is remembered", func(t *testing.T) {
		v := s.begin(t, "desk@demo.example")
		v.post("/login/factor", "code", app.code(), "remember", "true")
		v.post("/logout")
		if a := v.post("/login", "email", "desk@demo.example", "password", demoPassword); a.status != http.StatusOK {
			t.Errorf("the same browser: %d %s", a.status, a.body)
		}
		if a := v.post("/desk/customers/C1001/people", "email", "n2@c1001.example", "role",
			"buyer"); a.get("code") != "confirm" {
			t.Errorf("it proves nothing of who sits there: %d %s", a.status, a.body)
		}
		refusedEverywhere(t, s.begin(t, "desk@demo.example")) // another
		id := v.read("/desk/profile").get("security.browsers.0.browser_id")
		if a := v.post(fmt.Sprintf("/profile/browsers/%.0f/forget", id)); a.status != http.StatusOK {
			t.Errorf("forget: %d %s", a.status, a.body)
		}
		v.post("/logout")
		if a := v.post("/login", "email", "desk@demo.example", "password", demoPassword); a.status != http.StatusAccepted {
			t.Errorf("forgotten: %d", a.status)
		}
	})

	t.Run("the last one stays, and an operator takes it away", func(t *testing.T) {
		v := s.begin(t, "desk@demo.example")
		v.post("/login/factor", "code", app.code())
		id := v.read("/desk/profile").get("security.factors.0.factor_id")
		if a := v.post(fmt.Sprintf("/profile/factors/%.0f/remove", id)); a.status != http.StatusConflict {
			t.Errorf("remove the last: %d %s", a.status, a.body)
		}
		if code := run(t.Context(), []string{"user", "reset", "desk@demo.example", "--factors", "--database-url", s.db.URL},
			testWriter{t}, testWriter{t}); code != 0 {
			t.Errorf("reset ended with %d", code)
		}
		if a := v.read("/desk/orders"); a.status != http.StatusUnauthorized {
			t.Errorf("its session: %d", a.status)
		}
		if a := s.begin(t, "desk@demo.example").page("/login/factor"); !strings.Contains(a.body, "Set up a second factor") {
			t.Errorf("asked for: %s", a.body)
		}
	})

	audit := pgtest.Value[string](t, s.db,
		"select string_agg(data::text, ' ' order by audit_id) from portal.audit where action = 'factor'")
	for _, want := range []string{`[null, ["app Phone"]]`, `["app Phone"], null`,
		"recovery_code", "not asked for 30 days"} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log lacks %s: %s", want, audit)
		}
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from portal.mail where kind = 'factor_changed'"); n < 3 {
		t.Errorf("%d mails of changes", n)
	}
	for what, text := range map[string]string{"the log": s.log.String(), "the database": pgtest.Value[string](t, s.db,
		"select concat((select string_agg(f::text, ' ') from portal.factor_challenge f), (select string_agg(a::text, ' ') "+
			"from portal.audit a), (select string_agg(m::text, ' ') from portal.mail m))")} {
		if strings.Contains(text, app.secret) || strings.Contains(text, fmt.Sprint(codes[2])) {
			t.Errorf("%s holds a secret", what)
		}
	}
}

// A customer's people have a second factor because they want one, or because staff say
// so on the page of its people.
func TestFactorOfCustomers(t *testing.T) {
	t.Parallel()
	s := newFactorSite(t)
	buyer := s.buyer("C1001")
	if a := buyer.read("/profile"); a.get("security.obligatory") != false || strings.Contains(a.body, "secret") {
		t.Errorf("profile: %s", a.body)
	}
	app, _ := buyer.setUp(t)
	if a := buyer.read("/orders"); a.status != http.StatusOK {
		t.Errorf("who set it up: %d", a.status)
	}
	half := s.begin(t, "buyer@c1001.example")
	if a := half.send("/login/factor", "code", app.code(), "next", "/catalog"); a.status != http.StatusSeeOther ||
		a.header.Get("Location") != "/catalog" {
		t.Errorf("code: %d to %s", a.status, a.header.Get("Location"))
	}
	id := half.read("/profile").get("security.factors.0.factor_id")
	if a := half.post(fmt.Sprintf("/profile/factors/%.0f/remove", id)); a.status != http.StatusOK {
		t.Errorf("remove an optional one: %d %s", a.status, a.body)
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from portal.recovery_code"); n != 0 {
		t.Errorf("%d recovery codes of nothing", n)
	}

	other, desk := s.buyer("C1002"), s.logIn("desk@demo.example")
	if a := desk.page("/desk/customers/C1002/people"); !strings.Contains(a.body, "second factor is obligatory") {
		t.Errorf("the desk is offered nothing: %d", a.status)
	}
	if a := desk.post("/desk/customers/C1002/second-factor", "required", "true"); a.status != http.StatusOK {
		t.Errorf("require: %d %s", a.status, a.body)
	}
	refusedEverywhere(t, other)
	if a := half.read("/orders"); a.status != http.StatusOK {
		t.Errorf("another customer: %d", a.status)
	}
	if a := half.post("/desk/customers/C1002/second-factor", "required", "false"); a.status != http.StatusNotFound {
		t.Errorf("by a customer: %d", a.status)
	}
	other.setUp(t)
	if a := other.read("/orders"); a.status != http.StatusOK {
		t.Errorf("once set up: %d", a.status)
	}

	// without a factor the password confirms, and guessing it is locked as well
	pgtest.Exec(t, s.db, "update portal.session set confirmed_at = null; update erp.web_access set many_logins = true")
	third := s.buyer("C1003")
	pgtest.Exec(t, s.db, "update portal.session set confirmed_at = null")
	invite := []string{"email", "n@c1003.example", "role", "buyer"}
	if a := third.send("/people", invite...); a.status != http.StatusForbidden ||
		!strings.Contains(a.body, "Your password") {
		t.Errorf("people: %d %s", a.status, a.body)
	}
	if a := third.post("/people", append(invite, "proof_password", demoPassword)...); a.status != http.StatusOK {
		t.Errorf("with the password: %d %s", a.status, a.body)
	}

	// the database asks as well: where its limit ends between the program's look and its own, the page asks
	pgtest.Exec(t, s.db, `create function portal.just_over() returns trigger language plpgsql as
		$$ begin perform portal.refuse_unconfirmed(); return null; end $$;
		create trigger just_over before insert on portal.invited_person for each row execute function portal.just_over()`)
	late := []string{"email", "late@c1003.example", "role", "buyer"}
	if a := third.send("/people", late...); a.status != http.StatusForbidden || !strings.Contains(a.body, "Is it you?") ||
		!strings.Contains(a.body, "late@c1003.example") {
		t.Errorf("refused by the database: %d %s", a.status, a.body)
	}
	if a := third.post("/people", late...); a.get("code") != "confirm" {
		t.Errorf("a program, refused by the database: %d %s", a.status, a.body)
	}
	pgtest.Exec(t, s.db, "drop trigger just_over on portal.invited_person; drop function portal.just_over()")
	pgtest.Exec(t, s.db, "update portal.session set confirmed_at = null")
	for range 5 {
		third.post("/people", append(invite, "proof_password", "not the right one")...)
	}
	if a := third.post("/people",
		append(invite, "proof_password", demoPassword)...); a.status != http.StatusTooManyRequests {
		t.Errorf("the sixth: %d %s", a.status, a.body)
	}
}

// No role reads a factor, a code or a challenge from its table; only the log-in path
// calls the functions.
func TestFactorsAreWalled(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if got := pgtest.Value[[]string](t, db, `
		select coalesce(array_agg(r || ' may ' || p || ' ' || c.oid::regclass order by 1), '{}')
		from pg_class c, unnest(array['portal_web', 'portal_desk', 'portal_work', 'public']) as r,
		unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as p
		where c.relnamespace = 'portal'::regnamespace and c.relname in ('factor', 'recovery_code', 'factor_challenge',
		'factor_failure', 'browser')
			and case when r = 'public' then exists (select from aclexplode(c.relacl) a where a.grantee = 0)
			else has_any_column_privilege(r, c.oid, case p when 'DELETE' then 'SELECT' when 'TRUNCATE' then 'SELECT'
			else p end) end`); len(got) > 0 {
		t.Errorf("%q", got)
	}
	if got := pgtest.Value[[]string](t, db, `
		select coalesce(array_agg(r || ' may call ' || p.oid::regprocedure order by 1), '{}')
		from pg_proc p, unnest(array['portal_web', 'portal_desk']) as r
		where p.pronamespace = 'portal'::regnamespace
		and (p.proname ~ 'factor|passkey|recovery|challenge|app_code|app_in_setup|session' 
			and p.proname not in ('require_factor', 'end_staff_sessions', 'reset_staff_factors')) -- an administrator's
			and p.prorettype <> 'trigger'::regtype and has_function_privilege(r, p.oid, 'execute')`); len(got) > 0 {
		t.Errorf("%q", got)
	}
}
