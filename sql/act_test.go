package sql_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// acts are the rows of the log of a group since a row, oldest first: who, what, to what, from where, and the data.
func acts(t testing.TB, db *pgtest.DB, group string, since int64) []string {
	t.Helper()
	return strings.Split(pgtest.Value[string](t, db, `select coalesce(string_agg(concat_ws(' ', a.actor, a.action, nullif(a.subject, ''), a.source,
			nullif((a.data - 'session' - 'user_agent')::text, '{}')), E'\n' order by a.audit_id), '')
		from portal.audit a join portal.act_kind k on k.code = a.action where k.act_group = $1 and a.audit_id > $2`, group, since), "\n")
}

func lastAudit(t testing.TB, db *pgtest.DB) int64 {
	t.Helper()
	return pgtest.Value[int64](t, db, "select coalesce(max(audit_id), 0) from portal.audit")
}

// Log-ins good and bad, their ends and why, stand in the log with who and from where.
func TestLogInsAreInTheLog(t *testing.T) {
	t.Parallel()
	s := newSignIn(t, 4)
	house := sql.NewHousekeeper(s.stores.Work)
	pat, dana := "pat@c1.example", "dana@demo.example"
	var since int64
	expect := func(what string, want ...string) {
		t.Helper()
		if got := acts(t, s.DB, "sign_in", since); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		since = lastAudit(t, s.DB)
	}
	one := s.must(t, pat, browserNamed("a"))
	expect("a log-in", "pat@c1.example logged_in pat@c1.example 192.0.2.1")
	again := browserNamed("a")
	again.Token = one
	one = s.must(t, pat, again)
	expect("again in that browser", `pat@c1.example session_ended pat@c1.example 192.0.2.1 {"cause": "replaced"}`, "pat@c1.example logged_in pat@c1.example 192.0.2.1")
	other := s.must(t, pat, browserNamed("b"))
	if err := s.sessions.LogOut(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	expect("a log-out", "pat@c1.example logged_in pat@c1.example 192.0.2.1", "pat@c1.example logged_out pat@c1.example 192.0.2.1")

	s.must(t, pat, browserNamed("b"))
	who, err := s.sessions.Session(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.sessions.EndOthers(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	expect("all others ended", "pat@c1.example logged_in pat@c1.example 192.0.2.1", `pat@c1.example session_ended pat@c1.example {"cause": "ended"}`)
	const changed = "another phrase, as long"
	if err := s.sessions.ChangePassword(t.Context(), who, ownPassword, changed); err != nil {
		t.Fatal(err)
	}
	if got, want := acts(t, s.DB, "people", since), []string{`pat@c1.example person pat@c1.example 192.0.2.1 {"login": "pat@c1.example", "password": ["before", "changed"]}`}; !slices.Equal(got, want) {
		t.Errorf("a password: %q, want %q", got, want)
	}
	since = lastAudit(t, s.DB)

	// a desk closes the log-in: the end of its session is theirs
	pgtest.Exec(t, s.DB, "insert into portal.user_duty (user_id, duty) select l.login_id, d.code from portal.login l "+
		"cross join portal.duty d where l.staff_role is not null")
	staff, _, err := s.sessions.LogIn(t.Context(), dana, ownPassword, browserNamed("c"))
	if err != nil {
		t.Fatal(err)
	}
	boss, err := s.sessions.Session(t.Context(), staff)
	if err != nil {
		t.Fatal(err)
	}
	if err := sql.NewPeopleStore(s.stores, 4).DisablePerson(t.Context(), boss, "C1", who.LoginID, true); err != nil {
		t.Fatal(err)
	}
	expect("closed by staff", "dana@demo.example logged_in dana@demo.example 192.0.2.1", "dana@demo.example session_ended pat@c1.example 192.0.2.1")
	pgtest.Exec(t, s.DB, "update portal.session set expires_at = erp.now()")
	if _, err := house.EndExpiredSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := acts(t, s.DB, "sign_in", since); len(got) != 1 || !strings.HasSuffix(got[0], `session_ended dana@demo.example {"cause": "expired"}`) {
		t.Errorf("expired: %q", got)
	}
}

// Wrong passwords are one row a minute for each log-in and address, and the e-mails that nobody has are not kept. What
// was right is not counted.
func TestFailuresAreCounted(t *testing.T) {
	t.Parallel()
	s := newSignIn(t, 4)
	s.sessions = sql.NewSessionStore(s.stores, sql.SessionConfig{Cost: 4, Slow: time.Nanosecond})
	tell := func() string { // a minute may end meanwhile: summed up
		t.Helper()
		since := lastAudit(t, s.DB)
		pgtest.Exec(t, s.DB, "select portal.tell_login_failures('0')")
		return pgtest.Value[string](t, s.DB, `select string_agg(x.line, '; ' order by x.line) from (
			select concat_ws(' ', actor, subject, source, sum((data ->> 'tries')::int), sum((data ->> 'refused')::int),
				data ->> 'unknown') as line
			from portal.audit where audit_id > $1 and action = 'login_failed' group by actor, subject, source, data ->> 'unknown') x`, since)
	}
	from := portal.Browser{Source: "192.0.2.7"}
	fail := func(n int, email string) {
		for range n {
			if _, err := s.logIn(t, email, "not the right one", from); err == nil {
				t.Fatal("logged in")
			}
		}
	}
	fail(2, "pat@c1.example")
	s.must(t, "pat@c1.example", from) // right at last
	fail(1, "nobody@c1.example")
	fail(1, "somebody@else.example")
	if got, want := tell(), "pat@c1.example pat@c1.example 192.0.2.7 2; unknown  192.0.2.7 2 true"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	fail(7, "pat@c1.example") // the fifth locks
	if got, want := tell(), "pat@c1.example pat@c1.example 192.0.2.7 7 2"; got != want {
		t.Errorf("locked: %q, want %q", got, want)
	}
	if n := pgtest.Value[int](t, s.DB, "select count(*)::int from portal.audit where audit::text ~ 'nobody@|somebody@|not the right'"); n != 0 {
		t.Error("what was typed is kept")
	}
	if n := pgtest.Value[int](t, s.DB, "select count(*)::int from portal.login_failure"); n != 0 {
		t.Errorf("%d counts stay", n)
	}
	// a flood from very many addresses: 200 rows a minute, and one that counts the rest
	pgtest.Exec(t, s.DB, `insert into portal.login_failure (minute, login_id, source, tries)
		select date_trunc('minute', clock_timestamp() - interval '5 minutes'), 0, 'net ' || n, 1 + (n % 3) from generate_series(1, 5000) n`)
	since := lastAudit(t, s.DB)
	pgtest.Exec(t, s.DB, "select portal.tell_login_failures('0')")
	if got, want := pgtest.Value[string](t, s.DB, `select concat_ws(' ', count(*), sum((data ->> 'tries')::int), max((data ->> 'sources')::int), max((data ->> 'tries')::int))
		from portal.audit where audit_id > $1`, since), "201 10001 4800 9401"; got != want {
		t.Errorf("a flood: %s, want %s", got, want)
	}
}

// What the program records is of a session that lives, by whom the session is, and of a kind that is the program's.
func TestRecordAct(t *testing.T) {
	t.Parallel()
	s := newSignIn(t, 4)
	store := sql.NewActStore(s.stores)
	session := func(email string) portal.Session {
		who, err := s.sessions.Session(t.Context(), s.must(t, email, browserNamed(email[:1])))
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
	pgtest.Exec(t, s.DB, "insert into portal.user_duty (user_id, duty) select l.login_id, d.code from portal.login l "+
		"cross join portal.duty d where l.staff_role is not null")
	pat, dana := session("pat@c1.example"), session("dana@demo.example")
	pgtest.Exec(t, s.DB, "update erp.web_access set enabled = true; insert into erp.customer (customer_id, customer_no, name) overriding system value values (2, 'C2', 'Other')")
	if err := s.sessions.BeginActing(t.Context(), dana, "C1", portal.ActingPreview); err != nil {
		t.Fatal(err)
	}
	preview, ok, err := s.sessions.ActingFor(t.Context(), dana)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	since := lastAudit(t, s.DB)
	for _, x := range []struct {
		who portal.Session
		act portal.Act
	}{
		{pat, portal.Act{Kind: portal.ActExport, What: "invoices", Asked: "state=open", CustomerNo: "C2"}},
		{dana, portal.Act{Kind: portal.ActPaper, Subject: "INV-1", What: "invoice", CustomerNo: "C2"}},
		{preview, portal.Act{Kind: portal.ActExport, What: "invoices"}},
		{dana, portal.Act{Kind: portal.ActMailRead, Subject: "7"}},
		{dana, portal.Act{Kind: portal.ActMailRead, Subject: "7"}}, // once a minute
		{dana, portal.Act{Kind: portal.ActMailRead, Subject: "8"}},
	} {
		if err := store.Record(t.Context(), x.who, x.act); err != nil {
			t.Error(err)
		}
	}
	got := pgtest.Value[string](t, s.DB, `select string_agg(concat_ws(' ', actor, action, subject, customer_id, source, data), E'\n' order by audit_id)
		from portal.audit where audit_id > $1`, since)
	want := `pat@c1.example export  1 192.0.2.1 {"what": "invoices", "asked": "state=open"}
dana@demo.example paper INV-1 2 192.0.2.1 {"what": "invoice"}
dana@demo.example for C1 export  1 192.0.2.1 {"what": "invoices", "acting": "preview"}
dana@demo.example mail_read 7 192.0.2.1 {}
dana@demo.example mail_read 8 192.0.2.1 {}`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if err := store.Record(t.Context(), pat, portal.Act{Kind: "payment", Subject: "forged"}); portal.ErrorCode(err) != portal.CodeNotFound {
		t.Errorf("a change of a row by hand: %v", err)
	}
	pgtest.Exec(t, s.DB, "delete from portal.session where session_id = $1", pat.ID)
	if err := store.Record(t.Context(), pat, portal.Act{Kind: portal.ActExport}); portal.ErrorCode(err) != portal.CodeUnauthorized {
		t.Errorf("after the session: %v", err)
	}
}

// Nobody edits the log, and customers' requests do not read it.
func TestNobodyEditsTheLog(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, "insert into portal.audit (action, actor, customer_id) values ('export', 'x', 1)")
	pgtest.Exec(t, db, "do $$ begin create role test_erp nologin; exception when duplicate_object then null; end $$; grant usage on schema erp, portal to test_erp; grant all on all tables in schema erp to test_erp")
	for _, role := range []string{"portal_web", "portal_desk", "portal_work", "portal_auth", "test_erp"} {
		for _, statement := range []string{
			"insert into portal.audit (action) values ('forged')", "update portal.audit set actor = 'x'", "delete from portal.audit", "truncate portal.audit",
			"update portal.audit_head set forgetting = pg_current_xact_id()", "update portal.audit_chain set hash = ''", "delete from portal.login_failure",
			"update portal.act_kind set label = 'x'", "select portal.add_act('export', 'x', null, '', '{}', null)", "select portal.keep_history_digest(1)",
			"alter table portal.audit disable trigger all",
		} {
			if refusal, _, _ := writeAs(t, db, role, statement); refusal == nil || refusal.Code != "42501" {
				t.Errorf("%s: %s: %v", role, statement, refusal)
			}
		}
		for _, c := range []struct {
			statement string
			may       []string
		}{
			{"select count(*) from portal.audit", []string{"portal_desk", "portal_work"}},
			{"select count(*) from portal.audit_page(null, null, null, null, null, null, null, null, 10)", []string{"portal_desk"}},
			{"select portal.forget_audit(10)", []string{"portal_work"}},
			{"select portal.record_act(1, 'export', null, '', '{}', null)", []string{"portal_auth", "portal_work"}},
		} {
			refusal, _, _ := writeAs(t, db, role, c.statement)
			if may := slices.Contains(c.may, role); may == (refusal != nil && refusal.Code == "42501") {
				t.Errorf("%s: %s: %v", role, c.statement, refusal)
			}
		}
	}
	for _, statement := range []string{"update portal.audit set actor = 'x'", "delete from portal.audit", "truncate portal.audit"} {
		if got := refused(t, db, statement); got != "audit_append_only" {
			t.Errorf("the owner: %s: %s", statement, got)
		}
	}
}

// Every action that a function or trigger writes has words.
func TestActKinds(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	known := strings.Fields(pgtest.Value[string](t, db, "select string_agg(code, ' ') from portal.act_kind"))
	sources := pgtest.Value[string](t, db, "select string_agg(prosrc, E'\n;;\n') from pg_proc where pronamespace in ('erp'::regnamespace, 'portal'::regnamespace)")
	found := map[string]bool{}
	add := func(pattern string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(sources, -1) {
			found[m[1]] = true
		}
	}
	add(`insert into portal\.audit \(action[^)]*\)\s*(?:values \(|select )'(\w+)'`)
	add(`insert into portal\.audit \(actor, action[^)]*\)\s*(?:values \(|select )[\w.' ]+, '(\w+)'`)
	add(`portal\.add_act\('(\w+)'`)
	add(`then '(logged_out|factor_proved)'`)
	for _, table := range strings.Fields(pgtest.Value[string](t, db, `select string_agg(distinct c.relname, ' ') from pg_trigger t join pg_class c on c.oid = t.tgrelid
		where t.tgfoid::regproc::text in ('portal.rows_audited', 'portal.lines_audited', 'portal.price_rule_audited')`)) {
		found[table] = true
	}
	if len(found) < 35 {
		t.Errorf("only %d found", len(found))
	}
	for code := range found {
		if !slices.Contains(known, code) {
			t.Errorf("%s has no row of portal.act_kind", code)
		}
	}
	for _, group := range portal.ActGroups {
		if group.Label() == "" {
			t.Errorf("group %s has no label", group)
		}
	}
	pgtest.Exec(t, db, fmt.Sprintf("select 1 / (count(*) = %d)::int from (select distinct unnest(regexp_matches(pg_get_constraintdef(oid), '''(\\w+)''', 'g')) from pg_constraint where conname = 'act_kind_act_group') g", len(portal.ActGroups)))
}
