package sql

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// AccountStore implements portal.AccountService. Safe for concurrent use.
type AccountStore struct{ db *DB }

// NewAccountStore shows what the customers of db owe.
func NewAccountStore(db *DB) *AccountStore { return &AccountStore{db} }

// asAccount runs f for a customer and log-in that may see the balance, on one
// snapshot: its figures must agree.
func (s *AccountStore) asAccount(ctx context.Context, who portal.Session, f func(tx pgx.Tx) error) error {
	return s.db.asCustomerAt(ctx, who, "begin isolation level repeatable read read only", func(tx pgx.Tx) error {
		if err := mustSeeBalance(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}

func mustSeeBalance(ctx context.Context, tx pgx.Tx) error {
	sees, err := seesBalance(ctx, tx)
	if err == nil && !sees {
		err = portal.Errorf(portal.CodeForbidden,
			"The account is not shown to your log-in. Please call us about what is owed.")
	}
	return err
}

// recentPayments and pastStatements are how many the account page lists.
const (
	recentPayments = 10
	pastStatements = 24
)

// Account implements portal.AccountService.
func (s *AccountStore) Account(ctx context.Context, who portal.Session, q portal.AccountQuery) (portal.Account, error) {
	var out portal.Account
	err := s.asAccount(ctx, who, func(tx pgx.Tx) (err error) {
		out, err = accountOf(ctx, tx, who.CustomerID, q)
		return err
	})
	if err != nil {
		return portal.Account{}, fmt.Errorf("account of customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}

// accountOf reads a customer's account; the transaction is one snapshot.
func accountOf(ctx context.Context, tx pgx.Tx, id portal.CustomerID, q portal.AccountQuery) (portal.Account, error) {
	if err := q.Validate(); err != nil {
		return portal.Account{}, err
	}
	a := args{"customer_id": id, "as_of": q.AsOf, "basis": q.Basis}
	rows, _ := tx.Query(ctx, query("account_head"), a)
	out, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Account])
	if err != nil {
		return out, err
	}
	if out.AsOf.After(out.Today) {
		return out, portal.Invalid("as_of", "Choose a day up to today.")
	}
	a["as_of"], a["basis"] = out.AsOf, out.Basis
	if out.Aging, err = agingOf(ctx, tx, a); err != nil {
		return out, fmt.Errorf("aging: %w", err)
	}
	rows, _ = tx.Query(ctx, query("account_open"), a)
	if out.Open, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.OpenDocument]); err != nil {
		return out, fmt.Errorf("open documents: %w", err)
	}
	rows, _ = tx.Query(ctx, query("payment_list"),
		args{"customer_id": id, "up_to": out.AsOf, "before_date": (*time.Time)(nil), "before_no": "",
			"row_limit": recentPayments})
	if out.Payments, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Payment]); err != nil {
		return out, fmt.Errorf("payments: %w", err)
	}
	rows, _ = tx.Query(ctx, query("statement_list"), args{"customer_id": id, "row_limit": pastStatements})
	if out.Statements, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.SentPaper]); err != nil {
		return out, fmt.Errorf("statements: %w", err)
	}
	return out, nil
}

func agingOf(ctx context.Context, tx pgx.Tx, a args) (portal.Aging, error) {
	rows, _ := tx.Query(ctx, query("account_aging"), a)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Aging])
}

// Payments implements portal.AccountService.
func (s *AccountStore) Payments(ctx context.Context, who portal.Session, before string) (portal.Payments, error) {
	var out portal.Payments
	date, number := parseDateCursor(before)
	err := s.asAccount(ctx, who, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, query("payment_list"), args{"customer_id": who.CustomerID, "up_to": (*time.Time)(nil),
			"before_date": date, "before_no": number, "row_limit": portal.PageSize + 1})
		out.Payments, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Payment])
		return err
	})
	if err != nil {
		return portal.Payments{}, fmt.Errorf("payments of customer %d: %w", who.CustomerID, err)
	}
	out.Payments, out.Next = cutPage(out.Payments,
		func(last portal.Payment) string { return dateCursor(last.Date, last.PaymentNo) })
	return out, nil
}

