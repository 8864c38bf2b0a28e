package sql

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// deskPlace is where an order stands in a list of the desk: first what needs
// review (place 0, the oldest on top), then the rest (place 1, the newest).
type deskPlace struct {
	OrderID     portal.OrderID
	Place       int
	SubmittedAt time.Time
}

func (p deskPlace) cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d.%d", p.Place,
		p.SubmittedAt.UnixMicro(), p.OrderID))
}

// deskCursorArgs reads a cursor; one that cannot be read begins at the top.
func deskCursorArgs(cursor string, a args) {
	a["after_place"], a["after_at"], a["after_id"] = (*int)(nil), (*time.Time)(nil), (*int64)(nil)
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || cursor == "" {
		return
	}
	var place int
	var micro, id int64
	if n, err := fmt.Sscanf(string(raw), "%d.%d.%d", &place, &micro, &id); n != 3 || err != nil {
		return
	}
	a["after_place"], a["after_at"], a["after_id"] = place, time.UnixMicro(micro), id
}

// Orders implements portal.OrderDesk.
func (s *OrderDesk) Orders(ctx context.Context, who portal.Session, f portal.OrderFilter) (portal.DeskOrders, error) {
	a := args{"source": f.Source, "query": f.Query, "pattern": likePart(f.Query), "row_limit": portal.PageSize + 1}
	deskCursorArgs(f.Before, a)
	name := "desk_queue"
	a["reason"] = f.Reason
	switch {
	case f.Reason != "":
		a["review_only"] = true
	case f.Status == "review", f.Status == "open", f.Status == "" && f.Query == "":
		a["review_only"] = f.Status == "review"
	default:
		name = "desk_order_list"
		a["status"] = f.Status
		if f.Status == "" {
			a["status"] = "all"
		}
	}
	out := portal.DeskOrders{Counts: map[string]int{}}
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query(name), a)
		places, err := pgx.CollectRows(rows, pgx.RowToStructByName[deskPlace])
		if err != nil {
			return fmt.Errorf("places: %w", err)
		}
		places, out.Next = cutPage(places, deskPlace.cursor)
		if out.Orders, err = deskOrderRows(ctx, tx, places); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("desk_reason_counts"), a)
		if out.Reasons, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ReasonCount]); err != nil {
			return fmt.Errorf("reasons: %w", err)
		}
		if err := tx.QueryRow(ctx, query("now")).Scan(&out.Now); err != nil {
			return fmt.Errorf("clock: %w", err)
		}
		return deskCounts(ctx, tx, f.Source, out.Counts)
	})
	if err != nil {
		return portal.DeskOrders{}, fmt.Errorf("desk orders: %w", err)
	}
	return out, nil
}

func deskOrderRows(ctx context.Context, tx pgx.Tx, places []deskPlace) ([]portal.DeskOrder, error) {
	ids := make([]int64, len(places))
	for i, p := range places {
		ids[i] = int64(p.OrderID)
	}
	a := args{"order_ids": ids}
	rows, _ := tx.Query(ctx, query("desk_order_rows"), a)
	orders, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.DeskOrder])
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	byOrder, err := deskReviews(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for i := range orders {
		orders[i].Reviews = byOrder[orders[i].ID]
	}
	return orders, nil
}

// deskReviews are the reasons why undecided orders wait.
func deskReviews(ctx context.Context, tx pgx.Tx, orderIDs []int64) (map[portal.OrderID][]portal.Review, error) {
	type review struct {
		OrderID portal.OrderID
		portal.Review
	}
	rows, _ := tx.Query(ctx, query("desk_order_row_reviews"), args{"order_ids": orderIDs})
	reviews, err := pgx.CollectRows(rows, pgx.RowToStructByName[review])
	if err != nil {
		return nil, fmt.Errorf("reviews: %w", err)
	}
	out := map[portal.OrderID][]portal.Review{}
	for _, r := range reviews {
		out[r.OrderID] = append(out[r.OrderID], r.Review)
	}
	return out, nil
}

