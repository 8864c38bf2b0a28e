package sql_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// loginWith connects with a log-in of its own that is a member of some roles and
// nothing else. It ends with the test.
func loginWith(t testing.TB, db *pgtest.DB, name string, roles ...string) *pgx.Conn {
	t.Helper()
	login := name + "_of_" + db.Name
	pgtest.Exec(t, db, "create role "+login+" login")
	if len(roles) > 0 {
		pgtest.Exec(t, db, "grant "+strings.Join(roles, ", ")+" to "+login)
	}
	address, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.User(login)
	conn, err := pgx.Connect(t.Context(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close(context.Background())
		pgtest.Exec(t, db, "drop owned by "+login+"; drop role "+login)
	})
	return conn
}

// denied fails the test unless PostgreSQL refuses each statement for want of a
// right.
func denied(t testing.TB, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := conn.Exec(t.Context(), statement)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "42501" {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// What a log-in that holds only portal_web tries, to run code of its own as the
// owner: names of PostgreSQL's own, made once more among its temporary objects,
// where functions that act for their owner might find them first.
func TestFunctionsCannotBeMisled(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db,
		`insert into erp.customer (customer_id, customer_no, name) overriding system value values (1, 'C1', 'One'),
			(2, 'C2', 'Two')`)
	conn := loginWith(t, db, "climber", "portal_web")
	denied(t, conn,
		"create temp table t ()",
		"create function pg_temp.theirs(pg_catalog.date) returns boolean language sql as 'select true'",
		"create domain pg_temp.date as pg_catalog.date",
		"create function public.theirs() returns int language sql as 'select 1'",
		"create table portal.t ()", "create table erp.t ()")

	// and where temporary objects are allowed to it, by whatever mistake
	pgtest.Exec(t, db, "grant temporary on database "+db.Name+" to public")
	for _, statement := range []string{
		`create temp table caught (who text, hashes bigint)`,
		`grant all on pg_temp.caught to public`,
		`create function pg_temp.catch() returns boolean language plpgsql as $$
		declare n bigint := -1;
		begin
		  begin
		    execute 'select count(password_hash) from portal.login' into n;
		  exception when insufficient_privilege then null;
		  end;
		  if current_user <> session_user and current_user <> 'portal_web' then
		    insert into pg_temp.caught values (current_user, n);
		  end if;
		  return true;
		end $$`,
		// every type that our functions name, checked by the climber's function
		`do $$
		declare t text;
		begin
		  foreach t in array array['date', 'text', 'bytea', 'jsonb', 'json', 'uuid',
		    'int8', 'int4', 'bool', 'name', 'numeric', 'timestamptz', 'regclass', 'pg_snapshot', 'daterange'] loop
		    execute format('create domain pg_temp.%I as pg_catalog.%1$I check (pg_temp.catch())', t);
		  end loop;
		end $$`,
		// tables of PostgreSQL's that our functions read
		`create view pg_temp.pg_class as select *, pg_temp.catch() from pg_catalog.pg_class`,
		`create view pg_temp.pg_roles as select *, pg_temp.catch() from pg_catalog.pg_roles`,
		`create view pg_temp.pg_attribute as select attrelid, attname, attidentity, pg_temp.catch()
			from pg_catalog.pg_attribute`,
		// an operator and functions of the same names as those that are used
		`create function pg_temp.same(pg_catalog.int8, pg_catalog.int8) returns pg_catalog.bool language sql as
			'select pg_temp.catch()'`,
		`create operator pg_temp.= (leftarg = pg_catalog.int8, rightarg = pg_catalog.int8, function = pg_temp.same)`,
		`create function pg_temp.coalesce_text(pg_catalog.text) returns pg_catalog.text language sql as 'select $1'`,
		`create function pg_temp.lower(pg_catalog.text) returns pg_catalog.text language sql as
			'select $1 where pg_temp.catch()'`,
		`create function pg_temp.set_config(pg_catalog.text, pg_catalog.text,
			pg_catalog.bool) returns pg_catalog.text language sql as 'select $1 where pg_temp.catch()'`,
		`set search_path = pg_temp, pg_catalog`,
		`set portal.customer_id = '1'`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	// all that the role may run, with arguments that lead somewhere
	rows, err := db.Pool.Query(t.Context(), `select p.oid::regprocedure::text, array(select
			case x::regtype::text when 'bigint' then '1' when 'bigint[]' then '''{1}''' when 'numeric[]' then '''{1}'''
			when 'text[]' then '''{EA}'''
				when 'integer[]' then '''{1}''' when 'date' then 'current_date - 10' when 'boolean' then 'true' when 'text'
				then '''1''' when 'uuid' then 'gen_random_uuid()'
				when 'jsonb' then '''[]''' when 'integer' then '1' when 'numeric' then '1' when 'bytea' then '''x''' else 'null'
				end || '::' || x::regtype::text
			from unnest(p.proargtypes) with ordinality a(x, n) order by n)
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname in ('erp', 'portal') and has_function_privilege('portal_web', p.oid, 'execute') and p.prokind = 'f'
		and p.prorettype <> 'trigger'::regtype`)
	if err != nil {
		t.Fatal(err)
	}
	var name string
	var arguments []string
	called := 0
	_, err = pgx.ForEachRow(rows, []any{&name, &arguments}, func() error {
		called++
		function, _, _ := strings.Cut(name, "(")
		// most refuse such arguments: it counts what they have run until then
		_, _ = conn.Exec(t.Context(), "select count(*) from (select "+function+"("+strings.Join(arguments, ", ")+")) x")
		return nil
	})
	if err != nil || called < 80 {
		t.Fatalf("%d functions, %v", called, err)
	}
	var caught []string
	if err := conn.QueryRow(t.Context(),
		`select pg_catalog.array_agg(distinct c.who operator(pg_catalog.||) ' reads hashes: ' operator(pg_catalog.||)
			(c.hashes operator(pg_catalog.>=) 0)::pg_catalog.text)::pg_catalog.text[]
		from pg_temp.caught c`).Scan(&caught); err != nil {
		t.Fatal(err)
	}
	if len(caught) > 0 {
		t.Errorf("functions have run the climber's code: %q", caught)
	}
}

// A log-in that holds only portal_web gets nothing of a customer that its
// transaction does not act for, whether it has become the role or not.
func TestWebLoginWithoutCustomer(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db,
		`insert into erp.customer (customer_id, customer_no, name) overriding system value values (1, 'C1', 'One');
		insert into portal.login (email, customer_id, name, password_hash)
			values ('one@c1.example', 1, 'One', '$2a$04$' || repeat('x', 53))`)
	conn := loginWith(t, db, "nobody", "portal_web")
	for _, role := range []string{"none", "portal_web"} {
		if _, err := conn.Exec(t.Context(), "set role "+role); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"select portal.people(1)",
			"select portal.request_statement(1, current_date - 9, current_date - 1)", "select erp.balance(1, current_date)",
			"select portal.invite_person(1, 'x@x.example', 'x', 'approver', null, 'order', false, 'x')"} {
			_, err := conn.Exec(t.Context(), statement)
			if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "own_customer_only" {
				t.Errorf("role %s: %s: %v", role, statement, err)
			}
		}
		denied(t, conn, "select erp.next_invoice_no()", "select erp.next_no('order')", "select nextval('erp.order_no_seq')",
			"select password_hash from portal.login", "insert into erp.payment (customer_id, amount) values (1, 1)",
			"select * from portal.login")
		for _, table := range []string{"erp.customer", "erp.invoice", "erp.sales_order"} {
			var n int
			if err := conn.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil || n > 0 {
				t.Errorf("role %s: %d of %s, %v", role, n, table, err)
			}
		}
	}
}

// A program of the ERP's that may insert documents needs no right to draw their
// numbers, and who may not insert them draws none.
func TestNumbersAreDrawnByInserts(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db,
		`insert into erp.customer (customer_id, customer_no, name) overriding system value values (1, 'C1', 'One')`)
	program := loginWith(t, db, "program")
	login := "program_of_" + db.Name
	pgtest.Exec(t, db, "grant usage on schema erp to "+login+
		"; grant select, insert on erp.invoice, erp.payment, erp.credit_memo to "+login)
	for table, want := range map[string]string{"invoice (customer_id, opened_total) values (1, 5) returning invoice_no": "1000",
		"payment (customer_id, amount) values (1, 5) returning payment_no":                     "PY-",
		"credit_memo (customer_id, opened_total, reason) values (1, 5, 'x') returning memo_no": "CM-"} {
		var no string
		if err := program.QueryRow(t.Context(), "insert into erp."+table).Scan(&no); err != nil ||
			!strings.HasPrefix(no, want) {
			t.Errorf("%s: %q, %v", table, no, err)
		}
	}
	denied(t, program, "select erp.next_invoice_no()", "select erp.next_no('payment')")
}