// Payment implements portal.AccountService.
func (s *AccountStore) Payment(ctx context.Context, who portal.Session,
	paymentNo string) (portal.PaymentDetail, error) {
	var out portal.PaymentDetail
	err := s.asAccount(ctx, who, func(tx pgx.Tx) (err error) {
		out, err = paymentDetail(ctx, tx, args{"customer_id": who.CustomerID, "payment_no": paymentNo, "staff": false})
		return err
	})
	if err != nil {
		return portal.PaymentDetail{}, fmt.Errorf("payment %q of customer %d: %w", paymentNo, who.CustomerID,
			notFound(err, "There is no such payment."))
	}
	return out, nil
}

func paymentDetail(ctx context.Context, tx pgx.Tx, a args) (portal.PaymentDetail, error) {
	rows, _ := tx.Query(ctx, query("payment_head"), a)
	out, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.PaymentDetail])
	if err != nil {
		return out, err
	}
	rows, _ = tx.Query(ctx, query("payment_uses"), a)
	out.Uses, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.PaymentUse])
	return out, err
}

// Statement implements portal.AccountService.
func (s *AccountStore) Statement(ctx context.Context, who portal.Session, p portal.Period) (portal.Statement, error) {
	var out portal.Statement
	err := s.asAccount(ctx, who, func(tx pgx.Tx) (err error) {
		out, err = statementFor(ctx, tx, who.CustomerID, p)
		return err
	})
	if err != nil {
		return portal.Statement{}, fmt.Errorf("statement of customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}

// statementFor resolves a period by the business date and reads the statement.
func statementFor(ctx context.Context, tx pgx.Tx, id portal.CustomerID, p portal.Period) (portal.Statement, error) {
	var today time.Time
	if err := tx.QueryRow(ctx, query("today")).Scan(&today); err != nil {
		return portal.Statement{}, err
	}
	from, to, asOf, err := p.Resolve(today)
	if err != nil {
		return portal.Statement{}, err
	}
	return statementOf(ctx, tx, id, from, to, asOf)
}

// statementOf reads a statement in one round trip; the transaction is one
// snapshot.
func statementOf(ctx context.Context, tx pgx.Tx, id portal.CustomerID, from, to,
	asOf time.Time) (portal.Statement, error) {
	a := args{"customer_id": id, "from_date": from, "to_date": to, "as_of": asOf, "basis": ""}
	batch := &pgx.Batch{}
	batch.Queue(query("statement_head"), a)
	batch.Queue(query("account_aging"), args{"customer_id": id, "as_of": asOf, "basis": nil})
	batch.Queue(query("statement_lines"), a)
	results := tx.SendBatch(ctx, batch)
	defer results.Close()
	rows, _ := results.Query()
	out, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Statement])
	if err != nil {
		return out, fmt.Errorf("head: %w", err)
	}
	rows, _ = results.Query()
	if out.Aging, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Aging]); err != nil {
		return out, fmt.Errorf("aging: %w", err)
	}
	rows, _ = results.Query()
	if out.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Movement]); err != nil {
		return out, fmt.Errorf("documents: %w", err)
	}
	out.From, out.To, out.AsOf = from, to, asOf
	out.Later = portal.Money{Decimal: out.Aging.Balance.Sub(out.Closing.Decimal)}
	return out, results.Close()
}

// RequestStatement implements portal.AccountService.
func (s *AccountStore) RequestStatement(ctx context.Context, who portal.Session,
	p portal.Period) (portal.StatementID, error) {
	var id portal.StatementID
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		if err := mustSeeBalance(ctx, tx); err != nil {
			return err
		}
		var today time.Time
		if err := tx.QueryRow(ctx, query("today")).Scan(&today); err != nil {
			return err
		}
		from, to, _, err := p.Resolve(today)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("statement_ask"),
			args{"customer_id": who.CustomerID, "from_date": from, "to_date": to}).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("request statement of customer %d: %w", who.CustomerID, err)
	}
	return id, nil
}

// StatementPaper implements portal.AccountService.
func (s *AccountStore) StatementPaper(ctx context.Context, who portal.Session,
	id portal.StatementID) (portal.Paper, error) {
	var out portal.Paper
	err := s.asAccount(ctx, who, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, query("statement_paper"), args{"customer_id": who.CustomerID, "statement_id": id})
		out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Paper])
		return err
	})
	if err != nil {
		return portal.Paper{}, fmt.Errorf("statement %d of customer %d: %w", id, who.CustomerID,
			notFound(err, "There is no such statement, or it is not ready yet."))
	}
	return out, nil
}
