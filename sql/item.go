package sql

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// CatalogStore implements portal.CatalogService. Safe for concurrent use.
type CatalogStore struct{ db *DB }

// NewCatalogStore shows the catalogue of db.
func NewCatalogStore(db *DB) *CatalogStore { return &CatalogStore{db} }

// Catalog implements portal.CatalogService.
func (s *CatalogStore) Catalog(ctx context.Context, who portal.Session, f portal.ItemFilter) (portal.Catalog, error) {
	f.Page = max(f.Page, 1)
	f.Query = strings.Join(strings.Fields(f.Query), " ")
	a := args{
		"customer_id": who.CustomerID, "login_id": who.LoginID, "query": f.Query, "words": searchWords(f.Query),
		"prefix": likePrefix(f.Query), "category": int64(f.Category), "favorites": f.Favorites,
		"page_size": portal.PageSize, "skip": (f.Page - 1) * portal.PageSize,
	}
	out := portal.Catalog{Page: f.Page}
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("item_list"), a)
		var err error
		if out.Items, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Item]); err != nil {
			return fmt.Errorf("items: %w", err)
		}
		type count struct {
			ID     portal.CategoryID
			Name   string
			Count  int
			Inside int
		}
		rows, _ = tx.Query(ctx, query("item_counts"), a)
		counts, err := pgx.CollectRows(rows, pgx.RowToStructByName[count])
		if err != nil {
			return fmt.Errorf("categories: %w", err)
		}
		for _, c := range counts {
			out.Categories = append(out.Categories, portal.Category{ID: c.ID, Name: c.Name, Count: c.Count})
			out.Total += c.Inside
		}
		return nil
	})
	if err != nil {
		return portal.Catalog{}, fmt.Errorf("catalog of customer %d: %w", who.CustomerID, err)
	}
	out.Pages = max(1, (out.Total+portal.PageSize-1)/portal.PageSize)
	return out, nil
}

// searchWords makes a tsquery of what was typed: every word must occur, the
// last (and any) as a beginning. Words are quoted, so that no operator of
// tsquery can be typed.
func searchWords(q string) string {
	words := strings.FieldsFunc(q, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range words {
		words[i] = "'" + w + "':*"
	}
	return strings.Join(words, " & ")
}

// likePrefix makes a LIKE pattern of a code's beginning.
func likePrefix(q string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(q)) + "%"
}

// likePart escapes what was typed for use inside a LIKE pattern.
func likePart(q string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q)
}

// Item implements portal.CatalogService.
func (s *CatalogStore) Item(ctx context.Context, who portal.Session, itemNo string) (portal.ItemDetail, error) {
	var out portal.ItemDetail
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "item_no": itemNo}
		rows, _ := tx.Query(ctx, query("item_detail"), a)
		var err error
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.ItemDetail]); err != nil {
			return err
		}
		a["item_id"] = out.ID
		rows, _ = tx.Query(ctx, query("item_units"), a)
		if out.Units, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ItemUnit]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("item_tiers"), a)
		if out.Tiers, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.PriceTier]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("item_on_lists"), a)
		out.Lists, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ItemOnList])
		return err
	})
	if err != nil {
		return portal.ItemDetail{}, fmt.Errorf("item %q of customer %d: %w", itemNo, who.CustomerID, notFound(err, "There is no such item in your catalog."))
	}
	return out, nil
}

// notFound gives a missing row its words.
func notFound(err error, words string) error {
	if portal.ErrorCode(err) == portal.CodeNotFound {
		return &portal.Error{Code: portal.CodeNotFound, Message: words, Err: err}
	}
	return err
}

// Picture implements portal.CatalogService.
func (s *CatalogStore) Picture(ctx context.Context, who portal.Session, itemNo string) (portal.Picture, error) {
	var out portal.Picture
	read := func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("item_picture"), args{"item_no": itemNo, "customer_id": who.CustomerID}).Scan(&out.MediaType, &out.Data)
	}
	var err error
	if who.Staff() {
		err = s.db.asStaff(ctx, who, read)
	} else {
		err = s.db.asCustomer(ctx, who, pgx.ReadOnly, read)
	}
	if err != nil {
		return portal.Picture{}, fmt.Errorf("picture of item %q: %w", itemNo, err)
	}
	return out, nil
}

// SetFavorite implements portal.CatalogService.
func (s *CatalogStore) SetFavorite(ctx context.Context, who portal.Session, itemNo string, on bool) error {
	name := "favorite_remove"
	if on {
		name = "favorite_add"
	}
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "item_no": itemNo}
		var exists bool
		if err := tx.QueryRow(ctx, query("item_exists"), a).Scan(&exists); err != nil {
			return err
		}
		if on && !exists {
			return portal.Errorf(portal.CodeNotFound, "There is no such item in your catalog.")
		}
		_, err := tx.Exec(ctx, query(name), a)
		return err
	})
	if err != nil {
		return fmt.Errorf("favorite %q: %w", itemNo, err)
	}
	return nil
}
