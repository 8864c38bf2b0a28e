package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// approvalActor is who approves in an order's history.
const approvalActor = "automatic approval"

// Approval implements portal.OrderApprover. Safe for concurrent use.
type Approval struct{ pool *Pool }

// NewApproval decides on orders through pool, whose role must be portal_work.
func NewApproval(pool *Pool) *Approval { return &Approval{pool} }

// DecideOrder implements portal.OrderApprover. The customer's row is locked
// first, as submit does, so that two orders cannot both use the same credit.
//
// JIT is off for it: the rules are one large query over few rows, which takes
// four milliseconds, and seconds to compile.
func (a *Approval) DecideOrder(ctx context.Context, id portal.OrderID) (string, error) {
	var outcome string
	begin := pgx.TxOptions{BeginQuery: "begin; select set_config('portal.actor', " + quote(approvalActor) +
		", true), set_config('jit', 'off', true)"}
	err := inTx(ctx, a.pool, begin, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("order_decide"), args{"order_id": id}).Scan(&outcome)
	})
	if err != nil {
		return "", fmt.Errorf("decide order %d: %w", id, err)
	}
	return outcome, nil
}
