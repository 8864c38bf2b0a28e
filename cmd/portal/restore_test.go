package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"portal.example/portal/internal/localpg"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// dumped is a dump of a database in PostgreSQL's own format.
func dumped(t testing.TB, db *pgtest.DB) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "erp.dump")
	if out, err := program(t, "pg_dump", "--format=custom", "--file="+file, db.URL); err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, out)
	}
	return file
}

// bare is an empty database on a server of its own that knows no role of ours.
func bare(t testing.TB) *pgtest.DB {
	t.Helper()
	db := pgtest.Private(t)
	name := db.Name
	db.Pool.Reset()
	other := pgtest.Connect(t, db.Server(), "postgres")
	for _, statement := range []string{"drop database " + name + " with (force)", "drop role portal_owner",
		"drop role portal_web", "drop role portal_desk", "drop role portal_work", "drop role portal_auth",
		"create database " + name} {
		pgtest.Exec(t, other, statement)
	}
	return db
}

// program runs one of PostgreSQL's own.
func program(t testing.TB, name string, args ...string) (out string, err error) {
	t.Helper()
	binaries, err := localpg.Find()
	if err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), filepath.Join(binaries.Dir, name), args...).CombinedOutput()
	return string(text), err
}

// examined is what portal doctor says.
func examined(t testing.TB, url string) (text string, err error) {
	t.Helper()
	var out bytes.Buffer
	c := doctorCommand{WebConns: 16}
	c.URL = url
	err = c.Run(t.Context(), &out)
	return out.String(), err
}

// starts reports why a server does not start on a database; nil where it does.
func starts(t testing.TB, url string) error {
	t.Helper()
	a, err := newApp(t.Context(), url, url, settings{Addr: "127.0.0.1:0", PlainHTTP: true, WebConns: 1},
		slog.New(slog.DiscardHandler))
	if err == nil {
		a.db.Close()
	}
	return err
}

