package demo

import "context"

// writeStandingOrders gives the customer whose log-in is printed two standing
// orders: one that runs, and one that is paused.
func (w *world) writeStandingOrders(ctx context.Context) error {
	_, err := w.tx.Exec(ctx, `
		with made as (
			insert into portal.standing_order (customer_id, name, rhythm, every, weekday, hours_before, po_no, paused) values
				(3, 'Kitchen basics', 'runs', 1, null, 24, 'STANDING-1', false), (3, 'Every other Monday', 'weeks', 2, 1, 48, '',
				true)
			returning standing_order_id, name
		)
		insert into portal.standing_order_line (standing_order_id, item_id, uom, qty)
		select m.standing_order_id, i.item_id, i.base_uom, 2 + i.item_id % 4
		from made m
		join erp.item i on i.item_no in ('OIL5', 'RICE25', 'SALT1') and m.name = 'Kitchen basics'
		or i.item_no in ('OIL5', 'SALT1') and m.name <> 'Kitchen basics'`)
	return err
}
