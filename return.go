package portal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReturnReason is why something may be returned, and by which rules.
type ReturnReason struct {
	Code        string     `json:"reason_code" db:"reason_code"`
	Name        string     `json:"name"`
	GoodsReturn bool       `json:"goods_return"`
	NeedsText   bool       `json:"needs_text"`
	Until       *time.Time `json:"until"` // last day for this invoice; nil: no limit
	Late        bool       `json:"late"`  // that day has passed
}

// Rule is the reason's rules in words; "" where it has none. dates writes a day.
func (r ReturnReason) Rule(dates func(time.Time) string) string {
	var parts []string
	if r.Late {
		parts = append(parts, "was possible until "+dates(*r.Until))
	} else if r.Until != nil {
		parts = append(parts, "until "+dates(*r.Until))
	}
	if r.GoodsReturn {
		parts = append(parts, "we need the goods back")
	}
	if r.NeedsText {
		parts = append(parts, "say what happened")
	}
	return strings.Join(parts, ", ")
}

// ReturnableLine is a line of an invoice with what can still be returned of it.
type ReturnableLine struct {
	LineNo      int     `json:"line_no"`
	ItemNo      *string `json:"item_no"`
	Description string  `json:"description"`
	UOM         string  `json:"uom"`
	Qty         Qty     `json:"qty"` // invoiced
	Credited    Qty     `json:"qty_credited"`
	Pending     Qty     `json:"qty_pending"` // asked for by requests that are open
	Left        Qty     `json:"qty_left"`
	UnitPrice   *Price  `json:"unit_price"` // nil where prices are hidden
}

// Why says where the rest of the line has gone; "" where all of it is left.
func (l ReturnableLine) Why() string {
	var parts []string
	if l.Credited.IsPositive() {
		parts = append(parts, l.Credited.Decimal.String()+" credited")
	}
	if l.Pending.IsPositive() {
		parts = append(parts, l.Pending.Decimal.String()+" in open requests")
	}
	return strings.Join(parts, ", ")
}

// ReturnForm is what a request can be made of.
type ReturnForm struct {
	InvoiceNo   string           `json:"invoice_no"`
	InvoiceDate time.Time        `json:"invoice_date"`
	Adjustment  bool             `json:"-"` // nothing on it can be returned
	Lines       []ReturnableLine `json:"lines" db:"-"`
	Reasons     []ReturnReason   `json:"reasons" db:"-"`
	Photos      []Photo          `json:"photos" db:"-"` // kept under the form's key
}

// NothingLeft reports whether nothing of the invoice can be returned any more.
func (f ReturnForm) NothingLeft() bool {
	return f.Adjustment || !slices.ContainsFunc(f.Lines, func(l ReturnableLine) bool { return l.Left.IsPositive() })
}

// NewReturn is a request as it is sent.
type NewReturn struct {
	Key       string // made with the form: sent again, it finds the request it made
	InvoiceNo string
	Note      string
	Lines     []NewReturnLine
}

// NewReturnLine is a line of a request as it is sent. Qty is nil where what was
// typed is no quantity.
type NewReturnLine struct {
	LineNo     int // of the invoice
	Qty        *Qty
	ReasonCode string
	Note       string
}

// ReturnFinding is one objection to a request: see portal.request_return.
type ReturnFinding struct {
	Code   string
	Line   int
	Field  string
	Detail json.RawMessage
}

// Text is the objection in the customer's words.
func (f ReturnFinding) Text() (string, error) {
	var d struct {
		Left, Credited, Pending Qty
		UOM, Name, Until        string
		Whole                   bool
	}
	if len(f.Detail) > 0 {
		if err := json.Unmarshal(f.Detail, &d); err != nil {
			return "", fmt.Errorf("return finding %s: %w", f.Code, err)
		}
	}
	switch f.Code {
	case "no_lines":
		return "Say how many of which line you want to return.", nil
	case "qty":
		if d.Whole {
			return "Enter a quantity in " + d.UOM + ", in whole pieces.", nil
		}
		return "Enter a quantity, like 12.", nil
	case "over":
		text := d.Left.Decimal.String() + " left"
		if why := (ReturnableLine{Credited: d.Credited, Pending: d.Pending}).Why(); why != "" {
			text += ": " + why
		}
		return text + ".", nil
	case "reason":
		return "Choose why.", nil
	case "reason_late":
		if at, err := time.Parse(time.DateOnly, d.Until); err == nil {
			return d.Name + " was possible until " + at.Format("2 Jan 2006") + ". Please call us.", nil
		}
		return d.Name + " is no longer possible. Please call us.", nil
	case "text":
		return "Say what happened.", nil
	}
	return "This cannot be returned here. Please call us.", nil
}

// ReturnedLine is what has become of an invoice line by returns.
type ReturnedLine struct {
	LineNo   int `json:"line_no"`
	Invoiced Qty `json:"qty_invoiced"`
	Credited Qty `json:"qty_credited"`
	Pending  Qty `json:"qty_pending"`
	Left     Qty `json:"qty_left"`
}

// Why says where the rest of the line has gone; "" where all of it is left.
func (l ReturnedLine) Why() string {
	return ReturnableLine{Credited: l.Credited, Pending: l.Pending}.Why()
}

// InvoiceReturns is what the page of an invoice says about returns.
type InvoiceReturns struct {
	Lines    []ReturnedLine  `json:"lines" db:"-"`
	Requests []CreditRequest `json:"requests" db:"-"`
}

// Left is how much of a line can still be returned; zero for none.
func (r InvoiceReturns) Left(lineNo int) Qty {
	for _, l := range r.Lines {
		if l.LineNo == lineNo {
			return l.Left
		}
	}
	return Qty{}
}

// Any reports whether something can still be returned.
func (r InvoiceReturns) Any() bool {
	return slices.ContainsFunc(r.Lines, func(l ReturnedLine) bool { return l.Left.IsPositive() })
}

// Why says what of a line was returned; "" for nothing.
func (r InvoiceReturns) Why(lineNo int) string {
	for _, l := range r.Lines {
		if l.LineNo == lineNo {
			return l.Why()
		}
	}
	return ""
}