func deskCounts(ctx context.Context, tx pgx.Tx, source string, into map[string]int) error {
	type count struct {
		Status string
		Orders int
		Review int
	}
	rows, _ := tx.Query(ctx, query("desk_counts"), args{"source": source})
	counts, err := pgx.CollectRows(rows, pgx.RowToStructByName[count])
	if err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	for _, c := range counts {
		into[c.Status] = c.Orders
		into["review"] += c.Review
	}
	return nil
}

// Order implements portal.OrderDesk.
func (s *OrderDesk) Order(ctx context.Context, who portal.Session, orderNo string) (portal.DeskOrderDetail, error) {
	var out portal.DeskOrderDetail
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a := args{"order_no": orderNo, "customer_id": int64(0), "staff": true, "see_prices": true}
		var err error
		if out.OrderDetail, err = orderDetail(ctx, tx, a); err != nil {
			return err
		}
		reviews, err := deskReviews(ctx, tx, []int64{int64(out.ID)})
		if err != nil {
			return err
		}
		out.Reviews = reviews[out.ID]
		err = tx.QueryRow(ctx, query("desk_order_more"), a).Scan(&out.Moves, &out.ToInvoice, &out.CreditLimit,
			&out.CreditHold, &out.Exposure, &out.CreditStops)
		if err != nil {
			return fmt.Errorf("moves and credit: %w", err)
		}
		if out.ToInvoice {
			list, err := uninvoiced(ctx, tx, []string{orderNo})
			if err != nil {
				return err
			}
			out.Waiting = list[0]
		}
		rows, _ := tx.Query(ctx, query("carrier_list"))
		if out.Carriers, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return fmt.Errorf("carriers: %w", err)
		}
		rows, _ = tx.Query(ctx, query("desk_order_release"), a)
		releases, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.CreditRelease])
		if err != nil {
			return fmt.Errorf("release of credit: %w", err)
		}
		if len(releases) > 0 {
			out.Release = &releases[0]
		}
		return nil
	})
	if err != nil {
		return portal.DeskOrderDetail{}, fmt.Errorf("desk order %q: %w", orderNo, notFound(err, "There is no such order."))
	}
	return out, nil
}

// lockedOrder is an order that this transaction holds.
type lockedOrder struct {
	OrderID  portal.OrderID
	OrderNo  string
	Status   portal.OrderStatus
	Revision int
	Total    portal.Money
	MovedBy  string
}

func lockOrder(ctx context.Context, tx pgx.Tx, orderNo string) (lockedOrder, error) {
	rows, _ := tx.Query(ctx, query("desk_order_lock"), args{"order_no": orderNo})
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[lockedOrder])
	if errors.Is(err, pgx.ErrNoRows) {
		return o, portal.Errorf(portal.CodeNotFound, "There is no such order.")
	}
	return o, err
}

// statusWords is a status within a sentence.
func statusWords(s portal.OrderStatus) string {
	return strings.ToLower(strings.ReplaceAll(string(s), "_", " "))
}