// The drill: a dump of a portal at work, restored on another server that knows
// none of its roles. Nothing may be served from it until portal migrate has put
// up the wall again.
func TestRestoreWithoutRoles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one, two := s.buyer("C1001").order("OIL5", "2"), s.buyer("C1002").order("OIL5", "3")
	eventually(t, "approved", func() bool {
		return pgtest.Value[int](t, s.db, "select count(*) from erp.sales_order where status = 'APPROVED'") == 2
	})
	s.stop()
	file := dumped(t, s.db)

	db := bare(t)
	out, err := program(t, "pg_restore", "--no-owner", "--no-acl", "--dbname="+db.URL, file)
	if err == nil || !strings.Contains(out, `role "portal_web" does not exist`) {
		t.Fatalf("restored whole? %v\n%s", err, out)
	}
	if n := pgtest.Value[int](t, db, "select count(*) from pg_policy"); n > 60 {
		t.Errorf("%d policies were restored", n)
	}
	err = starts(t, db.URL)
	if holes, ok := errors.AsType[*sql.HoleError](err); !ok || len(holes.Holes) < 500 ||
		!strings.Contains(err.Error(), "portal_web is missing") || !strings.Contains(err.Error(), "Run portal migrate") {
		t.Errorf("serve: %v", err)
	}
	text, err := examined(t, db.URL)
	if err == nil {
		t.Error("the doctor finds it well")
	}
	for _, want := range []string{"BAD  policy own_customer_only on erp.sales_order is missing",
		"BAD  role portal_web is missing", "BAD  rights are missing on table erp.sales_order: ",
		"BAD  table erp.sales_order is owned by postgres, not by portal_owner",
		"BAD  rights too many on function portal.run_standing_order(bigint): execute to public",
		"BAD  this user may act as portal_web"} {
		if !strings.Contains(text, want) {
			t.Errorf("the doctor does not say: %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}

	var told bytes.Buffer
	c := migrateCommand{}
	c.URL = db.URL
	if err := c.Run(t.Context(), &told); err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	if !strings.Contains(told.String(), "not as it must be: policy own_customer_only on erp.sales_order is missing\n") {
		t.Errorf("migrate says %s", told.String())
	}
	const shared = "1 numbers or barcodes mean more than one item or unit"
	if strings.Contains(told.String(), shared) {
		t.Errorf("migrate tells of codes that nobody shares: %s", told.String())
	}
	pgtest.Exec(t, db,
		`update erp.company set duplicate_codes = 'allow'; insert into erp.item (item_no, description, price_a)
			values ('Twin', 'Twin', 1), ('TWIN', 'Twin', 1)`)
	told.Reset()
	if err := c.Run(t.Context(), &told); err != nil || !strings.Contains(told.String(), shared) {
		t.Errorf("migrate does not tell of codes that are shared: %s (%v)", told.String(), err)
	}
	if text, err := examined(t, db.URL); err != nil {
		t.Errorf("after migrate the doctor says %s", text)
	}
	restored := startSite(t, db, "127.0.0.1:0", "")
	for _, c := range []struct{ customer, own, others string }{{"C1001", one, two}, {"C1002", two, one}} {
		v := restored.buyer(c.customer)
		if a := v.read("/orders"); !strings.Contains(a.body, c.own) || strings.Contains(a.body, c.others) {
			t.Errorf("%s sees %s", c.customer, a.body)
		}
		if a := v.read("/orders/" + c.others); a.status != 404 {
			t.Errorf("%s opens %s: %d", c.customer, c.others, a.status)
		}
		v.order("RICE25", "1")
	}
	// the wall itself, without the statements' own conditions
	for _, table := range []string{"erp.sales_order", "erp.sales_order_line", "erp.customer",
		"erp.ship_to", "portal.cart"} {
		all := pgtest.Value[int](t, db, "select count(*) from "+table)
		tx, err := db.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var seen int
		_, err = tx.Exec(t.Context(), "set local role portal_web; set local portal.customer_id = '1'")
		if err == nil {
			err = tx.QueryRow(t.Context(), "select count(*) from "+table).Scan(&seen)
		}
		if err != nil || seen == 0 || seen >= all {
			t.Errorf("%s: customer 1 sees %d of %d rows, %v", table, seen, all, err)
		}
		_ = tx.Rollback(context.Background())
	}
}

// With its roles a dump comes back whole, but for the one right that is no part of
// a dump, since it is one on the database itself.
func TestRestoreWithRoles(t *testing.T) {
	t.Parallel()
	source, target := pgtest.New(t), pgtest.Empty(t)
	if out, err := program(t, "pg_restore", "--dbname="+target.URL, dumped(t, source)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w, err := sql.CheckWall(t.Context(), target.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range w.Differences {
		if d.What() != "the right to temporary objects is of public, not of portal_desk, portal_owner" {
			t.Error(d.What())
		}
	}
	if len(w.Holes()) != 1 {
		t.Errorf("%d holes", len(w.Holes()))
	}
	if err := migrate(t.Context(), target.URL); err != nil {
		t.Fatal(err)
	}
	if w, err = sql.CheckWall(t.Context(), target.URL); err != nil || len(w.Differences) > 0 {
		t.Errorf("after portal migrate: %+v, %v", w, err)
	}
}

// A server does not start on a database with a hole, says which and what to run;
// one whose schema is behind is not ready.
func TestServeRefusesAHole(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if err := starts(t, db.URL); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ statement, back, says string }{
		{"drop policy own_customer_only on erp.sales_order", "", "policy own_customer_only on erp.sales_order is missing"},
		{"alter table erp.invoice disable row level security", "alter table erp.invoice enable row level security",
			"row-level security on erp.invoice is off, not on"},
		{"alter table erp.sales_order disable trigger sales_order_approval",
			"alter table erp.sales_order enable trigger sales_order_approval",
			"trigger sales_order_approval on erp.sales_order is disabled"},
		{"grant select on erp.item to portal_web", "revoke select on erp.item from portal_web",
			"rights too many on table erp.item: select to portal_web"},
		{"create or replace function portal.customer_id() returns bigint language sql stable parallel safe as 'select " +
			"1::bigint'", "", "function portal.customer_id() has another body"},
	} {
		pgtest.Exec(t, db, c.statement)
		err := starts(t, db.URL)
		if err == nil || !strings.Contains(err.Error(), "\n  "+c.says+"\n") ||
			!strings.HasSuffix(err.Error(),
				"Run portal migrate, with a user that may create roles: it repairs this, or says why it cannot.") {
			t.Errorf("%s: %v", c.statement, err)
		}
		if text, err := examined(t, db.URL); err == nil || !strings.Contains(text, "BAD  "+c.says+"\n") {
			t.Errorf("%s: the doctor says %s", c.statement, text)
		}
		if c.back != "" {
			pgtest.Exec(t, db, c.back)
		} else if err := migrate(t.Context(), db.URL); err != nil {
			t.Fatal(err)
		}
	}
	// constraints and indexes are the doctor's: a server goes on without them
	pgtest.Exec(t, db, "drop index erp.invoice_ledger; alter table erp.company drop constraint company_currency")
	if text, err := examined(t, db.URL); err == nil ||
		!strings.Contains(text, "BAD  index erp.invoice_ledger is missing") ||
		!strings.Contains(text, "BAD  constraint erp.company.company_currency is missing") {
		t.Errorf("the doctor says %s", text)
	}
	s := startSite(t, db, "127.0.0.1:0", "")
	if a := s.visit().read("/readyz"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
	pgtest.Exec(t, db, "delete from portal.migration where version_id = 25")
	if a := s.visit().read("/readyz"); a.status != 503 ||
		!strings.Contains(s.log.String(), "the database is 1 migrations behind this version: run portal migrate") {
		t.Errorf("%d\n%s", a.status, s.log)
	}
	if text, err := examined(t, db.URL); err == nil ||
		!strings.Contains(text, "BAD  the schema is this version's (1 migrations behind)") {
		t.Errorf("the doctor says %s", text)
	}
}
