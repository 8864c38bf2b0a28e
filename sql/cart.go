package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// CartStore implements portal.CartService. Safe for concurrent use.
type CartStore struct{ db *DB }

// NewCartStore keeps carts in db.
func NewCartStore(db *DB) *CartStore { return &CartStore{db} }

// Cart implements portal.CartService.
func (s *CartStore) Cart(ctx context.Context, who portal.Session) (portal.Cart, error) {
	var out portal.Cart
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID}
		if who.Acting != portal.ActingPreview { // which only reads
			if _, err := tx.Exec(ctx, query("cart_open"), a); err != nil {
				return err
			}
		}
		rows, _ := tx.Query(ctx, query("cart_head"), a)
		var err error
		out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Cart])
		if err != nil {
			return fmt.Errorf("head: %w", err)
		}
		rows, _ = tx.Query(ctx, query("cart_lines"), a)
		if out.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.CartLine]); err != nil {
			return fmt.Errorf("lines: %w", err)
		}
		rows, _ = tx.Query(ctx, query("ship_to_list"), a)
		if out.ShipTos, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ShipTo]); err != nil {
			return fmt.Errorf("ship-tos: %w", err)
		}
		out.Findings, out.ShownOutcome, err = foundBy(ctx, tx, "cart_findings", a)
		return err
	})
	if err != nil {
		return portal.Cart{}, fmt.Errorf("cart of login %d: %w", who.LoginID, err)
	}
	sum := decimal.Zero
	for _, l := range out.Lines {
		if l.LineTotal != nil {
			sum = sum.Add(l.LineTotal.Decimal)
			out.Total = &portal.Money{Decimal: sum}
		}
	}
	out.Findings, out.Room = portal.TakeRoom(out.Findings)
	for i := range out.Findings {
		out.Findings[i].Text = out.Findings[i].BuyerText(out.Total != nil)
	}
	return out, nil
}

// SetLine implements portal.CartService.
func (s *CartStore) SetLine(ctx context.Context, who portal.Session, itemNo, uom string, qty portal.Qty,
	add, sure bool) error {
	uom = strings.ToUpper(strings.TrimSpace(uom))
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "item_no": itemNo, "uom": uom,
			"qty": qty.Decimal, "add": add}
		change := "cart_remove_line"
		var factor decimal.Decimal
		var was *decimal.Decimal
		if !qty.IsZero() {
			change = "cart_set_line"
			var err error
			if factor, err = checkUnit(ctx, tx, a, qty); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, query("cart_open"), a); err != nil {
				return err
			}
			if err := tx.QueryRow(ctx, query("cart_line_qty"), a).Scan(&was); err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
		}
		rows, _ := tx.Query(ctx, query(change), a)
		lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[cartLineQty])
		if err != nil || len(lines) == 0 {
			return err
		}
		if !qty.IsZero() && (was == nil || !was.Equal(lines[0].Qty)) { // what was confirmed and stays so is not asked again
			if err := markUnusual(ctx, tx, a, lines[0], factor, sure); err != nil {
				return fmt.Errorf("usual: %w", err)
			}
		}
		a["item_ids"] = []int64{int64(lines[0].ItemID)}
		_, err = tx.Exec(ctx, query("cart_seen"), a)
		return err
	})
	if err != nil {
		return fmt.Errorf("cart line %q of login %d: %w", itemNo, who.LoginID, err)
	}
	return nil
}

// cartLineQty is a line of the cart as a change left it.
type cartLineQty struct {
	ItemID portal.ItemID
	Qty    decimal.Decimal
}

// markUnusual keeps at a line whether its quantity is far above all that the
// customer ever ordered, until it is confirmed (sure: it is already) or becomes
// another. factor is how many base units its unit has.
func markUnusual(ctx context.Context, tx pgx.Tx, a args, line cartLineQty, factor decimal.Decimal, sure bool) error {
	a["above"], a["of_item"] = (*decimal.Decimal)(nil), (*bool)(nil)
	if base := line.Qty.Mul(factor); !sure && portal.MayBeUnusual(base) {
		usual, err := usualQtys(ctx, tx, a["customer_id"].(portal.CustomerID), []portal.ItemID{line.ItemID})
		if err != nil {
			return err
		}
		if u, ok := usual[line.ItemID]; ok && u.Far(base) {
			a["above"], a["of_item"] = u.Qty.Decimal, u.OfItem
		}
	}
	_, err := tx.Exec(ctx, query("cart_line_unusual"), a)
	return err
}

// ConfirmQty implements portal.CartService.
func (s *CartStore) ConfirmQty(ctx context.Context, who portal.Session, itemNo, sure string) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, query("cart_confirm_qty"),
			args{"customer_id": who.CustomerID, "login_id": who.LoginID, "item_no": itemNo, "sure": sure})
		if err == nil && tag.RowsAffected() == 0 {
			return portal.Errorf(portal.CodeConflict, "The line has changed since. Please look at your cart again.")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("confirm %q of login %d: %w", itemNo, who.LoginID, err)
	}
	return nil
}

// checkUnit refuses at the field what could never be ordered, and returns how
// many base units the unit has.
func checkUnit(ctx context.Context, tx pgx.Tx, a args, qty portal.Qty) (decimal.Decimal, error) {
	type unit struct {
		ItemNo       string
		Description  string
		Fractional   bool
		Discontinued bool
		UOM          string
		Factor       *decimal.Decimal
		Step         string
	}
	rows, _ := tx.Query(ctx, query("item_unit"), a)
	u, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[unit])
	if err != nil {
		return decimal.Zero, notFound(refusal(err), "There is no such item in your catalog.")
	}
	switch {
	case u.Discontinued:
		return decimal.Zero, portal.Invalid("item_no", "%s is discontinued.", u.ItemNo)
	case u.Factor == nil:
		return decimal.Zero, portal.Invalid("uom", "%s is not sold by %s.", u.ItemNo, u.UOM)
	case u.Step == "none":
		return decimal.Zero, portal.Invalid("item_no", "Please call us for a price of %s.", u.ItemNo)
	case !u.Fractional && !(qty.IsInteger() && qty.Mul(*u.Factor).IsInteger()):
		return decimal.Zero, portal.Invalid("qty", "%s is sold in whole %s.", u.ItemNo, u.UOM)
	}
	return *u.Factor, nil
}

