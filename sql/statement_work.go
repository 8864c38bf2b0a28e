package sql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// statementTries is how often a statement that cannot be made is tried.
const statementTries = 3

// StatementWork implements portal.StatementMaker. Safe for concurrent use.
type StatementWork struct {
	pool    *Pool
	printer portal.Printer
}

// NewStatementWork makes statements through pool, whose role must be
// portal_work. Each MakeStatements takes two of its connections.
func NewStatementWork(pool *Pool, printer portal.Printer) *StatementWork {
	return &StatementWork{pool, printer}
}

// BeginMonthlyRun implements portal.StatementMaker.
func (w *StatementWork) BeginMonthlyRun(ctx context.Context) (wanted int, err error) {
	err = inTx(ctx, w.pool, pgx.TxOptions{BeginQuery: "begin; select set_config('portal.actor', 'monthly run', true)"},
		func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, query("statement_begin_monthly")).Scan(&wanted)
		})
	if err != nil {
		return 0, fmt.Errorf("begin monthly run: %w", err)
	}
	return wanted, nil
}

type statementJob struct {
	ID          portal.StatementID `db:"statement_id"`
	CustomerID  portal.CustomerID
	CustomerNo  string
	From        time.Time `db:"period_from"`
	To          time.Time `db:"period_to"`
	SeesBalance bool
}

// name is the file name of its paper.
func (j statementJob) name() string {
	return portal.FileName(fmt.Sprintf("statement-%s-%s.pdf", j.CustomerNo, j.To.Format(time.DateOnly)))
}

// MakeStatements implements portal.StatementMaker. The rows stay locked until
// the papers are stored, so a killed process leaves them to the next.
func (w *StatementWork) MakeStatements(ctx context.Context, n int) (int, error) {
	var jobs []statementJob
	var stuck *statementJob
	unstored := false
	err := inTx(ctx, w.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("statement_claim"), args{"row_limit": n})
		var err error
		if jobs, err = pgx.CollectRows(rows, pgx.RowToStructByName[statementJob]); err != nil || len(jobs) == 0 {
			return err
		}
		var made madeStatements
		// figures of one statement agree because they are read from one
		// snapshot, which the transaction that claims cannot have
		err = pgx.BeginTxFunc(ctx, w.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
			func(snapshot pgx.Tx) error {
				for i := range jobs {
					if err := w.make(ctx, tx, snapshot, jobs[i], &made); err != nil {
						stuck = &jobs[i]
						return err
					}
				}
				return nil
			})
		if err != nil || len(made.ids) == 0 {
			return err
		}
		_, err = tx.Exec(ctx, query("statement_store"),
			args{"ids": made.ids, "names": made.names, "papers": made.papers, "closings": made.closings})
		unstored = err != nil
		return err
	})
	switch {
	case unstored && len(jobs) > 1 && ctx.Err() == nil:
		return w.MakeStatements(ctx, 1) // alone, the one that cannot be stored is found out
	case unstored:
		stuck = &jobs[0]
	}
	if err != nil && stuck != nil && ctx.Err() == nil {
		// the batch is undone; the one that undid it must not undo the next
		_, noted := w.pool.Exec(ctx, query("statement_failed"),
			args{"statement_id": stuck.ID, "error": err.Error(), "final": false, "most": statementTries})
		return 0, errors.Join(fmt.Errorf("make statements: %w", err), noted)
	}
	if err == nil && len(jobs) == 0 {
		_, err = w.pool.Exec(ctx, query("statement_runs_done"))
	}
	if err != nil {
		return 0, fmt.Errorf("make statements: %w", err)
	}
	return len(jobs), nil
}

// madeStatements are papers to be stored together.
type madeStatements struct {
	ids      []portal.StatementID
	names    []string
	papers   [][]byte
	closings []portal.Money
}

// make makes one, or notes why not. An error is one of the database's, which
// ends the batch.
func (w *StatementWork) make(ctx context.Context, tx, snapshot pgx.Tx, j statementJob, made *madeStatements) error {
	failed := func(reason string, final bool) error {
		_, err := tx.Exec(ctx, query("statement_failed"),
			args{"statement_id": j.ID, "error": reason, "final": final, "most": statementTries})
		return err
	}
	if !j.SeesBalance {
		return failed("The customer may not see its balance.", true)
	}
	statement, err := statementOf(ctx, snapshot, j.CustomerID, j.From, j.To, j.To)
	if err != nil {
		return fmt.Errorf("statement %d: %w", j.ID, err)
	}
	paper, err := w.printer.StatementPDF(statement)
	if err != nil {
		return failed(err.Error(), true) // the same figures make the same paper: another try would fail as well
	}
	made.ids, made.names = append(made.ids, j.ID), append(made.names, j.name())
	made.papers, made.closings = append(made.papers, paper), append(made.closings, statement.Closing)
	return nil
}
