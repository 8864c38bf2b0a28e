package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// StandingStore implements portal.StandingOrderService and
// portal.NoticeService. Safe for concurrent use.
type StandingStore struct{ db *DB }

// NewStandingStore keeps the standing orders of db.
func NewStandingStore(db *DB) *StandingStore { return &StandingStore{db} }

// shownDates is how many coming dates of a standing order are told.
const shownDates = 3

const noStandingOrder = "There is no such standing order."

// StandingOrders implements portal.StandingOrderService.
func (s *StandingStore) StandingOrders(ctx context.Context, who portal.Session) ([]portal.StandingOrder, error) {
	var out []portal.StandingOrder
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var err error
		out, err = standingRows(ctx, tx, who, 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("standing orders of customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}

func standingRows(ctx context.Context, tx pgx.Tx, who portal.Session,
	id portal.StandingOrderID) ([]portal.StandingOrder, error) {
	rows, _ := tx.Query(ctx, query("standing_list"), args{"customer_id": who.CustomerID, "id": id})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.StandingOrder])
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(list))
	at := map[int64]*portal.StandingOrder{}
	for i := range list {
		ids[i] = int64(list[i].ID)
		at[ids[i]] = &list[i]
	}
	type date struct {
		OfID int64
		portal.StandingDate
	}
	rows, _ = tx.Query(ctx, query("standing_next"), args{"customer_id": who.CustomerID, "ids": ids})
	dates, err := pgx.CollectRows(rows, pgx.RowToStructByName[date])
	if err != nil {
		return nil, fmt.Errorf("dates: %w", err)
	}
	for _, d := range dates {
		if o := at[d.OfID]; len(o.Next) < shownDates {
			o.Next = append(o.Next, d.StandingDate)
		}
	}
	return list, nil
}

// StandingOrder implements portal.StandingOrderService.
func (s *StandingStore) StandingOrder(ctx context.Context, who portal.Session,
	id portal.StandingOrderID) (portal.StandingOrderDetail, error) {
	var out portal.StandingOrderDetail
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		list, err := standingRows(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if id <= 0 || len(list) == 0 {
			return portal.Errorf(portal.CodeNotFound, noStandingOrder)
		}
		out.StandingOrder = list[0]
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "id": id}
		if out.Lines, err = standingLines(ctx, tx, who, "standing_lines", a); err != nil {
			return fmt.Errorf("lines: %w", err)
		}
		if out.History, err = standingHistory(ctx, tx, who, a); err != nil {
			return fmt.Errorf("history: %w", err)
		}
		out.ShipTos, err = shipTos(ctx, tx, who)
		return err
	})
	if err != nil {
		return portal.StandingOrderDetail{}, fmt.Errorf("standing order %d of customer %d: %w", id, who.CustomerID, err)
	}
	return out, nil
}

func shipTos(ctx context.Context, tx pgx.Tx, who portal.Session) ([]portal.ShipTo, error) {
	rows, _ := tx.Query(ctx, query("ship_to_list"), args{"customer_id": who.CustomerID})
	return pgx.CollectRows(rows, pgx.RowToStructByName[portal.ShipTo])
}

// standingLines are rows of a source, looked up, priced and judged as those of
// a standing order.
func standingLines(ctx context.Context, tx pgx.Tx, who portal.Session, source string,
	a args) ([]portal.EntryLine, error) {
	rows, _ := tx.Query(ctx, query(source), a)
	entries, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.EntryRow])
	if err != nil {
		return nil, err
	}
	lines, err := resolveStored(ctx, tx, who, entries)
	return standing(lines), err
}

func standingResolve(ctx context.Context, tx pgx.Tx, who portal.Session,
	rows []portal.EntryRow) ([]portal.EntryLine, error) {
	lines, err := resolve(ctx, tx, who, rows)
	return standing(lines), err
}

func standing(lines []portal.EntryLine) []portal.EntryLine {
	for i := range lines {
		lines[i].Standing()
	}
	return lines
}

func standingHistory(ctx context.Context, tx pgx.Tx, who portal.Session, a args) ([]portal.StandingRun, error) {
	type run struct {
		portal.StandingRun
		Findings json.RawMessage
	}
	var sees bool
	if err := tx.QueryRow(ctx, query("sees_prices"), args{"customer_id": who.CustomerID}).Scan(&sees); err != nil {
		return nil, err
	}
	rows, _ := tx.Query(ctx, query("standing_history"), a)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[run])
	if err != nil {
		return nil, err
	}
	var out []portal.StandingRun
	for _, r := range list {
		findings, err := parseFindings(r.Findings, sees)
		if err != nil {
			return nil, err
		}
		r.Why = portal.Refusals(findings, sees)
		out = append(out, r.StandingRun)
	}
	return out, nil
}

