package pdf

import (
	"fmt"
	"strings"

	"portal.example/portal"
)

// InvoicePDF implements portal.Printer.
func (p *Press) InvoicePDF(i portal.InvoiceDetail) ([]byte, error) {
	title := "Invoice"
	if i.Kind == "adjustment" {
		title = "Adjustment"
	}
	return p.print(title, i.InvoiceNo, title+" "+i.InvoiceNo, i.InvoiceDate, func(s *sheet) { s.invoice(i) })
}

func (s *sheet) invoice(i portal.InvoiceDetail) {
	s.first()
	to := part{x: left, width: 58, heading: "Bill to", lines: append([]string{i.CustomerName}, lines(i.BillTo)...)}
	by := part{x: left + 60, width: 55}
	if t := i.ShipTo; t != nil {
		by.heading, by.lines = "Ship to", written(t.Name, t.Address1, t.Address2,
			strings.TrimSpace(strings.Join(written(t.City, t.Region), ", ")+" "+t.PostalCode), t.Country)
	}
	s.beside(to, by, part{x: right - 65, width: 65, facts: []fact{
		{"Customer", i.CustomerNo},
		{"Invoice date", day(i.InvoiceDate)},
		{"Due", day(i.DueDate)},
		{"Terms", terms(i.TermsDays)},
		{"Order", text(i.OrderNo)},
		{"PO number", text(i.PONo)},
		{"Amounts in", i.Currency},
	}})
	s.Ln(5)

	columns := []column{{"Item", 30, "L"}, {"Description", 72, "L"}, {"Quantity", 20, "R"}, {"Unit", 15, "L"},
		{"Price", 22, "R"}, {"Amount", 26, "R"}}
	s.headRow(columns)
	s.again = func() { s.headRow(columns) }
	for _, l := range i.Lines {
		s.invoiceLine(columns, l)
	}
	s.again = nil
	s.room(36)
	s.rule()
	s.Ln(2)
	sums := []fact{}
	if i.Total != nil {
		sums = append(sums, fact{"Merchandise", money(i.Merchandise)})
		if i.Tax != nil && !i.Tax.IsZero() {
			label := "Tax"
			if !i.TaxRate.IsZero() {
				label += " " + i.TaxRate.Percent()
			}
			sums = append(sums, fact{label, money(i.Tax)})
		}
		if i.Freight != nil && !i.Freight.IsZero() {
			sums = append(sums, fact{"Freight", money(i.Freight)})
		}
		sums = append(sums, fact{"Total", money(i.Total)})
	}
	remit := part{x: left, width: 90}
	if to := lines(i.RemitTo); len(to) > 0 {
		remit.heading, remit.lines = "Please remit to", to
	}
	s.beside(remit, part{x: right - 75, width: 75, facts: sums})
	s.Ln(4)
	s.font("", 8)
	s.grey()
	s.rows(left, width, 4, "L", s.wrapped(fmt.Sprintf("Please name invoice %s with your payment.", i.InvoiceNo), width-2))
	s.black()
}

// invoiceLine prints one line.
func (s *sheet) invoiceLine(columns []column, l portal.InvoiceLine) {
	price, amount := "", ""
	if l.UnitPrice != nil {
		price = l.UnitPrice.Shown()
	}
	if l.LineTotal != nil {
		amount = l.LineTotal.Shown()
	}
	s.row(columns, 5, text(l.ItemNo), l.Description, l.Qty.Shown(), l.UOM, price, amount)
}

func terms(days int) string {
	if days == 0 {
		return "Due on receipt"
	}
	return fmt.Sprintf("Net %d days", days)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
