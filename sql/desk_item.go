package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// DeskItems implements portal.DeskService.
func (s *DeskStore) DeskItems(ctx context.Context, who portal.Session, search, after string) ([]portal.DeskItem, string, error) {
	search = strings.Join(strings.Fields(search), " ")
	a := args{"query": search, "prefix": likePrefix(search), "words": "", "after": after, "row_limit": portal.PageSize + 1}
	if strings.ContainsFunc(search, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		a["words"] = searchWords(search)
	}
	var out []portal.DeskItem
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("desk_item_list"), a)
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.DeskItem])
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("desk items: %w", err)
	}
	if len(out) > portal.PageSize {
		out = out[:portal.PageSize]
		return out, out[portal.PageSize-1].ItemNo, nil
	}
	return out, "", nil
}

// DeskItem implements portal.DeskService.
func (s *DeskStore) DeskItem(ctx context.Context, who portal.Session, itemNo string) (portal.DeskItem, error) {
	var out portal.DeskItem
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("desk_item"), args{"item_no": itemNo})
		var err error
		out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.DeskItem])
		return err
	})
	if err != nil {
		return portal.DeskItem{}, fmt.Errorf("desk item %q: %w", itemNo, notFound(err, "There is no such item."))
	}
	return out, nil
}

// SaveItem implements portal.DeskService. Rows that stay as they are are not
// written, so that nobody is told of a change that is none.
func (s *DeskStore) SaveItem(ctx context.Context, who portal.Session, itemNo string, edit portal.DeskItemEdit) error {
	change, err := edit.Change()
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var id portal.ItemID
		err := tx.QueryRow(ctx, query("desk_item_lock"), args{"item_no": itemNo}).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return portal.Errorf(portal.CodeNotFound, "There is no such item.")
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, query("desk_save_item"), args{
			"item_id": id, "description": change.Description, "price_a": change.PriceA, "price_b": change.PriceB, "price_c": change.PriceC,
			"price_d": change.PriceD, "price_e": change.PriceE, "cost": change.Cost, "active": change.Active,
			"discontinued": change.Discontinued, "allow_backorder": change.AllowBackorder,
		})
		if err != nil {
			return err
		}
		return setStock(ctx, tx, id, change.OnHand, change.OnHandSeen)
	})
	if err != nil {
		return fmt.Errorf("save item %q: %w", itemNo, err)
	}
	return nil
}

// setStock sets what is on hand in the company's warehouse. What was seen and
// left as it was is not written back over what the warehouse did meanwhile.
func setStock(ctx context.Context, tx pgx.Tx, id portal.ItemID, onHand, seen *portal.Qty) error {
	if onHand == nil || (seen != nil && seen.Equal(onHand.Decimal)) {
		return nil
	}
	var now, allocated portal.Qty
	err := tx.QueryRow(ctx, query("desk_stock_lock"), args{"item_id": id}).Scan(&now, &allocated)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("stock: %w", err)
	}
	if seen != nil && !seen.Equal(now.Decimal) {
		msg := fmt.Sprintf("There are %s on hand now, no longer %s. Nothing was saved: count again.", now.Decimal, seen.Decimal)
		return &portal.Error{Code: portal.CodeConflict, Message: msg, Fields: []portal.FieldError{{Field: "on_hand", Message: msg}}}
	}
	if onHand.LessThan(allocated.Decimal) {
		return portal.Invalid("on_hand", "%s are allocated to orders: on hand cannot be less.", allocated.Decimal)
	}
	_, err = tx.Exec(ctx, query("desk_save_stock"), args{"item_id": id, "on_hand": onHand.Decimal})
	return err
}
