package sql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// asStaffReading runs f on one snapshot: figures of a report must agree.
func (db *DB) asStaffReading(ctx context.Context, who portal.Session, f func(tx pgx.Tx) error) error {
	if !who.Staff() {
		return portal.Errorf(portal.CodeForbidden, "This page is for staff.")
	}
	return inTx(ctx, db.Desk, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

// AgingReport implements portal.MoneyDesk.
func (s *MoneyDesk) AgingReport(ctx context.Context, who portal.Session, q portal.AccountQuery,
	search string) (portal.AgingReport, error) {
	var out portal.AgingReport
	err := s.db.asStaffReading(ctx, who, func(tx pgx.Tx) error {
		if err := q.Validate(); err != nil {
			return err
		}
		out = portal.AgingReport{Basis: q.Basis}
		var basis string
		if err := tx.QueryRow(ctx, query("desk_today")).Scan(&out.Today, &basis); err != nil {
			return err
		}
		if out.AsOf = out.Today; q.AsOf != nil {
			out.AsOf = *q.AsOf
		}
		if out.AsOf.After(out.Today) {
			return portal.Invalid("as_of", "Choose a day up to today.")
		}
		if out.Basis == "" {
			out.Basis = basis
		}
		rows, _ := tx.Query(ctx, query("desk_aging_report"), args{"as_of": out.AsOf, "basis": out.Basis})
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.AgingRow])
		if err != nil {
			return err
		}
		out.Count = len(all)
		words := strings.Fields(strings.ToLower(search))
		for _, r := range all {
			out.Total = sumAging(out.Total, r.Aging)
			text := strings.ToLower(r.CustomerNo + " " + r.Name)
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
				out.Rows = append(out.Rows, r)
			}
		}
		return nil
	})
	if err != nil {
		return portal.AgingReport{}, fmt.Errorf("aging report: %w", err)
	}
	return out, nil
}

func sumAging(a, b portal.Aging) portal.Aging {
	add := func(x, y portal.Money) portal.Money { return portal.Money{Decimal: x.Add(y.Decimal)} }
	return portal.Aging{Current: add(a.Current, b.Current), Days30: add(a.Days30, b.Days30),
		Days60: add(a.Days60, b.Days60), Days90: add(a.Days90, b.Days90), Balance: add(a.Balance, b.Balance),
		PastDue: add(a.PastDue, b.PastDue)}
}

type customerHead struct {
	CustomerID portal.CustomerID
	CustomerNo string
	Name       string
}

func deskCustomerHead(ctx context.Context, tx pgx.Tx, customerNo string) (customerHead, error) {
	rows, _ := tx.Query(ctx, query("desk_account_head"), args{"customer_no": customerNo})
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[customerHead])
}

// Account implements portal.MoneyDesk.
func (s *MoneyDesk) Account(ctx context.Context, who portal.Session, customerNo string,
	q portal.AccountQuery) (portal.DeskAccount, error) {
	var out portal.DeskAccount
	err := s.db.asStaffReading(ctx, who, func(tx pgx.Tx) error {
		head, err := deskCustomerHead(ctx, tx, customerNo)
		if err != nil {
			return err
		}
		out = portal.DeskAccount{CustomerNo: head.CustomerNo, CustomerName: head.Name}
		if out.Account, err = accountOf(ctx, tx, head.CustomerID, q); err != nil {
			return err
		}
		a := args{"customer_id": head.CustomerID}
		rows, _ := tx.Query(ctx, query("desk_open_invoices"), a)
		if out.Invoices, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.OpenInvoice]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("desk_open_credits"), a)
		out.Credits, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.OpenCredit])
		return err
	})
	if err != nil {
		return portal.DeskAccount{}, fmt.Errorf("desk account of %q: %w", customerNo,
			notFound(err, "There is no such customer."))
	}
	return out, nil
}

