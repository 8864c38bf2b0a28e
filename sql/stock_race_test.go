package sql_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"portal.example/portal/internal/pgtest"
)

// market is twenty customers with carts, eight items that are scarce, and one
// of which there are five and no more.
func market(t *testing.T, buyers int) (*pgtest.DB, *pgxpool.Pool) {
	t.Helper()
	db := pgtest.New(t)
	pgtest.Exec(t, db, fmt.Sprintf(`
		insert into erp.customer (customer_no, name) select 'C' || n, 'Customer ' || n from generate_series(1, %d) n;
		insert into portal.login (customer_id, email, password_hash) select customer_id, customer_no || '@x.example',
			'$2a$04$' || repeat('x', 53) from erp.customer;
		insert into portal.cart (login_id, customer_id) select login_id, customer_id from portal.login;
		insert into erp.item (item_no, description, price_a) select 'I' || n, 'Item ' || n, 10 from generate_series(1, 8) n;
		insert into erp.item (item_no, description, price_a, allow_backorder) values ('LAST1', 'Last of its kind', 10, false);
		insert into erp.item_uom (item_id, uom, factor) select item_id, 'CS', 4 from erp.item where item_no in ('I2', 'I5');
		insert into erp.stock (item_id, on_hand) select item_id, case when item_no = 'LAST1' then 5 else 60 end from erp.item
			where item_no <> 'I8'`, buyers))
	config, err := pgxpool.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = int32(buyers) + 8
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return db, pool
}

// fill puts some of every few items into a customer's cart, in random order,
// LAST1 with the five that there are.
func fill(ctx context.Context, tx pgx.Tx, login int, r *rand.Rand) error {
	if _, err := tx.Exec(ctx, "delete from portal.cart_line cl using portal.cart c where c.cart_id = cl.cart_id and "+
		"c.login_id = $1", login); err != nil {
		return err
	}
	items := r.Perm(8)[:2+r.IntN(4)]
	if r.IntN(3) == 0 {
		items = append(items, 8)
	}
	r.Shuffle(len(items), func(a, b int) { items[a], items[b] = items[b], items[a] })
	for _, n := range items {
		itemNo, uom, qty := fmt.Sprintf("I%d", n+1), "EA", 1+r.IntN(9)
		switch {
		case n == 8:
			itemNo, qty = "LAST1", 5
		case (n == 1 || n == 4) && r.IntN(2) == 0:
			uom, qty = "CS", 1+r.IntN(3)
		}
		if _, err := tx.Exec(ctx, `insert into portal.cart_line (cart_id, item_id, uom, qty)
			select c.cart_id, i.item_id, $3, $4 from portal.cart c, erp.item i where c.login_id = $1 and i.item_no = $2`, login,
			itemNo, uom, qty); err != nil {
			return err
		}
	}
	return nil
}

// stockIsRight fails unless the stock is what the lines say, and nothing waits
// for what is there.
func stockIsRight(t *testing.T, db *pgtest.DB) {
	t.Helper()
	// what a change left to the job, done by hand: no jobs run here
	left := pgtest.Value[int](t, db, `select count(*)::int from (
		select erp.settle_order(j.id) from (select distinct (args ->> 'order_id')::bigint as id from river.river_job
			where kind = 'order_settle' order by 1) j) x`)
	t.Logf("%d orders were left to the job", left)
	for name, query := range map[string]string{
		"invariants": `select coalesce(string_agg(invariant || ' ' || subject || ': ' || detail, '; '), '')
			from erp.check_invariants()`,
		"stock against lines": `select coalesce(string_agg(i.item_no || ': allocated ' || s.allocated || ', lines ' ||
			coalesce(l.qty, 0), '; '), '')
			from erp.stock s join erp.item i using (item_id)
			left join (select item_id, sum(qty_allocated * factor) as qty from erp.sales_order_line group by 1) l using (item_id)
			where s.allocated <> coalesce(l.qty, 0) or s.allocated < 0 or s.on_hand < s.allocated`,
		"waiting for what is there": `select coalesce(string_agg(o.order_no || ' waits for ' || l.qty_backordered || ' ' ||
			l.uom || ' ' || i.item_no || ' of ' || s.on_hand - s.allocated, '; '), '')
			from erp.sales_order_line l join erp.sales_order o using (order_id) join erp.item i using (item_id)
			join erp.stock s on s.item_id = l.item_id and s.warehouse = o.warehouse
			where l.qty_backordered > 0 and s.on_hand - s.allocated >= l.factor`,
		"complete though open": `select coalesce(string_agg(distinct o.order_no || ' ' || o.status, '; '), '')
			from erp.sales_order o join erp.sales_order_line l using (order_id)
			where o.status in ('SHIPPED', 'DELIVERED') and l.qty_allocated + l.qty_backordered > 0`,
	} {
		if wrong := pgtest.Value[string](t, db, query); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
	}
}

