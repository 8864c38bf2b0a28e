package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// warehouseRows is how many orders the warehouse's list shows at most.
const warehouseRows = 200

// ToPick implements portal.Warehouse.
func (s *Warehouse) ToPick(ctx context.Context, who portal.Session,
	f portal.WarehouseFilter) ([]portal.WarehouseOrder, error) {
	var out []portal.WarehouseOrder
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("warehouse_list"),
			args{"route": f.Route, "by_age": f.ByAge, "on_the_way": f.OnTheWay, "row_limit": warehouseRows})
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.WarehouseOrder])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("warehouse: %w", err)
	}
	return out, nil
}

// PickOrder implements portal.Warehouse.
func (s *Warehouse) PickOrder(ctx context.Context, who portal.Session, orderNo string) (portal.PickOrder, error) {
	var out portal.PickOrder
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a := args{"order_no": orderNo, "customer_id": int64(0), "staff": true, "see_prices": false}
		var err error
		if out.OrderDetail, err = orderDetail(ctx, tx, a); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, query("pick_head"), a).Scan(&out.RouteName, &out.DeliverOn, &out.Stamp); err != nil {
			return fmt.Errorf("head: %w", err)
		}
		type codes struct {
			LineNo int
			Codes  []string
		}
		rows, _ := tx.Query(ctx, query("pick_codes"), a)
		read, err := pgx.CollectRows(rows, pgx.RowToStructByName[codes])
		if err != nil {
			return fmt.Errorf("codes: %w", err)
		}
		byLine := make(map[int][]string, len(read))
		for _, c := range read {
			byLine[c.LineNo] = c.Codes
		}
		out.Pick = make([]portal.PickLine, len(out.OrderLines))
		for i, l := range out.OrderLines {
			out.Pick[i] = portal.PickLine{OrderLine: l, Codes: byLine[l.LineNo]}
		}
		rows, _ = tx.Query(ctx, query("carrier_list"))
		out.Carriers, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return portal.PickOrder{}, fmt.Errorf("pick order %q: %w", orderNo, notFound(err, "There is no such order."))
	}
	return out, nil
}

// pickable locks an order for picking, as it was shown with a stamp; an empty
// stamp is not checked.
func pickable(ctx context.Context, tx pgx.Tx, orderNo, stamp string) (lockedOrder, error) {
	o, err := lockOrder(ctx, tx, orderNo)
	if err != nil {
		return o, err
	}
	if !o.Status.Pickable() {
		return o, portal.Errorf(portal.CodeConflict, "Order %s is %s: nothing of it can be picked.", orderNo,
			statusWords(o.Status))
	}
	if stamp == "" {
		return o, nil
	}
	now, err := stampOf(ctx, tx, o)
	if err != nil {
		return o, err
	}
	if now != stamp {
		return o, portal.Errorf(portal.CodeConflict,
			"Order %s has changed meanwhile. Nothing was done: look at it again.", orderNo)
	}
	return o, nil
}

// stampOf is an order's stamp as it stands now.
func stampOf(ctx context.Context, tx pgx.Tx, o lockedOrder) (stamp string, err error) {
	if err := tx.QueryRow(ctx, query("pick_head"), args{"order_id": o.OrderID}).Scan(nil, nil, &stamp); err != nil {
		return "", fmt.Errorf("stamp: %w", err)
	}
	return stamp, nil
}

// pickStep is what a code or a button asks of a line.
type pickStep struct {
	Place                   int
	LineNo                  int
	ItemNo, UOM, Scanned    string
	Qty                     decimal.Decimal
	Fractional              bool
	Missing, Picked, Wanted decimal.Decimal
}

// refused says why the step cannot be counted; nil where it can.
func (p pickStep) refused() error {
	switch {
	case p.Wanted.IsZero():
		return portal.Errorf(portal.CodeConflict, "%s: nothing of it is to be picked.", p.ItemNo)
	case !p.Fractional && !p.Qty.IsInteger():
		return portal.Errorf(portal.CodeConflict, "%s: that is one %s, and the order wants whole %s.",
			p.ItemNo, p.Scanned, p.UOM)
	case p.Qty.IsPositive() && !p.Missing.IsPositive():
		return portal.Errorf(portal.CodeConflict, "%s: all %s %s are picked already.", p.ItemNo, p.Wanted, p.UOM)
	case p.Qty.GreaterThan(p.Missing):
		return portal.Errorf(portal.CodeConflict, "%s: only %s %s are missing, that would be %s.", p.ItemNo,
			p.Missing, p.UOM, p.Qty)
	case p.Picked.Add(p.Qty).IsNegative():
		return portal.Errorf(portal.CodeConflict, "%s: nothing of it is picked.", p.ItemNo)
	}
	return nil
}

