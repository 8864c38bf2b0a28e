// Package demo is the fictional distributor that `portal demo` shows: its
// customers, items, prices and eighteen months of business, made from a number,
// so that the same number makes the same distributor; and a simulated office
// and warehouse that keep its orders moving.
//
// It writes to a database of its own as superuser and belongs nowhere near a
// real one.
package demo

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say what to make. PasswordHash is required.
type Options struct {
	Seed         uint64    // what everything is made from
	Now          time.Time // the day the history ends; the time of day does not matter
	PasswordHash string    // bcrypt, of every log-in's password
	Weeks        int       // of delivered orders; 0: as many as the demo has
}

// Summary is how much was made; zero if the database had customers already.
type Summary struct {
	Customers, Items, Orders, Invoices int
}

// Seed fills an empty, migrated database, all or nothing. Where there are
// customers already it does nothing.
func Seed(ctx context.Context, conn *pgx.Conn, o Options) (Summary, error) {
	var filled bool
	if err := conn.QueryRow(ctx, "select exists (select from erp.customer)").Scan(&filled); err != nil {
		return Summary{}, fmt.Errorf("seed: %w", err)
	}
	if filled {
		return Summary{}, nil
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		return Summary{}, fmt.Errorf("seed: %w", err)
	}
	y, m, d := o.Now.In(zone).Date()
	w := &world{
		rand:  rand.New(rand.NewPCG(o.Seed, 0x5eed)),
		zone:  zone,
		today: time.Date(y, m, d, 0, 0, 0, 0, zone),
		hash:  o.PasswordHash,
		weeks: cmp.Or(o.Weeks, weeks),
	}
	w.makeItems()
	w.makeCustomers()
	var s Summary
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		w.tx = tx
		for _, step := range []struct {
			name string
			do   func(context.Context) error
		}{
			{"company", w.writeCompany}, {"items", w.writeItems}, {"customers", w.writeCustomers}, {"prices", w.writePrices},
			{"history", w.writeHistory}, {"ledger", w.writeLedger}, {"open orders", w.writeOpenOrders},
			{"warehouse", w.writeWarehouse}, {"standing orders", w.writeStandingOrders}, {"returns", w.writeReturns},
			{"notifications", w.readOldNotifications},
		} {
			if err := step.do(ctx); err != nil {
				return fmt.Errorf("seed %s: %w", step.name, err)
			}
		}
		if err := tx.QueryRow(ctx, `select (select count(*) from erp.customer), (select count(*) from erp.item),
			(select count(*) from erp.sales_order), (select count(*) from erp.invoice)`).
			Scan(&s.Customers, &s.Items, &s.Orders, &s.Invoices); err != nil {
			return fmt.Errorf("seed: count: %w", err)
		}
		return nil
	})
	if err != nil {
		return Summary{}, err
	}
	// the planner should know the tables before the first visitor comes
	if _, err := conn.Exec(ctx, "analyze"); err != nil {
		return Summary{}, fmt.Errorf("seed: %w", err)
	}
	return s, nil
}

// world is the distributor while it is being made.
type world struct {
	tx    pgx.Tx
	rand  *rand.Rand
	zone  *time.Location
	today time.Time // midnight
	hash  string
	weeks int // of delivered orders

	items     []item
	customers []customer
	orders    []order
}

// copyRows writes rows into a table, columns in the order given.
func (w *world) copyRows(ctx context.Context, schema, table string, columns []string, rows [][]any) error {
	if _, err := w.tx.CopyFrom(ctx, pgx.Identifier{schema, table}, columns, pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("%s.%s: %w", schema, table, err)
	}
	return nil
}

// chance is true so many times in a hundred.
func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

// pick takes one of a list.
func pick[T any](w *world, list []T) T { return list[w.rand.IntN(len(list))] }

// readOldNotifications leaves unread what was told since last night.
func (w *world) readOldNotifications(ctx context.Context) error {
	_, err := w.tx.Exec(ctx,
		"update portal.notification set read_at = created_at where created_at < now() - interval '10 hours'")
	return err
}

func (w *world) writeCompany(ctx context.Context) error {
	_, err := w.tx.Exec(ctx, `
		update erp.company set name = 'Harbor & Main Wholesale', cutoff_reminders = true,
			remit_to = E'Harbor & Main Wholesale\n48 Pier Street\nBrooklyn, NY 11231';
		insert into erp.route (route_id, code, name, every_days, start_date) values
			(1, 'NORTH', 'North, Tuesday and Friday', null, null),
			(2, 'CITY', 'City, Monday, Wednesday and Friday', null, null),
			(3, 'ISLAND', 'Island, every two weeks', 14, '2025-01-08');
		insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5), (2, 1), (2, 3), (2, 5);
		insert into erp.route_holiday (holiday, replacement, name, cutoff_days_before, cutoff_time) values
			('2026-07-03', '2026-07-06', 'Independence Day', null, null), ('2026-11-26', null, 'Thanksgiving', null, null),
			('2026-12-25', '2026-12-28', 'Christmas Day', 4, '12:00'), ('2027-01-01', '2027-01-04', 'New Year''s Day', 4,
			'12:00');
		select setval(pg_get_serial_sequence('erp.route', 'route_id'), 3)`)
	return err
}
