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
	y := s.GetY()
	a := s.block(left, y, 58, "Bill to", append([]string{i.CustomerName}, lines(i.BillTo)...))
	b := a
	if t := i.ShipTo; t != nil {
		b = s.block(left+60, y, 55, "Ship to", written(t.Name, t.Address1, t.Address2,
			strings.TrimSpace(strings.Join(written(t.City, t.Region), ", ")+" "+t.PostalCode), t.Country))
	}
	c := s.facts(right-65, y, 65, []fact{
		{"Customer", i.CustomerNo},
		{"Invoice date", day(i.InvoiceDate)},
		{"Due", day(i.DueDate)},
		{"Terms", terms(i.TermsDays)},
		{"Order", text(i.OrderNo)},
		{"PO number", text(i.PONo)},
		{"Amounts in", i.Currency},
	})
	s.SetY(max(a, b, c) + 5)

	columns := []column{{"Item", 30, "L"}, {"Description", 73, "L"}, {"Quantity", 20, "R"}, {"  Unit", 14, "L"}, {"Price", 22, "R"}, {"Amount", 26, "R"}}
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
	y = s.GetY()
	a = y
	if remit := lines(i.RemitTo); len(remit) > 0 {
		a = s.block(left, y, 90, "Please remit to", remit)
	}
	b = s.facts(right-75, y, 75, sums)
	s.SetY(max(a, b) + 4)
	s.font("", 8)
	s.grey()
	s.CellFormat(width, 4, fmt.Sprintf("Please name invoice %s with your payment.", i.InvoiceNo), "", 1, "L", false, 0, "")
	s.black()
}

// invoiceLine prints one line; a long description takes a second row.
func (s *sheet) invoiceLine(columns []column, l portal.InvoiceLine) {
	rows := s.wrapped(l.Description, columns[1].width-1)
	rows = rows[:min(len(rows), 3)]
	s.room(5*float64(len(rows)) + 0.4)
	price, amount := "", ""
	if l.UnitPrice != nil {
		price = l.UnitPrice.Shown()
	}
	if l.LineTotal != nil {
		amount = l.LineTotal.Shown()
	}
	s.row(columns, 5, text(l.ItemNo), rows[0], l.Qty.Shown(), "  "+l.UOM, price, amount)
	for _, r := range rows[1:] {
		s.row(columns, 4, "", r, "", "", "", "")
	}
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