// PickScan implements portal.Warehouse.
func (s *Warehouse) PickScan(ctx context.Context, who portal.Session, orderNo, code string) (portal.Picked, error) {
	code = strings.TrimSpace(code)
	if code == "" {
		return portal.Picked{}, portal.Invalid("code", "Scan or type a code.")
	}
	return s.pick(ctx, who, orderNo, func(tx pgx.Tx, o lockedOrder) (pickStep, error) {
		a := args{"order_id": o.OrderID, "code": code}
		rows, _ := tx.Query(ctx, query("pick_scan"), a)
		steps, err := pgx.CollectRows(rows, pgx.RowToStructByName[pickStep])
		if err != nil {
			return pickStep{}, err
		}
		if len(steps) > 0 {
			return onlyStep(code, steps)
		}
		other, err := scannedItem(ctx, tx, code)
		switch {
		case portal.ErrorCode(err) == portal.CodeInvalid:
			return pickStep{}, portal.Errorf(portal.CodeConflict, "Wrong item: none that %s stands for is on this order.", code)
		case err != nil:
			return pickStep{}, err
		case other.ItemNo == "":
			return pickStep{}, portal.Errorf(portal.CodeConflict, "No item has the code %s.", code)
		}
		return pickStep{}, portal.Errorf(portal.CodeConflict, "Wrong item: %s is not on this order.", other.ItemNo)
	})
}

// onlyStep is the step that a code asks for. Several items, or units of one
// item, are never decided between: the shelf knows, and a person counts.
func onlyStep(code string, steps []pickStep) (pickStep, error) {
	first := steps[0]
	for _, s := range steps[1:] {
		switch {
		case first.Place < 3 && s.Place != first.Place:
			return first, nil
		case s.ItemNo != first.ItemNo:
			return pickStep{}, portal.Errorf(portal.CodeConflict,
				"%s stands for %s and %s. Count it with the buttons of its line.", code, first.ItemNo, s.ItemNo)
		case s.Place == 4 && first.Place == 4 && s.Scanned != first.Scanned:
			return pickStep{}, portal.Errorf(portal.CodeConflict,
				"%s stands for %s and for %s of %s. Count it with the buttons of its line.", code, first.Scanned,
				s.Scanned, s.ItemNo)
		}
	}
	return first, nil
}

// scanned is what a code stands for; UOM is empty where it is no unit's.
type scanned struct {
	Place  int
	ItemNo string
	UOM    string
}

// scannedItem returns the item that a code stands for, the zero value for none,
// or an error in words for several.
func scannedItem(ctx context.Context, tx pgx.Tx, code string) (scanned, error) {
	rows, _ := tx.Query(ctx, query("scan_item"), args{"code": code})
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[scanned])
	if err != nil || len(found) == 0 {
		return scanned{}, err
	}
	first := found[0]
	for _, f := range found[1:] {
		switch {
		case first.Place < 3 && f.Place != first.Place:
			return first, nil
		case f.ItemNo != first.ItemNo:
			return scanned{}, portal.Invalid("item_no", "Which one? %s stands for %s and %s. Write the number as it is.", code,
				first.ItemNo, f.ItemNo)
		case f.Place == first.Place && f.UOM != first.UOM:
			first.UOM = "" // two of its units have that barcode: the one chosen counts
		}
	}
	return first, nil
}

// PickLine implements portal.Warehouse.
func (s *Warehouse) PickLine(ctx context.Context, who portal.Session, orderNo string, lineNo int,
	by portal.Qty) (portal.Picked, error) {
	return s.pick(ctx, who, orderNo, func(tx pgx.Tx, o lockedOrder) (pickStep, error) {
		rows, _ := tx.Query(ctx, query("pick_line"), args{"order_id": o.OrderID, "line_no": lineNo})
		step, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[pickStep])
		if errors.Is(err, pgx.ErrNoRows) {
			return step, portal.Errorf(portal.CodeNotFound, "There is no line %d.", lineNo)
		}
		step.Qty = by.Decimal
		// the last part of a weighed line may be less than one
		if step.Fractional && step.Qty.GreaterThan(step.Missing) && step.Missing.IsPositive() {
			step.Qty = step.Missing
		}
		return step, err
	})
}

