package sql_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

const passwordHash = `'$2a$04$' || repeat('x', 53)`

// The log-in of a process that serves customers' pages reads no hash, writes no
// payment and has no part in the staff's log-ins, whatever it becomes.
func TestWebLogin(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db,
		`insert into erp.customer (customer_id, customer_no, name) overriding system value values (1, 'C1', 'One');
		insert into portal.login (login_id, email, customer_id, staff_role, name, password_hash) overriding system value
		values (1, 'one@c1.example', 1, null, 'One', `+passwordHash+`), (2, 'desk@us.example', null, 'desk', 'Dana', `+
			passwordHash+`)`)
	conn := loginWith(t, db, "web", "portal_web", "portal_auth")
	for _, role := range []string{"none", "portal_web", "portal_auth"} {
		for _, statement := range []string{"reset role", "set role " + role} {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		denied(t, conn, "set role portal_desk", "set role portal_work", "set role portal_owner",
			"set session authorization postgres", "select set_config('role', 'portal_desk', false)",
			"select password_hash from portal.login", "select l from portal.login l",
			"select * from portal.login where password_hash like '$2a$1%'", "update portal.login set name = password_hash",
			"update portal.login set staff_role = 'ops'", "update portal.login set email = 'me@x.example'",
			"insert into portal.login (email, staff_role, password_hash) values ('me@x.example', 'ops', "+passwordHash+")",
			"insert into erp.payment (customer_id, amount) values (1, 1)", "update erp.payment set amount = 1",
			"select erp.post_payment(null, null, null, null, null, null, null, null, null)",
			"insert into portal.password_reset (login_id, token_hash, expires_at) values (2, sha256('x'), now())",
			"insert into portal.invitation (login_id, token_hash, expires_at) values (2, sha256('x'), now())",
			"insert into portal.session (login_id, parent_id, acting_for, acting, expires_at) values (2, 1, 1, 'order', now())",
			"update portal.session set login_id = 2", "select portal.begin_acting(1, 'C1', 'order')",
			"select portal.enqueue('mail', '{}')", "select * from portal.mail", "select * from portal.audit",
			"select * from river.river_job", "copy portal.login to program 'true'")
	}
	if _, err := conn.Exec(t.Context(), "set role portal_auth"); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"insert into portal.session (login_id, token_hash, expires_at) values (%s, sha256('%s'), erp.now() + interval '1 " +
			"hour')",
		"update portal.login set password_hash = " + passwordHash + " where login_id = %s",
	} {
		if _, err := conn.Exec(t.Context(), strings.ReplaceAll(statement, "%s", "1")); err != nil {
			t.Errorf("a customer's: %v", err)
		}
		_, err := conn.Exec(t.Context(), strings.ReplaceAll(statement, "%s", "2"))
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "staff_elsewhere" {
			t.Errorf("%s of staff: %v", statement, err)
		}
	}
	// nor of their second factors, whichever session it names
	pgtest.Exec(t, db,
		`insert into portal.session (session_id, login_id, token_hash, expires_at) overriding system value values
			(101, 1, sha256('own'), erp.now() + interval '1 hour'), (102, 2, sha256('staff'), erp.now() + interval '1 hour');
		insert into portal.factor (login_id, kind, name, secret, last_step) values (1, 'app', 'Phone', '\x01', 1),
			(2, 'app', 'Phone', '\x02', 1)`)
	ask := []string{"select * from portal.factors(%s)", "select * from portal.factor_secrets(%s, 'app')",
		"select * from portal.factor_state(%s)", "select portal.app_in_setup(%s)",
		"select * from portal.trusted_browsers(%s)", "select portal.factor_failed(%s)"}
	for _, statement := range ask {
		if _, err := conn.Exec(t.Context(), strings.ReplaceAll(statement, "%s", "101")); err != nil {
			t.Errorf("%s of a customer's: %v", statement, err)
		}
		_, err := conn.Exec(t.Context(), strings.ReplaceAll(statement, "%s", "102"))
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "session_over" {
			t.Errorf("%s of staff: %v", statement, err)
		}
	}
	// which the desk's may
	desk := loginWith(t, db, "desk", "portal_desk", "portal_web", "portal_auth")
	if _, err := desk.Exec(t.Context(),
		"set role portal_auth; insert into portal.session (login_id, token_hash, expires_at) values (2, sha256('b'), "+
			"erp.now() + interval '1 hour')"); err != nil {
		t.Errorf("the desk's own log-in: %v", err)
	}
	for _, statement := range ask {
		if _, err := desk.Exec(t.Context(), strings.ReplaceAll(statement, "%s", "102")); err != nil {
			t.Errorf("%s by the desk's log-in: %v", statement, err)
		}
	}
	denied(t, desk, "select password_hash from portal.login", "set role portal_work", "set role portal_owner")
	work := loginWith(t, db, "work", "portal_work")
	if _, err := work.Exec(t.Context(), "set role portal_work"); err != nil {
		t.Fatal(err)
	}
	denied(t, work, "select password_hash from portal.login",
		"insert into erp.payment (customer_id, amount) values (1, 1)", "set role portal_desk", "set role portal_web")
}

