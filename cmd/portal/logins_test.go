package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// separateLogins makes log-ins as portal migrate --create-logins does, with names
// of the database's own.
func separateLogins(t testing.TB, db *pgtest.DB) sql.LoginURLs {
	t.Helper()
	made := func(name, roles string) string {
		login := name + "_of_" + db.Name
		pgtest.Exec(t, db, "create role "+login+" login noinherit; grant "+roles+" to "+login)
		t.Cleanup(func() { pgtest.Exec(t, db, "drop role "+login) })
		u, err := url.Parse(db.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.User(login)
		return u.String()
	}
	return sql.LoginURLs{Web: made("web", "portal_web, portal_auth"),
		Desk: made("desk", "portal_desk, portal_web, portal_auth"), Work: made("work", "portal_work")}
}

// Three processes with three log-ins: customers' pages, the desk, the jobs. Each
// does its part, and that of customers' pages has nothing to do with staff.
func TestSeparateLogins(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	urls := separateLogins(t, db)
	with := func(only string) func(*settings) {
		return func(c *settings) { c.Only, c.logins, c.wallChecked = only, urls, false }
	}
	shop := startSite(t, db, "127.0.0.1:0", fixtures, with("web"))
	pgtest.Exec(t, db, "update erp.web_access set many_logins = true")

	// what runs now is all of the process of customers' pages
	if who := pgtest.Value[[]string](t, db, `select array_agg(distinct usename::text) from pg_stat_activity
		where datname = current_database() and application_name like 'portal%'`); len(who) != 1 ||
		who[0] != "web_of_"+db.Name {
		t.Errorf("it is connected as %q", who)
	}
	v := shop.buyer("C1003")
	for _, path := range []string{"/", "/catalog", "/catalog?q=oliv", "/items/OIL5", "/cart", "/orders", "/account",
		"/invoices", "/statement", "/returns", "/people", "/profile", "/standing-orders", "/notifications", "/quick-order",
		"/readyz", "/healthz"} {
		if a := v.read(path); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := shop.metrics(); a.status != http.StatusOK {
		t.Errorf("/metrics: %d %s", a.status, a.body)
	}
	socket := v.live("")
	socket.hello()
	if a := v.post("/profile/password", "current_password", "not it at all",
		"new_password", "another-one-1"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong password: %d %s", a.status, a.body)
	}
	if a := v.post("/profile/password", "current_password", demoPassword,
		"new_password", "another-one-1"); a.status != http.StatusOK {
		t.Errorf("change the password: %d %s", a.status, a.body)
	}
	if a := shop.visit().post("/login", "email", "buyer@c1003.example",
		"password", demoPassword); a.status != http.StatusUnauthorized {
		t.Errorf("the password before: %d %s", a.status, a.body)
	}
	if a := shop.visit().post("/login", "email", "buyer@c1003.example",
		"password", "another-one-1"); a.status != http.StatusOK {
		t.Errorf("the new password: %d %s", a.status, a.body)
	}
	if a := shop.visit().post("/forgot", "email", "buyer@c1002.example"); a.status != http.StatusOK {
		t.Errorf("forgotten: %d %s", a.status, a.body)
	}
	made := v.post("/people", "email", "new@c1003.example", "name", "New", "role", "buyer", "spend_period", "order")
	token := pgtest.Value[string](t, db,
		"select secret from portal.mail where kind = 'invitation' and recipient = 'new@c1003.example'")
	if a := shop.visit().post("/invite", "token", token, "new_password", "a third one, longer",
		"repeat_password", "a third one, longer"); a.status != http.StatusOK {
		t.Errorf("invitation: %d %s; %s", a.status, a.body, made.body)
	}
	if a := shop.visit().post("/login", "email", "new@c1003.example",
		"password", "a third one, longer"); a.status != http.StatusOK {
		t.Errorf("who was invited: %d %s", a.status, a.body)
	}
	if a := shop.visit().post("/login", "email", "desk@demo.example",
		"password", demoPassword); a.status != http.StatusForbidden || !strings.Contains(a.body, "desk's own address") {
		t.Errorf("staff log in where customers do: %d %s", a.status, a.body)
	}
	if a := shop.visit().post("/login", "email", "desk@demo.example",
		"password", "not it at all"); a.status != http.StatusUnauthorized {
		t.Errorf("staff with a wrong password: %d %s", a.status, a.body)
	}
	orderNo := v.order("OIL5", "2")

	// the jobs, and the desk
	ctx, stop := context.WithCancel(context.Background())
	set := settings{Only: "work", logins: urls, Poll: time.Second}
	work, err := newApp(ctx, "", "", set, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- work.run(ctx, nil) }()
	t.Cleanup(func() { stop(); <-ended })
	socket.until(func(_, ref, status string) bool { return ref == orderNo && status == "APPROVED" })

	desk := startSite(t, db, "127.0.0.1:0", "", with("desk"))
	dana := desk.logIn("desk@demo.example")
	for _, path := range []string{"/desk/orders", "/desk/orders/" + orderNo, "/desk/customers/C1003/account"} {
		if a := dana.read(path); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := dana.post("/desk/customers/C1003/acting", "mode", "preview"); a.status != http.StatusOK {
		t.Errorf("act as a customer: %d %s", a.status, a.body)
	}
	if a := dana.read("/orders/" + orderNo); a.status != http.StatusOK {
		t.Errorf("acting: %d %s", a.status, a.body)
	}
	omar := desk.logIn("ops@demo.example")
	for _, path := range []string{"/ops", "/ops/mail", "/ops/proof", "/ops/statements"} {
		if a := omar.read(path); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	eventually(t, "the link of the forgotten password is mailed", func() bool {
		return pgtest.Value[bool](t, db, "select exists (select from portal.mail where kind = 'password_reset')")
	})
	// a cookie of the desk's opens nothing where customers are served
	at, err := url.Parse(shop.URL)
	if err != nil {
		t.Fatal(err)
	}
	from, err := url.Parse(desk.URL)
	if err != nil {
		t.Fatal(err)
	}
	stranger := shop.visit()
	stranger.client.Jar.SetCookies(at, dana.client.Jar.Cookies(from))
	for _, path := range []string{"/desk/orders", "/orders", "/profile"} {
		if a := stranger.read(path); a.status != http.StatusUnauthorized {
			t.Errorf("%s with the desk's cookie: %d %s", path, a.status, a.body)
		}
	}
}

// What the setting needs is said in words, and the file of log-ins is nobody
// else's.
func TestLoginSettings(t *testing.T) {
	t.Parallel()
	var out, errs lockedBuffer
	t.Run("serve", func(t *testing.T) {
		if code := run(t.Context(), []string{"serve", "--only", "web", "--database-url=", "--web-database-url="}, &out,
			&errs); code != 1 || !strings.Contains(errs.String(), "--web-database-url") {
			t.Errorf("%d: %s", code, errs.String())
		}
	})
	name := filepath.Join(t.TempDir(), "logins.env")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writeLogins(name, sql.CreatedLogins{LoginURLs: sql.LoginURLs{Web: "w", Desk: "d", Work: "k"},
		Migrate: "m"}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(name)
	if want := "PORTAL_WEB_DATABASE_URL=w\nPORTAL_DESK_DATABASE_URL=d\nPORTAL_WORK_DATABASE_URL=k\nPORTAL_MIGRATE_DATABASE_URL=m\n"; err != nil || string(text) != want {
		t.Errorf("%q, %v", text, err)
	}
}
