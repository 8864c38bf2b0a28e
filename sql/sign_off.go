package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// signOffRows is how many requests a list shows; who needs an older one finds
// the order.
const signOffRows = 100

// SignOffStore implements portal.SignOffService. Who sees a request is the
// wall's to say, who decides about it the functions' (sql/functions/sign_off.sql).
// Safe for concurrent use.
type SignOffStore struct{ db *DB }

// NewSignOffStore keeps the requests of db.
func NewSignOffStore(db *DB) *SignOffStore { return &SignOffStore{db} }

// SignOffs implements portal.SignOffService.
func (s *SignOffStore) SignOffs(ctx context.Context, who portal.Session, waitingOnly bool) ([]portal.SignOff, error) {
	var out []portal.SignOff
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("sign_off_list"), args{"customer_id": who.CustomerID, "login_id": who.LoginID,
			"waiting_only": waitingOnly, "row_limit": signOffRows})
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.SignOff])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sign-offs of login %d: %w", who.LoginID, err)
	}
	return out, nil
}

// SignOff implements portal.SignOffService.
func (s *SignOffStore) SignOff(ctx context.Context, who portal.Session,
	id portal.SignOffID) (portal.SignOffDetail, error) {
	var out portal.SignOffDetail
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "sign_off_id": id}
		rows, _ := tx.Query(ctx, query("sign_off_head"), a)
		var err error
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.SignOffDetail]); err != nil {
			return refusal(err)
		}
		a["waiting"] = out.Status == portal.SignOffWaiting
		rows, _ = tx.Query(ctx, query("sign_off_lines"), a)
		if out.SignLines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.SignOffLine]); err != nil {
			return fmt.Errorf("lines: %w", err)
		}
		if out.MayDecide {
			if out.Findings, out.ShownOutcome, err = foundBy(ctx, tx, "sign_off_findings", a); err != nil {
				return err
			}
			var room portal.CartRoom
			out.Findings, room = portal.TakeRoom(out.Findings)
			out.Delivery = room.Delivery
		}
		var seePrices bool
		if err := tx.QueryRow(ctx, query("see_prices"), a).Scan(&seePrices); err != nil {
			return err
		}
		return out.Tell(seePrices)
	})
	if err != nil {
		return portal.SignOffDetail{}, fmt.Errorf("sign-off %d of login %d: %w", id, who.LoginID,
			notFound(err, "There is no such request."))
	}
	return out, nil
}

// ApproveSignOff implements portal.SignOffService.
func (s *SignOffStore) ApproveSignOff(ctx context.Context, who portal.Session, id portal.SignOffID,
	d portal.SignOffDecision) (string, error) {
	date, err := parseDate("requested_date", d.RequestedDate)
	if err != nil {
		return "", err
	}
	a := args{"sign_off_id": id, "po_no": d.PONo, "requested_date": date, "shown": d.Shown,
		"confirm_prices": d.ConfirmPrices, "confirm_po": d.ConfirmPO, "shown_outcome": d.ShownOutcome}
	nos := make([]int, 0, len(d.Qtys))
	for no := range d.Qtys {
		nos = append(nos, no)
	}
	slices.Sort(nos)
	qtys := make([]decimal.Decimal, len(nos))
	for i, no := range nos {
		qtys[i] = d.Qtys[no].Decimal
	}
	a["line_nos"], a["qtys"] = nos, qtys
	var orderNo *string
	var findings []portal.OrderFinding
	err = s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var repeated, seePrices bool
		var found json.RawMessage
		if err := tx.QueryRow(ctx, query("sign_off_approve"), a).Scan(&orderNo, &repeated, &found, &seePrices); err != nil {
			return err
		}
		findings, err = parseFindings(found, seePrices)
		return err
	})
	if err == nil && orderNo == nil {
		err = refusedError(findings)
	}
	if err != nil {
		return "", fmt.Errorf("sign off %d by login %d: %w", id, who.LoginID, err)
	}
	return *orderNo, nil
}

// RejectSignOff implements portal.SignOffService.
func (s *SignOffStore) RejectSignOff(ctx context.Context, who portal.Session, id portal.SignOffID,
	reason string) error {
	return s.decide(ctx, who, "sign_off_reject", args{"sign_off_id": id, "reason": reason})
}

// TakeBackSignOff implements portal.SignOffService.
func (s *SignOffStore) TakeBackSignOff(ctx context.Context, who portal.Session, id portal.SignOffID) error {
	return s.decide(ctx, who, "sign_off_take_back", args{"sign_off_id": id})
}

func (s *SignOffStore) decide(ctx context.Context, who portal.Session, name string, a args) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query(name), a)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s %d by login %d: %w", name, a["sign_off_id"], who.LoginID, err)
	}
	return nil
}