func (s *Warehouse) pick(ctx context.Context, who portal.Session, orderNo string,
	find func(pgx.Tx, lockedOrder) (pickStep, error)) (portal.Picked, error) {
	var out portal.Picked
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		o, err := pickable(ctx, tx, orderNo, "")
		if err != nil {
			return err
		}
		step, err := find(tx, o)
		if err != nil {
			return err
		}
		if err := step.refused(); err != nil {
			return err
		}
		out = portal.Picked{LineNo: step.LineNo, ItemNo: step.ItemNo, UOM: step.UOM,
			Now: portal.Qty{Decimal: step.Picked.Add(step.Qty)}, Wanted: portal.Qty{Decimal: step.Wanted}}
		if out.Before, err = stampOf(ctx, tx, o); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, query("pick_count"),
			args{"order_id": o.OrderID, "line_no": step.LineNo, "qty": step.Qty}); err != nil {
			return err
		}
		out.Stamp, err = stampOf(ctx, tx, o)
		return err
	})
	if err != nil {
		return portal.Picked{}, fmt.Errorf("pick of order %q: %w", orderNo, err)
	}
	return out, nil
}

// PickAll implements portal.Warehouse.
func (s *Warehouse) PickAll(ctx context.Context, who portal.Session, orderNo, stamp string) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		o, err := pickable(ctx, tx, orderNo, stamp)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, query("pick_all"), args{"order_id": o.OrderID})
		return err
	})
	if err != nil {
		return fmt.Errorf("pick all of order %q: %w", orderNo, err)
	}
	return nil
}

// ShortLine implements portal.Warehouse.
func (s *Warehouse) ShortLine(ctx context.Context, who portal.Session, orderNo string, short portal.ShortLine) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if _, err := pickable(ctx, tx, orderNo, short.Stamp); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("line_short"),
			args{"order_no": orderNo, "line_no": short.LineNo, "reason": short.Reason, "write_off": short.WriteOff})
		return err
	})
	if err != nil {
		return fmt.Errorf("cut short line %d of order %q: %w", short.LineNo, orderNo, err)
	}
	return nil
}

// Substitute implements portal.Warehouse.
func (s *Warehouse) Substitute(ctx context.Context, who portal.Session, orderNo string,
	sub portal.SubstituteLine) error {
	qty, price, err := sub.Read()
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if _, err := pickable(ctx, tx, orderNo, sub.Stamp); err != nil {
			return err
		}
		a := args{"order_no": orderNo, "line_no": sub.LineNo, "item_no": strings.TrimSpace(sub.ItemNo), "uom": sub.UOM,
			"qty": qty.Decimal.String(), "instead": (*string)(nil), "price": (*string)(nil)}
		switch found, err := scannedItem(ctx, tx, strings.TrimSpace(sub.ItemNo)); {
		case err != nil:
			return err
		case found.ItemNo != "":
			a["item_no"] = found.ItemNo
			if strings.TrimSpace(sub.UOM) == "" {
				a["uom"] = found.UOM
			}
		}
		if price != nil {
			text := price.Decimal.String()
			a["price"] = &text
		}
		_, err := tx.Exec(ctx, query("line_substitute"), a)
		return err
	})
	if err != nil {
		return fmt.Errorf("substitute for line %d of order %q: %w", sub.LineNo, orderNo, err)
	}
	return nil
}

// ShipPicked implements portal.Warehouse.
func (s *Warehouse) ShipPicked(ctx context.Context, who portal.Session, orderNo string, ship portal.ShipPicked) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		o, err := pickable(ctx, tx, orderNo, ship.Stamp)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, query("pick_ship"),
			args{"order_id": o.OrderID, "order_no": orderNo, "carrier": ship.Carrier, "tracking_no": ship.TrackingNo})
		return err
	})
	if err != nil {
		return fmt.Errorf("ship what is picked of order %q: %w", orderNo, err)
	}
	return nil
}

// Deliver implements portal.Warehouse.
func (s *Warehouse) Deliver(ctx context.Context, who portal.Session, id portal.ShipmentID, to string) (string, error) {
	var orderNo string
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("shipment_deliver"),
			args{"shipment_id": id, "delivered_to": to, "delivered_at": (*time.Time)(nil)}).Scan(&orderNo)
	})
	if err != nil {
		return "", fmt.Errorf("deliver shipment %d: %w", id, err)
	}
	return orderNo, nil
}