// refusedRows is the error of rows that cannot be in a standing order, or nil.
func refusedRows(lines []portal.EntryLine) error {
	e := &portal.Error{Code: portal.CodeInvalid, Message: "Nothing was saved: some lines need a look."}
	ready := 0
	for _, l := range lines {
		switch {
		case l.Ready():
			ready++
		case !l.Blank():
			e.Fields = append(e.Fields, portal.FieldError{Field: l.Field, Line: l.Line, Message: l.Error})
		}
	}
	switch {
	case len(e.Fields) > 0:
		return e
	case ready == 0:
		return portal.Errorf(portal.CodeInvalid, "A standing order needs at least one line.")
	}
	return nil
}

// SaveStandingOrder implements portal.StandingOrderService.
func (s *StandingStore) SaveStandingOrder(ctx context.Context, who portal.Session, id portal.StandingOrderID,
	edit portal.StandingOrderEdit, rows []portal.EntryRow) (portal.StandingOrderID, []portal.EntryLine, error) {
	var lines []portal.EntryLine
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var err error
		if id == 0 {
			if lines, err = standingResolve(ctx, tx, who, rows); err != nil {
				return err
			}
		}
		change, startsOn, err := edit.Change()
		if err != nil {
			return err
		}
		if id == 0 {
			if err := refusedRows(lines); err != nil {
				return err
			}
		}
		if err := settingsChanged(ctx, tx, who, id, edit); err != nil {
			return err
		}
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "id": id, "name": change.Name,
			"rhythm": change.Rhythm, "every": change.Every, "weekday": change.Weekday, "starts_on": startsOn,
			"ends_on": change.EndsOn, "hours_before": change.HoursBefore, "ship_to": change.ShipTo, "po_no": change.PONo,
			"note": change.Note}
		var hasRoute bool
		if err := tx.QueryRow(ctx, query("standing_has_route"), a).Scan(&hasRoute); err != nil {
			if portal.ErrorCode(refusal(err)) == portal.CodeNotFound {
				return portal.Invalid("ship_to", "Choose one of your ship-to addresses.")
			}
			return err
		}
		if change.Rhythm == portal.RhythmRuns && !hasRoute {
			return portal.Invalid("rhythm", "No delivery route goes there: choose a weekday instead.")
		}
		statement := "standing_update"
		if id == 0 {
			statement = "standing_insert"
		}
		if err := tx.QueryRow(ctx, query(statement), a).Scan(&id); err != nil {
			return notFound(refusal(err), noStandingOrder)
		}
		if lines == nil {
			return nil
		}
		return setStandingLines(ctx, tx, who, id, lines)
	})
	if err != nil {
		return 0, lines, fmt.Errorf("save standing order %d of customer %d: %w", id, who.CustomerID, err)
	}
	return id, lines, nil
}

func setStandingLines(ctx context.Context, tx pgx.Tx, who portal.Session, id portal.StandingOrderID,
	lines []portal.EntryLine) error {
	var nos, uoms []string
	var qtys []decimal.Decimal
	for _, l := range lines {
		if l.Ready() {
			nos, uoms, qtys = append(nos, l.Item.ItemNo), append(uoms, l.Item.UOM), append(qtys, l.Quantity.Decimal)
		}
	}
	_, err := tx.Exec(ctx, query("standing_set_lines"),
		args{"customer_id": who.CustomerID, "id": id, "item_nos": nos, "uoms": uoms, "qtys": qtys})
	return err
}

// SetStandingLines implements portal.StandingOrderService.
func (s *StandingStore) SetStandingLines(ctx context.Context, who portal.Session, id portal.StandingOrderID,
	rows []portal.EntryRow, shown string) ([]portal.EntryLine, error) {
	var lines []portal.EntryLine
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		// the row's lock: not while the job makes an order of it
		var there int
		if err := tx.QueryRow(ctx, query("standing_hold"),
			args{"id": id, "customer_id": who.CustomerID}).Scan(&there); err != nil {
			return notFound(refusal(err), noStandingOrder)
		}
		var err error
		if lines, err = standingResolve(ctx, tx, who, rows); err != nil {
			return err
		}
		if err := refusedRows(lines); err != nil {
			return err
		}
		if err := linesChanged(ctx, tx, id, shown); err != nil {
			return err
		}
		return setStandingLines(ctx, tx, who, id, lines)
	})
	if err != nil {
		return lines, fmt.Errorf("lines of standing order %d of customer %d: %w", id, who.CustomerID, err)
	}
	return lines, nil
}

