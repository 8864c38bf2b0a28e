package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// What forms of the desk say that their pages showed of money is compared here,
// under the locks of what they are about to change.

// sameOrder refuses to move an order whose total or prices are not those that
// the mover saw. The order is held already.
func sameOrder(ctx context.Context, tx pgx.Tx, o lockedOrder, shown string) error {
	if shown == "" {
		return nil
	}
	rows, _ := tx.Query(ctx, query("desk_order_prices"), args{"order_id": o.OrderID})
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[portal.OrderLine])
	if err != nil {
		return fmt.Errorf("prices: %w", err)
	}
	return portal.OrderFigures(&o.Total, lines).Compare(shown, nil, "Nothing was done: look at order "+o.OrderNo+" again.")
}

// uninvoiced is what invoices of orders would charge now. Orders that are held
// before stay as they are read.
func uninvoiced(ctx context.Context, tx pgx.Tx, orderNos []string) ([]portal.ToInvoice, error) {
	rows, _ := tx.Query(ctx, query("desk_uninvoiced"), args{"order_nos": orderNos})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[portal.ToInvoice])
	if err != nil {
		return nil, fmt.Errorf("what waits for an invoice: %w", err)
	}
	return list, nil
}

// sameShipped holds orders and refuses to invoice one of which something else
// waits than was shown. One that waits no more is passed over. Freight that was
// typed is the sender's to say.
func sameShipped(ctx context.Context, tx pgx.Tx, orderNos []string, freight, shown map[string]string) error {
	if len(shown) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, query("desk_orders_hold"), args{"order_nos": orderNos}); err != nil {
		return err
	}
	list, err := uninvoiced(ctx, tx, orderNos)
	if err != nil {
		return err
	}
	refused := &portal.Error{Code: portal.CodeConflict,
		Message: "No invoice was made. Send once more to invoice what is there now."}
	for _, o := range list {
		if o.Lines == 0 {
			continue
		}
		var typed portal.Figures
		if f := freight[o.OrderNo]; f != "" {
			typed = portal.Figures{{Field: "freight", Value: f}}
		}
		err := o.Figures().Compare(shown[o.OrderNo], typed, "")
		if e, ok := errors.AsType[*portal.Error](err); ok {
			refused.Fields, refused.Shown = append(refused.Fields, e.Fields...), e.Shown
		} else if err != nil {
			return err
		}
	}
	if len(refused.Fields) == 0 {
		return nil
	}
	if len(orderNos) > 1 {
		refused.Shown = "" // it is each order's
	}
	return refused
}

// openInvoice is an invoice that this transaction holds.
type openInvoice struct {
	InvoiceID int64
	InvoiceNo string
	DueDate   time.Time
	Open      portal.Money
}

// holdOpen holds invoices of a customer, those named and with all also those
// that are open, the oldest by due date first.
func holdOpen(ctx context.Context, tx pgx.Tx, customer portal.CustomerID, named []string,
	all bool) ([]openInvoice, error) {
	rows, _ := tx.Query(ctx, query("desk_open_held"), args{"customer_id": customer, "named": named, "all": all})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[openInvoice])
	if err != nil {
		return nil, fmt.Errorf("open invoices: %w", err)
	}
	slices.SortFunc(list, func(a, b openInvoice) int {
		if by := a.DueDate.Compare(b.DueDate); by != 0 {
			return by
		}
		return int(a.InvoiceID - b.InvoiceID)
	})
	return list, nil
}

// pageInvoices is how many open invoices an account's page lists.
const pageInvoices = 200

// samePayment refuses a payment that would pay invoices of which something else
// is open than its page showed, and, where it pays the oldest first, those that
// its page did not show or that are paid by now. The same form again finds the
// payment that it made, and is not compared.
func samePayment(ctx context.Context, tx pgx.Tx, customerNo string, e portal.PaymentEntry, amount decimal.Decimal,
	given map[string]decimal.Decimal) error {
	if e.Shown == "" {
		return nil
	}
	var made bool
	if e.Key != "" {
		if err := tx.QueryRow(ctx, query("desk_payment_key"), args{"key": e.Key}).Scan(&made); err != nil || made {
			return err
		}
	}
	head, err := deskCustomerHead(ctx, tx, customerNo)
	if err != nil {
		return notFound(refusal(err), "There is no such customer.")
	}
	onPage := map[string]bool{}
	var named []string
	for no := range given {
		named = append(named, no)
	}
	for _, field := range portal.ShownFields(e.Shown) {
		if no, ok := strings.CutPrefix(field, "invoice-"); ok {
			onPage[no] = true
			if e.OldestFirst {
				named = append(named, no)
			}
		}
	}
	list, err := holdOpen(ctx, tx, head.CustomerID, named, e.OldestFirst)
	if err != nil {
		return err
	}
	rest := amount
	for _, a := range given {
		rest = rest.Sub(a)
	}
	var now portal.Figures
	listed := 0
	for _, i := range list {
		figure := portal.OpenFigure("invoice", i.InvoiceNo, i.Open)
		_, isGiven := given[i.InvoiceNo]
		left := i.Open.Sub(given[i.InvoiceNo])
		takes := e.OldestFirst && rest.IsPositive() && left.IsPositive()
		if i.Open.IsPositive() {
			listed++
		} else {
			figure.At = "amount" // the page lists it no more
		}
		figure.Needed = takes && listed <= pageInvoices
		if isGiven || takes || e.OldestFirst && onPage[i.InvoiceNo] && !i.Open.IsPositive() {
			now = append(now, figure)
		}
		if takes {
			rest = rest.Sub(left)
		}
	}
	return now.Compare(e.Shown, nil, portal.LookAgain)
}

// sameOpen holds an invoice, and the document that is applied to it, and refuses
// where their page showed other amounts open. invoiceField is where the form has
// the invoice.
func sameOpen(ctx context.Context, tx pgx.Tx, shown, kind, docNo, invoiceNo, invoiceField string) error {
	if shown == "" {
		return nil
	}
	var now portal.Figures
	for _, doc := range [][2]string{{"invoice", strings.TrimSpace(invoiceNo)}, {kind, docNo}} {
		if doc[1] == "" || !slices.Contains([]string{"invoice", "payment", "credit_memo"}, doc[0]) {
			continue
		}
		var open portal.Money
		err := tx.QueryRow(ctx, query("desk_"+doc[0]+"_open_held"), args{"doc_no": doc[1]}).Scan(&open)
		if errors.Is(err, pgx.ErrNoRows) {
			continue // the database has the words
		}
		if err != nil {
			return err
		}
		figure := portal.OpenFigure(doc[0], doc[1], open)
		if doc[0] == "invoice" {
			figure.At = invoiceField
		}
		now = append(now, figure)
	}
	return now.Compare(shown, nil, portal.LookAgain)
}
