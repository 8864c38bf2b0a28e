package sql

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// pruneBatch is how many rows one transaction of housekeeping removes: few
// enough that its locks and its WAL disturb nobody.
const pruneBatch = 1000

// Housekeeper implements portal.Housekeeper. Safe for concurrent use.
type Housekeeper struct{ pool *Pool }

// NewHousekeeper works through pool, whose role must be portal_work.
func NewHousekeeper(pool *Pool) *Housekeeper { return &Housekeeper{pool} }

// PruneEvents implements portal.Housekeeper. Events of transactions that are
// not older than every one still running stay for the next round.
func (h *Housekeeper) PruneEvents(ctx context.Context, olderThan time.Duration) (int64, error) {
	n, err := inBatches(func() (n int64, err error) {
		err = h.pool.QueryRow(ctx, query("event_prune"), args{"older_than": olderThan, "batch": pruneBatch}).Scan(&n)
		return n, err
	})
	if err != nil {
		return n, fmt.Errorf("prune events older than %v: %w", olderThan, err)
	}
	return n, nil
}

// leftOvers are what log-ins leave behind, pruned in batches.
var leftOvers = []string{"browser_forget", "challenge_forget", "sign_on_forget"}

// EndExpiredSessions implements portal.Housekeeper.
func (h *Housekeeper) EndExpiredSessions(ctx context.Context) (int64, error) {
	n, err := inBatches(func() (n int64, err error) {
		err = h.pool.QueryRow(ctx, query("session_expire"), args{"batch": pruneBatch}).Scan(&n)
		return n, err
	})
	if err != nil {
		return n, fmt.Errorf("end expired sessions: %w", err)
	}
	for _, name := range []string{"login_try_forget", "login_device_forget", "link_asked_forget", "unknown_proxy_forget"} {
		if _, err := h.pool.Exec(ctx, query(name)); err != nil {
			return n, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range leftOvers {
		if _, err := inBatches(func() (n int64, err error) {
			err = h.pool.QueryRow(ctx, query(name), args{"batch": pruneBatch}).Scan(&n)
			return n, err
		}); err != nil {
			return n, fmt.Errorf("%s: %w", name, err)
		}
	}
	return n, nil
}

// KeepMails implements portal.Housekeeper.
func (h *Housekeeper) KeepMails(ctx context.Context, olderThan time.Duration) (int64, error) {
	for _, name := range []string{"secret_end", "mail_forgotten"} {
		if _, err := h.pool.Exec(ctx, query(name)); err != nil {
			return 0, fmt.Errorf("keep mails: %w", err)
		}
	}
	var sum int64
	for _, name := range []string{"mail_prune", "notification_prune"} {
		n, err := inBatches(func() (int64, error) {
			tag, err := h.pool.Exec(ctx, query(name), args{"older_than": olderThan, "batch": pruneBatch})
			return tag.RowsAffected(), err
		})
		sum += n
		if err != nil {
			return sum, fmt.Errorf("%s older than %v: %w", name, olderThan, err)
		}
	}
	return sum, nil
}

// Now is erp.now() in the company's zone.
func (h *Housekeeper) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	var name string
	if err := h.pool.QueryRow(ctx, query("company_now")).Scan(&now, &name); err != nil {
		return now, fmt.Errorf("the company's time: %w", err)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return now, fmt.Errorf("the company's zone: %w", err)
	}
	return now.In(zone), nil
}

// SettleOrder implements portal.Housekeeper.
func (h *Housekeeper) SettleOrder(ctx context.Context, id portal.OrderID) error {
	err := inTx(ctx, h.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("order_settle"), args{"order_id": id})
		return err
	})
	if err != nil {
		return fmt.Errorf("settle order %d: %w", id, err)
	}
	return nil
}

// CheckInvariants implements portal.Housekeeper. All are checked on one
// snapshot.
func (h *Housekeeper) CheckInvariants(ctx context.Context) ([]portal.Violation, error) {
	rows, _ := h.pool.Query(ctx, query("invariants"))
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.Violation])
	if err != nil {
		return nil, fmt.Errorf("check invariants: %w", err)
	}
	return list, nil
}

// inBatches repeats a batch until it comes back short, and returns the sum.
func inBatches(batch func() (int64, error)) (sum int64, err error) {
	for {
		n, err := batch()
		sum += n
		if err != nil || n < pruneBatch {
			return sum, err
		}
	}
}
