package sql_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal/internal/pgtest"
)

// ledger is an independent writing of what is owed, in whole cents and days,
// from the documents and what was applied when; it knows no open amounts.
type ledger struct {
	documents    []ledgerDocument
	applications []ledgerApplication
}

type ledgerDocument struct {
	customer, id   int
	kind           string // invoice, memo, payment
	day, due, back int    // back: the day a payment came back; 0: it has not
	cents          int
}

type ledgerApplication struct {
	source, invoice *ledgerDocument
	cents, day      int
}

// ledgerStart is day 0.
var ledgerStart = time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC)

func ledgerDate(day int) time.Time { return ledgerStart.AddDate(0, 0, day) }

func cents(n int) decimal.Decimal { return decimal.New(int64(n), -2) }

// open is what of a document was open on a day, as a debt.
func (l *ledger) open(d *ledgerDocument, on int) int {
	if d.day > on {
		return 0
	}
	rest := d.cents
	if d.back != 0 && d.back <= on {
		rest = 0
	}
	for _, a := range l.applications {
		if a.day <= on && (a.source == d || a.invoice == d) {
			rest -= a.cents
		}
	}
	if d.kind != "invoice" {
		return -rest
	}
	return rest
}

// aging is current, 30, 60, 90, balance and past due on a day.
func (l *ledger) aging(customer, on int, byDue bool) (out [6]int) {
	for i := range l.documents {
		d := &l.documents[i]
		rest := l.open(d, on)
		if d.customer != customer || rest == 0 {
			continue
		}
		age := on - d.day
		if byDue && d.kind == "invoice" {
			age = on - d.due
		}
		out[min(max(age/30, 0), 3)] += rest
		out[4] += rest
		if d.kind == "invoice" && d.due < on {
			out[5] += rest
		}
	}
	return out
}

// balance is the sum of all that moved the account up to a day.
func (l *ledger) balance(customer, on int) (sum int) {
	for _, d := range l.documents {
		if d.customer != customer || d.day > on {
			continue
		}
		if d.kind == "invoice" {
			sum += d.cents
			continue
		}
		sum -= d.cents
		if d.back != 0 && d.back <= on {
			sum += d.cents
		}
	}
	return sum
}

