package pdf_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/pdf"
)

var head = portal.Letterhead{Name: "Harbor & Main Wholesale", ShortName: "Harbor & Main", Accent: "#0e6173",
	OnAccent: "#ffffff", Phone: "+1 (718) 555-0142", Email: "orders@harbormain.example",
	Footer: "Harbor & Main Wholesale · 48 Pier Street, Brooklyn, NY 11231"}

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func amount(s string) portal.Money { return portal.Money{Decimal: decimal.RequireFromString(s)} }

// statement is one of n documents with running balances.
func statement(n int) portal.Statement {
	st := portal.Statement{CustomerNo: "C1003", CustomerName: "Žižkov & Łódź Delicatessen GmbH",
		BillTo: "12 Ocean Avenue\nBrooklyn, NY 11225", From: date("2026-03-01"), To: date("2026-03-31"),
		AsOf: date("2026-03-31"), Basis: portal.BasisInvoiceDate, Currency: "USD", Company: head.Name,
		RemitTo: "Harbor & Main Wholesale\n48 Pier Street\nBrooklyn, NY 11231", TermsDays: 30, Opening: amount("1200.10")}
	balance := st.Opening.Decimal
	for i := range n {
		m := portal.Movement{Date: st.From.AddDate(0, 0, i*30/max(n, 1)), Kind: "invoice", DocNo: fmt.Sprint(10400 + i),
			Reference: "PO-" + fmt.Sprint(i), Amount: amount("123.45")}
		due := m.Date.AddDate(0, 0, 30)
		m.DueDate = &due
		if i%4 == 3 {
			m = portal.Movement{Date: m.Date, Kind: "payment", DocNo: fmt.Sprint("PY-", i), Reference: "check 100233",
				Amount: amount("-240.00")}
		}
		balance = balance.Add(m.Amount.Decimal)
		m.Balance = portal.Money{Decimal: balance}
		st.Lines = append(st.Lines, m)
	}
	st.Closing = portal.Money{Decimal: balance}
	st.Aging = portal.Aging{Current: portal.Money{Decimal: balance.Sub(decimal.NewFromInt(900))},
		Days30: amount("1000.00"), Days60: amount("-100.00"), Balance: st.Closing, PastDue: amount("750.00")}
	return st
}

// read is what a paper says, in its layout, a string a page.
func read(t *testing.T, paper []byte) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "pdftotext", "-layout", "-", "-")
	command.Stdin = bytes.NewReader(paper)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("pdftotext (make setup installs it): %v", err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\f"), "\f")
}

func TestStatement(t *testing.T) {
	t.Parallel()
	for name, minus := range map[string]string{"Žižkov & Łódź Delicatessen GmbH": "−", "Café Größe & Sons": "-"} {
		t.Run(name, func(t *testing.T) { testStatement(t, name, minus) })
	}
}

func testStatement(t *testing.T, name, minus string) {
	st := statement(95)
	st.CustomerName = name
	paper, err := pdf.New(head).StatementPDF(st)
	if err != nil {
		t.Fatal(err)
	}
	pages := read(t, paper)
	if len(pages) != 3 {
		t.Fatalf("%d pages", len(pages))
	}
	all := strings.Join(pages, "\n")
	for _, want := range []string{name, "Opening balance", st.Opening.Shown(), st.Closing.Shown(), "Page 1 of 3",
		"Page 3 of 3", minus + "100.00", portal.BucketNames[3], "48 Pier Street", st.Lines[94].DocNo} {
		if !strings.Contains(all, want) {
			t.Errorf("the paper does not say %q", want)
		}
	}
	for i, page := range pages[1:] {
		if !strings.Contains(page, "continued") || !strings.Contains(page, "Harbor & Main") {
			t.Errorf("page %d has no head:\n%s", i+2, page)
		}
	}
	// each page goes on where the one before ended
	for n, l := range st.Lines[1:] {
		if strings.Contains(pages[1], "Brought forward") && strings.Contains(pages[1], " "+l.DocNo+" ") {
			if !strings.Contains(pages[1], st.Lines[n].Balance.Shown()) {
				t.Errorf("page 2 begins with %s and does not bring %s forward", l.DocNo, st.Lines[n].Balance.Shown())
			}
			break
		}
	}
	again, err := pdf.New(head).StatementPDF(st)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(paper, again) {
		t.Error("printed again it has other bytes")
	}
}

