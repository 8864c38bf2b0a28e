package sql

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// OrderStore implements portal.OrderService. Safe for concurrent use.
type OrderStore struct{ db *DB }

// NewOrderStore shows the orders of db.
func NewOrderStore(db *DB) *OrderStore { return &OrderStore{db} }

// Orders implements portal.OrderService.
func (s *OrderStore) Orders(ctx context.Context, who portal.Session, f portal.OrderFilter) (portal.Orders, error) {
	at, id := parseOrderCursor(f.Before)
	var out portal.Orders
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var err error
		out.Orders, err = orderRows(ctx, tx, args{"customer_id": who.CustomerID, "status": f.Status, "query": f.Query,
			"pattern": likePart(f.Query), "before_at": at, "before_id": id, "row_limit": portal.PageSize + 1})
		return err
	})
	if err != nil {
		return portal.Orders{}, fmt.Errorf("orders of customer %d: %w", who.CustomerID, err)
	}
	out.Orders, out.Next = cutPage(out.Orders,
		func(last portal.Order) string { return orderCursor(last.SubmittedAt, last.ID) })
	return out, nil
}

func orderRows(ctx context.Context, tx pgx.Tx, a args) ([]portal.Order, error) {
	rows, _ := tx.Query(ctx, query("order_list"), a)
	return pgx.CollectRows(rows, pgx.RowToStructByName[portal.Order])
}

// orderCursor names a row of an order list; the list goes on after it.
func orderCursor(at time.Time, id portal.OrderID) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", at.UnixMicro(), id))
}

func parseOrderCursor(s string) (*time.Time, *int64) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || s == "" {
		return nil, nil
	}
	micro, number, _ := strings.Cut(string(raw), ".")
	m, err := strconv.ParseInt(micro, 10, 64)
	if err != nil {
		return nil, nil
	}
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, nil
	}
	at := time.UnixMicro(m)
	return &at, &id
}

// Order implements portal.OrderService.
func (s *OrderStore) Order(ctx context.Context, who portal.Session, orderNo string) (portal.OrderDetail, error) {
	var out portal.OrderDetail
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var seePrices bool
		if err := tx.QueryRow(ctx, query("sees_prices"), args{"customer_id": who.CustomerID}).Scan(&seePrices); err != nil {
			return err
		}
		var err error
		a := args{"order_no": orderNo, "customer_id": who.CustomerID, "staff": false, "see_prices": seePrices}
		if out, err = orderDetail(ctx, tx, a); err != nil {
			return err
		}
		var waits []string
		if err := tx.QueryRow(ctx, query("order_waits"), a).Scan(&waits); err != nil {
			return fmt.Errorf("why it waits: %w", err)
		}
		for _, code := range waits {
			out.Waits = append(out.Waits, portal.WaitText(code))
		}
		return nil
	})
	if err != nil {
		return portal.OrderDetail{}, fmt.Errorf("order %q of customer %d: %w", orderNo, who.CustomerID,
			notFound(err, "There is no such order."))
	}
	return out, nil
}

// orderDetail reads an order and all that hangs on it, but for the reviews.
func orderDetail(ctx context.Context, tx pgx.Tx, a args) (portal.OrderDetail, error) {
	rows, _ := tx.Query(ctx, query("order_head"), a)
	out, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.OrderDetail])
	if err != nil {
		return out, refusal(err)
	}
	a["order_id"] = out.ID
	rows, _ = tx.Query(ctx, query("order_lines"), a)
	if out.OrderLines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.OrderLine]); err != nil {
		return out, fmt.Errorf("lines: %w", err)
	}
	rows, _ = tx.Query(ctx, query("order_history"), a)
	if out.History, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.OrderStep]); err != nil {
		return out, fmt.Errorf("history: %w", err)
	}
	rows, _ = tx.Query(ctx, query("order_changes"), a)
	if out.Changes, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.OrderChange]); err != nil {
		return out, fmt.Errorf("changes: %w", err)
	}
	rows, _ = tx.Query(ctx, query("order_shipments"), a)
	if out.Shipments, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Shipment]); err != nil {
		return out, fmt.Errorf("shipments: %w", err)
	}
	if err := shipmentContents(ctx, tx, a, out.Shipments); err != nil {
		return out, err
	}
	rows, _ = tx.Query(ctx, query("order_ship_to"), a)
	shipTos, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.ShipTo])
	if err != nil {
		return out, fmt.Errorf("ship-to: %w", err)
	}
	if len(shipTos) > 0 {
		out.ShipTo = &shipTos[0]
	}
	return out, nil
}

// shipmentContents reads what each shipment of an order holds.
func shipmentContents(ctx context.Context, tx pgx.Tx, a args, shipments []portal.Shipment) error {
	if len(shipments) == 0 {
		return nil
	}
	type row struct {
		ShipmentID portal.ShipmentID
		portal.ShipmentLine
	}
	rows, _ := tx.Query(ctx, query("order_shipment_lines"), a)
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return fmt.Errorf("shipment lines: %w", err)
	}
	for i := range shipments {
		for _, l := range lines {
			if l.ShipmentID == shipments[i].ID {
				shipments[i].Contents = append(shipments[i].Contents, l.ShipmentLine)
			}
		}
	}
	return nil
}

// Cancel implements portal.OrderService.
func (s *OrderStore) Cancel(ctx context.Context, who portal.Session, orderNo string) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var exists, done bool
		if err := tx.QueryRow(ctx, query("order_exists"), args{"order_no": orderNo}).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return portal.Errorf(portal.CodeNotFound, "There is no such order.")
		}
		if err := tx.QueryRow(ctx, query("order_cancel"),
			args{"customer_id": who.CustomerID, "order_no": orderNo}).Scan(&done); err != nil {
			return err
		}
		if !done {
			return portal.Errorf(portal.CodeConflict,
				"The order has moved on and can no longer be cancelled here. Please call us.")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cancel order %q: %w", orderNo, err)
	}
	return nil
}
