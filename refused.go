package portal

import "strconv"

// RefusedError is a submit that the rules refused, with every finding.
type RefusedError struct {
	Findings []OrderFinding
	// ByPage says that prices are confirmed by naming the page that shows them
	// (ShownDigest), and not one by one.
	ByPage bool
}

func (e *RefusedError) Error() string {
	for _, f := range e.Findings {
		if f.Action == "refuse" {
			return "order refused: " + f.Code
		}
	}
	return "order refused"
}

// Has reports whether a finding of that code is among them.
func (e *RefusedError) Has(code string) bool {
	for _, f := range e.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// AskedPrices are the prices that a refusal asks about, as a form confirms
// them: JSON with one array a line, [line, price]. "" where it asks about none.
func (e *RefusedError) AskedPrices() string {
	var lines [][2]string
	if e.ByPage {
		return ""
	}
	for _, f := range e.Findings {
		if d := f.detail(); f.Code == "prices_rose" && d.Shown != "" {
			lines = append(lines, [2]string{strconv.Itoa(f.Line), d.Shown})
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return ASCIIJSON(lines)
}

// PricesTold are the prices that a refusal asks about, by line, each as a form
// carries it.
func (e *RefusedError) PricesTold() map[int]string {
	told := map[int]string{}
	for _, f := range e.Findings {
		if f.Code == "prices_rose" {
			told[f.Line] = f.detail().Shown
		}
	}
	return told
}

// AskedPO names the orders that a refusal says the PO number is on, as a form
// confirms them; "" where it does not ask.
func (e *RefusedError) AskedPO() string {
	for _, f := range e.Findings {
		if f.Code == "po_repeated" {
			return f.detail().Said
		}
	}
	return ""
}

// AskedOutcome is the outcome that a refusal asks about, as a form carries it
// (see Cart.ShownOutcome); "" where it does not ask.
func (e *RefusedError) AskedOutcome() string {
	for _, f := range e.Findings {
		switch f.Code {
		case "outcome_changed", "delivery_changed", "ship_to_changed", "finding_new":
			if said := f.detail().Said; said != "" {
				return CarryJSON(said)
			}
		}
	}
	return ""
}

// OnlyAsks reports whether sending once more is all that the refusal wants.
func (e *RefusedError) OnlyAsks() bool {
	for _, f := range e.Findings {
		if f.Action != "refuse" {
			continue
		}
		switch f.Code {
		case "prices_rose", "po_repeated", "lines_changed", "outcome_changed", "delivery_changed",
			"ship_to_changed", "finding_new":
		default:
			return false
		}
	}
	return true
}
