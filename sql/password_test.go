package sql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

const ownPassword = "correct horse battery"

// signIn is a database with one customer and its log-in, pat@c1.example, and one of
// staff, dana@demo.example, both with ownPassword.
type signIn struct {
	*pgtest.DB
	sessions *sql.SessionStore
	stores   *sql.DB
}

func newSignIn(t testing.TB, cost int) signIn {
	t.Helper()
	db := pgtest.New(t)
	pgtest.Exec(t, db, "insert into erp.customer (customer_id, customer_no, name) overriding system value values (1, "+
		"'C1', 'Harbor Foods')")
	for _, who := range []string{"1, null, 'pat@c1.example'", "null, 'desk', 'dana@demo.example'"} {
		pgtest.Exec(t, db, "insert into portal.login (customer_id, staff_role, email, password_hash) values ("+who+", $1)",
			hashOf(t, ownPassword, cost))
	}
	stores := openWork(t, db)
	return signIn{db, sql.NewSessionStore(stores, sql.SessionConfig{Cost: cost}), stores}
}

func hashOf(t testing.TB, password string, cost int) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

// browserNamed is a browser with a cookie of its own.
func browserNamed(name string) portal.Browser {
	return portal.Browser{Known: strings.Repeat(name, 20), Source: "192.0.2.1", UserAgent: "Browser " + name}
}

func (s signIn) logIn(t testing.TB, email, password string, from portal.Browser) (string, error) {
	t.Helper()
	token, _, err := s.sessions.LogIn(t.Context(), email, password, from)
	return token, err
}

