package sql_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// acted is a database with two customers, a buyer of the first with a full cart,
// and staff who are logged in.
type acted struct {
	*pgtest.DB
	pools    *sql.DB
	sessions *sql.SessionStore
	staff    portal.Session
}

func newActed(t *testing.T) acted {
	t.Helper()
	db := world(t)
	pgtest.Exec(t, db, `
		insert into portal.login (login_id, customer_id, staff_role, email, password_hash)
			select v.login_id, c.customer_id, v.role, v.email, '$2a$04$' || repeat('x', 53)
			from (values (1, 'C1', null, 'buyer@c1.example'), (2, null, 'desk', 'dana@demo.example'),
			(3, 'C2', null, 'buyer@c2.example')) as v(login_id, no, role, email)
			left join erp.customer c on c.customer_no = v.no;
		insert into portal.session (session_id, login_id, token_hash, expires_at) values
			(1, 1, sha256('buyer'), erp.now() + interval '1 day'), (2, 2, sha256('dana'), erp.now() + interval '1 day');
		select setval(pg_get_serial_sequence('portal.session', 'session_id'), 10);
		insert into portal.cart (login_id, customer_id) select 1, customer_id from erp.customer where customer_no = 'C1';
		insert into portal.cart_line (cart_id, item_id, uom, qty) select cart_id, item_id, 'EA', 7 from portal.cart, erp.item
			where item_no = 'RICE'`)
	pools, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 2, DeskConns: 1, WorkConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	sessions := sql.NewSessionStore(pools, sql.SessionConfig{Cost: 4})
	return acted{db, pools, sessions, portal.Session{ID: 2, LoginID: 2, Email: "dana@demo.example", Role: portal.RoleDesk}}
}

func (a acted) begin(t *testing.T, customerNo string, how portal.Acting) portal.Session {
	t.Helper()
	if err := a.sessions.BeginActing(t.Context(), a.staff, customerNo, how); err != nil {
		t.Fatal(err)
	}
	who, ok, err := a.sessions.ActingFor(t.Context(), a.staff)
	if err != nil || !ok || who.CustomerNo != customerNo || who.Acting != how || who.ActingBy != a.staff.Email ||
		who.Staff() {
		t.Fatalf("acting %+v, %v, %v", who, ok, err)
	}
	return who
}

// audited are the actions of the log about acting, with who and whom.
func (a acted) audited(t *testing.T) []string {
	t.Helper()
	return pgtest.Value[[]string](t, a.DB,
		`select coalesce(array_agg(actor || ' ' || action || ' ' || subject order by audit_id), '{}')
		from portal.audit where action ~ '^(acting|preview)'`)
}

// writes are all that a customer's request can change.
func (a acted) writes(who portal.Session) map[string]func(context.Context) error {
	carts, items := sql.NewCartStore(a.pools), sql.NewCatalogStore(a.pools)
	entries, guides, orders := sql.NewEntryStore(a.pools), sql.NewGuideStore(a.pools), sql.NewOrderStore(a.pools)
	return map[string]func(context.Context) error{
		"set a line": func(ctx context.Context) error {
			return carts.SetLine(ctx, who, "OIL5", "", portal.Qty{Decimal: decimal.NewFromInt(1)}, true, false)
		},
		"save the head": func(ctx context.Context) error { return carts.SaveHead(ctx, who, portal.CartHead{PONo: "X"}) },
		"submit": func(ctx context.Context) error {
			_, err := carts.Submit(ctx, who, portal.CartSubmit{Key: "00000000-0000-0000-0000-000000000000"})
			return err
		},
		"star": func(ctx context.Context) error { return items.SetFavorite(ctx, who, "OIL5", true) },
		"quick order": func(ctx context.Context) error {
			_, _, err := entries.AddReady(ctx, who, []portal.EntryRow{{Ref: "OIL5", Qty: "1"}}, false)
			return err
		},
		"reorder": func(ctx context.Context) error {
			_, err := entries.ReorderOrder(ctx, who, "SO-OLD", portal.ReorderAdd)
			return err
		},
		"make a list":     func(ctx context.Context) error { _, err := guides.SaveList(ctx, who, "Weekly"); return err },
		"cancel an order": func(ctx context.Context) error { return orders.Cancel(ctx, who, "SO-OLD") },
	}
}

