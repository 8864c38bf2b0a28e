package sql_test

import (
	"testing"

	"portal.example/portal/internal/pgtest"
)

// Limits of Web Access and credit, as the cart (without an order) and the
// approval job (of an order) read them: null is none, zero is none allowed, the
// limit itself passes.
func TestLimitsOfAnOrder(t *testing.T) {
	t.Parallel()
	db := world(t)
	// an open order of 100.00, and another as large as what is asked for, of the
	// same price, which the job is asked about
	pgtest.Exec(t, db, `
		with o as (insert into erp.sales_order (customer_id, source, status) select customer_id, 'PHONE', 'APPROVED'
			from erp.customer where customer_no = 'C1' returning order_id)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty, unit_price) select order_id, 1, item_id, 1, 100
			from o, erp.item where item_no = 'OIL5';
		with o as (insert into erp.sales_order (order_no, customer_id, source) select 'SO-ASKED', customer_id, 'PHONE'
			from erp.customer where customer_no = 'C1' returning order_id)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty, unit_price) select order_id, 1, item_id, 1, 50
			from o, erp.item where item_no = 'OIL5'`)
	findings := func(order string) string {
		// the job leaves its own order out of the exposure; the cart is asked as if it were not there
		return pgtest.Value[string](t, db, `select coalesce(string_agg(f.code || ' ' || f.action, ', ' order by f.code), '')
			from erp.customer c cross join lateral erp.order_findings(c.customer_id, array[(select item_id from erp.item
			where item_no = 'OIL5')], array['EA'], array[1],
				array[50], null, null, null, (select order_id from erp.sales_order where order_no = $1)) f
			where c.customer_no = 'C1' and f.action <> 'room' and f.code <> 'stock_short'`, order)
	}
	for _, c := range []struct{ set, cart, job string }{
		{"max_order = null", "", ""},
		{"max_order = 50", "", ""},
		{"max_order = 49.99", "over_maximum refuse", "over_maximum queue"},
		{"max_order = 49.99, over_max = 'queue'", "over_maximum queue", "over_maximum queue"},
		{"max_order = 0", "over_maximum refuse", "over_maximum queue"},
		{"min_order = 50", "", ""},
		{"min_order = 50.01", "min_order refuse", ""}, // staff may take less
		{"min_order = 0", "", ""},
		{"require_po = true", "po_required refuse", "po_required queue"},
		{"can_order = false", "view_only refuse", ""},
		{"enabled = false", "portal_disabled refuse", ""},
		{"auto_approve = false", "auto_approve_off queue", "auto_approve_off queue"},
	} {
		pgtest.Exec(t, db, "update erp.web_access set "+c.set)
		if got := findings(""); got != c.cart {
			t.Errorf("%s, the cart: %q, want %q", c.set, got, c.cart)
		}
		if got := findings("SO-ASKED"); got != c.job {
			t.Errorf("%s, the job: %q, want %q", c.set, got, c.job)
		}
		pgtest.Exec(t, db,
			`update erp.web_access set max_order = null, over_max = 'block', min_order = null, require_po = false,
				can_order = true, enabled = true, auto_approve = true`)
	}
	// the cart counts both open orders (150.00), the job only the other (100.00)
	for _, c := range []struct{ limit, check, cart, job string }{
		{"null", "block", "", ""},
		{"200", "block", "", ""},
		{"199.99", "block", "over_credit refuse", ""},
		{"149.99", "block", "over_credit refuse", "over_credit queue"},
		{"149.99", "queue", "over_credit queue", "over_credit queue"},
		{"149.99", "warn", "over_credit warn", "over_credit warn"},
		{"149.99", "off", "", ""},
		{"0", "queue", "over_credit queue", "over_credit queue"},
	} {
		pgtest.Exec(t, db, "update erp.customer set credit_limit = "+c.limit+"; update erp.web_access set credit_check = '"+
			c.check+"'")
		if got := findings(""); got != c.cart {
			t.Errorf("limit %s, %s, the cart: %q, want %q", c.limit, c.check, got, c.cart)
		}
		if got := findings("SO-ASKED"); got != c.job {
			t.Errorf("limit %s, %s, the job: %q, want %q", c.limit, c.check, got, c.job)
		}
	}
}
