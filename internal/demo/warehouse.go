package demo

import "context"

// writeWarehouse leaves the warehouse in the middle of its day: what is not on
// the shelf is expected, an order of the customer whose log-in is printed has
// shipped in part, and another waits for goods.
func (w *world) writeWarehouse(ctx context.Context) error {
	_, err := w.tx.Exec(ctx, `
		insert into erp.stock_expected (item_id, expected_on, qty, note)
		select s.item_id, erp.today() + 2 + (s.item_id % 12)::int, 48, 'PO ' || 5000 + s.item_id
		from erp.stock s join erp.item i using (item_id)
		where s.on_hand = 0 and i.active and not i.discontinued order by s.item_id;

		with o as (
			insert into erp.sales_order (customer_id, source, ship_to_id, po_no, submitted_at)
			select c.customer_id, 'PHONE', min(t.ship_to_id), 'PO-70100', now() - interval '5 hours'
			from erp.customer c join erp.ship_to t using (customer_id) where c.customer_no = 'C1003' group by 1
			returning order_id
		)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty)
		select o.order_id, x.line_no, x.item_id, x.qty
		from o, (
			select row_number() over (order by s.on_hand, s.item_id) as line_no, s.item_id, 6 as qty
			from erp.stock s join erp.item i using (item_id)
			where i.active and not i.discontinued and i.allow_backorder and i.price_a is not null and not i.fractional
				and (s.on_hand = 0 and s.item_id in (select e.item_id from erp.stock_expected e) or i.item_no in ('OIL5', 'RICE25'))
			order by s.on_hand, s.item_id limit 2
		) x;
		insert into erp.sales_order_line (order_id, line_no, item_id, qty)
		select o.order_id, 3, i.item_id, 10 from erp.sales_order o, erp.item i where o.po_no = 'PO-70100'
			and i.item_no = 'RICE25';
		update erp.sales_order set status = 'APPROVED' where po_no = 'PO-70100';
		select set_config('portal.actor', 'Walt in the warehouse', true);
		update erp.sales_order_line l set qty_picked = 6 from erp.sales_order o
			where o.order_id = l.order_id and o.po_no = 'PO-70100' and l.line_no = 3;
		select erp.ship_order(order_no, 'UPS', '1Z999AA10123456784', array[3], array[6]) from erp.sales_order
			where po_no = 'PO-70100';`)
	return err
}
