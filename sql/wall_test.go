package sql_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

func ownWall(t testing.TB) []sql.WallRow {
	t.Helper()
	rows, err := sql.OwnWall()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// broken runs statements in a transaction that is taken back, and returns the
// holes that are seen meanwhile.
func broken(t testing.TB, db *pgtest.DB, statement string) (holes []string) {
	t.Helper()
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	found, err := sql.CheckWallIn(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		if d.Hole {
			holes = append(holes, d.What())
		}
	}
	return holes
}

// What can be done to a wall, each named in words.
func TestHoles(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, "create table erp.their_own (a int); create view public.their_view as select 1")
	for _, c := range []struct {
		statement string
		want      []string
	}{
		{"select 1", nil},
		// what belongs to other programs
		{`grant all on erp.their_own to public; create trigger theirs after insert on erp.invoice
			for each row execute function erp.audit_theirs()`, nil},
		{`create policy theirs on erp.customer as restrictive to portal_desk using (true); create index theirs
			on erp.invoice (total);
			alter table erp.customer add column theirs text; grant select on erp.customer to pg_monitor`, nil},
		// rights
		{"grant select on erp.item to portal_web", []string{"a right too many: select on table erp.item to portal_web"}},
		{"grant select (cost) on erp.item to portal_web",
			[]string{"a right too many: select (cost) on table erp.item to portal_web"}},
		{"grant select on erp.sales_order to public",
			[]string{"a right too many: select on table erp.sales_order to public"}},
		{"grant execute on function portal.run_standing_order(bigint) to public",
			[]string{"a right too many: execute on function portal.run_standing_order(bigint) to public"}},
		{"grant delete on portal.audit to portal_desk",
			[]string{"a right too many: delete on table portal.audit to portal_desk"}},
		{"grant create on schema portal to portal_web", []string{"a right too many: create on schema portal to portal_web"}},
		{"revoke select on erp.invoice from portal_web",
			[]string{"a right is missing: select on table erp.invoice to portal_web"}},
		{"revoke execute on function portal.customer_id() from public",
			[]string{"a right is missing: execute on function portal.customer_id() to public"}},
		{"do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
			[]string{"the right to temporary objects is of portal_desk, portal_owner, public, not of portal_desk, portal_owner"}},
		// row-level security and policies
		{"alter table erp.invoice disable row level security", []string{"row-level security on erp.invoice is off, not on"}},
		{"create policy theirs on erp.customer to portal_web using (true)",
			[]string{"policy theirs on erp.customer is not ours and lets more through: as permissive for all to portal_web " +
				"using (true)"}},
		{"create policy theirs on erp.customer for select using (true)",
			[]string{"policy theirs on erp.customer is not ours and lets more through: as permissive for select to public " +
				"using (true)"}},
		{"drop policy own_customer_only on erp.customer", []string{"policy own_customer_only on erp.customer is missing"}},
		{"alter policy own_customer_only on erp.customer using (true)",
			[]string{"policy own_customer_only on erp.customer reads otherwise: as restrictive for all to portal_web using " +
				"(true) with check ((customer_id = portal.customer_id())); it must be: as restrictive for all to portal_web " +
				"using ((customer_id = portal.customer_id())) with check ((customer_id = portal.customer_id()))"}},
		{"alter policy own_customer_only on erp.customer to portal_desk",
			[]string{"policy own_customer_only on erp.customer reads otherwise: as restrictive for all to portal_desk using " +
				"((customer_id = portal.customer_id())) with check ((customer_id = portal.customer_id())); it must be: as " +
				"restrictive for all to portal_web using ((customer_id = portal.customer_id())) with check ((customer_id = " +
				"portal.customer_id()))"}},
		// functions
		{"create or replace function portal.customer_id() returns bigint language sql stable parallel safe as 'select " +
			"1::bigint'", []string{"function portal.customer_id() has another body"}},
		{"alter function portal.submit_cart security invoker", []string{"function SUBMIT has another security"}},
		{"alter function portal.may(text) set search_path = public",
			[]string{"function portal.may(text) has another settings"}},
		{"alter function portal.may(text) volatile", []string{"function portal.may(text) has another volatility"}},
		{"alter function portal.may(text) owner to current_user",
			[]string{"function portal.may(text) is owned by postgres, not by portal_owner"}},
		{"create or replace view portal.stocked_item with (security_barrier = false) as select item_id from erp.item", nil},
		// triggers
		{"alter table erp.sales_order disable trigger sales_order_approval",
			[]string{"trigger sales_order_approval on erp.sales_order is disabled"}},
		{"drop trigger sales_order_approval on erp.sales_order",
			[]string{"trigger sales_order_approval on erp.sales_order is missing"}},
		// roles and owners
		{"alter role portal_web bypassrls", []string{"role portal_web has bypassrls"}},
		{"alter role portal_web superuser createdb", []string{"role portal_web has superuser, createdb"}},
		{"grant portal_desk to portal_web", []string{"portal_web is a member of portal_desk"}},
		{"grant portal_owner to portal_desk", []string{"portal_desk is a member of portal_owner"}},
		{"grant portal_desk to portal_auth", []string{"portal_auth is a member of portal_desk"}},
		{"grant pg_read_all_data to portal_web", []string{"portal_web is a member of pg_read_all_data"}},
		{"alter table erp.invoice owner to portal_web", nil},
		{"alter schema erp owner to current_user", []string{"schema erp is owned by postgres, not by portal_owner"}},
		{"drop table portal.favorite cascade", nil},
	} {
		statement := strings.ReplaceAll(c.statement, "erp.audit_theirs()", "suppress_redundant_updates_trigger()")
		statement = strings.ReplaceAll(statement, "after insert on erp.invoice", "before update on erp.invoice")
		got := broken(t, db, statement)
		switch {
		case strings.Contains(statement, "stocked_item"):
			if len(got) != 1 || !strings.HasPrefix(got[0],
				"view portal.stocked_item reads otherwise: with (security_barrier=false) as SELECT") {
				t.Errorf("%s: %q", statement, got)
			}
		case strings.Contains(statement, "owner to portal_web"):
			if !slices.Contains(got, "table erp.invoice is owned by portal_web, not by portal_owner") {
				t.Errorf("%s: %q", statement, got)
			}
		case strings.Contains(statement, "drop table"):
			if !slices.Contains(got, "table portal.favorite is missing") ||
				!slices.Contains(got, "policy own_customer_only on portal.favorite is missing") {
				t.Errorf("%s: %q", statement, got)
			}
		case strings.Contains(statement, "submit_cart"):
			if len(got) != 1 || !strings.HasPrefix(got[0], "function portal.submit_cart(") ||
				!strings.HasSuffix(got[0], " has another security") {
				t.Errorf("%s: %q", statement, got)
			}
		default:
			if !slices.Equal(got, c.want) {
				t.Errorf("%s:\n%q, want\n%q", statement, got, c.want)
			}
		}
	}
}