// Statement implements portal.MoneyDesk.
func (s *MoneyDesk) Statement(ctx context.Context, who portal.Session, customerNo string,
	p portal.Period) (portal.Statement, error) {
	var out portal.Statement
	err := s.db.asStaffReading(ctx, who, func(tx pgx.Tx) error {
		head, err := deskCustomerHead(ctx, tx, customerNo)
		if err != nil {
			return err
		}
		out, err = statementFor(ctx, tx, head.CustomerID, p)
		return err
	})
	if err != nil {
		return portal.Statement{}, fmt.Errorf("desk statement of %q: %w", customerNo,
			notFound(err, "There is no such customer."))
	}
	return out, nil
}

// Payments implements portal.MoneyDesk.
func (s *MoneyDesk) Payments(ctx context.Context, who portal.Session, search,
	before string) ([]portal.DeskPayment, string, error) {
	var out []portal.DeskPayment
	search = strings.TrimSpace(search)
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		from, err := idOf(ctx, tx, "desk_payment_id", args{"payment_no": before}, before)
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, query("desk_payment_list"), args{"query": search, "prefix": likePart(search) + "%",
			"pattern": "%" + likePart(search) + "%", "before_id": from, "row_limit": portal.PageSize + 1})
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.DeskPayment])
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("desk payments: %w", err)
	}
	out, next := cutPage(out, func(last portal.DeskPayment) string { return last.PaymentNo })
	return out, next, nil
}

// Payment implements portal.MoneyDesk.
func (s *MoneyDesk) Payment(ctx context.Context, who portal.Session, paymentNo string) (portal.PaymentDetail, error) {
	var out portal.PaymentDetail
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) (err error) {
		out, err = paymentDetail(ctx, tx, args{"customer_id": nil, "payment_no": paymentNo, "staff": true})
		return err
	})
	if err != nil {
		return portal.PaymentDetail{}, fmt.Errorf("desk payment %q: %w", paymentNo,
			notFound(err, "There is no such payment."))
	}
	return out, nil
}

// typedAmount reads an amount as somebody types it: 1,204.50 too.
func typedAmount(field, typed string) (decimal.Decimal, error) {
	text := strings.ReplaceAll(strings.TrimSpace(typed), ",", "")
	d, err := decimal.NewFromString(text)
	if err != nil || len(text) > 15 || d.Exponent() < -2 && !d.Equal(d.Round(2)) ||
		d.Abs().GreaterThanOrEqual(decimal.New(1, 12)) {
		return d, portal.Invalid(field, "Enter an amount like 1204.50.")
	}
	return d.Round(2), nil
}

// typedDay reads a date field.
func typedDay(field, typed string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(typed))
	if err != nil {
		return t, portal.Invalid(field, "Enter the day as YYYY-MM-DD.")
	}
	if !portal.DayWithinReason(t) {
		return t, portal.Invalid(field, "%s", portal.DayWords)
	}
	return t, nil
}

// PostPayment implements portal.MoneyDesk.
func (s *MoneyDesk) PostPayment(ctx context.Context, who portal.Session, customerNo string,
	e portal.PaymentEntry) (string, error) {
	refused := &portal.Error{Code: portal.CodeInvalid, Message: "Please correct what is marked."}
	note := func(err error) {
		if p, ok := errors.AsType[*portal.Error](err); ok {
			refused.Fields = append(refused.Fields, p.Fields...)
		}
	}
	amount, err := typedAmount("amount", e.Amount)
	note(err)
	day, err := typedDay("payment_date", e.Date)
	note(err)
	var invoices []string
	var amounts []decimal.Decimal
	for _, no := range slices.Sorted(maps.Keys(e.Apply)) {
		if strings.TrimSpace(e.Apply[no]) == "" {
			continue
		}
		a, err := typedAmount("apply-"+no, e.Apply[no])
		note(err)
		invoices, amounts = append(invoices, no), append(amounts, a)
	}
	if len(refused.Fields) > 0 {
		return "", refused
	}
	given := map[string]decimal.Decimal{}
	for i, no := range invoices {
		given[no] = amounts[i]
	}
	var key *string
	if e.Key != "" {
		key = &e.Key
	}
	var paymentNo string
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := samePayment(ctx, tx, customerNo, e, amount, given); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("desk_post_payment"), args{"customer_no": customerNo, "amount": amount, "day": day,
			"method": e.Method, "reference": e.Reference, "key": key, "invoice_nos": invoices, "amounts": amounts,
			"oldest_first": e.OldestFirst}).Scan(&paymentNo)
	})
	if err != nil {
		return "", fmt.Errorf("post payment of %q: %w", customerNo, err)
	}
	return paymentNo, nil
}