// changedMeanwhile is what a form is told whose page is not true any more.
const changedMeanwhile = "Somebody changed this standing order since the page was made. Nothing was saved: look at " +
	"what is different, and save once more to have it as you typed."

// linesChanged refuses lines that are made from a page with other ones.
func linesChanged(ctx context.Context, tx pgx.Tx, id portal.StandingOrderID, shown string) error {
	if shown == "" {
		return nil
	}
	var found []byte
	if err := tx.QueryRow(ctx, query("standing_changes"), args{"id": id, "shown": shown}).Scan(&found); err != nil {
		return err
	}
	findings, err := parseFindings(found, false)
	if err != nil || len(findings) == 0 {
		return err
	}
	e := &portal.Error{Code: portal.CodeConflict, Message: changedMeanwhile}
	for _, f := range findings {
		e.Fields = append(e.Fields, portal.FieldError{Message: f.Text})
	}
	return e
}

// settingsChanged refuses settings that are made from a page with other ones.
// The row is held until the transaction ends.
func settingsChanged(ctx context.Context, tx pgx.Tx, who portal.Session, id portal.StandingOrderID,
	edit portal.StandingOrderEdit) error {
	if id == 0 || edit.Shown == "" {
		return nil
	}
	var there int
	if err := tx.QueryRow(ctx, query("standing_hold"),
		args{"id": id, "customer_id": who.CustomerID}).Scan(&there); err != nil {
		return notFound(refusal(err), noStandingOrder)
	}
	list, err := standingRows(ctx, tx, who, id)
	if err != nil || len(list) == 0 {
		return err
	}
	return list[0].Typed().Figures().Compare(edit.Shown, edit.Figures(), portal.SaveOver)
}

// PauseStandingOrder implements portal.StandingOrderService.
func (s *StandingStore) PauseStandingOrder(ctx context.Context, who portal.Session, id portal.StandingOrderID,
	paused bool) error {
	return s.change(ctx, who, id, "standing_pause", args{"paused": paused})
}

// SetStandingRun implements portal.StandingOrderService.
func (s *StandingStore) SetStandingRun(ctx context.Context, who portal.Session, id portal.StandingOrderID,
	runDate time.Time, action string) error {
	return s.change(ctx, who, id, "standing_set_run", args{"run_date": runDate, "action": action})
}

// DeleteStandingOrder implements portal.StandingOrderService.
func (s *StandingStore) DeleteStandingOrder(ctx context.Context, who portal.Session, id portal.StandingOrderID) error {
	return s.change(ctx, who, id, "standing_delete", args{})
}

func (s *StandingStore) change(ctx context.Context, who portal.Session, id portal.StandingOrderID,
	statement string, a args) error {
	a["customer_id"], a["id"] = who.CustomerID, id
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		return oneRow(tx.Exec(ctx, query(statement), a))(noStandingOrder)
	})
	if err != nil {
		return fmt.Errorf("%s %d of customer %d: %w", statement, id, who.CustomerID, err)
	}
	return nil
}

// StandingSource implements portal.StandingOrderService.
func (s *StandingStore) StandingSource(ctx context.Context, who portal.Session,
	orderNo string) ([]portal.EntryLine, error) {
	var out []portal.EntryLine
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		source := "standing_from_cart"
		if orderNo != "" {
			source = "standing_from_order"
		}
		var err error
		out, err = standingLines(ctx, tx, who, source,
			args{"customer_id": who.CustomerID, "login_id": who.LoginID, "order_no": orderNo})
		return err
	})
	if err == nil && orderNo != "" && len(out) == 0 {
		err = portal.Errorf(portal.CodeNotFound, "There is no such order.")
	}
	if err != nil {
		return nil, fmt.Errorf("standing order of %q: %w", orderNo, err)
	}
	return out, nil
}

// StandingShipTos implements portal.StandingOrderService.
func (s *StandingStore) StandingShipTos(ctx context.Context, who portal.Session) ([]portal.ShipTo, error) {
	var out []portal.ShipTo
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var err error
		out, err = shipTos(ctx, tx, who)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ship-tos of customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}

// Notices implements portal.NoticeService.
func (s *StandingStore) Notices(ctx context.Context, who portal.Session) ([]portal.Notice, error) {
	var out []portal.Notice
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("notice_list"), args{"customer_id": who.CustomerID})
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Notice])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("notices of customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}

// PutAway implements portal.NoticeService.
func (s *StandingStore) PutAway(ctx context.Context, who portal.Session, id portal.NoticeID) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		return oneRow(tx.Exec(ctx, query("notice_put_away"),
			args{"customer_id": who.CustomerID, "id": id}))("There is no such notice.")
	})
	if err != nil {
		return fmt.Errorf("put away notice %d: %w", id, err)
	}
	return nil
}