// TakeBack implements portal.Warehouse.
func (s *Warehouse) TakeBack(ctx context.Context, who portal.Session, id portal.ShipmentID) (string, error) {
	var orderNo string
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a := args{"shipment_id": id}
		var delivered bool
		err := tx.QueryRow(ctx, query("shipment_lock"), a).Scan(&orderNo, &delivered)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return portal.Errorf(portal.CodeNotFound, "There is no such shipment.")
		case err != nil:
			return err
		case delivered:
			return portal.Errorf(portal.CodeConflict, "It has been delivered meanwhile. Nothing was changed.")
		}
		_, err = tx.Exec(ctx, query("shipment_take_back"), a)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("take back shipment %d: %w", id, err)
	}
	return orderNo, nil
}

// Supply implements portal.ItemDesk.
func (s *ItemDesk) Supply(ctx context.Context, who portal.Session, itemNo string) (portal.ItemSupply, error) {
	var out portal.ItemSupply
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a := args{"item_no": itemNo}
		rows, _ := tx.Query(ctx, query("expected_list"), a)
		var err error
		if out.Expected, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ExpectedReceipt]); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("stock_waiting"), a).Scan(&out.Waiting)
	})
	if err != nil {
		return portal.ItemSupply{}, fmt.Errorf("supply of item %q: %w", itemNo, err)
	}
	return out, nil
}

// Receive implements portal.ItemDesk.
func (s *ItemDesk) Receive(ctx context.Context, who portal.Session, itemNo, qty string, seen *portal.Qty) error {
	n, problem := portal.ReadQty(qty).Number()
	if problem != "" {
		return portal.Invalid("received", "%s", problem)
	}
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var id portal.ItemID
		err := tx.QueryRow(ctx, query("desk_item_lock"), args{"item_no": itemNo}).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return portal.Errorf(portal.CodeNotFound, "There is no such item.")
		}
		if err != nil {
			return err
		}
		if seen != nil {
			var now, allocated portal.Qty
			if err := tx.QueryRow(ctx, query("desk_stock_lock"), args{"item_id": id}).Scan(&now, &allocated); err != nil &&
				!errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			if !now.Equal(seen.Decimal) {
				msg := fmt.Sprintf("There are %s on hand now, no longer %s. Nothing was added: was it received already?",
					now.Decimal, seen.Decimal)
				return &portal.Error{Code: portal.CodeConflict, Message: msg,
					Fields: []portal.FieldError{{Field: "received", Message: msg}}}
			}
		}
		_, err = tx.Exec(ctx, query("stock_receive"), args{"item_no": itemNo, "qty": n.Decimal.String()})
		return err
	})
	if err != nil {
		return fmt.Errorf("receive %s of item %q: %w", qty, itemNo, err)
	}
	return nil
}

// ExpectReceipt implements portal.ItemDesk.
func (s *ItemDesk) ExpectReceipt(ctx context.Context, who portal.Session, itemNo, day, qty, note string) error {
	on, err := time.Parse(time.DateOnly, strings.TrimSpace(day))
	if err != nil {
		return portal.Invalid("expected_on", "On which day?")
	}
	if !portal.DayWithinReason(on) {
		return portal.Invalid("expected_on", "%s", portal.DayWords)
	}
	n, problem := portal.ReadQty(qty).Number()
	if problem != "" {
		return portal.Invalid("expected_qty", "%s", problem)
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, query("expected_add"),
			args{"item_no": itemNo, "expected_on": on, "qty": n.Decimal.String(), "note": strings.TrimSpace(note)})
		if err == nil && tag.RowsAffected() == 0 {
			return portal.Errorf(portal.CodeNotFound, "There is no such item.")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("expect %s of item %q: %w", qty, itemNo, err)
	}
	return nil
}

// ForgetReceipt implements portal.ItemDesk.
func (s *ItemDesk) ForgetReceipt(ctx context.Context, who portal.Session, itemNo string, id int64) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("expected_remove"), args{"item_no": itemNo, "expected_id": id})
		return err
	})
	if err != nil {
		return fmt.Errorf("forget what is expected of item %q: %w", itemNo, err)
	}
	return nil
}