// Log-ins are made, and made anew with other passwords, and lose what they were
// given beside. It is a server of its own, since their names are the server's.
func TestCreateLogins(t *testing.T) {
	t.Parallel()
	db := pgtest.Private(t)
	first, err := sql.CreateLogins(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, db, "grant portal_desk to portal_serve_web; alter role portal_serve_work createrole inherit")
	made, err := sql.CreateLogins(t.Context(), db.URL)
	if err != nil || made.Web == first.Web || made.Migrate == first.Migrate {
		t.Fatalf("%v; the same passwords: %v", err, made.Web == first.Web)
	}
	for url, want := range map[string]string{made.Web: "portal_serve_web portal_auth,portal_serve_web,portal_web",
		made.Desk:    "portal_serve_desk portal_auth,portal_desk,portal_serve_desk,portal_web",
		made.Work:    "portal_serve_work portal_auth,portal_serve_work,portal_work",
		made.Migrate: "portal_migrate portal_auth,portal_desk,portal_migrate,portal_owner,portal_web,portal_work"} {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		err = conn.QueryRow(t.Context(),
			`select session_user || ' ' || string_agg(r.rolname, ',' order by r.rolname) from pg_roles r
			where pg_has_role(session_user, r.oid, 'member') group by session_user`).Scan(&got)
		if err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
		conn.Close(t.Context())
		config, err := pgx.ParseConfig(url)
		if err != nil || len(config.Password) < 24 {
			t.Fatalf("password of %d characters, %v", len(config.Password), err)
		}
		// what PostgreSQL keeps is what it would have made of the password itself
		kept := pgtest.Value[string](t, db, "select rolpassword from pg_authid where rolname = $1", config.User)
		rounds, rest, _ := strings.Cut(strings.TrimPrefix(kept, "SCRAM-SHA-256$"), ":")
		salt, _, _ := strings.Cut(rest, "$")
		n, err := strconv.Atoi(rounds)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.StdEncoding.DecodeString(salt)
		if err != nil || sql.ScramOf(config.Password, raw, n) != kept {
			t.Errorf("%s is kept, %v", kept, err)
		}
	}
	// the library's client and PostgreSQL's own agree on how that is computed
	pgtest.Exec(t, db, "set password_encryption = 'scram-sha-256'; create role other login password 'pencil'")
	theirs := pgtest.Value[string](t, db, "select rolpassword from pg_authid where rolname = 'other'")
	salt, _, _ := strings.Cut(strings.TrimPrefix(theirs, "SCRAM-SHA-256$4096:"), "$")
	raw, err := base64.StdEncoding.DecodeString(salt)
	if err != nil || sql.ScramOf("pencil", raw, 4096) != theirs {
		t.Errorf("PostgreSQL made %s, %v", theirs, err)
	}
	if pgtest.Value[bool](t, db, "select bool_or(rolcreaterole or rolsuper or rolname <> 'portal_migrate' and "+
		"rolinherit) from pg_roles where rolname ~ '^portal_(serve|migrate)'") {
		t.Error("a log-in has attributes that it should not have")
	}

	// and migrate runs with the one that is made for it
	if repaired, err := migrated(t, made.Migrate); err != nil || len(repaired) > 0 {
		t.Errorf("%q, %v", repaired, err)
	}
	pgtest.Exec(t, db, "drop policy own_customer_only on erp.invoice")
	if repaired, err := migrated(t, made.Migrate); err != nil || len(repaired) != 1 {
		t.Errorf("%q, %v", repaired, err)
	}
	if w := wallOf(t, made.Web); len(w.Differences) > 0 || w.Behind > 0 {
		t.Errorf("%+v", w)
	}
}