func TestInvoice(t *testing.T) {
	t.Parallel()
	i := invoice(60)
	paper, err := pdf.New(head).InvoicePDF(i)
	if err != nil {
		t.Fatal(err)
	}
	pages := read(t, paper)
	all := strings.Join(pages, "\n")
	for _, want := range []string{"Invoice", "10442", "PO-77", "Net 30", "0.335", "2.35", "Tax 8.875 %", "1,234.56",
		"Žižkov Store", "Page 1 of " + fmt.Sprint(len(pages))} {
		if !strings.Contains(all, want) {
			t.Errorf("the paper does not say %q", want)
		}
	}
	for n, page := range pages[:len(pages)-1] {
		if !strings.Contains(page, "Description") {
			t.Errorf("page %d has no head of the table", n+1)
		}
	}
	// who sees no prices gets none on paper
	i.Total, i.Merchandise, i.Tax, i.Freight = nil, nil, nil, nil
	for n := range i.Lines {
		i.Lines[n].UnitPrice, i.Lines[n].LineTotal = nil, nil
	}
	if paper, err = pdf.New(head).InvoicePDF(i); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(read(t, paper), "\n"); strings.Contains(all, "0.335") || strings.Contains(all, "Total") {
		t.Errorf("without prices the paper says:\n%s", all)
	}
}

func invoice(n int) portal.InvoiceDetail {
	order, po := "SO-100023", "PO-77"
	total, tax, freight, merchandise := amount("1234.56"), amount("98.10"), amount("12.50"), amount("1123.96")
	out := portal.InvoiceDetail{Invoice: portal.Invoice{InvoiceNo: "10442", Kind: "invoice", OrderNo: &order, PONo: &po,
		InvoiceDate: date("2026-03-10"), DueDate: date("2026-04-09"), Total: &total, OpenAmount: &total, State: "OPEN"},
		CustomerNo: "C1003", CustomerName: "Ocean Deli", BillTo: "12 Ocean Avenue", TermsDays: 30, RemitTo: head.Name,
		Currency: "USD", Merchandise: &merchandise, TaxRate: portal.Rate{Decimal: decimal.RequireFromString("0.08875")},
		Tax: &tax, Freight: &freight, ShipTo: &portal.ShipTo{Name: "Žižkov Store", Address1: "1 Pier", City: "Brooklyn",
			Region: "NY", PostalCode: "11231"}}
	for i := range n {
		item := fmt.Sprintf("ITEM-%03d", i)
		price, sum := portal.Price{Decimal: decimal.RequireFromString("0.335")},
			portal.Price{Decimal: decimal.RequireFromString("2.35")}
		out.Lines = append(out.Lines, portal.InvoiceLine{LineNo: i + 1, ItemNo: &item,
			Description: strings.Repeat("Extra virgin olive oil ", 1+i%4), UOM: "EA",
			Qty: portal.Qty{Decimal: decimal.NewFromInt(7)}, UnitPrice: &price, LineTotal: &sum})
	}
	return out
}

// BenchmarkStatements prints statements on all cores, as the monthly run does.
func BenchmarkStatements(b *testing.B) {
	press := pdf.New(head, pdf.SystemFonts...)
	for _, name := range []string{"Ocean Deli", "Łódź", "李記食品有限公司"} {
		b.Run(name, func(b *testing.B) {
			st := statement(30)
			st.CustomerName = name
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := press.StatementPDF(st); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "papers/s")
		})
	}
}

// BenchmarkLongTexts prints both papers with a thousand letters in every place.
func BenchmarkLongTexts(b *testing.B) {
	press := pdf.New(head, pdf.SystemFonts...)
	for name, word := range map[string]string{"Latin": "Delicatessen ", "Arabic": "العربية ",
		"Arabic without spaces": "العربية", "Chinese": "李記食品有限公司", "mixed": "Deli 李記食品 العربية 12 "} {
		b.Run(name, func(b *testing.B) {
			i, st := everywhere(string([]rune(strings.Repeat(word, 1000))[:1000]))
			for b.Loop() {
				if _, err := press.InvoicePDF(i); err != nil {
					b.Fatal(err)
				}
				if _, err := press.StatementPDF(st); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "papers/s")
		})
	}
}

func BenchmarkStatement(b *testing.B) {
	press := pdf.New(head)
	for name, n := range map[string]int{"Ocean Deli 10": 10, "Ocean Deli 95": 95, "Ocean Deli 2000": 2000, "Łódź 10": 10} {
		b.Run(name, func(b *testing.B) {
			st := statement(n)
			st.CustomerName = name
			b.ReportAllocs()
			for b.Loop() {
				paper, err := press.StatementPDF(st)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(paper)))
			}
		})
	}
}