// MoveOrder implements portal.OrderDesk.
func (s *OrderDesk) MoveOrder(ctx context.Context, who portal.Session, orderNo string, move portal.OrderMove) error {
	move.Reason = strings.TrimSpace(move.Reason)
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		o, err := lockOrder(ctx, tx, orderNo)
		if err != nil {
			return err
		}
		if err := checkMove(o, orderNo, move); err != nil {
			return err
		}
		if err := sameOrder(ctx, tx, o, move.Shown); err != nil {
			return err
		}
		var over *string
		if move.ShownOver != nil {
			text := move.ShownOver.Decimal.String()
			over = &text
			if _, err := tx.Exec(ctx, query("desk_shown_over"), args{"shown_over": text}); err != nil {
				return err
			}
		}
		if move.ReleaseCredit {
			var accepted portal.Money
			if err := tx.QueryRow(ctx, query("desk_release_credit"), args{"order_no": orderNo, "reason": move.Reason,
				"shown_over": over, "shown_hold": move.ShownHold}).Scan(&accepted); err != nil {
				return err
			}
		}
		var reason *string
		switch move.To {
		case portal.OrderRejected, portal.OrderOnHold, portal.OrderCancelled:
			if move.Reason != "" {
				reason = &move.Reason
			}
		}
		_, err = tx.Exec(ctx, query("desk_order_move"), args{"order_no": orderNo, "status": move.To, "reason": reason})
		return err
	})
	if err != nil {
		return fmt.Errorf("move order %q to %s: %w", orderNo, move.To, err)
	}
	return nil
}

// checkMove says in words what the database would refuse, and what it cannot
// know: that the mover looked at an older order.
func checkMove(o lockedOrder, orderNo string, move portal.OrderMove) error {
	if !slices.Contains(portal.OrderStatuses[:], move.To) {
		return portal.Invalid("status", "There is no status %q.", move.To)
	}
	if o.Status == move.To || (move.From != "" && move.From != o.Status) || (move.Queued && !o.Status.Undecided()) {
		by := ""
		if o.MovedBy != "" {
			by = " by " + o.MovedBy
		}
		return portal.Errorf(portal.CodeConflict, "Order %s is %s now: it was moved%s meanwhile. Nothing was changed.",
			orderNo, statusWords(o.Status), by)
	}
	if move.Revision != nil && *move.Revision != o.Revision {
		return portal.Errorf(portal.CodeConflict,
			"The quantities of order %s were changed meanwhile. Nothing was done: look at it again.", orderNo)
	}
	if move.To == portal.OrderRejected && move.Reason == "" {
		return portal.Invalid("reason", "Say why: the customer reads it.")
	}
	return nil
}

// lineState is what may be picked and shipped of a line.
type lineState struct {
	LineNo    int
	Allocated portal.Qty
	Shipped   portal.Qty
}

// checkQtys refuses, at the lines concerned, more than is allocated, and gives
// what is left as the arrays that the queries take.
func checkQtys(ctx context.Context, tx pgx.Tx, o lockedOrder,
	qtys map[int]portal.Qty) (lineNos []int32, texts []string, err error) {
	rows, _ := tx.Query(ctx, query("desk_line_state"), args{"order_id": o.OrderID})
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[lineState])
	if err != nil {
		return nil, nil, fmt.Errorf("lines: %w", err)
	}
	if qtys == nil {
		qtys = make(map[int]portal.Qty, len(lines))
		for _, l := range lines {
			qtys[l.LineNo] = l.Allocated
		}
	}
	e := &portal.Error{Code: portal.CodeInvalid}
	wrong := func(line int, format string, args ...any) {
		e.Fields = append(e.Fields, portal.FieldError{Field: "qty", Line: line, Message: fmt.Sprintf(format, args...)})
	}
	for _, lineNo := range slices.Sorted(maps.Keys(qtys)) {
		qty := qtys[lineNo]
		i := slices.IndexFunc(lines, func(l lineState) bool { return l.LineNo == lineNo })
		switch {
		case i < 0:
			wrong(lineNo, "There is no line %d.", lineNo)
		case qty.IsNegative():
			wrong(lineNo, "Line %d: the quantity cannot be negative.", lineNo)
		case qty.GreaterThan(lines[i].Allocated.Decimal):
			wrong(lineNo, "Line %d: only %s allocated.", lineNo, lines[i].Allocated.Decimal)
		default:
			lineNos, texts = append(lineNos, int32(lineNo)), append(texts, qty.Decimal.String())
		}
	}
	if len(e.Fields) > 0 {
		e.Message = e.Fields[0].Message
		return nil, nil, e
	}
	return lineNos, texts, nil
}

