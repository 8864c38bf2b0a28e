package sql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// EntryStore implements portal.EntryService. Safe for concurrent use.
type EntryStore struct{ db *DB }

// NewEntryStore takes quick orders into the carts of db.
func NewEntryStore(db *DB) *EntryStore { return &EntryStore{db} }

// Resolve implements portal.EntryService.
func (s *EntryStore) Resolve(ctx context.Context, who portal.Session,
	rows []portal.EntryRow) ([]portal.EntryLine, error) {
	var out []portal.EntryLine
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var err error
		out, err = resolve(ctx, tx, who, rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("quick order of login %d: %w", who.LoginID, err)
	}
	return out, nil
}

// resolve looks rows up, prices and judges them.
func resolve(ctx context.Context, tx pgx.Tx, who portal.Session, rows []portal.EntryRow) ([]portal.EntryLine, error) {
	if len(rows) > portal.MaxEntryRows {
		return nil, portal.Errorf(portal.CodeInvalid, "These are %d rows; at most %d can be taken at once.", len(rows),
			portal.MaxEntryRows)
	}
	out := make([]portal.EntryLine, len(rows))
	refs := make([]string, len(rows))
	for i, r := range rows {
		r.Ref, r.UOM, r.Qty = storable(r.Ref), strings.ToUpper(storable(r.UOM)), storable(r.Qty)
		r.Pick, r.Sure = storable(r.Pick), storable(r.Sure)
		out[i] = portal.EntryLine{Line: i + 1, EntryRow: r}
		if len(r.Ref) <= maxRef {
			refs[i] = r.Ref
		}
	}
	fits, err := entryFits(ctx, tx, who, refs)
	if err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	items := make([]portal.ItemID, len(rows)) // 0: none
	var ords []int32
	var ids []int64
	var uoms []string
	var qtys []*decimal.Decimal
	for i := range out {
		fit := out[i].Choose(fits[i])
		if fit == nil {
			continue
		}
		items[i] = fit.ItemID
		var qty *decimal.Decimal
		if out[i].Quantity != nil {
			qty = &out[i].Quantity.Decimal
		}
		ords, ids, uoms, qtys = append(ords, int32(i)), append(ids, int64(fit.ItemID)),
			append(uoms, out[i].Unit()), append(qtys, qty)
	}
	type found struct {
		Ord int
		portal.EntryItem
	}
	list, _ := tx.Query(ctx, query("entry_resolve"),
		args{"customer_id": who.CustomerID, "ords": ords, "item_ids": ids, "uoms": uoms, "qtys": qtys})
	priced, err := pgx.CollectRows(list, pgx.RowToStructByName[found])
	if err != nil {
		return nil, fmt.Errorf("price: %w", err)
	}
	for _, f := range priced {
		out[f.Ord].Item = &f.EntryItem
	}
	if err := askUnusual(ctx, tx, who, out, items); err != nil {
		return nil, fmt.Errorf("usual: %w", err)
	}
	for i := range out {
		out[i].Judge()
	}
	return out, nil
}

// resolveStored does the same with rows of documents and lists of ours: what
// they name is the item of that number and no other, and their quantities were
// meant once.
func resolveStored(ctx context.Context, tx pgx.Tx, who portal.Session,
	rows []portal.EntryRow) ([]portal.EntryLine, error) {
	lines, err := resolve(ctx, tx, who, typedQtys(rows))
	for i := range lines {
		l := &lines[i]
		if l.Item != nil && l.Item.ItemNo != l.Ref {
			l.Item, l.Quantity = nil, nil
		}
		l.Choices, l.Sure = nil, l.AskSure
		l.Judge()
	}
	return lines, err
}

// typedQtys writes quantities as the database has them so that they are read
// as the same.
func typedQtys(rows []portal.EntryRow) []portal.EntryRow {
	out := slices.Clone(rows)
	for i := range out {
		if d, err := decimal.NewFromString(out[i].Qty); err == nil {
			out[i].Qty = portal.Qty{Decimal: d}.Typed()
		}
	}
	return out
}

// maxRef is how many bytes of a reference may stand for an item.
const maxRef = 400

// storable is what was typed without blanks around it and without what
// PostgreSQL cannot store.
func storable(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", ""))
}

// entryFits returns the items that each reference fits.
func entryFits(ctx context.Context, tx pgx.Tx, who portal.Session, refs []string) ([][]portal.EntryFit, error) {
	type fit struct {
		Ord int
		portal.EntryFit
	}
	rows, _ := tx.Query(ctx, query("entry_find"), args{"customer_id": who.CustomerID, "refs": refs})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[fit])
	out := make([][]portal.EntryFit, len(refs))
	for _, f := range list {
		out[f.Ord-1] = append(out[f.Ord-1], f.EntryFit)
	}
	return out, err
}