// SaveHead implements portal.CartService.
func (s *CartStore) SaveHead(ctx context.Context, who portal.Session, head portal.CartHead) error {
	date, err := parseDate("requested_date", head.RequestedDate)
	if err != nil {
		return err
	}
	err = s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "po_no": strings.TrimSpace(head.PONo),
			"note": strings.TrimSpace(head.Note), "ship_to": head.ShipTo, "requested_date": date}
		if _, err := tx.Exec(ctx, query("cart_open"), a); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("cart_save_head"), a)
		return err
	})
	if err != nil {
		return fmt.Errorf("cart head of login %d: %w", who.LoginID, err)
	}
	return nil
}

func parseDate(field, s string) (*time.Time, error) {
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return nil, portal.Invalid(field, "Write the date as year-month-day, like 2026-07-31.")
	}
	if !portal.DayWithinReason(t) {
		return nil, portal.Invalid(field, "%s", portal.DayWords)
	}
	return &t, nil
}

// Submit implements portal.CartService.
func (s *CartStore) Submit(ctx context.Context, who portal.Session, in portal.CartSubmit) (portal.Submitted, error) {
	date, err := parseDate("requested_date", in.RequestedDate)
	if err != nil {
		return portal.Submitted{}, err
	}
	if !isUUID(in.Key) {
		return portal.Submitted{}, portal.Errorf(portal.CodeConflict,
			"This page is out of date. Please look at the cart again.")
	}
	var orderNo *string
	var signOff *portal.SignOffID
	var findings []portal.OrderFinding
	err = s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var repeated bool
		var found []byte
		a := args{"login_id": who.LoginID, "key": in.Key, "po_no": in.PONo, "ship_to": in.ShipTo, "requested_date": date,
			"note": in.Note, "shown": in.Shown, "confirm_prices": in.ConfirmPrices, "confirm_po": in.ConfirmPO,
			"shown_outcome": in.ShownOutcome}
		var seePrices bool
		if err := tx.QueryRow(ctx, query("cart_submit"), a).Scan(&orderNo, &signOff, &repeated, &found,
			&seePrices); err != nil {
			return err
		}
		findings, err = parseFindings(found, seePrices)
		return err
	})
	if err != nil {
		return portal.Submitted{}, fmt.Errorf("submit cart of login %d: %w", who.LoginID, err)
	}
	switch {
	case orderNo != nil:
		return portal.Submitted{OrderNo: *orderNo}, nil
	case signOff != nil:
		return portal.Submitted{SignOff: *signOff}, nil
	}
	return portal.Submitted{}, fmt.Errorf("submit cart of login %d: %w", who.LoginID, cartRefused(findings))
}

// cartRefused is refusedError of a cart, whose prices are confirmed by page.
func cartRefused(findings []portal.OrderFinding) error {
	err := refusedError(findings)
	if r, ok := errors.AsType[*portal.RefusedError](err); ok {
		r.ByPage = true
	}
	return err
}

// foundBy reads the findings of a query, without their words, and what they say
// of the outcome as a form carries it.
func foundBy(ctx context.Context, tx pgx.Tx, name string, a args) ([]portal.OrderFinding, string, error) {
	var found []byte
	var said string
	if err := tx.QueryRow(ctx, query(name), a).Scan(&found, &said); err != nil {
		return nil, "", fmt.Errorf("findings: %w", err)
	}
	findings, err := parseFindings(found, false)
	return findings, portal.CarryJSON(said), err
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if r != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}

func parseFindings(raw []byte, seePrices bool) ([]portal.OrderFinding, error) {
	var list []struct {
		Code, Action string
		Field        *string
		Line         *int
		Detail       json.RawMessage
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("findings: %w", err)
	}
	out := make([]portal.OrderFinding, len(list))
	for i, f := range list {
		out[i] = portal.OrderFinding{Code: f.Code, Action: f.Action, Detail: f.Detail}
		if f.Field != nil {
			out[i].Field = *f.Field
		}
		if f.Line != nil {
			out[i].Line = *f.Line
		}
		out[i].Text = out[i].BuyerText(seePrices)
	}
	return out, nil
}

// refusedError is the findings as an error for the form: view-only is
// forbidden, a state somebody else made is a conflict, the rest needs another
// value.
func refusedError(findings []portal.OrderFinding) error {
	e := &portal.Error{Code: portal.CodeInvalid, Err: &portal.RefusedError{Findings: findings}}
	for _, f := range findings {
		if f.Action != "refuse" {
			continue
		}
		switch f.Code {
		case "view_only", "portal_disabled", "role_no_order":
			e.Code = portal.CodeForbidden
		case "cart_changed", "prices_rose", "po_repeated", "lines_changed", "outcome_changed", "delivery_changed",
			"ship_to_changed", "finding_new",
			"stock_short", "no_lines":
			if e.Code == portal.CodeInvalid {
				e.Code = portal.CodeConflict
			}
		}
		if e.Message == "" {
			e.Message = f.Text
		}
		e.Fields = append(e.Fields, portal.FieldError{Field: f.Field, Line: f.Line, Message: f.Text})
	}
	return e
}