// Pick implements portal.OrderDesk.
func (s *OrderDesk) Pick(ctx context.Context, who portal.Session, orderNo string, qtys map[int]portal.Qty) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		o, err := lockOrder(ctx, tx, orderNo)
		if err != nil {
			return err
		}
		if !o.Status.Pickable() {
			return portal.Errorf(portal.CodeConflict, "Order %s is %s: only an approved order can be picked.", orderNo,
				statusWords(o.Status))
		}
		lineNos, texts, err := checkQtys(ctx, tx, o, qtys)
		if err != nil {
			return err
		}
		if o.Status == portal.OrderApproved {
			if _, err := tx.Exec(ctx, query("desk_order_move"),
				args{"order_no": orderNo, "status": portal.OrderPicking, "reason": (*string)(nil)}); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, query("desk_order_pick"), args{"order_id": o.OrderID, "line_nos": lineNos, "qtys": texts})
		return err
	})
	if err != nil {
		return fmt.Errorf("pick order %q: %w", orderNo, err)
	}
	return nil
}

// Ship implements portal.OrderDesk.
func (s *OrderDesk) Ship(ctx context.Context, who portal.Session, orderNo string, ship portal.ShipOrder) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		o, err := lockOrder(ctx, tx, orderNo)
		if err != nil {
			return err
		}
		if !o.Status.Pickable() {
			return portal.Errorf(portal.CodeConflict, "Order %s is %s: only an approved order can be shipped.", orderNo,
				statusWords(o.Status))
		}
		if err := checkSeen(ctx, tx, o, orderNo, ship.Seen); err != nil {
			return err
		}
		a := args{"order_no": orderNo, "carrier": ship.Carrier, "tracking_no": ship.TrackingNo, "line_nos": []int32(nil),
			"qtys": []string(nil)}
		if ship.Qtys != nil {
			if a["line_nos"], a["qtys"], err = checkQtys(ctx, tx, o, ship.Qtys); err != nil {
				return err
			}
			if !slices.ContainsFunc(slices.Collect(maps.Values(ship.Qtys)), func(q portal.Qty) bool { return q.IsPositive() }) {
				return portal.Invalid("qty", "Enter what leaves the house on one line at least.")
			}
		}
		var shipment int64
		return tx.QueryRow(ctx, query("desk_order_ship"), a).Scan(&shipment)
	})
	if err != nil {
		return fmt.Errorf("ship order %q: %w", orderNo, err)
	}
	return nil
}

// checkSeen refuses to ship on top of a shipment that the shipper had not seen:
// the same form sent twice ships once.
func checkSeen(ctx context.Context, tx pgx.Tx, o lockedOrder, orderNo string, seen *portal.Qty) error {
	if seen == nil {
		return nil
	}
	rows, _ := tx.Query(ctx, query("desk_line_state"), args{"order_id": o.OrderID})
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[lineState])
	if err != nil {
		return fmt.Errorf("lines: %w", err)
	}
	var shipped portal.Qty
	for _, l := range lines {
		shipped.Decimal = shipped.Add(l.Shipped.Decimal)
	}
	if !shipped.Equal(seen.Decimal) {
		return portal.Errorf(portal.CodeConflict,
			"Part of order %s has shipped meanwhile. Nothing was changed: look at the quantities again.", orderNo)
	}
	return nil
}

// InvoiceShipped implements portal.OrderDesk.
func (s *OrderDesk) InvoiceShipped(ctx context.Context, who portal.Session, orderNo, shown string) (string, error) {
	var invoiceNo string
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameShipped(ctx, tx, []string{orderNo}, nil, map[string]string{orderNo: shown}); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("desk_order_invoice"), args{"order_no": orderNo}).Scan(&invoiceNo)
	})
	if err != nil {
		return "", fmt.Errorf("invoice order %q: %w", orderNo, err)
	}
	return invoiceNo, nil
}
