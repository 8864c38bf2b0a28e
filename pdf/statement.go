package pdf

import (
	"portal.example/portal"
)

// StatementPDF implements portal.Printer.
func (p *Press) StatementPDF(st portal.Statement) ([]byte, error) {
	return p.print("Statement", day(st.From)+" – "+day(st.To), "Statement "+st.CustomerNo+" "+day(st.To), st.AsOf,
		func(s *sheet) { s.statement(st) })
}

func (s *sheet) statement(st portal.Statement) {
	s.first()
	s.beside(part{x: left, width: 95, heading: "Bill to", lines: append([]string{st.CustomerName}, lines(st.BillTo)...)},
		part{x: right - 75, width: 75, facts: []fact{
			{"Customer", st.CustomerNo},
			{"As of", day(st.AsOf)},
			{"Terms", terms(st.TermsDays)},
			{"Amounts in", st.Currency},
			{"Balance", st.Aging.Balance.Shown()},
			{"Invoices past due", st.Aging.PastDue.Shown()},
		}})
	s.Ln(5)

	columns := []column{{"Date", 22, "L"}, {"Document", 28, "L"}, {"Number", 27, "L"}, {"Reference", 38, "L"},
		{"Due", 22, "L"}, {"Amount", 24, "R"}, {"Balance", 24, "R"}}
	s.headRow(columns)
	balance := st.Opening
	s.again = func() {
		s.headRow(columns)
		s.grey()
		s.row(columns, 5.2, "", "Brought forward", "", "", "", "", balance.Shown())
		s.black()
	}
	s.row(columns, 5.2, day(st.From), "Opening balance", "", "", "", "", st.Opening.Shown())
	for _, l := range st.Lines {
		s.row(columns, 5.2, day(l.Date), l.KindWord(), l.DocNo, l.Reference, dayOf(l.DueDate),
			l.Amount.Shown(), l.Balance.Shown())
		balance = l.Balance
	}
	s.again = nil
	s.room(8)
	s.rule()
	s.font("B", 9)
	s.row(columns, 7, day(st.To), "Closing balance", "", "", "", "", st.Closing.Shown())
	if !st.Later.IsZero() || !st.AsOf.Equal(st.To) {
		s.room(14)
		s.font("", 8.5)
		s.row(columns, 5.2, day(st.AsOf), "Posted since", "", "", "", st.Later.Shown(), st.Aging.Balance.Shown())
	}
	s.aging(st)
	s.remittance(st)
}

func (s *sheet) aging(st portal.Statement) {
	s.room(42)
	s.Ln(4)
	s.font("B", 9)
	s.CellFormat(width, 6, "Balance by age on "+day(st.AsOf), "", 1, "L", false, 0, "")
	cells := append(st.Aging.Buckets(), st.Aging.Balance, st.Aging.PastDue)
	names := append(append([]string{}, portal.BucketNames...), "Balance", "Past due")
	columns := make([]column, len(names))
	amounts := make([]string, len(names))
	for i := range names {
		columns[i], amounts[i] = column{names[i], width / float64(len(names)), "R"}, cells[i].Shown()
	}
	s.headRow(columns)
	s.font("B", 9)
	s.row(columns, 7, amounts...)
	s.agingBar(st.Aging)
	s.font("", 7.5)
	s.grey()
	for _, row := range s.wrapped(portal.AgingRule(st.Basis), width) {
		s.CellFormat(width, 3.6, row, "", 1, "L", false, 0, "")
	}
	s.black()
}

// agingBar shows the shares of what is owed; buckets in the customer's favour
// have none.
func (s *sheet) agingBar(a portal.Aging) {
	sum := 0.0
	for _, b := range a.Buckets() {
		sum += max(b.InexactFloat64(), 0) // a length on paper, not money
	}
	if sum == 0 {
		return
	}
	x, y := left, s.GetY()+0.5
	for i, b := range a.Buckets() {
		w := width * max(b.InexactFloat64(), 0) / sum
		fade := float64(i) * 0.25
		s.SetFillColor(shade(s.accent[0], 200, fade), shade(s.accent[1], 60, fade), shade(s.accent[2], 40, fade))
		s.Rect(x, y, w, 3, "F")
		x += w
	}
	s.SetY(y + 5)
}

// shade goes from one channel to another.
func shade(from, to int, share float64) int { return from + int(float64(to-from)*share) }

func (s *sheet) remittance(st portal.Statement) {
	s.room(36)
	s.Ln(5)
	s.SetDashPattern([]float64{1, 1}, 0)
	s.rule()
	s.SetDashPattern([]float64{}, 0)
	s.Ln(4)
	to := lines(st.RemitTo)
	if len(to) == 0 {
		to = []string{st.Company}
	}
	s.beside(part{x: left, width: 90, heading: "Please remit to", lines: to},
		part{x: right - 75, width: 75, facts: []fact{
			{"Customer", st.CustomerNo},
			{"Name", st.CustomerName},
			{"Balance on " + day(st.AsOf), st.Aging.Balance.Shown()},
			{"Past due", st.Aging.PastDue.Shown()},
			{"Amount enclosed", "______________"},
		}})
}