// ReversePayment implements portal.MoneyDesk.
func (s *MoneyDesk) ReversePayment(ctx context.Context, who portal.Session, paymentNo, on, reason, shown string) error {
	day, err := typedDay("reversed_on", on)
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if shown != "" {
			if _, err := tx.Exec(ctx, query("desk_payment_open_held"), args{"doc_no": paymentNo}); err != nil {
				return err
			}
			now, err := paymentDetail(ctx, tx, args{"customer_id": nil, "payment_no": paymentNo, "staff": true})
			if err != nil {
				return notFound(refusal(err), "There is no such payment.")
			}
			if err := now.Figures().Compare(shown, nil, portal.LookAgain); err != nil && now.ReversedOn == nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, query("desk_reverse_payment"), args{"payment_no": paymentNo, "day": day, "reason": reason})
		return err
	})
	if err != nil {
		return fmt.Errorf("reverse payment %q: %w", paymentNo, err)
	}
	return nil
}

// ApplyCredit implements portal.MoneyDesk.
func (s *MoneyDesk) ApplyCredit(ctx context.Context, who portal.Session, use portal.CreditUse) error {
	d, err := typedAmount("amount", use.Amount)
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameOpen(ctx, tx, use.Shown, use.Kind, use.DocNo, use.InvoiceNo, "invoice_no"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("desk_apply_credit"),
			args{"kind": use.Kind, "doc_no": use.DocNo, "invoice_no": use.InvoiceNo, "amount": d})
		return err
	})
	if err != nil {
		return fmt.Errorf("apply %s %q to %q: %w", use.Kind, use.DocNo, use.InvoiceNo, err)
	}
	return nil
}

// IssueCredit implements portal.MoneyDesk.
func (s *MoneyDesk) IssueCredit(ctx context.Context, who portal.Session, customerNo string,
	e portal.CreditEntry) (string, error) {
	d, err := typedAmount("credit_amount", e.Amount)
	if err != nil {
		return "", err
	}
	var memoNo string
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameOpen(ctx, tx, e.Shown, "", "", e.InvoiceNo, "credit_invoice"); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("desk_issue_credit"),
			args{"customer_no": customerNo, "amount": d, "reason": e.Reason, "invoice_no": e.InvoiceNo}).Scan(&memoNo)
	})
	if err != nil {
		return "", fmt.Errorf("issue credit to %q: %w", customerNo, err)
	}
	return memoNo, nil
}

// Invoices implements portal.InvoiceDesk.
func (s *InvoiceDesk) Invoices(ctx context.Context, who portal.Session, state, search,
	before string) ([]portal.DeskInvoice, string, error) {
	var out []portal.DeskInvoice
	search = strings.TrimSpace(search)
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		from, err := idOf(ctx, tx, "desk_invoice_id", args{"invoice_no": before}, before)
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, query("desk_invoice_list"), args{"state": state, "query": search,
			"prefix": likePart(search) + "%", "pattern": "%" + likePart(search) + "%", "before_id": from,
			"row_limit": portal.PageSize + 1})
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.DeskInvoice])
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("desk invoices: %w", err)
	}
	out, next := cutPage(out, func(last portal.DeskInvoice) string { return last.InvoiceNo })
	return out, next, nil
}

