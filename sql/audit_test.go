package sql_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// The log and the history only grow, and who cuts, changes or slips in a row with
// the triggers switched off is found by the proof, with the place.
func TestAuditChain(t *testing.T) {
	t.Parallel()
	db, cart, _ := proofWorld(t)
	work := sql.NewProof(openWork(t, db).Work)
	if n, err := work.SealAudit(t.Context()); err != nil || n == 0 {
		t.Fatalf("sealed %d %v", n, err)
	}
	for _, table := range []string{"portal.audit", "portal.audit_chain", "erp.order_status_history"} {
		_, name, _ := strings.Cut(table, ".")
		for _, statement := range []string{"delete from " + table, "truncate " + table,
			"update " + table + " set " + map[string]string{
				"portal.audit": "actor = 'x'", "portal.audit_chain": "hash = '\\x00'",
				"erp.order_status_history": "actor = 'x'"}[table]} {
			if got := refused(t, db, statement); got != name+"_append_only" {
				t.Errorf("the owner: %s: %s", statement, got)
			}
			for _, role := range []string{"portal_desk", "portal_work"} {
				refusal, _, _ := writeAs(t, db, role, statement)
				if refusal == nil || refusal.Code != "42501" && refusal.ConstraintName != name+"_append_only" {
					t.Errorf("%s: %s: %v", role, statement, refusal)
				}
			}
		}
	}
	for _, role := range []string{"portal_desk", "portal_work"} {
		for _, statement := range []string{"insert into portal.audit (action) values ('forged')",
			"insert into erp.order_status_history (order_id, to_status) values (1, 'SHIPPED')"} {
			if refusal, _, _ := writeAs(t, db, role, statement); refusal == nil || refusal.Code != "42501" {
				t.Errorf("%s: %s: %v", role, statement, refusal)
			}
		}
	}

	const past = "set local session_replication_role = replica; "
	id := pgtest.Value[string](t, db, "select audit_id::text from portal.audit where action = 'payment'")
	step := pgtest.Value[string](t, db,
		"select min(history_id)::text from erp.order_status_history join erp.sales_order using (order_id) where order_no = $1", cart)
	for _, c := range []struct{ what, statements, kind, subject string }{
		{"nothing", "select 1", "", ""},
		{"a row that is cut", past + "delete from portal.audit where audit_id = " + id, "audit_cut", "audit " + id},
		{"an amount", past + "update portal.audit set data = jsonb_set(data, '{amount,1}', '301.00') where audit_id = " + id,
			"audit_forged", "audit " + id},
		{"who did it", past + "update portal.audit set actor = 'somebody else' where audit_id = " + id,
			"audit_forged", "audit " + id},
		{"when", past + "update portal.audit set at = at - interval '1 day' where audit_id = " + id,
			"audit_forged", "audit " + id},
		{"one slipped in",
			past + "insert into portal.audit (audit_id, action, xid) overriding system value values (999, 'payment', '5')",
			"audit_late", "audit 999"},
		{"the last row with its link", past +
			`delete from portal.audit where audit_id = (select audit_id from portal.audit_chain order by chain_no desc limit 1);
			delete from portal.audit_chain where chain_no = (select max(chain_no) from portal.audit_chain)`,
			"audit_chain", "the end"},
		{"a step changed", past + "update erp.order_status_history set actor = 'somebody else' where history_id = " + step,
			"history_forged", cart + " step " + step},
		{"a step cut", past + "delete from erp.order_status_history where history_id = " + step,
			"history_cut", cart + " step " + step},
		{"a step slipped in",
			past + "insert into erp.order_status_history (history_id, order_id, to_status) values (998, 1, 'SHIPPED')",
			"history_untold", "history 998"},
	} {
		tx, err := db.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Conn().PgConn().Exec(t.Context(),
			c.statements+
				"; set local session_replication_role = origin; select portal.prove_prices(true)").ReadAll(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		var got string
		if err := tx.QueryRow(t.Context(),
			`select coalesce(string_agg(kind || ' ' || subject, ', '), '') from portal.proof_difference
				where resolved_at is null`).Scan(&got); err != nil {
			t.Fatal(err)
		}
		_ = tx.Rollback(t.Context())
		if want := strings.TrimSpace(c.kind + " " + c.subject); got != want {
			t.Errorf("%s: found %q, want %q", c.what, got, want)
		}
	}
}

// Transactions end in another order than they began, and some never: each row is
// sealed once, when it is there.
func TestAuditSealsInAnyOrder(t *testing.T) {
	t.Parallel()
	db := world(t)
	work := sql.NewProof(openWork(t, db).Work)
	seal := func(want int) {
		t.Helper()
		if n, err := work.SealAudit(t.Context()); err != nil || n != want {
			t.Errorf("sealed %d, want %d: %v", n, want, err)
		}
	}
	if _, err := work.SealAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := func(limit string) pgx.Tx {
		tx, err := db.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "insert into erp.payment (customer_id, amount) values (1, "+limit+")"); err != nil {
			t.Fatal(err)
		}
		return tx
	}
	first, lost, last := begin("1"), begin("2"), begin("3")
	seal(0)
	if err := last.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	seal(1)
	_ = lost.Rollback(t.Context())
	if err := first.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	seal(1)
	seal(0)
	if got := pgtest.Value[string](t, db,
		"select coalesce(string_agg(v::text, ', '), '') from portal.verify_audit() v"); got != "" {
		t.Errorf("found %s", got)
	}
	if got := pgtest.Value[string](t, db,
		"select string_agg(data #>> '{amount,1}', ' ' order by chain_no) from portal.audit_chain join portal.audit using "+
			"(audit_id) where action = 'payment'"); got != "3.00 1.00" {
		t.Errorf("sealed in the order %s", got)
	}
}