// Every row of the manifest is missed, whatever happened to it: all of a kind
// broken at once, each must be told.
func TestEveryRowIsCompared(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for kind, breaks := range map[string]func(r sql.WallRow) string{
		"grant": func(r sql.WallRow) string {
			i := strings.LastIndex(r.Name, " to ")
			return "revoke " + r.Name[:i] + " from " + r.Name[i+4:]
		},
		"policy": func(r sql.WallRow) string { return "drop policy " + r.Name },
		"rls": func(r sql.WallRow) string {
			if r.Def == "off" {
				return "alter table " + r.Name + " enable row level security"
			}
			return "alter table " + r.Name + " disable row level security"
		},
		"trigger": func(r sql.WallRow) string {
			name, table, _ := strings.Cut(r.Name, " on ")
			return "alter table " + table + " disable trigger " + name
		},
		"function": func(r sql.WallRow) string { return "alter function " + r.Name + " cost 7 leakproof" },
		"index":    func(r sql.WallRow) string { return "drop index " + r.Name },
	} {
		tx, err := db.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, r := range ownWall(t) {
			if r.Kind == kind {
				want[r.Name] = true
				if _, err := tx.Exec(t.Context(), breaks(r)); err != nil {
					t.Fatalf("%s: %v", breaks(r), err)
				}
			}
		}
		rows := len(want)
		found, err := sql.CheckWallIn(t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if d.Kind() != kind {
				t.Errorf("%s: found as well: %s", kind, d.What())
			}
			delete(want, d.Name())
		}
		if kind == "policy" && rows < 100 {
			t.Errorf("only %d policies", rows)
		}
		for name := range want {
			t.Errorf("%s %s: nobody noticed", kind, name)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// migrated runs a migration and returns what it repaired.
func migrated(t testing.TB, url string) (repaired []string, err error) {
	t.Helper()
	err = sql.Migration{URL: url, Steps: []sql.Step{jobs.Migrate},
		Repaired: func(what string) { repaired = append(repaired, what) }}.Run(t.Context())
	return repaired, err
}

func wallOf(t testing.TB, url string) sql.Wall {
	t.Helper()
	w, err := sql.CheckWall(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Whatever was done by hand, migrate puts it back, and nothing is left.
func TestMigrateRepairs(t *testing.T) {
	t.Parallel()
	db := pgtest.Private(t)
	if repaired, err := migrated(t, db.URL); err != nil || len(repaired) > 0 {
		t.Fatalf("a fresh database: %q, %v", repaired, err)
	}
	var breaks strings.Builder
	for _, r := range ownWall(t) {
		switch r.Kind {
		case "policy":
			fmt.Fprintf(&breaks, "drop policy %s;\n", r.Name)
		case "grant":
			i := strings.LastIndex(r.Name, " to ")
			fmt.Fprintf(&breaks, "revoke %s from %s;\n", r.Name[:i], r.Name[i+4:])
		case "rls":
			fmt.Fprintf(&breaks, "alter table %s disable row level security;\n", r.Name)
		case "trigger":
			name, table, _ := strings.Cut(r.Name, " on ")
			switch len(name) % 2 {
			case 0:
				fmt.Fprintf(&breaks, "alter table %s disable trigger %s;\n", table, name)
			case 1:
				fmt.Fprintf(&breaks, "drop trigger %s;\n", r.Name)
			}
		case "index":
			fmt.Fprintf(&breaks, "drop index %s;\n", r.Name)
		case "constraint":
			if strings.HasPrefix(r.Def, "CHECK") || strings.HasPrefix(r.Def, "FOREIGN") {
				fmt.Fprintf(&breaks, "alter table %s drop constraint %s;\n", r.Object, strings.TrimPrefix(r.Name, r.Object+"."))
			}
		case "owner":
			fmt.Fprintf(&breaks, "alter %s owner to postgres;\n", r.Name)
		case "function":
			fmt.Fprintf(&breaks,
				"alter function %s volatile security invoker reset all;\ngrant execute on function %[1]s to public;\n", r.Name)
		}
	}
	pgtest.Exec(t, db, "set client_min_messages = error;\n"+breaks.String()+`
		alter default privileges for role portal_owner grant execute on functions to public;
		create or replace function portal.customer_id() returns bigint language sql as 'select 7::bigint';
		create or replace function erp.today() returns date language sql as 'select current_date';
		drop function portal.order_waits(bigint, text);
		drop function erp.day_text(date);
		create function erp.day_text(date) returns int language sql as 'select 1';
		alter table erp.company alter column low_stock drop not null, alter column low_stock set default 3;
		alter role portal_web bypassrls createrole; grant portal_desk to portal_web;
		create policy opens on erp.invoice to portal_web using (true);
		create table erp.their_own (a int); grant all on erp.their_own to public;`)
	before := wallOf(t, db.URL)
	if n := len(before.Differences); n < 1500 {
		t.Errorf("only %d differences", n)
	}
	repaired, err := migrated(t, db.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"role portal_web has bypassrls, createrole", "portal_web is a member of portal_desk",
		"function portal.customer_id() has another body, parallel, volatility",
		"policy opens on erp.invoice is not ours and lets more through: as permissive for all to portal_web using (true)",
		"function portal.order_waits(bigint,text) is missing"} {
		if !slices.Contains(repaired, what) {
			t.Errorf("not told: %s", what)
		}
	}
	if w := wallOf(t, db.URL); len(w.Differences) > 0 {
		for _, d := range w.Differences {
			t.Errorf("left: %s", d.What())
		}
	}
	if repaired, err := migrated(t, db.URL); err != nil || len(repaired) > 0 {
		t.Errorf("a third time: %q, %v", repaired, err)
	}
	if !pgtest.Value[bool](t, db, "select has_table_privilege('portal_web', 'erp.their_own', 'select')") {
		t.Error("another program's table lost its rights")
	}
	found, err := sql.Examine(t.Context(), sql.Examination{URL: db.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if !f.OK {
			t.Errorf("doctor: %s: %s", f.What, f.Advice)
		}
	}
}

// The owner of the database migrates it and puts back what it may, without being
// a superuser.
func TestMigrateAsTheDatabasesOwner(t *testing.T) {
	t.Parallel()
	db := pgtest.Private(t)
	pgtest.Exec(t, db, "create role erp_admin login createrole noinherit password 'x'")
	pgtest.Exec(t, db, "grant portal_owner, portal_web, portal_desk, portal_work to erp_admin")
	pgtest.Exec(t, db, "alter database "+db.Name+" owner to erp_admin")
	pgtest.Exec(t, db, "drop policy own_customer_only on erp.invoice; grant select on erp.item to public; delete from "+
		"portal.wall")
	config, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.User = url.UserPassword("erp_admin", "x")
	repaired, err := migrated(t, config.String())
	if err != nil || len(repaired) != 2 {
		t.Errorf("%q, %v", repaired, err)
	}
	if w := wallOf(t, config.String()); w.Other || len(w.Differences) > 0 {
		t.Errorf("%+v", w)
	}
	// a role's attributes are a superuser's: that is said
	pgtest.Exec(t, db, "alter role portal_web bypassrls")
	if _, err := migrated(t, config.String()); err == nil ||
		!strings.Contains(err.Error(), "role portal_web has bypassrls (PostgreSQL says: ") {
		t.Errorf("%v", err)
	}
}

// What is gone for good, or what its rows speak against, is named; all else is
// repaired all the same.
func TestMigrateRefuses(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, `drop table portal.favorite; alter table portal.event_node drop column source;
		alter table erp.company drop constraint company_currency; update erp.company set currency = 'dollars';
		drop policy own_customer_only on erp.invoice`)
	_, err := migrated(t, db.URL)
	if err == nil {
		t.Fatal("migrated")
	}
	for _, want := range []string{"table portal.favorite is missing (a migration made it, and its rows are gone: " +
		"restore it from a backup)",
		"column portal.event_node.source is missing (a migration made it, and what was in it is gone",
		`constraint erp.company.company_currency is missing (PostgreSQL says: check constraint "company_currency" of relation "company" is violated by some row`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not in the refusal: %s\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "own_customer_only on erp.invoice") ||
		pgtest.Value[int](t, db,
			"select count(*) from pg_policy where polrelid = 'erp.invoice'::regclass and polname = 'own_customer_only'") != 1 {
		t.Errorf("what can be repaired was not: %v", err)
	}
	pgtest.Exec(t, db, "update erp.company set currency = 'USD'")
}

// The doctor looks at all it can, whatever is there.
func TestExamineGoesOn(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*pgtest.DB){
		"empty": func(*pgtest.DB) {},
		"half": func(db *pgtest.DB) {
			pgtest.Exec(t, db, "create schema portal; create table portal.migration (version_id bigint); create table "+
				"portal.installed (name text, hash text); insert into portal.migration values (1), (2)")
		},
		"without its log": func(db *pgtest.DB) {
			if _, err := migrated(t, db.URL); err != nil {
				t.Fatal(err)
			}
			pgtest.Exec(t, db, "drop table portal.event cascade; delete from portal.migration where version_id = 19")
		},
	} {
		db := pgtest.Empty(t)
		prepare(db)
		found, err := sql.Examine(t.Context(), sql.Examination{URL: db.URL})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var bad []string
		for _, f := range found {
			if !f.OK {
				bad = append(bad, f.What)
			}
		}
		text := strings.Join(bad, "\n")
		want := map[string]string{"empty": "the portal's schemas are there", "half": "the schema is this version's (",
			"without its log": "the schema is this version's (1 migrations behind)\n"}[name]
		if !strings.Contains(text, want) || !strings.Contains(text, "table portal.event is missing") ||
			found[len(found)-1].What == "" {
			t.Errorf("%s: %s", name, text)
		}
		if last := found[len(found)-1].What; !strings.Contains(last, "invariants") {
			t.Errorf("%s: it ended with %s", name, last)
		}
	}
}

// An older or newer version's server compares with what the newer one left.
func TestWallOfAnotherVersion(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if w := wallOf(t, db.URL); w.Other || w.Behind != 0 || len(w.Differences) > 0 {
		t.Errorf("%+v", w)
	}
	// another version has made more, and a function otherwise
	pgtest.Exec(t, db,
		`create or replace function portal.acting_by() returns text language sql stable parallel safe as 'select null::text'`)
	if w := wallOf(t, db.URL); len(w.Holes()) != 1 {
		t.Errorf("%+v", w)
	}
	body := pgtest.Value[string](t, db,
		`select left(encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'), 24) from pg_proc
			where oid = 'portal.acting_by()'::regprocedure`)
	was := pgtest.Value[string](t, db,
		`select substring(line
			from '\\"body\\" : \\"([0-9a-f]+)') from portal.wall, regexp_split_to_table(manifest, '\n') line where line like '["function","portal.acting_by()"%'`)
	pgtest.Exec(t, db, `update portal.wall set manifest = replace(manifest, $1, $2)`, was, body)
	pgtest.Exec(t, db, `update portal.wall set version = encode(sha256(convert_to(manifest, 'UTF8')), 'hex')`)
	if w := wallOf(t, db.URL); !w.Other || len(w.Differences) > 0 {
		t.Errorf("%+v", w)
	}
	pgtest.Exec(t, db, "drop policy own_customer_only on erp.invoice; delete from portal.migration where version_id >= 18")
	if w := wallOf(t, db.URL); !w.Other || w.Behind < 2 || len(w.Holes()) != 1 {
		t.Errorf("%+v", w)
	}
}

// A server starts with this check: it must not be felt.
func TestCheckWallIsQuick(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	best := time.Hour
	for range 5 {
		began := time.Now()
		wallOf(t, db.URL)
		best = min(best, time.Since(began))
	}
	t.Logf("%v", best)
	if best > time.Second { // 50 ms on a quiet machine
		t.Errorf("%v", best)
	}
}

// Only parentheses that change nothing are passed over.
func TestSameText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"CHECK ((((a >= 1) AND (a <= 7)) AND (b IS NULL)))", "CHECK (((a >= 1) AND (a <= 7) AND (b IS NULL)))", true},
		{"using ((((a = 1) OR (b = 2)) OR c))", "using (((a = 1) OR (b = 2) OR c))", true},
		{"using (((a = 1) OR ((b = 2) AND c)))", "using ((((a = 1) OR (b = 2)) AND c))", false},
		{"using ((NOT (a OR b)))", "using (((NOT a) OR b))", false},
		{"using ((a = 'x) OR (y'))", "using ((a = 'x OR y'))", false},
		{"using (f(a, b))", "using (f((a, b)))", false},
		{"using (((a + b) * c))", "using ((a + (b * c)))", false},
		{"using (true)", "using (false)", false},
	} {
		if got := sql.SameText(c.a, c.b); got != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}
