package sql_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/crypto/bcrypt"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// office is people who log in, from one address or several.
type office struct {
	t        testing.TB
	db       *pgtest.DB
	pools    *sql.DB
	sessions *sql.SessionStore
}

const rightPassword = "the right one"

// newOffice has log-ins p1@x.example … with one password. A second of waiting
// lasts as long as slow.
func newOffice(t testing.TB, people int, slow time.Duration) *office {
	t.Helper()
	db := pgtest.New(t)
	hash, err := bcrypt.GenerateFromPassword([]byte(rightPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, db, `insert into portal.login (email, password_hash, staff_role)
		select 'p' || i || '@x.example', $1, 'desk' from generate_series(1, $2) i`, string(hash), people)
	pools, err := sql.Open(t.Context(), sql.Config{URL: db.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	sessions := sql.NewSessionStore(pools, sql.SessionConfig{Cost: bcrypt.MinCost, Slow: slow})
	return &office{t, db, pools, sessions}
}

func person(n int) string { return fmt.Sprintf("p%d@x.example", n) }

// try logs in and returns the code of the refusal, "" for none.
func (o *office) try(email, password, source, device string) portal.Code {
	o.t.Helper()
	_, _, err := o.sessions.LogIn(o.t.Context(), email, password, portal.Browser{Known: device, Source: source})
	if err == nil {
		return ""
	}
	if code := portal.ErrorCode(err); code != portal.CodeInternal {
		return code
	}
	o.t.Fatal(err)
	return ""
}

func (o *office) mustBe(what string, got, want portal.Code) {
	o.t.Helper()
	if got != want {
		o.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// Thirty wrong log-ins from one office, or from the proxy that nobody named, lock
// nobody else of it out. Before, the whole address was locked for 15 minutes.
func TestWrongLogInsOfOneOffice(t *testing.T) {
	t.Parallel()
	const proxy = "192.0.2.1"
	o := newOffice(t, 3, time.Millisecond)
	o.mustBe("p1 before", o.try(person(1), rightPassword, proxy, "browser of p1"), "")
	for i := range 40 {
		code := o.try(fmt.Sprintf("guess%d@x.example", i%12), "wrong", proxy, "")
		if i < 30 {
			o.mustBe("a guess", code, portal.CodeUnauthorized)
		}
	}
	o.mustBe("somebody whose browser is known", o.try(person(1), rightPassword, proxy, "browser of p1"), "")
	o.mustBe("somebody new there, while guesses wait", o.try(person(2), rightPassword, proxy, "browser of p2"),
		portal.CodeTooMany)
	pgtest.Exec(t, o.db, "select erp.set_clock(now() + interval '1 minute')")
	o.mustBe("somebody new there, in turn", o.try(person(2), rightPassword, proxy, "browser of p2"), "")
	o.mustBe("somebody elsewhere", o.try(person(3), rightPassword, "198.51.100.1", ""), "")
}

// Five wrong passwords lock an account where they came from, with a fixed end,
// and neither elsewhere nor in its owner's browser. E-mails that nobody has are
// locked all the same.
func TestLockIsOfAccountAndPlace(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1, time.Millisecond)
	o.mustBe("the owner, at first", o.try(person(1), rightPassword, "192.0.2.1", "hers"), "")
	for range 7 {
		o.mustBe("wrong", o.try(person(1), "wrong", "192.0.2.1", ""), portal.CodeUnauthorized)
		o.mustBe("nobody's", o.try("nobody@x.example", "wrong", "192.0.2.1", ""), portal.CodeUnauthorized)
	}
	o.mustBe("right, where it is locked", o.try(person(1), rightPassword, "192.0.2.1", ""), portal.CodeUnauthorized)
	o.mustBe("right, with a made-up browser", o.try(person(1), rightPassword, "192.0.2.1", "made up"),
		portal.CodeUnauthorized)
	o.mustBe("right, elsewhere", o.try(person(1), rightPassword, "198.51.100.1", ""), "")
	for range 7 {
		o.mustBe("wrong again", o.try(person(1), "wrong", "192.0.2.9", ""), portal.CodeUnauthorized)
	}
	o.mustBe("right, in her own browser", o.try(person(1), rightPassword, "192.0.2.9", "hers"), "")
	if tries := pgtest.Value[int](t, o.db,
		`select failed_count from portal.login_try where account = sha256('nobody@x.example')
			and place = '192.0.2.1'`); tries != 5 {
		t.Errorf("%d tries of nobody's were counted", tries)
	}
	pgtest.Exec(t, o.db, "select erp.set_clock(now() + interval '15 minutes 1 second')")
	o.mustBe("a quarter of an hour later", o.try(person(1), rightPassword, "192.0.2.9", ""), "")

	// a stolen browser guesses no further than any other
	for range 5 {
		o.mustBe("wrong in her browser", o.try(person(1), "wrong", "192.0.2.1", "hers"), portal.CodeUnauthorized)
	}
	o.mustBe("locked in her browser", o.try(person(1), rightPassword, "192.0.2.1", "hers"), portal.CodeUnauthorized)
	if err := sql.NewLogins(o.pools).Unlock(t.Context(), person(1)); err != nil {
		t.Fatal(err)
	}
	o.mustBe("unlocked", o.try(person(1), rightPassword, "192.0.2.1", "hers"), "")
}

// Many addresses that guess at one account lock it for places that it has never
// been at.
func TestGuessesFromEverywhere(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1, time.Nanosecond)
	o.mustBe("the owner", o.try(person(1), rightPassword, "192.0.2.1", "hers"), "")
	for i := range 50 {
		o.mustBe("a guess", o.try(person(1), "wrong", fmt.Sprintf("198.51.100.%d", i), ""), portal.CodeUnauthorized)
	}
	o.mustBe("right, from an unknown place", o.try(person(1), rightPassword, "203.0.113.1", ""), portal.CodeUnauthorized)
	o.mustBe("right, from where she was", o.try(person(1), rightPassword, "192.0.2.1", ""), "")
	o.mustBe("right, in her browser", o.try(person(1), rightPassword, "203.0.113.2", "hers"), "")
}

// Tries at the same time gain nothing: each is counted before its password is
// looked at.
func TestTriesAtTheSameTime(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1, time.Nanosecond)
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			_, _, err := o.sessions.LogIn(context.WithoutCancel(t.Context()), person(1),
				"wrong", portal.Browser{Source: "192.0.2.1"})
			if portal.ErrorCode(err) != portal.CodeUnauthorized && portal.ErrorCode(err) != portal.CodeTooMany {
				t.Errorf("a wrong password: %v", err)
			}
		})
	}
	wait.Wait()
	got := pgtest.Value[string](t, o.db,
		`select concat_ws(' ', (select failed_count from portal.login_try where place = '192.0.2.1' and account <> ''),
		(select failed_count from portal.login_try where account = ''))`)
	if got != "5 5" {
		t.Errorf("counted: %s (of the account there, of the place)", got)
	}
}

