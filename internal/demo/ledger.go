package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// writeLedger invoices the history, takes the payments that have come in and
// issues a few credit memos. Open amounts are what remains, as the triggers
// would have left them.
func (w *world) writeLedger(ctx context.Context) error {
	var invoices, lines, payments, applications, memos, memoLines [][]any
	memo := 0
	for i := range w.orders {
		o := &w.orders[i]
		date := dateOf(o.shipped)
		due := date.AddDate(0, 0, o.customer.terms)
		paid := w.paid(o, due)
		open := o.total.Sub(paid.amount)
		if paid.amount.IsPositive() {
			payments = append(payments, []any{o.id, fmt.Sprintf("PY-%d", o.id), o.customer.id, paid.on, paid.method,
				paid.reference, paid.amount, decimal.Zero})
			applications = append(applications, []any{o.id, nil, o.id, o.customer.id, paid.amount, paid.on})
		}
		l := o.lines[0]
		// something came damaged, lately: credited, and not yet applied
		if date.After(w.today.AddDate(0, 0, -60)) && date.Before(w.today.AddDate(0, 0, -10)) && w.chance(4) {
			memo++
			total := l.price.Round(2)
			memos = append(memos, []any{memo, fmt.Sprintf("CM-%d", memo), o.customer.id, o.id, date.AddDate(0, 0, 7),
				total, total, "Damaged"})
			memoLines = append(memoLines,
				[]any{memo, 1, l.item.id, o.id, 1, l.item.description, l.uom, l.factor, decimal.NewFromInt(1), l.price, total})
		}
		var po any
		if o.po != "" {
			po = o.po
		}
		invoices = append(invoices, []any{o.id, fmt.Sprint(10000 + o.id), o.customer.id, o.id, o.shipTo, po, date, due,
			o.total, open, o.shipped})
		for k, l := range o.lines {
			lines = append(lines, []any{o.id, k + 1, l.item.id, o.id, k + 1, l.item.description, l.uom, l.factor, l.qty, l.price,
				l.step, l.rule, l.total})
		}
	}
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"invoice",
			words(
				"invoice_id|invoice_no|customer_id|order_id|ship_to_id|po_no|invoice_date|due_date|total|open_amount|issued_at"),
			invoices},
		{"invoice_line",
			words(
				"invoice_id|line_no|item_id|order_id|order_line_no|description|uom|factor|qty|unit_price|price_step|price_rule_id|line_total"), lines},
		{"payment", words("payment_id|payment_no|customer_id|payment_date|method|reference|amount|open_amount"), payments},
		{"payment_application", words("payment_id|credit_memo_id|invoice_id|customer_id|amount|applied_on"), applications},
		{"credit_memo", words("credit_memo_id|memo_no|customer_id|invoice_id|memo_date|total|open_amount|reason"), memos},
		{"credit_memo_line",
			words("credit_memo_id|line_no|item_id|invoice_id|invoice_line_no|description|uom|factor|qty|unit_price|line_total"),
			memoLines},
	} {
		if err := w.copyRows(ctx, "erp", t.table, t.columns, t.rows); err != nil {
			return err
		}
	}
	if _, err := w.tx.Exec(ctx,
		`update erp.document_series set next_no = (select max(invoice_no::bigint) + 1 from erp.invoice)
			where series = 'invoice'`); err != nil {
		return err
	}
	_, err := w.tx.Exec(ctx, `select
		setval(pg_get_serial_sequence('erp.invoice', 'invoice_id'), (select max(invoice_id) from erp.invoice)),
		setval(pg_get_serial_sequence('erp.payment', 'payment_id'), (select max(payment_id) from erp.payment)),
		setval('erp.payment_no_seq', (select max(payment_id) from erp.payment)),
		setval(pg_get_serial_sequence('erp.credit_memo', 'credit_memo_id'), (select coalesce(max(credit_memo_id), 1)
		from erp.credit_memo)),
		setval('erp.memo_no_seq', (select coalesce(max(credit_memo_id), 1) from erp.credit_memo))`)
	return err
}

type payment struct {
	amount            decimal.Decimal
	on                time.Time
	method, reference string
}

// paid is what has come in for an order's invoice by today.
func (w *world) paid(o *order, due time.Time) payment {
	p := payment{amount: o.total, method: pick(w, []string{"check", "check", "ach", "card"}),
		reference: fmt.Sprint(100000 + w.rand.IntN(899999))}
	late := -1 - w.rand.IntN(8)
	if o.customer.slow > 0 {
		late = w.rand.IntN(o.customer.slow)
	}
	p.on = due.AddDate(0, 0, late)
	if date := dateOf(o.shipped); p.on.Before(date) {
		p.on = date
	}
	if !p.on.Before(w.today) {
		return payment{}
	}
	if o.customer.slow > 0 && w.chance(8) {
		p.amount = o.total.Div(decimal.NewFromInt(2)).Round(2)
	}
	return p
}

// dateOf is the calendar day of an instant in its own zone, as PostgreSQL's
// date wants it.
func dateOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
