package sql

import (
	"context"
	"fmt"
	"maps"

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
	f.Query = cleanQuery(f.Query)
	a := searchArgs(f.Query)
	maps.Copy(a, args{
		"customer_id": who.CustomerID, "login_id": who.LoginID, "category": int64(f.Category), "sort": string(f.Sort),
		"in_stock": f.InStock, "bought": f.Bought, "favorites": f.Favorites, "page_size": portal.PageSize, "skip": (f.Page - 1) * portal.PageSize,
	})
	out := portal.Catalog{Page: f.Page}
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		return searchMeant(ctx, tx, f.Query, a, func() (found int, err error) {
			if found, err = catalogPage(ctx, tx, a, &out); err != nil || found > 0 || !(f.InStock || f.Bought || f.Favorites) {
				return found, err
			}
			// where only the filters leave nothing, nothing was mistyped
			without := maps.Clone(a)
			maps.Copy(without, args{"in_stock": false, "bought": false, "favorites": false})
			counts, err := itemCounts(ctx, tx, without)
			return len(counts), err
		})
	})
	if err != nil {
		return portal.Catalog{}, fmt.Errorf("catalog of customer %d: %w", who.CustomerID, err)
	}
	out.Pages = max(1, (out.Total+portal.PageSize-1)/portal.PageSize)
	return out, nil
}

// catalogPage reads a page and its categories into out, and returns how many
// items there are in all categories. Each search is planned for itself, see
// portal.find_items.
func catalogPage(ctx context.Context, tx pgx.Tx, a args, out *portal.Catalog) (found int, err error) {
	rows, _ := tx.Query(ctx, query("item_list"), pgx.QueryExecModeCacheDescribe, a)
	if out.Items, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Item]); err != nil {
		return 0, fmt.Errorf("items: %w", err)
	}
	counts, err := itemCounts(ctx, tx, a)
	if err != nil {
		return 0, fmt.Errorf("categories: %w", err)
	}
	out.Categories, out.Total = nil, 0
	for _, c := range counts {
		out.Categories = append(out.Categories, portal.Category{ID: c.ID, Name: c.Name, Count: c.Count})
		out.Total += c.Inside
		found += c.Count
	}
	return found, nil
}

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
func (s *CatalogStore) Lookup(ctx context.Context, who portal.Session, q string, limit int) ([]portal.LookupItem, error) {
	q = cleanQuery(q)
	if q == "" {
		return nil, nil
	}
	a := searchArgs(q)
	if len([]rune(q)) == 1 { // half the catalogue has a word that begins so; a code may be meant
		a["words"] = ""
	}
	maps.Copy(a, args{"customer_id": who.CustomerID, "login_id": who.LoginID, "row_limit": limit})
	var out []portal.LookupItem
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		return searchMeant(ctx, tx, q, a, func() (int, error) {
			rows, _ := tx.Query(ctx, query("item_lookup"), pgx.QueryExecModeCacheDescribe, a)
			var err error
			out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.LookupItem])
			return len(out), err
		})
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
		out.Units, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ItemUnit])
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
