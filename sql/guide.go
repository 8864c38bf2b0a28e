package sql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// GuideStore implements portal.GuideService. Safe for concurrent use.
type GuideStore struct{ db *DB }

// NewGuideStore shows the order guides of db.
func NewGuideStore(db *DB) *GuideStore { return &GuideStore{db} }

// Guide implements portal.GuideService.
func (s *GuideStore) Guide(ctx context.Context, who portal.Session, kind portal.GuideKind, list portal.ListID,
	page int) (portal.Guide, error) {
	page = max(page, 1)
	out := portal.Guide{Kind: kind, Page: page}
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "kind": string(kind), "list_id": int64(list),
			"page_size": portal.PageSize, "skip": (page - 1) * portal.PageSize}
		rows, _ := tx.Query(ctx, query("item_lists"), a)
		var err error
		if out.Lists, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ItemList]); err != nil {
			return fmt.Errorf("lists: %w", err)
		}
		if kind == portal.GuideList {
			k := slices.IndexFunc(out.Lists, func(l portal.ItemList) bool { return l.ID == list })
			if k < 0 {
				return portal.Errorf(portal.CodeNotFound, "There is no such list.")
			}
			out.List = &out.Lists[k]
		}
		type item struct {
			portal.GuideItem
			Total int
		}
		rows, _ = tx.Query(ctx, query("guide_items"), a)
		items, err := pgx.CollectRows(rows, pgx.RowToStructByName[item])
		if err != nil {
			return fmt.Errorf("items: %w", err)
		}
		for _, i := range items {
			out.Items, out.Total = append(out.Items, i.GuideItem), i.Total
		}
		return nil
	})
	if err != nil {
		return portal.Guide{}, fmt.Errorf("guide of login %d: %w", who.LoginID, err)
	}
	out.Pages = max(1, (out.Total+portal.PageSize-1)/portal.PageSize)
	return out, nil
}

// SaveList implements portal.GuideService.
func (s *GuideStore) SaveList(ctx context.Context, who portal.Session, name string) (portal.ListID, error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || len([]rune(name)) > 80 {
		return 0, portal.Invalid("name", "Give the list a name of up to 80 letters.")
	}
	var id portal.ListID
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("item_list_save"), args{"customer_id": who.CustomerID, "name": name}).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("list of customer %d: %w", who.CustomerID, err)
	}
	return id, nil
}

// DeleteList implements portal.GuideService.
func (s *GuideStore) DeleteList(ctx context.Context, who portal.Session, list portal.ListID) error {
	return s.change(ctx, who, "item_list_delete", args{"customer_id": who.CustomerID, "list_id": int64(list)})
}

// PutOnList implements portal.GuideService.
func (s *GuideStore) PutOnList(ctx context.Context, who portal.Session, list portal.ListID,
	itemNo string, on bool) error {
	name := "item_list_take"
	if on {
		name = "item_list_put"
	}
	return s.change(ctx, who, name, args{"customer_id": who.CustomerID, "list_id": int64(list), "item_no": itemNo})
}

func (s *GuideStore) change(ctx context.Context, who portal.Session, name string, a args) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, query(name), a)
		if err == nil && tag.RowsAffected() == 0 {
			return portal.Errorf(portal.CodeNotFound, "There is no such list or item.")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s of customer %d: %w", strings.ReplaceAll(name, "_", " "), who.CustomerID, err)
	}
	return nil
}