// TestLedgerModel makes two years of documents, payments over several invoices,
// memos, applications and reversals, in no order of their dates, and compares
// what the database says of random days with the model: the statement's closing
// balance, the buckets by both bases, and the desk's report.
func TestLedgerModel(t *testing.T) {
	t.Parallel()
	const customers, days = 3, 730
	ctx := context.Background()
	db := pgtest.New(t)
	pgtest.Exec(t, db, "insert into erp.customer (customer_id, customer_no, name) select n, 'C' || n, 'Customer ' || n "+
		"from generate_series(1, $1) n", customers)
	rng := rand.New(rand.NewPCG(5, 2026))
	l := &ledger{}
	batch := &pgx.Batch{}
	l.documents = make([]ledgerDocument, 0, 1300) // never moved: applications point into it
	add := func(d ledgerDocument) *ledgerDocument {
		d.id = len(l.documents) + 1
		l.documents = append(l.documents, d)
		return &l.documents[len(l.documents)-1]
	}
	pick := func(customer int, kind string) *ledgerDocument {
		for range 20 {
			if d := &l.documents[rng.IntN(len(l.documents))]; d.customer == customer && d.kind == kind && d.back == 0 {
				return d
			}
		}
		return nil
	}
	apply := func(source, invoice *ledgerDocument, amount, day int) {
		batch.Queue("insert into erp.payment_application (payment_id, credit_memo_id, invoice_id, amount, applied_on) "+
			"values ($1, $2, $3, $4, $5)",
			ifKind(source, "payment"), ifKind(source, "memo"), invoice.id, cents(amount), ledgerDate(day))
		// nothing is applied before both are there
		l.applications = append(l.applications, ledgerApplication{source, invoice, amount, max(day, source.day, invoice.day)})
	}
	const far = 1 << 20 // after everything
	for n := range 1200 {
		customer, day := 1+rng.IntN(customers), rng.IntN(days)
		switch {
		case n < 60 || rng.IntN(4) == 0:
			d := add(ledgerDocument{customer: customer, kind: "invoice", day: day, due: day + 15*rng.IntN(4),
				cents: 1 + rng.IntN(200_000)})
			batch.Queue("insert into erp.invoice (invoice_id, customer_id, invoice_date, due_date, opened_total) values ($1, "+
				"$2, $3, $4, $5)",
				d.id, customer, ledgerDate(day), ledgerDate(d.due), cents(d.cents))
			if rng.IntN(2) == 0 { // with lines, which then are the total
				a := rng.IntN(d.cents)
				batch.Queue("insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) values ($1, 1, 1, "+
					"$2, $2), ($1, 2, 1, $3, $3)",
					d.id, cents(a), cents(d.cents-a))
			}
		case rng.IntN(5) == 0:
			d := add(ledgerDocument{customer: customer, kind: "memo", day: day, cents: 1 + rng.IntN(30_000)})
			batch.Queue("insert into erp.credit_memo (credit_memo_id, customer_id, memo_date, opened_total) values ($1, $2, "+
				"$3, $4)", d.id, customer, ledgerDate(day), cents(d.cents))
		case rng.IntN(3) == 0:
			d := add(ledgerDocument{customer: customer, kind: "payment", day: day, cents: 1 + rng.IntN(300_000)})
			batch.Queue("insert into erp.payment (payment_id, customer_id, payment_date, amount) values ($1, $2, $3, $4)", d.id,
				customer, ledgerDate(day), cents(d.cents))
		case rng.IntN(12) == 0:
			if d := pick(customer, "payment"); d != nil { // it bounces
				d.back = d.day + 1 + rng.IntN(60)
				batch.Queue("update erp.payment set reversed_on = $2, reversed_reason = 'bounced' where payment_id = $1", d.id,
					ledgerDate(d.back))
				latest := map[*ledgerDocument]ledgerApplication{}
				for _, a := range l.applications {
					if a.source == d {
						sum := latest[a.invoice]
						latest[a.invoice] = ledgerApplication{d, a.invoice, sum.cents - a.cents, max(sum.day, a.day, d.back)}
					}
				}
				for _, a := range latest {
					l.applications = append(l.applications, a)
				}
			}
		default:
			source, invoice := pick(customer, []string{"payment", "payment", "memo"}[rng.IntN(3)]), pick(customer, "invoice")
			if source == nil || invoice == nil {
				continue
			}
			most := min(-l.open(source, far), l.open(invoice, far))
			if most <= 0 {
				continue
			}
			amount := most
			if rng.IntN(2) == 0 {
				amount = 1 + rng.IntN(most)
			}
			apply(source, invoice, amount, day)
			if rng.IntN(6) == 0 { // taken back again
				apply(source, invoice, -amount, day+rng.IntN(40))
			}
		}
	}
	if err := db.Pool.SendBatch(ctx, batch).Close(); err != nil {
		t.Fatal(err)
	}

	said := &pgx.Batch{}
	var wrong int
	for range 200 {
		customer, on, from := 1+rng.IntN(customers), rng.IntN(days+90)-30, rng.IntN(days)
		from = min(from, on)
		for _, basis := range []string{"invoice_date", "due_date"} {
			want := l.aging(customer, on, basis == "due_date")
			if sum := want[0] + want[1] + want[2] + want[3]; sum != want[4] || want[4] != l.balance(customer, on) {
				t.Fatalf("the model disagrees with itself on day %d: %v, balance %d", on, want, l.balance(customer, on))
			}
			said.Queue(`
				select a.current_due, a.days_30, a.days_60, a.days_90, a.balance, a.past_due,
					coalesce((select (array_agg(m.balance order by m.ord desc))[1]
					from erp.movements($1, $3, $2) with ordinality as m(d, k, n, u, r, a, balance, ord)),
						erp.balance($1, $3 - 1)) as closing,
					coalesce((select r.balance from erp.aging_report($2, $4) r where r.customer_id = $1), 0) as reported,
					coalesce((select sum(d.amount) from portal.account_documents($1, $2, $4) d), 0) as open
				from erp.aging($1, $2, $4) a`, customer, ledgerDate(on), ledgerDate(from), basis).QueryRow(func(row pgx.Row) error {
				var got [9]decimal.Decimal
				if err := row.Scan(&got[0], &got[1], &got[2], &got[3], &got[4], &got[5], &got[6], &got[7], &got[8]); err != nil {
					return err
				}
				balance := want[4]
				for i, w := range append(want[:], balance, balance, balance) {
					if !got[i].Equal(cents(w)) {
						wrong++
						t.Errorf("customer %d as of day %d by %s, figure %d: %s, want %s", customer, on, basis, i, got[i], cents(w))
					}
				}
				if wrong > 10 {
					return fmt.Errorf("and so on")
				}
				return nil
			})
		}
	}
	if err := db.Pool.SendBatch(ctx, said).Close(); err != nil {
		t.Fatal(err)
	}
	applied, reversed := len(l.applications), 0
	for _, d := range l.documents {
		if d.back != 0 {
			reversed++
		}
	}
	if applied < 100 || reversed < 5 {
		t.Errorf("only %d applications and %d reversals: the world is too calm to show anything", applied, reversed)
	}
}

func ifKind(d *ledgerDocument, kind string) *int {
	if d.kind != kind {
		return nil
	}
	return &d.id
}
