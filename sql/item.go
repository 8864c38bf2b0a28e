package sql

import (
	"context"
	"fmt"
	"maps"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// CatalogStore implements portal.CatalogService. Safe for concurrent use.
type CatalogStore struct{ db *DB }

// NewCatalogStore shows the catalogue of db.
func NewCatalogStore(db *DB) *CatalogStore { return &CatalogStore{db} }

// Catalog implements portal.CatalogService.
func (s *CatalogStore) Catalog(ctx context.Context, who portal.Session, f portal.ItemFilter) (portal.Catalog, error) {
	f.Page, f.Query = max(f.Page, 1), cleanQuery(f.Query)
	a := args{
		"customer_id": who.CustomerID, "login_id": who.LoginID, "category": int64(f.Category), "sort": string(f.Sort),
		"in_stock": f.InStock, "bought": f.Bought, "favorites": f.Favorites, "page_size": portal.PageSize,
		"skip": (f.Page - 1) * portal.PageSize,
	}
	out := portal.Catalog{Page: f.Page}
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		hits, err := search(ctx, tx, f.Query, terms(f.Query), a, func(hits []itemHit) (bool, error) {
			counts, err := itemCounts(ctx, tx, a)
			if err != nil {
				return false, fmt.Errorf("categories: %w", err)
			}
			found := len(counts) > 0
			if !found && (f.InStock || f.Bought || f.Favorites) {
				// where only the filters leave nothing, nothing was mistyped
				without := maps.Clone(a)
				maps.Copy(without, args{"in_stock": false, "bought": false, "favorites": false})
				all, err := itemCounts(ctx, tx, without)
				return len(all) > 0, err
			}
			out.Categories, out.Total = nil, 0
			for _, c := range counts {
				out.Categories = append(out.Categories, portal.Category{ID: c.ID, Name: c.Name, Count: c.Count})
				out.Total += c.Inside
			}
			return found, nil
		})
		if err != nil {
			return err
		}
		a["items"] = itemIDs(hits)
		rows, _ := tx.Query(ctx, query("item_list"), a)
		out.Items, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Item])
		return err
	})
	if err != nil {
		return portal.Catalog{}, fmt.Errorf("catalog of customer %d: %w", who.CustomerID, err)
	}
	out.Pages = max(1, (out.Total+portal.PageSize-1)/portal.PageSize)
	return out, nil
}

// itemCount is how many items of a filter lie in a category of the top level,
// and how many of these in the chosen one.
type itemCount struct {
	ID     portal.CategoryID
	Name   string
	Count  int
	Inside int
}

func itemCounts(ctx context.Context, tx pgx.Tx, a args) ([]itemCount, error) {
	rows, _ := tx.Query(ctx, query("item_counts"), pgx.QueryExecModeCacheDescribe, a)
	return pgx.CollectRows(rows, pgx.RowToStructByName[itemCount])
}

// Lookup implements portal.CatalogService.
func (s *CatalogStore) Lookup(ctx context.Context, who portal.Session, q string,
	limit int) ([]portal.LookupItem, error) {
	q = cleanQuery(q)
	words := terms(q)
	switch utf8.RuneCountInString(q) {
	case 0:
		return nil, nil
	case 1: // half the catalogue has a word that begins so; a code may be meant
		words = nil
	}
	a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "category": int64(0), "sort": "", "in_stock": false,
		"bought": false, "favorites": false, "page_size": limit, "skip": 0}
	var out []portal.LookupItem
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		hits, err := search(ctx, tx, q, words, a, func(hits []itemHit) (bool, error) { return len(hits) > 0, nil })
		if err != nil || len(hits) == 0 {
			return err
		}
		a["items"] = itemIDs(hits)
		rows, _ := tx.Query(ctx, query("item_lookup"), a)
		if out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.LookupItem]); err != nil {
			return err
		}
		why := make(map[portal.ItemID]itemHit, len(hits))
		for _, h := range hits {
			why[h.ItemID] = h
		}
		for i := range out {
			out[i].Match, out[i].MatchUOM = why[out[i].ID].match, why[out[i].ID].uom
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lookup of customer %d: %w", who.CustomerID, err)
	}
	return out, nil
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
		rows, _ = tx.Query(ctx, query("item_backorder"), a)
		if out.Backorder, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Backorder]); err != nil {
			return fmt.Errorf("backorder: %w", err)
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
		return portal.ItemDetail{}, fmt.Errorf("item %q of customer %d: %w", itemNo, who.CustomerID,
			notFound(err, "There is no such item in your catalog."))
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
		return tx.QueryRow(ctx, query("item_picture"),
			args{"item_no": itemNo, "customer_id": who.CustomerID}).Scan(&out.MediaType, &out.Data)
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