// A preview reads everything and changes nothing: its transactions are read
// only, whatever is asked for.
func TestPreviewChangesNothing(t *testing.T) {
	t.Parallel()
	a := newActed(t)
	pgtest.Exec(t, a.DB,
		`with o as (insert into erp.sales_order (order_no, customer_id) select 'SO-OLD', customer_id from erp.customer
			where customer_no = 'C1' returning order_id)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, item_id, 2 from o, erp.item
			where item_no = 'OIL5'`)
	who := a.begin(t, "C1", portal.ActingPreview)
	state := func() string {
		return pgtest.Value[string](t, a.DB,
			`select concat_ws('|', (select count(*) from portal.cart), (select string_agg(qty::text, ',') from portal.cart_line),
			(select count(*) from portal.favorite), (select count(*) from portal.item_list),
			(select string_agg(order_no || status, ',' order by order_no) from erp.sales_order))`)
	}
	before := state()
	for what, write := range a.writes(who) {
		if err := write(t.Context()); portal.ErrorCode(err) != portal.CodeForbidden ||
			portal.ErrorMessage(err) != portal.PreviewOnly {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after := state(); after != before {
		t.Errorf("before %s, after %s", before, after)
	}
	cart, err := sql.NewCartStore(a.pools).Cart(t.Context(), who)
	if err != nil || len(cart.Lines) != 0 {
		t.Errorf("the cart of a preview: %+v, %v", cart, err)
	}
	if _, err := sql.NewOrderStore(a.pools).Order(t.Context(), who, "SO-OLD"); err != nil {
		t.Errorf("an order of the customer: %v", err)
	}
	// the same as who acts, but for what has nothing to do with acting
	acting := a.begin(t, "C1", portal.ActingOrder)
	for what, write := range a.writes(acting) {
		if err := write(t.Context()); err != nil && what != "submit" {
			t.Errorf("acting, %s: %v", what, err)
		}
	}
}

// Who acts for one customer is as walled in as that customer's own log-in.
func TestActingStaysWithItsCustomer(t *testing.T) {
	t.Parallel()
	a := newActed(t)
	carts := sql.NewCartStore(a.pools)
	fill := func(who portal.Session, qty int64) {
		t.Helper()
		if err := carts.SetLine(t.Context(), who, "OIL5", "", portal.Qty{Decimal: decimal.NewFromInt(qty)}, false,
			false); err != nil {
			t.Fatal(err)
		}
	}
	qty := func(who portal.Session) string {
		t.Helper()
		cart, err := carts.Cart(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, l := range cart.Lines {
			out += l.ItemNo + " " + l.Qty.String() + " "
		}
		return out
	}
	first := a.begin(t, "C1", portal.ActingOrder)
	fill(first, 3)
	second := a.begin(t, "C2", portal.ActingOrder)
	fill(second, 5)
	buyer := portal.Session{ID: 1, LoginID: 1, CustomerID: first.CustomerID, CustomerNo: "C1", Email: "buyer@c1.example",
		Role: portal.RoleBuyer}
	for _, c := range []struct {
		who  portal.Session
		want string
	}{{buyer, "RICE 7 "}, {first, "OIL5 3 "}, {second, "OIL5 5 "}} {
		if got := qty(c.who); got != c.want {
			t.Errorf("cart of login %d for %s: %q, want %q", c.who.LoginID, c.who.CustomerNo, got, c.want)
		}
	}
	if alive, err := a.sessions.Alive(t.Context(), []portal.SessionID{first.ID}); len(alive) > 0 || err != nil {
		t.Errorf("acting as C1 lives beside acting as C2: %v", err)
	}

	cart, err := carts.Cart(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := carts.Submit(t.Context(), second, portal.CartSubmit{Key: cart.Key})
	if err != nil {
		t.Fatal(err)
	}
	no := sent.OrderNo
	if got := pgtest.Value[string](t, a.DB,
		`select concat_ws('|', c.customer_no, o.source, o.submitted_by, o.entered_by, coalesce(o.login_id::text, 'none'),
			h.actor)
		from erp.sales_order o join erp.customer c using (customer_id) join erp.order_status_history h using (order_id)
		where order_no = $1`, no); got !=
		"C2|WEB|dana@demo.example for C2|dana@demo.example|none|dana@demo.example for C2" {
		t.Errorf("order %s", got)
	}
	if _, err := sql.NewOrderStore(a.pools).Order(t.Context(), first, no); portal.ErrorCode(err) != portal.CodeNotFound {
		t.Errorf("the order of C2, asked for C1: %v", err)
	}
	want := []string{"dana@demo.example acting_begin C1", "dana@demo.example acting_end C1",
		"dana@demo.example acting_begin C2", "dana@demo.example acting_order " + no}
	if got := a.audited(t); !slices.Equal(got, want) {
		t.Errorf("audited %v", got)
	}
}

// However it ends, it ends at once, with an event for the sockets and a row in
// the audit log.
func TestActingEnds(t *testing.T) {
	t.Parallel()
	a := newActed(t)
	end := func(statement string) func() error {
		return func() error { _, err := a.Pool.Exec(t.Context(), statement); return err }
	}
	for _, c := range []struct {
		how string
		end func() error
	}{
		{"the way back", func() error {
			no, err := a.sessions.EndActing(t.Context(), a.staff)
			if err == nil && no != "C1" {
				err = errors.New("ended acting as " + no)
			}
			return err
		}},
		{"the customer's access is closed",
			end("update erp.web_access set enabled = false where customer_id = (select customer_id from erp.customer where " +
				"customer_no = 'C1')")},
		{"the customer's access is gone",
			end(
				"delete from erp.web_access where customer_id = (select customer_id from erp.customer where customer_no = 'C1')")},
		{"the customer is inactive", end("update erp.customer set active = false where customer_no = 'C1'")},
		{"an hour has passed", func() error {
			pgtest.Exec(t, a.DB, "select erp.set_clock(now() + interval '1 hour')")
			_, err := sql.NewHousekeeper(a.pools.Work).EndExpiredSessions(t.Context())
			return err
		}},
		{"staff log out", end("delete from portal.session where session_id = 2")},
		{"the log-in is disabled", end("update portal.login set disabled = true where login_id = 2")},
		{"the password is changed",
			end("update portal.login set password_hash = '$2a$04$' || repeat('y', 53) where login_id = 2")},
		{"the role is taken away",
			end("update portal.login set staff_role = null, customer_id = (select customer_id from erp.customer where " +
				"customer_no = 'C2') where login_id = 2")},
	} {
		pgtest.Exec(t, a.DB, `select erp.set_clock(null);
			update portal.login set staff_role = 'desk', customer_id = null, disabled = false,
				password_hash = '$2a$04$' || repeat('x', 53) where login_id = 2;
			insert into portal.session (session_id, login_id, token_hash, expires_at)
				values (2, 2, sha256('dana'), erp.now() + interval '1 day') on conflict do nothing;
			insert into erp.web_access (customer_id) select customer_id from erp.customer on conflict do nothing;
			update erp.web_access set enabled = true; update erp.customer set active = true;
			set local session_replication_role = replica; delete from portal.audit; delete from portal.event;
			set local session_replication_role = origin`)
		who := a.begin(t, "C1", portal.ActingOrder)
		if err := c.end(); err != nil {
			t.Fatalf("%s: %v", c.how, err)
		}
		if _, ok, err := a.sessions.ActingFor(t.Context(), a.staff); ok || err != nil {
			t.Errorf("%s: still acts, %v", c.how, err)
		}
		if alive, err := a.sessions.Alive(t.Context(), []portal.SessionID{who.ID}); len(alive) > 0 || err != nil {
			t.Errorf("%s: the sockets would stay, %v", c.how, err)
		}
		if n := pgtest.Value[int](t, a.DB, "select count(*)::int from portal.event where kind = 'session' and ref = $1",
			fmt.Sprint(int64(who.ID))); n != 1 {
			t.Errorf("%s: %d events for the sockets", c.how, n)
		}
		if got := a.audited(t); !slices.Equal(got,
			[]string{"dana@demo.example acting_begin C1", "dana@demo.example acting_end C1"}) {
			t.Errorf("%s: audited %v", c.how, got)
		}
	}
}

// Only staff act, only where the portal is open, and nobody's password or
// session is theirs to see.
func TestActingRefused(t *testing.T) {
	t.Parallel()
	a := newActed(t)
	buyer := portal.Session{ID: 1, LoginID: 1, Email: "buyer@c1.example", Role: portal.RoleBuyer}
	for _, c := range []struct {
		who        portal.Session
		customerNo string
		how        portal.Acting
		code       portal.Code
	}{
		{buyer, "C2", portal.ActingPreview, portal.CodeForbidden},
		{portal.Session{ID: 99}, "C1", portal.ActingOrder, portal.CodeForbidden},
		{a.staff, "NOBODY", portal.ActingOrder, portal.CodeNotFound},
		{a.staff, "C1", "everything", portal.CodeInvalid},
		{a.staff, "C1", portal.ActingNot, portal.CodeInvalid},
	} {
		if err := a.sessions.BeginActing(t.Context(), c.who, c.customerNo, c.how); portal.ErrorCode(err) != c.code {
			t.Errorf("session %d as %s, %q: %v", c.who.ID, c.customerNo, c.how, err)
		}
	}
	pgtest.Exec(t, a.DB, "update erp.web_access set enabled = false where customer_id = (select customer_id from "+
		"erp.customer where customer_no = 'C2')")
	if err := a.sessions.BeginActing(t.Context(), a.staff, "C2",
		portal.ActingPreview); portal.ErrorCode(err) != portal.CodeConflict {
		t.Errorf("a closed portal: %v", err)
	}
	who := a.begin(t, "C1", portal.ActingOrder)
	// from an acting session nobody goes on to another customer
	if err := a.sessions.BeginActing(t.Context(), who, "C1",
		portal.ActingOrder); portal.ErrorCode(err) != portal.CodeForbidden {
		t.Errorf("acting from acting: %v", err)
	}
	hashes := "select string_agg(password_hash, ',' order by login_id) from portal.login"
	before := pgtest.Value[string](t, a.DB, hashes)
	_, err := a.sessions.Sessions(t.Context(), who)
	for what, err := range map[string]error{
		"sessions": err,
		"revoke":   a.sessions.Revoke(t.Context(), who, 1),
		"password": a.sessions.ChangePassword(t.Context(), who, "x", "a new password"),
	} {
		if portal.ErrorCode(err) != portal.CodeForbidden {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after := pgtest.Value[string](t, a.DB, hashes); after != before {
		t.Error("a password was changed")
	}
	if c := refused(t, a.DB,
		"insert into portal.session (login_id, parent_id, expires_at) values (2, 2, now())"); c != "session_acting_whole" &&
		c != "session_parent_key" {
		t.Errorf("half an acting session refused by %q", c)
	}
	if list, err := a.sessions.Sessions(t.Context(), a.staff); len(list) != 1 || err != nil {
		t.Errorf("staff see %d sessions of their own, %v", len(list), err)
	}
}
