package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// deskAudits is how far back a customer's page looks into the audit log.
const deskAudits = 50

// Customers implements portal.CustomerDesk.
func (s *CustomerDesk) Customers(ctx context.Context, who portal.Session, search,
	after string) ([]portal.DeskCustomer, string, error) {
	words := strings.Fields(search)
	for i, w := range words {
		words[i] = "%" + likePart(w) + "%"
	}
	a := args{"query": search, "prefix": likePrefix(search), "words": words, "after": after,
		"row_limit": portal.PageSize + 1}
	if words == nil {
		a["words"] = []string{}
	}
	var out []portal.DeskCustomer
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("desk_customer_list"), a)
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.DeskCustomer])
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("desk customers: %w", err)
	}
	out, next := cutPage(out, func(last portal.DeskCustomer) string { return last.CustomerNo })
	return out, next, nil
}

// Customer implements portal.CustomerDesk.
func (s *CustomerDesk) Customer(ctx context.Context, who portal.Session,
	customerNo string) (portal.DeskCustomerDetail, error) {
	var out portal.DeskCustomerDetail
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a := args{"customer_no": customerNo, "row_limit": deskAudits}
		rows, _ := tx.Query(ctx, query("desk_customer_head"), a)
		var err error
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.DeskCustomerDetail]); err != nil {
			return err
		}
		if out.Access, err = deskAccess(ctx, tx, customerNo); err != nil {
			return fmt.Errorf("web access: %w", err)
		}
		rows, _ = tx.Query(ctx, query("desk_access_audit"), a)
		if out.Audit, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.AuditEntry]); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		rows, _ = tx.Query(ctx, query("desk_people"), a)
		if out.People, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Person]); err != nil {
			return fmt.Errorf("people: %w", err)
		}
		rows, _ = tx.Query(ctx, query("desk_ship_tos"), a)
		if out.ShipTos, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ShipTo]); err != nil {
			return fmt.Errorf("ship-tos: %w", err)
		}
		return nil
	})
	if err != nil {
		return portal.DeskCustomerDetail{}, fmt.Errorf("desk customer %q: %w", customerNo,
			notFound(err, "There is no such customer."))
	}
	return out, nil
}

// deskAccess is the Web Access of a customer; pgx.ErrNoRows where it has no row.
func deskAccess(ctx context.Context, tx pgx.Tx, customerNo string) (portal.WebAccess, error) {
	rows, _ := tx.Query(ctx, query("desk_access"), args{"customer_no": customerNo})
	access, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.Switch])
	if err == nil && len(access) == 0 {
		err = pgx.ErrNoRows
	}
	return access, err
}

// SaveAccess implements portal.CustomerDesk. The database's trigger writes the
// audit log, tells the customer's open pages, and ends its sessions where the
// portal is closed to it.
func (s *CustomerDesk) SaveAccess(ctx context.Context, who portal.Session, customerNo string,
	edit portal.AccessEdit) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if edit.Shown != "" {
			if _, err := tx.Exec(ctx, query("desk_access_lock"), args{"customer_no": customerNo}); err != nil {
				return err
			}
		}
		now, err := deskAccess(ctx, tx, customerNo)
		if err != nil {
			return notFound(refusal(err), "There is no such customer.")
		}
		values, err := now.Read(edit)
		if err != nil {
			return err
		}
		err = now.Figures(now.Typed()).Compare(edit.Shown, now.Figures(edit), "See below who changed what. "+portal.SaveOver)
		if err != nil {
			return err
		}
		text, err := json.Marshal(values)
		if err != nil {
			return err
		}
		var found bool
		err = tx.QueryRow(ctx, query("desk_save_access"),
			args{"customer_no": customerNo, "values": string(text)}).Scan(&found)
		if err == nil && !found {
			return portal.Errorf(portal.CodeNotFound, "There is no such customer.")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("save web access of customer %q: %w", customerNo, err)
	}
	return nil
}
