package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// standingActor is who sends the orders of a standing order.
const standingActor = "standing order"

// mostSteps bounds what is done for one standing order in one round; beyond it
// something does not end.
const mostSteps = 100

// StandingWork implements portal.StandingOrderRunner. Safe for concurrent use.
type StandingWork struct{ pool *Pool }

// NewStandingWork works standing orders through pool, whose role must be
// portal_work.
func NewStandingWork(pool *Pool) *StandingWork { return &StandingWork{pool} }

// RunStandingOrders implements portal.StandingOrderRunner. Each step is a
// transaction of its own: the order, what became of the date, and the notice.
func (w *StandingWork) RunStandingOrders(ctx context.Context) (map[string]int, error) {
	rows, _ := w.pool.Query(ctx, query("standing_due"))
	due, err := pgx.CollectRows(rows, pgx.RowTo[portal.StandingOrderID])
	if err != nil {
		return nil, fmt.Errorf("standing orders due: %w", err)
	}
	done := map[string]int{}
	if len(due) == 0 {
		return done, nil
	}
	var name string
	if err := w.pool.QueryRow(ctx, query("company_zone")).Scan(&name); err != nil {
		return nil, fmt.Errorf("standing orders: %w", err)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("standing orders: %w", err)
	}
	var failed []error
	for _, id := range due {
		for range mostSteps {
			outcome, err := w.step(ctx, id, zone)
			if err != nil {
				failed = append(failed, fmt.Errorf("standing order %d: %w", id, err))
			}
			if err != nil || outcome == "" {
				break
			}
			done[outcome]++
		}
		if ctx.Err() != nil {
			break
		}
	}
	return done, errors.Join(failed...)
}

// step does the next thing there is to do for a standing order and says what;
// "" where there was nothing.
func (w *StandingWork) step(ctx context.Context, id portal.StandingOrderID, zone *time.Location) (string, error) {
	type row struct {
		portal.StandingOutcome
		Findings, LeftOut json.RawMessage
	}
	var outcome string
	begin := pgx.TxOptions{BeginQuery: "begin; select set_config('portal.actor', " + quote(standingActor) +
		", true), set_config('jit', 'off', true)"}
	err := inTx(ctx, w.pool, begin, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("standing_run"), args{"id": id})
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
		if err != nil || len(list) == 0 {
			return err
		}
		o := list[0].StandingOutcome
		o.StandingOrderID = id
		if o.Findings, err = parseFindings(list[0].Findings, o.SeePrices); err != nil {
			return err
		}
		if o.LeftOut, err = parseFindings(list[0].LeftOut, o.SeePrices); err != nil {
			return err
		}
		outcome = o.Outcome
		n := o.Notice(zone)
		_, err = tx.Exec(ctx, query("notice_insert"),
			args{"customer_id": o.CustomerID, "kind": n.Kind, "text": n.Text, "link": n.Link})
		return err
	})
	return outcome, err
}
