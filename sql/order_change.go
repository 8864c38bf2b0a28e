package sql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// qtyArrays are quantities by line as the arrays that the queries take.
func qtyArrays(qtys map[int]portal.Qty) (lineNos []int32, texts []string) {
	lineNos, texts = []int32{}, []string{}
	for _, lineNo := range slices.Sorted(maps.Keys(qtys)) {
		lineNos, texts = append(lineNos, int32(lineNo)), append(texts, qtys[lineNo].Decimal.String())
	}
	return lineNos, texts
}

// EditOrder implements portal.OrderDesk.
func (s *OrderDesk) EditOrder(ctx context.Context, who portal.Session, orderNo string,
	edit portal.OrderEdit) ([]portal.LineEdit, error) {
	lineNos, texts := qtyArrays(edit.Qtys)
	var out []portal.LineEdit
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("desk_order_edit"), args{"order_no": orderNo, "line_nos": lineNos, "qtys": texts,
			"reason": edit.Reason, "revision": edit.Revision})
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.LineEdit])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("edit order %q: %w", orderNo, err)
	}
	return out, nil
}

// ApproveOrders implements portal.OrderDesk. Each order has a transaction of
// its own.
func (s *OrderDesk) ApproveOrders(ctx context.Context, who portal.Session,
	orders []portal.OrderRef) (portal.Approvals, error) {
	out := portal.Approvals{Approved: []string{}, Refused: []portal.RefusedOrder{}}
	for _, o := range orders {
		err := s.MoveOrder(ctx, who, o.OrderNo, portal.OrderMove{To: portal.OrderApproved, Queued: true, Revision: o.Revision,
			Shown: o.Shown, ShownOver: o.ShownOver})
		e, inWords := errors.AsType[*portal.Error](err)
		switch {
		case err == nil:
			out.Approved = append(out.Approved, o.OrderNo)
		case inWords && e.Code != portal.CodeInternal && e.Code != portal.CodeForbidden:
			out.Refused = append(out.Refused, portal.RefusedOrder{OrderNo: o.OrderNo, Message: e.Message})
		default:
			return out, err
		}
	}
	return out, nil
}

// Change implements portal.OrderService.
func (s *OrderStore) Change(ctx context.Context, who portal.Session, orderNo string, edit portal.OrderEdit) error {
	lineNos, texts := qtyArrays(edit.Qtys)
	var findings []portal.OrderFinding
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var changed int
		var found []byte
		var seePrices bool
		err := tx.QueryRow(ctx, query("order_change"), args{"customer_id": who.CustomerID, "order_no": orderNo,
			"line_nos": lineNos, "qtys": texts, "revision": edit.Revision,
			"confirm_prices": edit.ConfirmPrices}).Scan(&changed, &found, &seePrices)
		if err != nil {
			return err
		}
		findings, err = parseFindings(found, seePrices)
		return err
	})
	if err == nil && len(findings) > 0 {
		err = refusedError(findings)
	}
	if err != nil {
		return fmt.Errorf("change order %q: %w", orderNo, err)
	}
	return nil
}
