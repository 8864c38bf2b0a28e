package sql_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// The rows of erp.order_status and what else knows the statuses: the methods of
// portal.OrderStatus, the check of erp.sales_order and its partial indexes.
func TestOrderStatus(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	codes := func(where string) []string {
		return pgtest.Value[[]string](t, db,
			"select coalesce(array_agg(code order by sort), '{}') from erp.order_status where "+where)
	}
	var all []string
	for _, s := range portal.OrderStatuses {
		all = append(all, string(s))
	}
	if got := codes("true"); !slices.Equal(got, all) {
		t.Errorf("erp.order_status has %v, portal.OrderStatuses %v", got, all)
	}
	for meaning, method := range map[string]func(portal.OrderStatus) bool{
		"is_open": portal.OrderStatus.Open, "is_undecided": portal.OrderStatus.Undecided,
		"is_changeable": portal.OrderStatus.Changeable, "is_pickable": portal.OrderStatus.Pickable,
		"is_shipped": portal.OrderStatus.Shipped,
	} {
		want := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !method(portal.OrderStatus(s)) })
		if got := codes(meaning); !slices.Equal(got, want) {
			t.Errorf("%s is true of %v; in Go of %v", meaning, got, want)
		}
	}
	for name, where := range map[string]string{
		"constraint sales_order_status": "true", "index sales_order_queue": "is_open",
		"index sales_order_uninvoiced": "is_void",
	} {
		kind, object, _ := strings.Cut(name, " ")
		def := "select pg_get_indexdef('erp." + object + "'::regclass)"
		if kind == "constraint" {
			def = "select pg_get_constraintdef(oid) from pg_constraint where conname = '" + object + "'"
		}
		var got []string
		for _, m := range regexp.MustCompile(`'([A-Z_]+)'`).FindAllStringSubmatch(pgtest.Value[string](t, db, def), -1) {
			got = append(got, m[1])
		}
		want := codes(where)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s lists %v, erp.order_status %v", name, got, want)
		}
	}
	if pgtest.Value[bool](t, db,
		"select has_table_privilege('portal_desk', 'erp.order_status', 'insert, update, delete')") {
		t.Error("staff may write what the statuses mean")
	}
}

// A row that a migration adds or changes is in the functions at once.
func TestOrderStatusFollowsRows(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, `insert into erp.order_status (code, sort, is_open, is_undecided, is_changeable, is_to_pick,
			is_pickable, is_shippable, is_released, is_started, is_shipped, is_void)
		values ('EXAMPLE', 1000, true, false, false, false, false, true, true, true, false, false);
		update erp.order_status set is_changeable = false where code = 'APPROVED'`)
	for call, want := range map[string]bool{
		"erp.is_open('EXAMPLE')": true, "erp.is_pickable('EXAMPLE')": false, "erp.is_shippable('EXAMPLE')": true,
		"erp.is_changeable('APPROVED')": false, "erp.is_changeable('ON_HOLD')": true, "erp.is_void(null) is null": true,
	} {
		if got := pgtest.Value[bool](t, db, "select "+call); got != want {
			t.Errorf("%s is %v", call, got)
		}
	}
}

// A function is planned as the list of statuses that it stands for, by every role that
// asks: the same scan, the same estimate, the same partial index.
func TestOrderStatusPlans(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	// past the triggers, which are not what is looked at; one order of 50 is open
	pgtest.Exec(t, db, `set session_replication_role = replica;
		insert into erp.customer (customer_no, name) select 'B' || g, 'Customer ' || g from generate_series(1, 100) g;
		insert into erp.sales_order (customer_id, source, status, submitted_at, invoiced_at)
		select 1 + g % 100, 'PHONE',
			case when g % 50 > 0 then (array['DELIVERED', 'DELIVERED', 'DELIVERED', 'CANCELLED'])[1 + g % 4]
			else (array['SUBMITTED', 'ON_HOLD', 'APPROVED', 'PICKING', 'SHIPPED'])[1 + g / 50 % 5] end,
			'2026-01-01'::timestamptz + g * interval '1 minute', case when g % 50 > 0 then now() end
		from generate_series(1, 20000) g;
		insert into erp.order_status_history (order_id, to_status) select order_id, status from erp.sales_order;
		reset session_replication_role; analyze erp.sales_order`)
	meanings := pgtest.Value[[]string](t, db, `select array_agg(attname::text order by attnum) from pg_attribute
		where attrelid = 'erp.order_status'::regclass and attname like 'is\_%'`)
	if len(meanings) < 10 {
		t.Fatalf("only %v", meanings)
	}
	conn := connectTo(t, db)
	plan := func(where string) string {
		rows, _ := conn.Query(t.Context(), "explain select o.order_id from erp.sales_order o where "+where)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		return strings.Join(lines, "\n")
	}
	for _, role := range []string{"portal_owner", "portal_web", "portal_desk", "portal_work"} {
		if _, err := conn.Exec(t.Context(), "set role "+role); err != nil {
			t.Fatal(err)
		}
		for _, meaning := range meanings {
			codes := pgtest.Value[[]string](t, db, "select array_agg(code order by sort) from erp.order_status where "+meaning)
			list := "'" + strings.Join(codes, "', '") + "'"
			for _, c := range []struct{ asked, spelled string }{
				{"erp." + meaning + "(o.status)", "o.status in (" + list + ")"},
				{"not erp." + meaning + "(o.status) and o.customer_id = 7 and o.invoiced_at is null",
					"o.status not in (" + list + ") and o.customer_id = 7 and o.invoiced_at is null"},
			} {
				if got, want := plan(c.asked), plan(c.spelled); got != want {
					t.Errorf("%s: %s is planned as\n%s\nand the list as\n%s", role, c.asked, got, want)
				}
			}
		}
	}
	if got := plan("erp.is_open(o.status)"); !strings.Contains(got, "sales_order_queue") {
		t.Errorf("the open orders are not read from their index:\n%s", got)
	}
	got := plan("not erp.is_void(o.status) and o.customer_id = 7 and o.invoiced_at is null")
	if !strings.Contains(got, "sales_order_uninvoiced") {
		t.Errorf("a customer's orders to invoice are not read from their index:\n%s", got)
	}
}

// No statement of ours lists statuses of orders by itself.
func TestOrderStatusIsSaidOnce(t *testing.T) {
	t.Parallel()
	texts := sql.Queries()
	for _, folder := range []string{"functions", "../triggers"} {
		names, err := filepath.Glob(folder + "/*.sql")
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no files, %v", folder, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(text)
		}
	}
	const code = `'(SUBMITTED|PICKING|SHIPPED|DELIVERED|ON_HOLD|CANCELLED)'`
	list := regexp.MustCompile(code + `,\s*'[A-Z_]+'|'[A-Z_]+',\s*` + code)
	for name, text := range texts {
		if found := list.FindString(text); found != "" {
			t.Errorf("%s lists %s: ask a function of erp.order_status", name, found)
		}
	}
}
