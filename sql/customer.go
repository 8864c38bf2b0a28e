package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// CustomerStore implements portal.CustomerService. Safe for concurrent use.
type CustomerStore struct{ db *DB }

// NewCustomerStore shows the accounts of db.
func NewCustomerStore(db *DB) *CustomerStore { return &CustomerStore{db} }

type frameRow struct {
	portal.Rights
	Access    portal.Access
	CartLines int
	CartTotal *portal.Money
	Cursor    string
	TimeZone  string
	Now       time.Time
	Currency  string
	Notices   int
	NewsID    string
	NewsAt    time.Time
	NewsKind  portal.NotificationKind
	NewsRef   string
	NewsData  json.RawMessage

	StaffActing bool
}

// FrameStore implements portal.FrameService. Safe for concurrent use.
type FrameStore struct{ db *DB }

// NewFrameStore reads frames from db.
func NewFrameStore(db *DB) *FrameStore { return &FrameStore{db} }

// Frame implements portal.FrameService.
func (s *FrameStore) Frame(ctx context.Context, who portal.Session) (portal.Frame, error) {
	if who.Staff() {
		return s.staff(ctx, who)
	}
	return s.customer(ctx, who)
}

func (s *FrameStore) staff(ctx context.Context, who portal.Session) (portal.Frame, error) {
	var out portal.Frame
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("desk_frame")).Scan(&out.Cursor, &out.TimeZone, &out.Now, &out.Currency)
	})
	if err != nil {
		return portal.Frame{}, fmt.Errorf("desk frame of login %d: %w", who.LoginID, err)
	}
	return out, nil
}

// customer is the frame of a customer's page.
func (s *FrameStore) customer(ctx context.Context, who portal.Session) (portal.Frame, error) {
	var row frameRow
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("frame"), args{"customer_id": who.CustomerID, "login_id": who.LoginID})
		var err error
		row, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[frameRow])
		return err
	})
	if err != nil {
		return portal.Frame{}, fmt.Errorf("frame of login %d: %w", who.LoginID, err)
	}
	var newest portal.Notification
	if row.NewsID != "" {
		zone, err := time.LoadLocation(row.TimeZone)
		if err != nil {
			return portal.Frame{}, fmt.Errorf("frame of login %d: %w", who.LoginID, err)
		}
		newest = notificationRow{ID: row.NewsID, At: row.NewsAt, Kind: row.NewsKind, Ref: row.NewsRef,
			Data: row.NewsData}.notification(zone)
	}
	return portal.Frame{Access: row.Access, Rights: row.Rights, CartLines: row.CartLines, CartTotal: row.CartTotal,
		Notices: row.Notices, Notice: newest,
		Cursor: portal.Cursor(row.Cursor), TimeZone: row.TimeZone, Now: row.Now, Currency: row.Currency,
		StaffActing: row.StaffActing}, nil
}

// Dashboard implements portal.CustomerService.
func (s *CustomerStore) Dashboard(ctx context.Context, who portal.Session) (portal.Dashboard, error) {
	var out portal.Dashboard
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "status": "", "query": "", "pattern": "", "before_at": (*time.Time)(nil),
			"before_id": (*int64)(nil), "row_limit": 8}
		var err error
		if out.Orders, err = orderRows(ctx, tx, a); err != nil {
			return fmt.Errorf("orders: %w", err)
		}
		rows, err := invoiceRows(ctx, tx, who, portal.InvoiceFilter{State: portal.InvoicesOpen}, 6)
		if err != nil {
			return fmt.Errorf("invoices: %w", err)
		}
		if out.OpenInvoices, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Invoice]); err != nil {
			return fmt.Errorf("invoices: %w", err)
		}
		rows, _ = tx.Query(ctx, query("customer_aging"), args{"customer_id": who.CustomerID})
		aging, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.Aging])
		if err != nil {
			return fmt.Errorf("aging: %w", err)
		}
		if len(aging) > 0 {
			out.Aging = &aging[0]
		}
		rows, _ = tx.Query(ctx, query("notice_list"), args{"customer_id": who.CustomerID})
		if out.Notices, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Notice]); err != nil {
			return fmt.Errorf("notices: %w", err)
		}
		if err := dashboardPictures(ctx, tx, who, &out); err != nil {
			return err
		}
		next, err := nextDeliveries(ctx, tx, who)
		if err != nil {
			return fmt.Errorf("deliveries: %w", err)
		}
		if out.Delivery = next[""]; out.Delivery == nil {
			// an account without a route, whose ship-tos have some
			for _, d := range next {
				if out.Delivery == nil || d.Date.Before(out.Delivery.Date) || d.Date.Equal(out.Delivery.Date) &&
					d.Route < out.Delivery.Route {
					out.Delivery = d
				}
			}
		}
		return nil
	})
	if err != nil {
		return portal.Dashboard{}, fmt.Errorf("dashboard of customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}

// dashboardPictures reads what the dashboard draws.
func dashboardPictures(ctx context.Context, tx pgx.Tx, who portal.Session, out *portal.Dashboard) (err error) {
	a := args{"customer_id": who.CustomerID}
	rows, _ := tx.Query(ctx, query("dashboard_spend"), a)
	if out.Spend, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.MonthSpend]); err != nil {
		return fmt.Errorf("spend: %w", err)
	}
	rows, _ = tx.Query(ctx, query("dashboard_top_items"), a)
	if out.TopItems, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.TopItem]); err != nil {
		return fmt.Errorf("top items: %w", err)
	}
	rows, _ = tx.Query(ctx, query("dashboard_open_orders"), a)
	if out.OpenByNow, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.StatusCount]); err != nil {
		return fmt.Errorf("open orders: %w", err)
	}
	return nil
}

// nextDeliveries are the next runs by ship-to code, the account's own under the
// empty code. What has no route, or one without a run, is not among them.
func nextDeliveries(ctx context.Context, tx pgx.Tx, who portal.Session) (map[string]*portal.Delivery, error) {
	type place struct {
		Code string
		portal.Delivery
	}
	rows, _ := tx.Query(ctx, query("next_deliveries"), args{"customer_id": who.CustomerID})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[place])
	if err != nil {
		return nil, err
	}
	out := make(map[string]*portal.Delivery, len(list))
	for i := range list {
		out[list[i].Code] = &list[i].Delivery
	}
	return out, nil
}

// Profile implements portal.CustomerService. The sessions are not its part.
func (s *CustomerStore) Profile(ctx context.Context, who portal.Session) (portal.Profile, error) {
	var out portal.Profile
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID}
		rows, _ := tx.Query(ctx, query("profile"), a)
		var err error
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Profile]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("ship_to_list"), a)
		if out.ShipTos, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ShipTo]); err != nil {
			return err
		}
		next, err := nextDeliveries(ctx, tx, who)
		if err != nil {
			return err
		}
		out.Delivery = next[""]
		for i := range out.ShipTos {
			out.ShipTos[i].Delivery = next[out.ShipTos[i].Code]
		}
		return nil
	})
	if err != nil {
		return portal.Profile{}, fmt.Errorf("profile of customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}
