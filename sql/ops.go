package sql

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/health"
)

// OpsStore reads what operators watch. Safe for concurrent use; it keeps
// nothing, so who asks often keeps the answer.
type OpsStore struct{ db *DB }

// NewOpsStore reads the figures of db.
func NewOpsStore(db *DB) *OpsStore { return &OpsStore{db} }

// figuresTimeout bounds reading the figures: a database that does not answer in
// that time is a finding.
const figuresTimeout = 2 * time.Second

// Figures reads how the database stands.
func (s *OpsStore) Figures(ctx context.Context) (health.Database, error) {
	ctx, cancel := context.WithTimeout(ctx, figuresTimeout)
	defer cancel()
	var out health.Database
	begin := pgx.TxOptions{BeginQuery: fmt.Sprintf("begin read only; set local statement_timeout = %d",
		figuresTimeout.Milliseconds())}
	err := pgx.BeginTxFunc(ctx, s.db.Work, begin, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("ops_figures"))
		var err error
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByNameLax[health.Database]); err != nil {
			return err
		}
		// as the log-in itself: the portal's roles see no other session's times
		if _, err := tx.Exec(ctx, "set local role none"); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("ops_transactions")).Scan(&out.SeesAll, &out.OldestTransactionSeconds)
	})
	if err != nil {
		return health.Database{}, fmt.Errorf("figures of the database: %w", err)
	}
	return out, nil
}