// idOf is the id of the document that a list goes on behind; nil for the
// beginning, and for a number that there is not.
func idOf(ctx context.Context, tx pgx.Tx, name string, a args, number string) (*int64, error) {
	if number == "" {
		return nil, nil
	}
	var id int64
	err := tx.QueryRow(ctx, query(name), a).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &id, err
}

// Invoice implements portal.InvoiceDesk.
func (s *InvoiceDesk) Invoice(ctx context.Context, who portal.Session, invoiceNo string) (portal.InvoiceDetail, error) {
	var out portal.InvoiceDetail
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var id portal.CustomerID
		err := tx.QueryRow(ctx, query("desk_invoice_customer"), args{"invoice_no": invoiceNo}).Scan(&id)
		if err == nil {
			out, err = invoiceDetail(ctx, tx,
				args{"customer_id": id, "invoice_no": invoiceNo, "sees_balance": true, "staff": true})
		}
		return err
	})
	if err != nil {
		return portal.InvoiceDetail{}, fmt.Errorf("desk invoice %q: %w", invoiceNo,
			notFound(err, "There is no such invoice."))
	}
	return out, nil
}

// ToInvoice implements portal.InvoiceDesk.
func (s *InvoiceDesk) ToInvoice(ctx context.Context, who portal.Session) ([]portal.ToInvoice, error) {
	var out []portal.ToInvoice
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("desk_to_invoice"))
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ToInvoice])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("orders to invoice: %w", err)
	}
	return out, nil
}

// InvoiceOrders implements portal.InvoiceDesk.
func (s *InvoiceDesk) InvoiceOrders(ctx context.Context, who portal.Session, orderNos []string, freight,
	shown map[string]string) ([]string, error) {
	freights := make([]*decimal.Decimal, len(orderNos))
	for i, no := range orderNos {
		if strings.TrimSpace(freight[no]) == "" {
			continue
		}
		d, err := typedAmount("freight-"+no, freight[no])
		if err != nil {
			return nil, err
		}
		freights[i] = &d
	}
	var out []string
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameShipped(ctx, tx, orderNos, freight, shown); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("desk_invoice_orders"), args{"order_nos": orderNos, "freights": freights}).Scan(&out)
	})
	if err != nil {
		return nil, fmt.Errorf("invoice %d orders: %w", len(orderNos), err)
	}
	return out, nil
}

// StatementRuns implements portal.StatementDesk.
func (s *StatementDesk) StatementRuns(ctx context.Context, who portal.Session) ([]portal.StatementRun, error) {
	var out []portal.StatementRun
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("statement_run_list"))
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.StatementRun])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("statement runs: %w", err)
	}
	return out, nil
}

// FailedStatements implements portal.StatementDesk.
func (s *StatementDesk) FailedStatements(ctx context.Context, who portal.Session) ([]portal.FailedStatement, error) {
	var out []portal.FailedStatement
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("statement_failed_list"))
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.FailedStatement])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("failed statements: %w", err)
	}
	return out, nil
}

// BeginStatementRun implements portal.StatementDesk.
func (s *StatementDesk) BeginStatementRun(ctx context.Context, who portal.Session, from, to time.Time) error {
	if to.Before(from) {
		return portal.Invalid("to", "The last day lies before the first.")
	}
	var run *int64
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("statement_begin_run"), args{"from_date": from, "to_date": to}).Scan(&run)
	})
	if err == nil && run == nil {
		err = portal.Errorf(portal.CodeConflict, "There was a run over this period already. What was sent stays as it was.")
	}
	if err != nil {
		return fmt.Errorf("begin statement run: %w", err)
	}
	return nil
}

// RetryStatements implements portal.StatementDesk.
func (s *StatementDesk) RetryStatements(ctx context.Context, who portal.Session) (int, error) {
	var n int
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error { return tx.QueryRow(ctx, query("statement_retry")).Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("retry statements: %w", err)
	}
	return n, nil
}
