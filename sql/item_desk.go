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

// Items implements portal.ItemDesk.
func (s *ItemDesk) Items(ctx context.Context, who portal.Session, search,
	after string) ([]portal.DeskItem, string, error) {
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
	out, next := cutPage(out, func(last portal.DeskItem) string { return last.ItemNo })
	return out, next, nil
}

// Item implements portal.ItemDesk.
func (s *ItemDesk) Item(ctx context.Context, who portal.Session, itemNo string) (portal.DeskItem, error) {
	var out portal.DeskItem
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var err error
		out, err = deskItem(ctx, tx, itemNo)
		return err
	})
	if err != nil {
		return portal.DeskItem{}, fmt.Errorf("desk item %q: %w", itemNo, notFound(err, "There is no such item."))
	}
	return out, nil
}

func deskItem(ctx context.Context, tx pgx.Tx, itemNo string) (portal.DeskItem, error) {
	rows, _ := tx.Query(ctx, query("desk_item"), args{"item_no": itemNo})
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.DeskItem])
}

// SaveItem implements portal.ItemDesk. Rows that stay as they are are not
// written, so that nobody is told of a change that is none.
func (s *ItemDesk) SaveItem(ctx context.Context, who portal.Session, itemNo string,
	edit portal.DeskItemEdit) ([]portal.Shortfall, error) {
	change, err := edit.Change()
	if err != nil {
		return nil, err
	}
	var short []portal.Shortfall
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var id portal.ItemID
		err := tx.QueryRow(ctx, query("desk_item_lock"), args{"item_no": itemNo}).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return portal.Errorf(portal.CodeNotFound, "There is no such item.")
		}
		if err != nil {
			return err
		}
		if edit.Shown != "" {
			now, err := deskItem(ctx, tx, itemNo)
			if err != nil {
				return err
			}
			if err := now.Typed().Figures().Compare(edit.Shown, edit.Figures(), portal.SaveOver); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, query("desk_save_item"), args{
			"item_id": id, "description": change.Description, "price_a": change.PriceA, "price_b": change.PriceB,
			"price_c": change.PriceC, "price_d": change.PriceD, "price_e": change.PriceE, "cost": change.Cost,
			"active": change.Active, "discontinued": change.Discontinued, "allow_backorder": change.AllowBackorder,
		})
		if err != nil {
			return err
		}
		short, err = setStock(ctx, tx, id, change.OnHand, change.OnHandSeen)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save item %q: %w", itemNo, err)
	}
	return short, nil
}

// setStock sets what is on hand in the company's warehouse. What was seen and
// left as it was is not written back over what the warehouse did meanwhile. It
// returns what the triggers took back from orders because it is not there.
func setStock(ctx context.Context, tx pgx.Tx, id portal.ItemID, onHand, seen *portal.Qty) ([]portal.Shortfall, error) {
	if onHand == nil || (seen != nil && seen.Equal(onHand.Decimal)) {
		return nil, nil
	}
	var now portal.Qty
	var before *int64
	err := tx.QueryRow(ctx, query("desk_stock_lock"), args{"item_id": id}).Scan(&now, &before)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("stock: %w", err)
	}
	if err == nil && onHand.Equal(now.Decimal) {
		return nil, nil // it is as counted, whatever the form showed
	}
	if seen != nil && !seen.Equal(now.Decimal) {
		msg := fmt.Sprintf("There are %s on hand now, no longer %s. Nothing was saved: count again.",
			now.Decimal, seen.Decimal)
		return nil, &portal.Error{Code: portal.CodeConflict, Message: msg,
			Fields: []portal.FieldError{{Field: "on_hand", Message: msg}}}
	}
	if _, err = tx.Exec(ctx, query("desk_save_stock"), args{"item_id": id, "on_hand": onHand.Decimal}); err != nil {
		return nil, err
	}
	if before == nil {
		return nil, nil // there was no stock to take back
	}
	rows, _ := tx.Query(ctx, query("desk_shortfalls"), args{"item_id": id, "after": before})
	return pgx.CollectRows(rows, pgx.RowToStructByName[portal.Shortfall])
}