// moneyColumns are those that TestRandomWrites writes.
const moneyColumns = `select table_name, column_name, data_type, is_nullable = 'YES'
	from information_schema.columns
	where table_schema = 'erp' and table_name in ('invoice', 'invoice_line', 'credit_memo', 'credit_memo_line', 'payment',
	'payment_application',
	  'sales_order', 'sales_order_line', 'shipment', 'customer', 'authorized_item', 'credit_request',
	'credit_request_line', 'price_contract')
	  and not (table_name = 'customer' and column_name in ('route_id'))
	order by 1, ordinal_position`

type moneyColumn struct {
	Table, Column, Type string
	Nullable            bool
}

// other is another value for the column.
func (c moneyColumn) other(r *rand.Rand) string {
	if c.Nullable && r.IntN(6) == 0 {
		return "null"
	}
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	switch c.Type {
	case "numeric":
		return pick(c.Column+" + 1", c.Column+" - 1", "0", "-1", c.Column+" * 2", "95", "0.5")
	case "bigint", "integer":
		return pick(c.Column+" + 1", "1", "2", "901", "2030", "0")
	case "date":
		return pick(c.Column+" + 1", c.Column+" - 40", "erp.today()")
	case "timestamp with time zone":
		return pick(c.Column+" + interval '1 day'", "erp.now()")
	case "boolean":
		return "not " + c.Column
	case "uuid":
		return "gen_random_uuid()"
	case "text":
		return pick("'X'", "'IMPORT'", "'DELIVERED'", "'CANCELLED'", "'APPROVED'", "'CS'", "'B'", "''")
	}
	return c.Column // of a kind of its own: dateranges
}

// Whatever a program writes into whatever column of money: it is refused in
// words, or all that must hold holds and the audit log has it.
func TestRandomWrites(t *testing.T) {
	t.Parallel()
	db := postedWorld(t)
	pgtest.Exec(t, db, "insert into erp.price_contract (customer_id, item_id, value) values (1, 1, 19.5); insert into "+
		"erp.authorized_item (customer_id, item_id) values (1, 1)")
	rows, _ := db.Pool.Query(t.Context(), moneyColumns)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[moneyColumn])
	if err != nil {
		t.Fatal(err)
	}
	byTable := map[string][]string{}
	for _, c := range columns {
		byTable[c.Table] = append(byTable[c.Table], c.Column)
	}
	made := map[string]string{"invoice": "invoice_id invoice_no", "credit_memo": "credit_memo_id memo_no",
		"payment": "payment_id payment_no key", "payment_application": "application_id", "sales_order": "order_id order_no",
		"customer": "customer_id", "credit_request": "request_id request_no", "price_contract": "contract_id"}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	var tried, refusals, audits, same int
	for n := range 200 {
		role := []string{"portal_desk", erpRole(db), "portal_desk", erpRole(db), "portal_owner"}[n%5]
		c := columns[r.IntN(len(columns))]
		var statement string
		switch kind := r.IntN(10); {
		case kind == 0:
			statement = fmt.Sprintf("delete from erp.%s where ctid in (select ctid from erp.%[1]s order by random() limit 1)",
				c.Table)
		case kind <= 2 && made[c.Table] != "":
			// a copy of a row with another value in it
			var names, values []string
			for _, name := range byTable[c.Table] {
				switch {
				case strings.Contains(" "+made[c.Table]+" ", " "+name+" "):
				case name == c.Column:
					names, values = append(names, name), append(values, c.other(r))
				case name == "customer_no":
					names, values = append(names, name), append(values, "'N' || customer_no")
				default:
					names, values = append(names, name), append(values, name)
				}
			}
			statement = fmt.Sprintf("insert into erp.%s (%s) select %s from erp.%[1]s order by random() limit 1", c.Table,
				strings.Join(names, ", "), strings.Join(values, ", "))
		default:
			statement = fmt.Sprintf("update erp.%s set %s = %s where ctid in (select ctid from erp.%[1]s order by random() "+
				"limit 1)", c.Table, c.Column, c.other(r))
		}
		tried++
		// where the table is as before, the log has nothing to tell
		changed := fmt.Sprintf(
			`do $$ begin perform set_config('test.%%s', (select coalesce(md5(string_agg(x::text, ';' order by x::text)), '') from erp.%s x), true); end $$`, c.Table)
		refusal, audited, broken := writeAs(t, db, role,
			fmt.Sprintf(changed, "before")+"; "+statement+"; "+fmt.Sprintf(changed, "after")+"; "+
				"do $$ begin if current_setting('test.before') = current_setting('test.after') then raise exception 'nothing "+
				"changed' using errcode = 'TE000', constraint = 'same'; end if; end $$")
		switch {
		case refusal != nil && refusal.Code == "TE000":
			same++
		case refusal != nil && (refusal.Code == "23502" || refusal.Code == "22003"):
			refusals++ // a column that must not be empty, or a number with more digits than it takes
		case refusal != nil:
			refusals++
			if !inWords(refusal) {
				t.Errorf("seed %d: %s: %s: %v %s", seed, role, statement, refusal, refusal.ConstraintName)
			}
		case len(broken) > 0:
			t.Errorf("seed %d: %s: %s: broken %q", seed, role, statement, broken)
		case audited == 0:
			t.Errorf("seed %d: %s: %s: accepted without a row in the audit log", seed, role, statement)
		default:
			audits++
		}
	}
	t.Logf("seed %d: %d statements: %d refused, %d accepted with audit, %d changed nothing", seed, tried,
		refusals, audits, same)
}