// mayHappen says whether a program may be refused so: in words, and never by a
// deadlock.
func mayHappen(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pg.Code, "PT4") || pg.Code == "40001" && pg.ConstraintName == "stock_counted")
}

// where says in which statement the database refused.
func where(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return "\n" + pg.Detail + "\n" + pg.Where
	}
	return ""
}

// Twenty buyers send fifty carts each while the warehouse receives, counts less
// than there should be, picks, ships and takes back, and the office approves, cancels and cuts, all by plain SQL: no
// stock is sold twice, nobody meets a deadlock, and at the end the books agree.
func TestStockRace(t *testing.T) {
	t.Parallel()
	const buyers, rounds = 20, 50
	db, pool := market(t, buyers)
	ctx := t.Context()
	logins := pgtest.Value[[]int](t, db, "select array_agg(login_id::int) from portal.login")

	var sent, refusedCarts, acts, refusedActs atomic.Int64
	turns := make(chan struct{}, buyers) // the office acts as often as the buyers, not as often as it can
	var office sync.WaitGroup
	someOrder := `(select order_id from erp.sales_order where status in ('SUBMITTED', 'APPROVED', 'PICKING', 'ON_HOLD') order by random() limit 1)`
	for i, statements := range [][]string{
		{`update erp.stock set on_hand = on_hand + 7 where item_id = (select item_id from erp.item where item_no <> 'LAST1'
			order by random() limit 1)`,
			`insert into erp.stock (item_id, on_hand) select item_id, 9 from erp.item where item_no = 'I8'
				on conflict (item_id, warehouse) do update set on_hand = stock.on_hand + 9`},
		{`update erp.stock set on_hand = greatest(allocated - 5, 0) where item_id = (select item_id from erp.item
			where item_no <> 'LAST1' order by random() limit 1)`,
			`with s as materialized (select item_id, warehouse from erp.stock where item_id in (select item_id from erp.item
				order by random() limit 3) order by item_id, warehouse for update)
				update erp.stock t set on_hand = greatest(t.on_hand - 9, 0) from s where (t.item_id, t.warehouse) = (s.item_id,
					s.warehouse)`,
			`update erp.sales_order_line set qty_picked = qty_shipped + qty_allocated
				where (order_id, line_no) = (select order_id, line_no from erp.sales_order_line
				join erp.sales_order using (order_id)
				where status in ('APPROVED', 'PICKING') and qty_allocated > 0 order by random() limit 1)`,
			`update erp.stock set on_hand = on_hand + 20 where item_id = (select item_id from erp.item where item_no <> 'LAST1'
				order by random() limit 1)`},
		{`update erp.sales_order set status = 'CANCELLED' where order_id = ` + someOrder,
			`update erp.sales_order set status = 'REJECTED', status_reason = 'no truck' where order_id = ` + someOrder},
		{`update erp.sales_order_line set qty = qty - 1 where (order_id, line_no) = (select order_id, line_no
			from erp.sales_order_line where qty > 1 and qty_allocated > 0 order by random() limit 1)`,
			`update erp.sales_order_line set qty = qty + 2 where (order_id, line_no) = (select order_id, line_no
				from erp.sales_order_line where qty_allocated > 0 order by random() limit 1)`,
			`update erp.sales_order_line set qty_cancelled = qty_cancelled + 1 where (order_id, line_no) = (select order_id,
				line_no from erp.sales_order_line where qty_allocated > 1 order by random() limit 1)`},
		{`update erp.sales_order set status = 'APPROVED' where order_id = ` + someOrder,
			`update erp.sales_order set status = 'PICKING' where order_id = ` + someOrder},
		{`with o as materialized (select order_id, line_no, qty_allocated from erp.sales_order_line
			join erp.sales_order using (order_id)
				where status in ('APPROVED', 'PICKING') and qty_allocated > 0 order by random() limit 1),
			s as (insert into erp.shipment (order_id, carrier) select order_id, 'UPS' from o returning shipment_id, order_id)
			insert into erp.shipment_line (shipment_id, order_id, line_no, qty) select shipment_id, o.order_id, line_no,
				ceil(qty_allocated / 2) from s join o using (order_id)`,
			`delete from erp.shipment where shipment_id = (select shipment_id from erp.shipment order by random() limit 1)`,
			`update erp.shipment set delivered_at = erp.now() where shipment_id = (select shipment_id from erp.shipment
				order by random() limit 1)`,
			`update erp.sales_order_line set qty_shipped = qty_shipped + 1 where (order_id, line_no) = (select order_id, line_no
				from erp.sales_order_line join erp.sales_order using (order_id)
				where status = 'PICKING' and qty_allocated > 0 order by random() limit 1)`},
		{`select erp.ship_order((select order_no from erp.sales_order where status in ('APPROVED', 'PICKING')
			order by random() limit 1), 'UPS', '1Z')`,
			`select erp.decide_order((select order_id from erp.sales_order where status = 'SUBMITTED' order by random()
				limit 1))`,
			`select erp.invoice_order((select order_no from erp.sales_order where status in ('PICKING', 'SHIPPED')
				order by random() limit 1))`,
			`delete from erp.sales_order where order_id = (select order_id from erp.sales_order where status = 'SUBMITTED'
				order by random() limit 1)`},
	} {
		office.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			for range turns {
				acts.Add(1)
				if _, err := pool.Exec(ctx, statements[r.IntN(len(statements))]); err != nil {
					refusedActs.Add(1)
					if !mayHappen(err) {
						t.Errorf("office %d: %v%s", i, err, where(err))
					}
				}
			}
		})
	}
	var market sync.WaitGroup
	for i, login := range logins {
		market.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 11))
			for range rounds {
				var orderNo *string
				if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return fill(ctx, tx, login, r) }); err != nil {
					t.Errorf("cart of %d: %v", login, err)
				}
				err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					return tx.QueryRow(ctx,
						`select s.order_no from portal.cart c cross join lateral portal.submit_cart(c.login_id, c.key, null, null, null,
							'') s where c.login_id = $1`, login).Scan(&orderNo)
				})
				switch {
				case err != nil:
					t.Errorf("submit of %d: %v%s", login, err, where(err))
				case orderNo == nil:
					refusedCarts.Add(1)
				default:
					sent.Add(1)
				}
				turns <- struct{}{}
			}
		})
	}
	market.Wait()
	close(turns)
	office.Wait()
	taken := pgtest.Value[int](t, db, "select count(*)::int from erp.stock_shortfall")
	if taken == 0 {
		t.Error("no count took anything back")
	}
	t.Logf("counts took back from %d lines", taken)
	t.Logf("%d orders sent, %d carts refused; %d acts of the office, %d refused", sent.Load(), refusedCarts.Load(),
		acts.Load(), refusedActs.Load())
	if sent.Load() < buyers*rounds/2 || acts.Load() < 100 {
		t.Error("that was no race")
	}
	stockIsRight(t, db)
}
