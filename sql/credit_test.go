package sql_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// creditWorld is acceptance scenario 39's start: a limit of 5,000.00, 4,200.00
// receivable and 500.00 on an open order. Items cost what their number says.
func creditWorld(t *testing.T) *pgtest.DB {
	t.Helper()
	db := pgtest.New(t)
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_id, customer_no, name, credit_limit) overriding system value
			values (1, 'C1', 'One', 5000);
		insert into erp.item (item_no, description, price_a) values ('E250', 'x', 250), ('E300', 'x', 300),
			('E300.01', 'x', 300.01), ('E500', 'x', 500), ('E1', 'x', 1);
		insert into erp.stock (item_id, on_hand) select item_id, 1000 from erp.item;
		insert into portal.login (login_id, customer_id, email, password_hash) overriding system value
			select n, 1, n || '@c1.example', '$2a$04$' || repeat('x', 53) from generate_series(1, 2) n;
		with i as (insert into erp.invoice (customer_id) values (1) returning invoice_id)
		insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 1, 4200, 4200
			from i`)
	orderOf(t, db, "PHONE", "E500")
	if got := pgtest.Value[string](t, db, "select erp.credit_exposure(1)::text"); got != "4700.00" {
		t.Fatalf("exposure %s", got)
	}
	return db
}

// orderOf inserts an order of one line as plain SQL does.
func orderOf(t *testing.T, db *pgtest.DB, source, item string) string {
	t.Helper()
	no := pgtest.Value[string](t, db,
		"insert into erp.sales_order (customer_id, source) values (1, $1) returning order_no", source)
	pgtest.Exec(t, db, `insert into erp.sales_order_line (order_id, line_no, item_id, qty)
		select o.order_id, 1, i.item_id, 1 from erp.sales_order o, erp.item i where o.order_no = $1 and i.item_no = $2`, no,
		item)
	return no
}

// inCart puts one of an item into a login's cart.
func inCart(t *testing.T, db *pgtest.DB, login int, item string) {
	t.Helper()
	pgtest.Exec(t, db, `with c as (insert into portal.cart (login_id, customer_id) values ($1, 1) returning cart_id)
		insert into portal.cart_line (cart_id, item_id, uom, qty) select c.cart_id, i.item_id, 'EA', 1 from c, erp.item i
			where i.item_no = $2`, login, item)
}

// submit sends a login's cart and returns the order's number, and the refusals.
func submit(ctx context.Context, db *pgtest.DB, login int) (orderNo *string, refused []string, err error) {
	err = db.Pool.QueryRow(ctx,
		`select s.order_no, array(select f ->> 'code' from jsonb_array_elements(s.findings) f where f ->> 'action' = 'refuse')
		from portal.cart c cross join lateral portal.submit_cart(c.login_id, c.key, null, null, null, null) s
		where c.login_id = $1`, login).Scan(&orderNo, &refused)
	return orderNo, refused, err
}

func decide(t *testing.T, db *pgtest.DB, no string) string {
	t.Helper()
	return pgtest.Value[string](t, db, "select erp.decide_order(order_id) from erp.sales_order where order_no = $1", no)
}

// moved sets a status by plain SQL and returns the name of what refused it.
func moved(t *testing.T, db *pgtest.DB, no, status string) (constraint string) {
	t.Helper()
	_, err := db.Pool.Exec(t.Context(), "update erp.sales_order set status = $2 where order_no = $1", no, status)
	if err == nil {
		return ""
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code != "PT409" {
		t.Fatalf("%s → %s: %v", no, status, err)
	}
	if strings.HasPrefix(pg.ConstraintName, "credit") && !strings.Contains(pg.Hint, "erp.release_credit('"+no+"'") {
		t.Errorf("the hint does not say how to release: %q", pg.Hint)
	}
	return pg.ConstraintName
}

// sound fails where the books are not as they must be.
func sound(t *testing.T, db *pgtest.DB) {
	t.Helper()
	if n := pgtest.Value[[]string](t, db,
		"select coalesce(array_agg(invariant || ' ' || subject || ' ' || detail), '{}') from erp.check_invariants()"); len(
		n) > 0 {
		t.Errorf("violations: %q", n)
	}
}

func TestAcceptance39CreditAtSubmit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check, item string
		refused     string
		decided     string
	}{
		{"queue", "E250", "", portal.OutcomeApproved},
		{"queue", "E300", "", portal.OutcomeApproved},
		{"queue", "E300.01", "", portal.OutcomeQueued},
		{"block", "E300", "", portal.OutcomeApproved},
		{"block", "E300.01", "over_credit", ""},
		{"warn", "E300.01", "", portal.OutcomeApproved},
		{"off", "E300.01", "", portal.OutcomeApproved},
	} {
		t.Run(c.check+" "+c.item, func(t *testing.T) {
			t.Parallel()
			db := creditWorld(t)
			pgtest.Exec(t, db, "update erp.web_access set credit_check = '"+c.check+"'")
			inCart(t, db, 1, c.item)
			no, refused, err := submit(t.Context(), db, 1)
			if err != nil || strings.Join(refused, " ") != c.refused || (no == nil) != (c.refused != "") {
				t.Fatalf("order %v, refused %v, %v", no, refused, err)
			}
			if no == nil {
				return
			}
			if got := decide(t, db, *no); got != c.decided {
				t.Errorf("decided: %s", got)
			}
			if c.decided == portal.OutcomeQueued {
				if over := pgtest.Value[string](t, db,
					"select detail ->> 'over' from erp.order_review where code = 'over_credit'"); over != "0.01" {
					t.Errorf("over by %s", over)
				}
			}
			sound(t, db)
		})
	}
}

// Two tabs of 300.00 with room for one: sent, decided and picked at the same
// moment on connections of their own, exactly one passes each time.
func TestAcceptance39TwoTabs(t *testing.T) {
	t.Parallel()
	both := func(f func(i int)) {
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() { f(i) })
		}
		wg.Wait()
	}
	t.Run("submit", func(t *testing.T) {
		t.Parallel()
		for range 5 {
			db := creditWorld(t)
			pgtest.Exec(t, db, "update erp.web_access set credit_check = 'block'")
			inCart(t, db, 1, "E300")
			inCart(t, db, 2, "E300")
			var orders [2]*string
			both(func(i int) {
				var err error
				if orders[i], _, err = submit(t.Context(), db, i+1); err != nil {
					t.Error(err)
				}
			})
			if (orders[0] == nil) == (orders[1] == nil) {
				t.Errorf("orders %v", orders)
			}
			sound(t, db)
		}
	})
	t.Run("decide", func(t *testing.T) {
		t.Parallel()
		db := creditWorld(t)
		approval := sql.NewApproval(openWork(t, db).Work)
		for range 5 {
			no := [2]string{orderOf(t, db, "WEB", "E300"), orderOf(t, db, "WEB", "E300")}
			var outcomes [2]string
			both(func(i int) {
				var err error
				id := pgtest.Value[int64](t, db, "select order_id from erp.sales_order where order_no = $1", no[i])
				if outcomes[i], err = approval.DecideOrder(t.Context(), portal.OrderID(id)); err != nil {
					t.Error(err)
				}
			})
			slices.Sort(outcomes[:])
			if outcomes != [2]string{portal.OutcomeApproved, portal.OutcomeQueued} {
				t.Errorf("outcomes %v", outcomes)
			}
			setStatus(t, db, no[0], "CANCELLED")
			setStatus(t, db, no[1], "CANCELLED")
		}
		sound(t, db)
	})
	t.Run("pick", func(t *testing.T) {
		t.Parallel()
		db := creditWorld(t)
		for range 5 {
			// both approved before there was a limit
			pgtest.Exec(t, db, "update erp.customer set credit_limit = null")
			no := [2]string{orderOf(t, db, "PHONE", "E300"), orderOf(t, db, "PHONE", "E300")}
			setStatus(t, db, no[0], "APPROVED")
			setStatus(t, db, no[1], "APPROVED")
			pgtest.Exec(t, db, "update erp.customer set credit_limit = 5000")
			var refusedBy [2]string
			both(func(i int) { refusedBy[i] = moved(t, db, no[i], "PICKING") })
			slices.Sort(refusedBy[:])
			if refusedBy != [2]string{"", "credit_blocks"} {
				t.Errorf("refused by %q", refusedBy)
			}
			setStatus(t, db, no[0], "CANCELLED")
			setStatus(t, db, no[1], "CANCELLED")
		}
		sound(t, db)
	})
	t.Run("approve", func(t *testing.T) {
		t.Parallel()
		db := creditWorld(t)
		pgtest.Exec(t, db, "update erp.web_access set credit_check = 'block'")
		no := [2]string{orderOf(t, db, "PHONE", "E300"), orderOf(t, db, "DESK", "E300")}
		var refusedBy [2]string
		both(func(i int) { refusedBy[i] = moved(t, db, no[i], "APPROVED") })
		slices.Sort(refusedBy[:])
		if refusedBy != [2]string{"", "credit_blocks"} {
			t.Errorf("refused by %q", refusedBy)
		}
	})
}

// What each setting does to an order over credit that a person approves, and
// that is then released to picking.
func TestCreditAtApprovalAndPicking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ check, approve, pick string }{
		{"off", "", ""},
		{"warn", "", ""},
		{"queue", "", ""}, // who approves has released it
		{"block", "credit_blocks", ""},
	} {
		t.Run(c.check, func(t *testing.T) {
			t.Parallel()
			db := creditWorld(t)
			pgtest.Exec(t, db, "update erp.web_access set credit_check = '"+c.check+"'")
			no := orderOf(t, db, "PHONE", "E300.01")
			if got := moved(t, db, no, "APPROVED"); got != c.approve {
				t.Fatalf("approval refused by %q", got)
			}
			if c.approve != "" {
				if got := pgtest.Value[string](t, db,
					"select erp.release_credit('"+no+"', 'pays on Friday')::text"); got != "5000.01" {
					t.Errorf("accepted %s", got)
				}
				if got := moved(t, db, no, "APPROVED"); got != "" {
					t.Fatalf("approval refused by %q after the release", got)
				}
			}
			if got := moved(t, db, no, "PICKING"); got != c.pick {
				t.Errorf("picking refused by %q", got)
			}
			released := pgtest.Value[string](t, db,
				"select concat_ws(' ', credit_released_by, credit_released_amount, credit_release_reason) from erp.sales_order "+
					"where order_no = $1", no)
			user := pgtest.Value[string](t, db, "select session_user::text")
			want := map[string]string{"queue": user + " 5000.01", "block": user + " 5000.01 pays on Friday"}[c.check]
			if released != want {
				t.Errorf("released: %q, want %q", released, want)
			}
			audits := pgtest.Value[string](t, db,
				"select coalesce(string_agg(action, ' '), '') from portal.audit where action ~ '^credit_' and subject = $1", no)
			if want := map[string]string{"warn": "credit_warning", "queue": "credit_release",
				"block": "credit_release"}[c.check]; audits != want {
				t.Errorf("audit: %q, want %q", audits, want)
			}
			sound(t, db)
		})
	}
}

// An order approved within the limit, and then the customer runs over it.
func TestCreditRunsOverBeforePicking(t *testing.T) {
	t.Parallel()
	for check, refusedBy := range map[string]string{"off": "", "warn": "", "queue": "credit_blocks",
		"block": "credit_blocks"} {
		t.Run(check, func(t *testing.T) {
			t.Parallel()
			db := creditWorld(t)
			pgtest.Exec(t, db, "update erp.web_access set credit_check = '"+check+"'")
			no := orderOf(t, db, "WEB", "E300")
			if got := decide(t, db, no); got != portal.OutcomeApproved {
				t.Fatalf("decided: %s", got)
			}
			owe := func(amount int) {
				pgtest.Exec(t, db, fmt.Sprintf(`with i as (insert into erp.invoice (customer_id) values (1) returning invoice_id)
					insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 1, %d, %[1]d
						from i`, amount))
			}
			owe(100)
			if got := moved(t, db, no, "PICKING"); got != refusedBy {
				t.Fatalf("picking refused by %q", got)
			}
			if refusedBy == "" {
				return
			}
			// to ship it is to release it
			if c := refused(t, db, "select erp.ship_order('"+no+"', 'UPS', '1Z')"); c != refusedBy {
				t.Errorf("shipping refused by %q", c)
			}
			// a release holds up to what was accepted, and no further
			pgtest.Exec(t, db, "select erp.release_credit('"+no+"', 'known')")
			owe(50)
			if got := moved(t, db, no, "PICKING"); got != refusedBy {
				t.Errorf("picking refused by %q after more was owed", got)
			}
			pgtest.Exec(t, db, "select erp.release_credit('"+no+"', 'known too')")
			if got := moved(t, db, no, "PICKING"); got != "" {
				t.Errorf("picking refused by %q after the release", got)
			}
			sound(t, db)
		})
	}
}

func TestCreditHold(t *testing.T) {
	t.Parallel()
	db := creditWorld(t)
	pgtest.Exec(t, db, "update erp.customer set credit_limit = null, credit_hold = true; update erp.web_access set "+
		"credit_check = 'off'")
	no := orderOf(t, db, "WEB", "E1")
	if got := decide(t, db, no); got != portal.OutcomeQueued {
		t.Errorf("decided: %s", got)
	}
	if got := moved(t, db, no, "APPROVED"); got != "credit_hold" {
		t.Errorf("approval refused by %q", got)
	}
	if c := refused(t, db, "select erp.release_credit('"+no+"', ' ')"); c != "credit_release_has_reason" {
		t.Errorf("release without a reason refused by %q", c)
	}
	pgtest.Exec(t, db, "select erp.release_credit('"+no+"', 'the owner called')")
	if got := moved(t, db, no, "APPROVED"); got != "" {
		t.Errorf("approval refused by %q after the release", got)
	}
	// a hold that was set after the release is a new one
	pgtest.Exec(t, db, "update erp.customer set credit_hold = false")
	pgtest.Exec(t, db, "update erp.customer set credit_hold = true")
	if got := moved(t, db, no, "PICKING"); got != "credit_hold" {
		t.Errorf("picking refused by %q", got)
	}
	pgtest.Exec(t, db, "update erp.customer set credit_hold = false")
	if got := moved(t, db, no, "PICKING"); got != "" {
		t.Errorf("picking refused by %q without a hold", got)
	}
}

// Picking, shipping and submitting for one customer at the same moment: nobody
// waits for the other in a circle.
func TestCreditLocksInOrder(t *testing.T) {
	t.Parallel()
	db := creditWorld(t)
	pgtest.Exec(t, db, "update erp.customer set credit_limit = 1000000")
	inCart(t, db, 1, "E1")
	for range 15 {
		pgtest.Exec(t, db, `insert into portal.cart_line (cart_id, item_id, uom, qty)
			select c.cart_id, i.item_id, 'EA', 1 from portal.cart c, erp.item i where i.item_no in ('E1', 'E300')
				on conflict do nothing`)
		pick, ship, undecided := orderOf(t, db, "PHONE", "E1"), orderOf(t, db, "PHONE", "E300"), orderOf(t, db, "WEB", "E300")
		setStatus(t, db, pick, "APPROVED")
		setStatus(t, db, ship, "APPROVED")
		var wg sync.WaitGroup
		for _, statement := range []string{
			"update erp.sales_order set status = 'PICKING' where order_no = '" + pick + "'",
			"select erp.ship_order('" + ship + "', 'UPS', '1Z')",
			"select erp.decide_order(order_id) from erp.sales_order where order_no = '" + undecided + "'",
			"select erp.edit_order('" + undecided + "', array[1], array[2], 'more')",
			"select portal.submit_cart(login_id, key, null, null, null, null) from portal.cart where login_id = 1",
		} {
			wg.Go(func() {
				if _, err := db.Pool.Exec(t.Context(), statement); err != nil {
					t.Errorf("%s: %v", statement, err)
				}
			})
		}
		wg.Wait()
	}
	sound(t, db)
}