// Which log-in connects for which role.
func TestLoginURLs(t *testing.T) {
	t.Parallel()
	own := sql.LoginURLs{Web: "postgres://w:1@db/erp", Desk: "postgres://d:2@db/erp", Work: "user=k password='3' host=db"}
	for _, c := range []struct {
		from   sql.LoginURLs
		role   sql.Role
		only   sql.Only
		direct string
		want   string
	}{
		{sql.LoginURLs{}, sql.RoleAuth, "", "", "postgres://all"},
		{sql.LoginURLs{}, sql.RoleWork, "", "postgres://r@direct/erp", "postgres://r@direct/erp"},
		{own, sql.RoleWeb, "", "", own.Web},
		{own, sql.RoleAuth, "", "", own.Desk},
		{own, sql.RoleAuth, sql.OnlyWeb, "", own.Web},
		{own, sql.RoleAuth, sql.OnlyWeb, "postgres://r:s@direct/erp?user=z", "postgres://w:1@direct/erp"},
		{own, sql.RoleWork, "", "host=direct user=r", "host=direct user=r user='k' password='3'"},
	} {
		if got, err := c.from.Direct(c.role, c.only, c.direct, "postgres://all"); err != nil || got != c.want {
			t.Errorf("%s, %s, %s: %s, %v; want %s", c.role, c.only, c.direct, got, err, c.want)
		}
	}
	for only, want := range map[sql.Only]string{"": "--desk-database-url", sql.OnlyWeb: "",
		sql.OnlyDesk: "--desk-database-url", sql.OnlyWork: "--work-database-url"} {
		if got := (sql.LoginURLs{Web: "x"}).Missing(only, ""); got != want {
			t.Errorf("only %q: %q, want %q", only, got, want)
		}
		if got := (sql.LoginURLs{}).Missing(only, "x"); got != "" {
			t.Errorf("only %q: %q", only, got)
		}
	}
}

// The doctor says what one log-in for all costs, and which of separate ones may
// more than it should.
func TestExamineLogins(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, "create function public.theirs() returns int language sql security definer set search_path = "+
		"pg_catalog as 'select 1'; alter function public.theirs() owner to portal_owner")
	urlOf := func(name string, roles ...string) string {
		conn := loginWith(t, db, name, roles...)
		pgtest.Exec(t, db, "alter role "+conn.Config().User+" noinherit") // as they are made
		return conn.Config().ConnString()
	}
	examined := func(e sql.Examination) string {
		t.Helper()
		found, err := sql.Examine(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, f := range found {
			if f.OK {
				out.WriteString("ok ")
			}
			out.WriteString(f.What + ". " + f.Note + "\n")
		}
		return out.String()
	}
	one := examined(sql.Examination{URL: db.URL})
	pgtest.Exec(t, db, "create role copies_of_"+db.Name+
		" login noinherit replication; grant portal_web, portal_auth to copies_of_"+db.Name)
	t.Cleanup(func() { pgtest.Exec(t, db, "drop role copies_of_"+db.Name) })
	copies, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	copies.User = url.User("copies_of_" + db.Name)
	copying := examined(sql.Examination{URL: db.URL, Logins: sql.LoginURLs{Web: copies.String()}})
	several := examined(sql.Examination{URL: db.URL, Logins: sql.LoginURLs{Web: urlOf("web", "portal_web", "portal_auth"),
		Desk: urlOf("desk", "portal_desk", "portal_web", "portal_owner"),
		Work: "postgres://nobody-knows@" + db.Name + ".invalid/x"}})
	for _, c := range []struct{ in, want string }{
		{one, "ok one log-in is all roles of the portal. What it costs: a fault by which a customer's request ran SQL of " +
			"its own could become the staff's role, see every customer, write payments, read the passwords' hashes"},
		{one, "\nfunctions that act for the portal's owner cannot be misled (1 can)"},
		{copying, "\nthe log-in of customers' pages is held to its work (it may become portal_auth, portal_web)"},
		{several, "ok the log-in of customers' pages is held to its work (it may become portal_auth, portal_web)"},
		{several, "\nthe log-in of the desk is held to its work (it may become portal_desk, portal_owner, portal_web)"},
		{several, "\nthe log-in of jobs connects. \n"},
	} {
		if !strings.Contains(c.in, c.want) {
			t.Errorf("not said: %s\n%s", c.want, c.in)
		}
	}
}
