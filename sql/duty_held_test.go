package sql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// onePerDuty are five people with one duty each, and Nobody without any.
var onePerDuty = map[string]string{"sales@x.example": "sales", "warehouse@x.example": "warehouse", "credit@x.example": "credit",
	"prices@x.example": "prices", "administrator@x.example": "administrator", "nobody@x.example": ""}

// Every table that the desk may write says which duty that needs, and each person writes
// exactly the tables of theirs.
func TestEveryTableHasItsDuty(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	addStaff(t, db, onePerDuty)
	writable := pgtest.Value[[]string](t, db, `select array_agg(c.oid::regclass::text order by 1) from pg_class c
		where c.relnamespace in ('erp'::regnamespace, 'portal'::regnamespace) and c.relkind in ('r', 'p')
			and (has_any_column_privilege('portal_desk', c.oid, 'insert, update') or has_table_privilege('portal_desk', c.oid, 'delete'))`)
	if len(writable) < 25 {
		t.Fatalf("the desk writes only %v", writable)
	}
	for _, table := range append(writable, "portal.login", "portal.invitation") {
		duties := pgtest.Value[[]string](t, db, "select portal.duties_for($1, 'update')", table)
		if len(duties) == 0 {
			t.Errorf("%s: no row in portal.duty_rule says who writes it", table)
		}
		column := pgtest.Value[string](t, db, "select attname::text from pg_attribute where attrelid = $1::regclass and attnum > 0 and attgenerated = '' and attidentity <> 'a' and not attisdropped order by attnum limit 1", table)
		for email, duty := range onePerDuty {
			err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), "select set_config('portal.staff_id', login_id::text, true) from portal.login where email = $1", email); err != nil {
					return err
				}
				_, err := tx.Exec(t.Context(), "update "+table+" set "+column+" = "+column+" where false")
				return err
			})
			if allowed := slices.Contains(duties, duty); allowed && err != nil || !allowed && constraintOf(err) != "duty_needed" {
				t.Errorf("%s by %s: %v", table, email, err)
			}
		}
		pgtest.Exec(t, db, "update "+table+" set "+column+" = "+column+" where false") // the ERP is not asked
	}
	if wrong := pgtest.Value[[]string](t, db, `select coalesce(array_agg(r.table_name || '.' || r.part), '{}') from portal.duty_rule r
		where r.part not in ('', 'insert', 'delete')
			and not exists (select from pg_attribute a where a.attrelid = r.table_name::regclass and a.attname = r.part and not a.attisdropped)`); len(wrong) > 0 {
		t.Errorf("rules of columns that are not there: %v", wrong)
	}
	if wrong := pgtest.Value[[]string](t, db, `select coalesce(array_agg(m.from_status || ' to ' || m.to_status), '{}') from erp.order_move m
		where not exists (select from portal.duty_of_move d where (d.from_status, d.to_status) = (m.from_status, m.to_status))`); len(wrong) > 0 {
		t.Errorf("nobody of the staff makes these moves of an order: %v", wrong)
	}
}

// What each may write of a table that several write, statement by statement, with the
// rights of the desk's role.
func TestDutiesOfColumns(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	addStaff(t, d.DB, onePerDuty)
	no := d.order(t, 1)
	for _, c := range []struct{ statement, duties string }{
		{"update erp.sales_order set status = 'APPROVED' where order_no = $1", "sales"},
		{"update erp.sales_order set status = 'APPROVED', credit_released_at = erp.now(), credit_released_by = 'me', credit_release_reason = 'x', credit_released_amount = 99999 where order_no = $1", "credit"},
		{"update erp.sales_order set status = 'ON_HOLD' where order_no = $1", "sales credit"},
		{"update erp.sales_order set status = 'REJECTED', status_reason = 'no' where order_no = $1", "sales"},
		{"update erp.sales_order set note = 'x' where order_no = $1", "sales"},
		{"select erp.release_credit($1, 'they pay')", "credit"},
		{"select erp.edit_order($1, array[1], array[11::numeric], '', null)", "sales"},
		{"update erp.sales_order_line set qty_picked = 1 where $1 = ''", "sales warehouse"}, // of no row
		{"select erp.receive_stock('OIL5', 5) where $1 <> ''", "warehouse"},
		{"update erp.stock set on_hand = on_hand + 1 where $1 <> ''", "warehouse"},
		{"update erp.customer set credit_limit = 5 where $1 <> ''", "credit"},
		{"update erp.customer set price_level = 'E' where $1 <> ''", "prices"},
		{"update erp.customer set second_factor = true where $1 <> ''", "administrator"},
		{"update erp.customer set name = name || '!' where $1 <> ''", "sales"},
		{"update erp.customer set name = name || '!', credit_limit = 5 where $1 <> ''", ""},
		{"update erp.item set price_a = 1 where $1 <> ''", "prices"},
		{"update erp.item set cost = 1 where $1 <> ''", "prices"},
		{"insert into erp.price_contract (customer_id, item_id, value) select customer_id, item_id, 1 from erp.customer, erp.item where $1 <> ''", "prices"},
		{"select erp.post_payment('C1001', 10, erp.today(), 'check', 'x', gen_random_uuid(), null, null, true) where $1 <> ''", "credit"},
		{"select erp.issue_credit('C1001', 10, 'x', null) where $1 <> ''", "credit"},
		{"select erp.set_web_access('C1001', '{\"can_order\": false}') where $1 <> ''", "administrator"},
		{"insert into erp.route (code, name) values ('R1', $1)", "warehouse"},
		{"update erp.customer set route_id = null, name = name where $1 <> ''", "sales warehouse credit prices administrator"}, // changes nothing
	} {
		for email, duty := range onePerDuty {
			err := rolledBack(asStaffOf(t, d.DB, email, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), c.statement, no); err != nil {
					return err
				}
				return errRollBack
			}))
			allowed := duty != "" && slices.Contains(strings.Fields(c.duties), duty)
			if allowed && err != nil || !allowed && constraintOf(err) != "duty_needed" {
				t.Errorf("%s by %s: %v", c.statement, email, err)
			}
		}
	}

	// what follows in the same transaction is not asked again: stock that is allocated
	who := d.who
	who.LoginID = pgtest.Value[portal.LoginID](t, d.DB, "select login_id from portal.login where email = 'sales@x.example'")
	if err := d.MoveOrder(t.Context(), who, no, portal.OrderMove{To: portal.OrderApproved}); err != nil {
		t.Error(err)
	}
	err := d.Pick(t.Context(), who, no, nil)
	if portal.ErrorCode(err) != portal.CodeForbidden || !strings.Contains(portal.ErrorMessage(err), "Warehouse") || !slices.Equal(portal.DutiesNeeded(err), []portal.Duty{portal.DutyWarehouse}) {
		t.Errorf("sales picks: %v", err)
	}
	pgtest.Exec(t, d.DB, "update portal.login set disabled = true where email = 'sales@x.example'")
	if err := d.MoveOrder(t.Context(), who, no, portal.OrderMove{To: portal.OrderOnHold, Reason: "x"}); portal.ErrorCode(err) != portal.CodeForbidden {
		t.Errorf("a closed log-in: %v", err)
	}
}
