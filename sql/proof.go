package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// Proof implements portal.Prover. Safe for concurrent use.
type Proof struct{ pool *Pool }

// NewProof proves through pool, whose role must be portal_work.
func NewProof(pool *Pool) *Proof { return &Proof{pool} }

// Prove implements portal.Prover. All is compared on one snapshot.
func (p *Proof) Prove(ctx context.Context, whole bool) (portal.ProofRun, error) {
	// what is in the audit log so far is compared with its chain as well
	if _, err := p.SealAudit(ctx); err != nil {
		return portal.ProofRun{}, err
	}
	var run portal.ProofRun
	err := inTx(ctx, p.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		if !whole {
			if err := tx.QueryRow(ctx, query("proof_last_whole")).Scan(&whole); err != nil {
				return err
			}
		}
		var id int64
		if err := tx.QueryRow(ctx, query("proof_run"), args{"whole": whole}).Scan(&id); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, query("proof_runs"), args{"run_id": id})
		var err error
		run, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.ProofRun])
		return err
	})
	if err != nil {
		return portal.ProofRun{}, fmt.Errorf("price proof: %w", err)
	}
	return run, nil
}

// sealBatch is how many rows portal.seal_audit takes at once.
const sealBatch = 10_000

// SealAudit implements portal.Prover.
func (p *Proof) SealAudit(ctx context.Context) (int, error) {
	sum := 0
	for {
		var n int
		if err := p.pool.QueryRow(ctx, query("audit_seal")).Scan(&n); err != nil {
			return sum, fmt.Errorf("seal audit log: %w", err)
		}
		if sum += n; n < sealBatch {
			return sum, nil
		}
	}
}

// OpenDifferences implements portal.Prover.
func (p *Proof) OpenDifferences(ctx context.Context, limit int) ([]portal.ProofDifference, error) {
	rows, _ := p.pool.Query(ctx, query("proof_differences"), args{"acknowledged": false, "row_limit": limit})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.ProofDifference])
	if err != nil {
		return nil, fmt.Errorf("differences of the price proof: %w", err)
	}
	return list, nil
}

// ProofStore implements portal.ProofService. Safe for concurrent use.
type ProofStore struct{ db *DB }

// NewProofStore returns the operators' side of the price proof.
func NewProofStore(db *DB) *ProofStore { return &ProofStore{db} }

// Proof implements portal.ProofService.
func (s *ProofStore) Proof(ctx context.Context, who portal.Session) (portal.Proof, error) {
	var out portal.Proof
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("proof_runs"), args{"run_id": nil})
		var err error
		if out.Runs, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ProofRun]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("proof_differences"), args{"acknowledged": true, "row_limit": portal.MaxDifferences})
		if out.Differences, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ProofDifference]); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("proof_open")).Scan(&out.Open)
	})
	if err != nil {
		return portal.Proof{}, fmt.Errorf("price proof page: %w", err)
	}
	return out, nil
}

// Acknowledge implements portal.ProofService.
func (s *ProofStore) Acknowledge(ctx context.Context, who portal.Session, difference int64, note string) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("proof_acknowledge"), args{"difference_id": difference, "note": note})
		return err
	})
	if err != nil {
		return fmt.Errorf("acknowledge difference %d: %w", difference, err)
	}
	return nil
}
