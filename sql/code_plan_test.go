package sql_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// A code is a probe of an index, and what is usual of items is read from the
// customer's own documents, however large the catalogue and the ledger are.
// CODE_PLANS=1 prints the plans.
func TestCodePlans(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, fill := range []string{
		"insert into erp.category (name) select 'C' || g from generate_series(1, 24) g",
		`insert into erp.item (item_no, description, category_id, price_a, barcode)
			select 'I' || lpad(g::text, 6, '0'), 'Item ' || g, 1 + g % 24, 10, lpad((4000000000000 + g)::text, 13, '0')
				from generate_series(1, 20000) g`,
		"insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'CS', 12, 'CASE-' || item_no from " +
			"erp.item where item_id % 3 = 0",
		"insert into erp.customer (customer_no, name) select 'B' || g, 'Customer ' || g from generate_series(1, 300) g",
		`insert into erp.customer_item (customer_id, item_id, their_item_no)
			select c.customer_id, i.item_id, 'OURS-' || i.item_id from erp.customer c join erp.item i
				on i.item_id % 300 = c.customer_id % 300`,
		`insert into erp.invoice (customer_id, invoice_no, issued_at, invoice_date, due_date)
			select c.customer_id, c.customer_no || '-' || n, erp.now(), erp.today(), erp.today() from erp.customer c cross
				join generate_series(1, 20) n`,
		`insert into erp.invoice_line (invoice_id, line_no, item_id, qty, unit_price, line_total)
			select v.invoice_id, n, 1 + (v.invoice_id * 7919 + n * 104729) % 20000, 1 + n, 1, 1 + n from erp.invoice v cross
				join generate_series(1, 10) n`,
	} {
		// past the triggers, which are not what is looked at
		pgtest.Exec(t, db, "set session_replication_role = replica; "+fill+"; reset session_replication_role")
	}
	// Takes the codes
	pgtest.Exec(t, db, "update erp.company set duplicate_codes = 'allow'; update erp.company set duplicate_codes = "+
		"'refuse'")
	conn := connectTo(t, db)
	if _, err := conn.Exec(t.Context(),
		"vacuum analyze erp.item, erp.item_uom, erp.customer_item, erp.invoice, erp.invoice_line, erp.customer"); err != nil {
		t.Fatal(err)
	}
	refs := func(n int) []string {
		var out []string
		for i := range n {
			out = append(out, []string{fmt.Sprintf("I%06d", i+1), fmt.Sprintf("i%06d", i+1),
				fmt.Sprintf("%013d", 4000000000000+i), fmt.Sprintf("case-i%06d", i), fmt.Sprintf("ours-%d", i)}[i%5])
		}
		return out
	}
	ids := make([]int64, 50)
	for i := range ids {
		ids[i] = int64(i*37 + 1)
	}
	for _, c := range []struct {
		query  string
		args   pgx.NamedArgs
		never  []string
		always []string
	}{
		{"entry_find", pgx.NamedArgs{"customer_id": 7, "refs": refs(1)},
			[]string{"Seq Scan on item ", "Seq Scan on item_uom", "Seq Scan on customer_item"},
			[]string{"item_barcode", "item_uom_barcode", "item_no_prefix", "item_no_key", "customer_item_their_no"}},
		{"entry_find", pgx.NamedArgs{"customer_id": 7, "refs": refs(50)},
			[]string{"Seq Scan on item ", "Seq Scan on item_uom", "Seq Scan on customer_item"}, []string{"item_barcode"}},
		{"item_exact", pgx.NamedArgs{"customer_id": 7, "query": "04000000000017", "code": "04000000000017"},
			[]string{"Seq Scan"}, []string{"item_barcode", "item_uom_barcode"}},
		{"scan_item", pgx.NamedArgs{"code": "04000000000017"}, []string{"Seq Scan"},
			[]string{"item_barcode", "item_uom_barcode", "item_no_prefix"}},
		{"entry_usual", pgx.NamedArgs{"customer_id": 7, "item_ids": ids},
			[]string{"Seq Scan on invoice", "Seq Scan on item "}, []string{"invoice_line_pkey"}},
		{"entry_find", pgx.NamedArgs{"customer_id": 7, "refs": refs(5000)}, []string{"Seq Scan on item "}, nil},
	} {
		rows, err := conn.Query(t.Context(), "explain (analyze, costs off) "+sql.Queries()[c.query],
			pgx.QueryExecModeExec, c.args)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(c.query, err)
		}
		plan := strings.Join(lines, "\n")
		if os.Getenv("CODE_PLANS") != "" {
			t.Logf("%s:\n%s", c.query, plan)
		}
		for _, bad := range c.never {
			if strings.Contains(plan, bad) {
				t.Errorf("%s: %s in\n%s", c.query, bad, plan)
			}
		}
		for _, good := range c.always {
			if !strings.Contains(plan, good) {
				t.Errorf("%s: no %s in\n%s", c.query, good, plan)
			}
		}
	}
	// made without totals
	pgtest.Exec(t, db, "set session_replication_role = replica; delete from erp.invoice_line; delete from erp.invoice; "+
		"reset session_replication_role")
}