// askUnusual marks the lines whose quantity is far above all that the customer
// ever ordered. Its documents are looked at only where a line is large enough.
func askUnusual(ctx context.Context, tx pgx.Tx, who portal.Session, lines []portal.EntryLine,
	items []portal.ItemID) error {
	var large []portal.ItemID
	for i, l := range lines {
		if l.Item != nil && l.Item.Factor != nil && l.Quantity != nil &&
			portal.MayBeUnusual(l.Quantity.Mul(l.Item.Factor.Decimal)) {
			large = append(large, items[i])
		}
	}
	if large == nil {
		return nil
	}
	usual, err := usualQtys(ctx, tx, who.CustomerID, large)
	for i := range lines {
		if u, ok := usual[items[i]]; ok {
			lines[i].Question(u)
		}
	}
	return err
}

// usualQtys returns what is usual of items; those of which nothing is known are
// not in it.
func usualQtys(ctx context.Context, tx pgx.Tx, customer portal.CustomerID,
	items []portal.ItemID) (map[portal.ItemID]portal.Usual, error) {
	type usual struct {
		ItemID portal.ItemID
		portal.Usual
	}
	rows, _ := tx.Query(ctx, query("entry_usual"), args{"customer_id": customer, "item_ids": items})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[usual])
	out := make(map[portal.ItemID]portal.Usual, len(list))
	for _, u := range list {
		out[u.ItemID] = u.Usual
	}
	return out, err
}

// AddReady implements portal.EntryService.
func (s *EntryStore) AddReady(ctx context.Context, who portal.Session, rows []portal.EntryRow,
	replace bool) ([]portal.EntryLine, int, error) {
	var out []portal.EntryLine
	var added int
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var err error
		if out, err = resolve(ctx, tx, who, rows); err != nil {
			return err
		}
		added, err = addReady(ctx, tx, who, out, nil, replace)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("quick order of login %d: %w", who.LoginID, err)
	}
	return out, added, nil
}

// addReady puts the lines that are ready into the cart. was, if given, is what
// each line cost on the document it was copied from.
func addReady(ctx context.Context, tx pgx.Tx, who portal.Session, lines []portal.EntryLine, was []*portal.Price,
	replace bool) (int, error) {
	var nos, uoms []string
	var qtys []decimal.Decimal
	var wases []*decimal.Decimal
	for i, l := range lines {
		if !l.Ready() {
			continue
		}
		nos, uoms, qtys = append(nos, l.Item.ItemNo), append(uoms, l.Item.UOM), append(qtys, l.Quantity.Decimal)
		var w *decimal.Decimal
		if was != nil && was[i] != nil {
			w = &was[i].Decimal
		}
		wases = append(wases, w)
	}
	a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "item_nos": nos, "uoms": uoms,
		"qtys": qtys, "was": wases}
	if _, err := tx.Exec(ctx, query("cart_open"), a); err != nil {
		return 0, err
	}
	if replace {
		if _, err := tx.Exec(ctx, query("cart_clear"), a); err != nil {
			return 0, err
		}
	}
	if len(nos) == 0 {
		return 0, nil
	}
	rows, _ := tx.Query(ctx, query("entry_add"), a)
	items, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, err
	}
	a["item_ids"] = items
	if _, err := tx.Exec(ctx, query("cart_seen"), a); err != nil {
		return 0, err
	}
	return len(nos), nil
}

// Quantity implements portal.EntryService.
func (s *EntryStore) Quantity(ctx context.Context, who portal.Session, itemNo, uom string,
	typed portal.QtyText) (portal.Qty, string, string, error) {
	type item struct {
		ItemID     portal.ItemID
		BaseUOM    string
		Units      []string
		Factors    []decimal.Decimal
		Fractional bool
	}
	var qty portal.Qty
	var unit, unusual string
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("entry_units"), args{"customer_id": who.CustomerID, "item_no": storable(itemNo)})
		i, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[item])
		if err != nil {
			return notFound(refusal(err), "There is no such item in your catalog.")
		}
		var field, problem string
		if qty, unit, field, problem = typed.For(strings.ToUpper(storable(uom)), i.BaseUOM, i.Units,
			i.Fractional); problem != "" {
			return portal.Invalid(field, "%s", problem)
		}
		at := slices.Index(i.Units, unit)
		if at < 0 || !portal.MayBeUnusual(qty.Mul(i.Factors[at])) {
			return nil
		}
		usual, err := usualQtys(ctx, tx, who.CustomerID, []portal.ItemID{i.ItemID})
		if u, ok := usual[i.ItemID]; ok && u.Far(qty.Mul(i.Factors[at])) {
			unusual = u.Words(qty, unit, i.BaseUOM)
		}
		return err
	})
	if err != nil {
		return portal.Qty{}, "", "", fmt.Errorf("quantity of %q: %w", itemNo, err)
	}
	return qty, unit, unusual, nil
}

// BoughtBefore implements portal.EntryService.
func (s *EntryStore) BoughtBefore(ctx context.Context, who portal.Session, limit int) ([]portal.BoughtRow, error) {
	var out []portal.BoughtRow
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("bought_before"), args{"customer_id": who.CustomerID, "row_limit": limit})
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.BoughtRow])
		for i := range out {
			out[i].EntryRow = typedQtys([]portal.EntryRow{out[i].EntryRow})[0]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bought before by customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}