// Before it is locked, an account gets slower: nothing for two wrong passwords,
// then a second, two, four.
func TestSlowsDown(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1, time.Nanosecond)
	for i, want := range []string{"00:00:00", "00:00:00", "00:00:01", "00:00:02", "00:00:04", "00:00:00"} {
		got := pgtest.Value[string](t, o.db,
			"select wait::text || case when locked then ' locked' else '' end from portal.begin_login_try($1, '192.0.2.1', null)", person(1))
		if i == 5 {
			want += " locked"
		}
		if got != want {
			t.Errorf("try %d: %s, want %s", i+1, got, want)
		}
	}
}

// The present password is asked for on the profile as it is at the log-in.
func TestPasswordOfProfileIsCounted(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1, time.Nanosecond)
	_, who, err := o.sessions.LogIn(t.Context(), person(1), rightPassword,
		portal.Browser{Known: "hers", Source: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	const next = "quite another one 7"
	for range 5 {
		if err := o.sessions.ChangePassword(t.Context(), who, "wrong", next); portal.ErrorCode(err) != portal.CodeInvalid {
			t.Fatalf("wrong: %v", err)
		}
	}
	if err := o.sessions.ChangePassword(t.Context(), who, rightPassword,
		next); portal.ErrorCode(err) != portal.CodeInvalid {
		t.Errorf("a sixth try: %v", err)
	}
	pgtest.Exec(t, o.db, "select erp.set_clock(now() + interval '16 minutes')")
	if err := o.sessions.ChangePassword(t.Context(), who, rightPassword, next); err != nil {
		t.Errorf("a quarter of an hour later: %v", err)
	}
}

// Links by mail have a limit an hour: of an account, of a network, of a person who
// is invited, of a customer.
func TestLinksAnHour(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1, time.Nanosecond)
	resets := sql.NewResetStore(o.pools, o.sessions)
	for i := range 20 {
		if err := resets.ForgotPassword(t.Context(), fmt.Sprintf("any%d@x.example", i), "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := resets.ForgotPassword(t.Context(), "any@x.example",
		"192.0.2.1"); portal.ErrorCode(err) != portal.CodeTooMany {
		t.Errorf("the 21st of a network: %v", err)
	}
	if err := resets.ForgotPassword(t.Context(), "any@x.example", "192.0.2.2"); err != nil {
		t.Errorf("from another network: %v", err)
	}
	mails := 0
	for i := range 8 {
		pgtest.Exec(t, o.db, fmt.Sprintf("select erp.set_clock('2026-03-02 09:%02d-05')", 6*i))
		if pgtest.Value[bool](t, o.db, "select portal.make_password_reset($1, $2)", person(1), fmt.Sprint("token", i)) {
			mails++
		}
	}
	if mails != 5 {
		t.Errorf("%d mails within an hour", mails)
	}
}

// Whoever invites, the person is not flooded with links.
func TestInvitationsAnHour(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t)
	pools, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 2, DeskConns: 1, WorkConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	people := sql.NewPeopleStore(pools, bcrypt.MinCost)
	ann := portal.Session{LoginID: pgtest.Value[portal.LoginID](t, db,
		"select login_id from portal.login where name = 'ann'"),
		CustomerID: pgtest.Value[portal.CustomerID](t, db, "select customer_id from erp.customer where customer_no = 'C1'"),
		CustomerNo: "C1", Email: "ann@c1.example", Role: portal.RoleBuyer}
	invite := func(n int) (portal.Invitation, error) {
		return people.Invite(t.Context(), ann, "",
			portal.PersonEdit{Email: fmt.Sprintf("new%d@c1.example", n), Name: "New", Role: "buyer", SpendPeriod: "order"})
	}
	made, err := invite(0)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := people.RenewInvitation(t.Context(), ann, "", made.LoginID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := people.RenewInvitation(t.Context(), ann, "", made.LoginID); portal.ErrorCode(err) != portal.CodeTooMany {
		t.Errorf("a sixth link to one person: %v", err)
	}
	for n := 1; n <= 25; n++ {
		if _, err := invite(n); err != nil {
			t.Fatalf("invitation %d: %v", n, err)
		}
	}
	if _, err := invite(26); portal.ErrorCode(err) != portal.CodeTooMany {
		t.Errorf("the 31st link of a customer: %v", err)
	}
	if n := pgtest.Value[int](t, db, "select count(*)::int from portal.invited_person where email = 'new26@c1.example'"); n != 0 {
		t.Error("the refused one was made")
	}
	pgtest.Exec(t, db, "select erp.set_clock(now() + interval '61 minutes')")
	if _, err := invite(26); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// Certificates are for the serving role: no customer's request and no staff's page
// reads a key.
func TestCertificateCache(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pools, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 1, DeskConns: 1, WorkConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	one, two := sql.NewCertificateCache(pools), sql.NewCertificateCache(pools)
	if _, err := one.Get(t.Context(), "orders.example.com"); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Errorf("an empty cache: %v", err)
	}
	for _, text := range []string{"first", "second"} {
		if err := one.Put(t.Context(), "orders.example.com", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := two.Get(t.Context(), "orders.example.com"); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := two.Delete(t.Context(), "orders.example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Get(t.Context(), "orders.example.com"); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Errorf("deleted: %v", err)
	}
	for _, pool := range []*sql.Pool{pools.Web, pools.Desk} {
		for _, table := range []string{"certificate_cache", "login_try", "login_device", "link_asked", "unknown_proxy"} {
			if _, err := pool.Exec(t.Context(), "select * from portal."+table); err == nil {
				t.Errorf("%s can be read by customers or staff", table)
			}
		}
	}
}