// must logs in.
func (s signIn) must(t testing.TB, email string, from portal.Browser) string {
	t.Helper()
	token, err := s.logIn(t, email, ownPassword, from)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (s signIn) lives(t testing.TB, token string) bool {
	t.Helper()
	_, err := s.sessions.Session(t.Context(), token)
	if err != nil && portal.ErrorCode(err) != portal.CodeUnauthorized {
		t.Fatal(err)
	}
	return err == nil
}

func (s signIn) mails(t testing.TB, kind string) int {
	t.Helper()
	return pgtest.Value[int](t, s.DB, "select count(*)::int from portal.mail where kind = $1", kind)
}

// A password of which only the first 72 bytes are right is wrong; an older one that
// is short, or was hashed as it was typed, still serves.
func TestPasswordsAtLogIn(t *testing.T) {
	t.Parallel()
	s := newSignIn(t, bcrypt.MinCost)
	long := strings.Repeat("0123456789", 7) + "ab" // 72 bytes
	for _, c := range []struct {
		what, stored, typed string
		right               bool
	}{
		{"whole", long, long, true},
		{"beyond what bcrypt reads", long, long + "x", false},
		{"short and old", "short-old-1", "short-old-1", true},
		{"composed", "caf\u00e9 au lait, please", "caf\u00e9 au lait, please", true},
		{"typed with a combining accent", "caf\u00e9 au lait, please", "cafe\u0301 au lait, please", true},
		{"hashed with a combining accent, before", "cafe\u0301 au lait, please", "cafe\u0301 au lait, please", true},
		{"another", "short-old-1", "short-old-2", false},
	} {
		pgtest.Exec(t, s.DB,
			"update portal.login set password_hash = $1, failed_count = 0, locked_until = null where email = 'pat@c1.example'",
			hashOf(t, c.stored, bcrypt.MinCost))
		_, err := s.logIn(t, "pat@c1.example", c.typed, browserNamed("a"))
		if (err == nil) != c.right || err != nil && portal.ErrorCode(err) != portal.CodeUnauthorized {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// A cheap hash is made anew when its password is right; sessions stay, and nobody is
// told of a change that is none.
func TestHashIsRaised(t *testing.T) {
	t.Parallel()
	s := newSignIn(t, bcrypt.MinCost)
	first := s.must(t, "dana@demo.example", browserNamed("a"))
	dear := sql.NewSessionStore(s.stores, sql.SessionConfig{Cost: bcrypt.MinCost + 1})
	hash := func() string {
		return pgtest.Value[string](t, s.DB, "select password_hash from portal.login where email = 'dana@demo.example'")
	}
	audited := pgtest.Value[int](t, s.DB, "select count(*)::int from portal.audit where action = 'login'")
	if _, _, err := dear.LogIn(t.Context(), "dana@demo.example", "wrong", browserNamed("b")); err == nil ||
		!strings.HasPrefix(hash(), "$2a$04") {
		t.Errorf("a wrong password: %v, %s", err, hash())
	}
	if _, _, err := dear.LogIn(t.Context(), "dana@demo.example", ownPassword, browserNamed("b")); err != nil ||
		!strings.HasPrefix(hash(), "$2a$05") {
		t.Errorf("a right one: %v, %s", err, hash())
	}
	if !s.lives(t, first) {
		t.Error("the first session ended")
	}
	if _, _, err := dear.LogIn(t.Context(), "dana@demo.example", ownPassword, browserNamed("b")); err != nil {
		t.Errorf("by the new hash: %v", err)
	}
	if n := pgtest.Value[int](t, s.DB, "select count(*)::int from portal.audit where action = 'login'"); n != audited {
		t.Errorf("%d rows in the audit log", n-audited)
	}
	if n := s.mails(t, "password_changed"); n != 0 {
		t.Errorf("%d mails", n)
	}
	// a change is one, whoever makes it
	pgtest.Exec(t, s.DB, "update portal.login set password_hash = $1 where email = 'dana@demo.example'",
		hashOf(t, "another one, longer", bcrypt.MinCost))
	if s.lives(t, first) || s.mails(t, "password_changed") != 1 {
		t.Errorf("after a change by SQL the session lives: %v; %d mails", s.lives(t, first), s.mails(t, "password_changed"))
	}
}

// Sessions end by idleness and by age, sooner for staff, and at once when the limits
// are set anew; a page that is asked for moves the first only.
func TestSessionLimits(t *testing.T) {
	t.Parallel()
	s := newSignIn(t, bcrypt.MinCost)
	pgtest.Exec(t, s.DB, "update erp.company set session_idle = '10 days', session_max = '15 days', staff_session_idle "+
		"= '1 hour', staff_session_max = '90 minutes'")
	at := func(clock string) {
		pgtest.Exec(t, s.DB, "select erp.set_clock('2026-03-02 09:00Z'::timestamptz + $1::interval)", clock)
	}
	at("0")
	staff, buyer := s.must(t, "dana@demo.example", browserNamed("a")), s.must(t, "pat@c1.example", browserNamed("a"))
	left := s.must(t, "dana@demo.example", browserNamed("b"))
	for _, c := range []struct {
		clock              string
		staff, buyer, left bool
	}{
		{"50 minutes", true, true, true},
		{"80 minutes", true, true, true}, // left was seen as well
		{"91 minutes", false, true, false},
		{"9 days", false, true, false},
		{"14 days", false, true, false},
		{"15 days 1 second", false, false, false},
	} {
		at(c.clock)
		if got := []bool{s.lives(t, staff), s.lives(t, buyer), s.lives(t, left)}; !slices.Equal(got,
			[]bool{c.staff, c.buyer, c.left}) {
			t.Errorf("after %s staff, buyer and the other: %v", c.clock, got)
		}
	}
	at("0")
	idle := s.must(t, "dana@demo.example", browserNamed("a"))
	at("61 minutes")
	if s.lives(t, idle) {
		t.Error("nobody looked for an hour")
	}
	at("0")
	token := s.must(t, "pat@c1.example", browserNamed("a"))
	at("5 days")
	pgtest.Exec(t, s.DB, "update erp.company set session_idle = '4 days'")
	if s.lives(t, token) {
		t.Error("a limit that is set anew does not count at once")
	}
}

// A new log-in ends what its browser had open, and what others have open stays; all
// others end together when asked to.
func TestBrowsersAndSessions(t *testing.T) {
	t.Parallel()
	s := newSignIn(t, bcrypt.MinCost)
	one := s.must(t, "pat@c1.example", browserNamed("a"))
	if s.mails(t, "new_device") != 0 {
		t.Error("the first browser is news")
	}
	other := s.must(t, "pat@c1.example", browserNamed("b"))
	if s.mails(t, "new_device") != 1 {
		t.Error("the second browser is none")
	}
	again := s.must(t, "pat@c1.example", browserNamed("a"))
	if s.lives(t, one) || !s.lives(t, other) || !s.lives(t, again) || s.mails(t, "new_device") != 1 {
		t.Errorf("one %v, other %v, again %v, %d mails", s.lives(t, one), s.lives(t, other), s.lives(t, again),
			s.mails(t, "new_device"))
	}
	// somebody else at the same browser: its cookie of the session says what ends
	from := browserNamed("a")
	from.Token = again
	staff := s.must(t, "dana@demo.example", from)
	if s.lives(t, again) || !s.lives(t, staff) {
		t.Error("two people are logged in at one browser")
	}
	// without any cookie: a program, known by where it comes from; each has its session
	program := portal.Browser{Known: "program-one-program-one", Source: "192.0.2.9", UserAgent: "robot"}
	first := s.must(t, "pat@c1.example", program)
	program.Known = "program-two-program-two"
	second := s.must(t, "pat@c1.example", program)
	if !s.lives(t, first) || !s.lives(t, second) || s.mails(t, "new_device") != 2 {
		t.Errorf("programs: %v %v, %d mails", s.lives(t, first), s.lives(t, second), s.mails(t, "new_device"))
	}

	who, err := s.sessions.Session(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.sessions.EndOthers(t.Context(), who); err != nil || n != 2 {
		t.Errorf("end others: %d %v", n, err)
	}
	if !s.lives(t, first) || s.lives(t, second) || s.lives(t, other) || !s.lives(t, staff) {
		t.Error("the others live, or the wrong ones ended")
	}
}

// BenchmarkLogInTiming tells how long a refusal takes for a log-in that there is, with
// a hash of today's cost and with a cheap one, and for one that there is not:
//
//	go test ./sql -run '^$' -bench LogInTiming -benchtime 200x
//
// Each round asks for all three, so that what else the machine does falls on all alike.
func BenchmarkLogInTiming(b *testing.B) {
	s := newSignIn(b, 12)
	pgtest.Exec(b, s.DB, "insert into portal.login (customer_id, email, password_hash) values (1, 'old@c1.example', $1)",
		hashOf(b, "another one, longer", 10))
	took := map[string][]time.Duration{}
	names := []string{"pat@c1.example", "old@c1.example", "nobody@c1.example"}
	for i := 0; b.Loop(); i++ {
		for k := range names {
			email := names[(i+k)%len(names)]
			begun := time.Now()
			_, err := s.logIn(b, email, "not the right one", portal.Browser{Source: fmt.Sprintf("192.0.%d.%d", i%256, k)})
			took[email] = append(took[email], time.Since(begun))
			if portal.ErrorCode(err) != portal.CodeUnauthorized {
				b.Fatalf("the password was not looked at: %v", err)
			}
		}
		// what is turned away unseen takes no time: each round begins with nothing counted
		pgtest.Exec(b, s.DB, "truncate portal.login_try, portal.login_block, portal.login_source")
	}
	for email, list := range took {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, strings.TrimSuffix(email, "@c1.example")+"-ms")
	}
}
