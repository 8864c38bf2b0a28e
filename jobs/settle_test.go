package jobs_test

import (
	"context"
	"testing"

	"github.com/riverqueue/river"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
)

// Goods come in while somebody holds the order that waits for them: nobody
// waits, and the order has them as soon as it is let go.
func TestOrderThatWasHeldGetsItsGoods(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client := jobs.River(b.start(t, b.config(calm(t))))
	done, cancel := client.Subscribe(river.EventKindJobCompleted)
	defer cancel()
	pgtest.Exec(t, b.DB, `update erp.stock set on_hand = 1 where item_id = 1;
		insert into erp.sales_order (order_id, customer_id, source) values (7, 1, 'PHONE'), (8, 1, 'PHONE');
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) values (7, 1, 1, 3);
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) values (8, 1, 1, 2)`)
	holder, err := b.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback(context.Background())
	if _, err := holder.Exec(t.Context(),
		"update erp.sales_order set note = 'call first' where order_id = 7"); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, b.DB, "update erp.stock set on_hand = 4 where item_id = 1")
	if got := lines(t, b); got != "7: 1+2, 8: 0+2" {
		t.Errorf("while the oldest is held: %s", got)
	}
	if err := holder.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, done, func(e *river.Event) bool { return e.Job.Kind == "order_settle" })
	if got := lines(t, b); got != "7: 3+0, 8: 1+1" {
		t.Errorf("afterwards: %s", got)
	}
}

// lines are the allocated and backordered quantities of all lines, by order.
func lines(t *testing.T, b *bench) string {
	t.Helper()
	return pgtest.Value[string](t, b.DB,
		`select string_agg(order_id || ': ' || trim_scale(qty_allocated) || '+' || trim_scale(qty_backordered), ', '
			order by order_id) from erp.sales_order_line`)
}
