package portal

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// StandingOrderID identifies a standing order.
type StandingOrderID int64

// The rhythms of a standing order.
const (
	RhythmRuns  = "runs"  // with every n-th run of the route
	RhythmWeeks = "weeks" // on a weekday of every n-th week
)

// What became of a date of a standing order.
const (
	RunAnnounced = "announced" // the buyer was told that it is coming
	RunSkipped   = "skipped"   // the buyer wants none on that date
	RunMade      = "made"
	RunFailed    = "failed" // the rules refused it; nothing was ordered
	RunMissed    = "missed" // its cutoff passed while no job ran
)

// StandingOrder is an order that repeats. All log-ins of the customer share it.
type StandingOrder struct {
	ID          StandingOrderID `json:"standing_order_id"`
	Name        string          `json:"name"`
	Rhythm      string          `json:"rhythm"`
	Every       int             `json:"every"`
	Weekday     *int            `json:"weekday"` // 1 Monday … 7 Sunday, of RhythmWeeks
	StartsOn    time.Time       `json:"starts_on"`
	EndsOn      *time.Time      `json:"ends_on"`
	HoursBefore int             `json:"hours_before"` // the cutoff, when it is made
	ShipTo      string          `json:"ship_to"`      // code; empty: the address on file
	ShipToName  string          `json:"ship_to_name"`
	Route       string          `json:"route"` // name of the route it goes by; empty: none
	PONo        string          `json:"po_no"`
	Note        string          `json:"note"`
	Paused      bool            `json:"paused"`
	LineCount   int             `json:"lines_count"`
	Next        []StandingDate  `json:"next" db:"-"` // the next three dates
}

// RhythmText says when it repeats.
func (s StandingOrder) RhythmText() string {
	switch {
	case s.Rhythm == RhythmWeeks && s.Weekday != nil && s.Every == 1:
		return "every " + time.Weekday(*s.Weekday%7).String()
	case s.Rhythm == RhythmWeeks && s.Weekday != nil:
		return fmt.Sprintf("every %d weeks on %s", s.Every, time.Weekday(*s.Weekday%7))
	case s.Every == 1:
		return "with every delivery"
	case s.Every == 2:
		return "with every second delivery"
	case s.Every == 3:
		return "with every third delivery"
	}
	return fmt.Sprintf("with every %dth delivery", s.Every)
}

// StandingDate is a coming date of a standing order. Its RunDate is the day as
// planned and names it; a holiday may move the delivery.
type StandingDate struct {
	RunDate      time.Time `json:"run_date"`
	DeliveryDate time.Time `json:"delivery_date"`
	Cutoff       time.Time `json:"cutoff"`
	SendAt       time.Time `json:"send_at"`
	Outcome      *string   `json:"outcome"` // announced, skipped, or nil
	Now          time.Time `json:"-"`       // the database's clock
}

// Skipped reports whether the buyer wants none on that date.
func (d StandingDate) Skipped() bool { return d.Outcome != nil && *d.Outcome == RunSkipped }

// StandingRun is what became of a date.
type StandingRun struct {
	RunDate      time.Time `json:"run_date"`
	DeliveryDate time.Time `json:"delivery_date"`
	Outcome      string    `json:"outcome"`
	OrderNo      *string   `json:"order_no"`
	At           time.Time `json:"at"`
	Retry        bool      `json:"retry"`      // it failed, and its day is not over
	Why          []string  `json:"why" db:"-"` // in the buyer's words: why not, or what was left out
}

// StandingOrderDetail is the page of a standing order.
type StandingOrderDetail struct {
	StandingOrder
	Lines   []EntryLine   `json:"lines" db:"-"` // at today's prices
	History []StandingRun `json:"history" db:"-"`
	ShipTos []ShipTo      `json:"ship_tos" db:"-"`
}

// StandingOrderEdit is the form of a standing order, as typed.
type StandingOrderEdit struct {
	Name        string `form:"name"`
	Rhythm      string `form:"rhythm"`
	Every       string `form:"every"`
	Weekday     string `form:"weekday"`
	StartsOn    string `form:"starts_on"`
	EndsOn      string `form:"ends_on"`
	HoursBefore string `form:"hours_before"`
	ShipTo      string `form:"ship_to"`
	PONo        string `form:"po_no"`
	Note        string `form:"note"`
	Shown       string `form:"shown" json:"-"` // Figures of the form as it was opened; empty: not compared
}

// Figures are what the form of the settings shows.
func (e StandingOrderEdit) Figures() Figures {
	return Figures{
		{Field: "name", Label: "Name", Value: e.Name}, {Field: "rhythm", Label: "Rhythm", Value: e.Rhythm},
		{Field: "every", Label: "Every", Value: e.Every}, {Field: "weekday", Label: "Weekday", Value: e.Weekday},
		{Field: "starts_on", Label: "From", Value: e.StartsOn}, {Field: "ends_on", Label: "Until", Value: e.EndsOn},
		{Field: "hours_before", Label: "Hours before the cutoff", Value: e.HoursBefore},
		{Field: "ship_to", Label: "Ship to", Value: e.ShipTo}, {Field: "po_no", Label: "PO number", Value: e.PONo},
		{Field: "note", Label: "Note", Value: e.Note},
	}
}

// Typed is the form as it stands for a standing order.
func (s StandingOrder) Typed() StandingOrderEdit {
	e := StandingOrderEdit{Name: s.Name, Rhythm: s.Rhythm, Every: strconv.Itoa(s.Every),
		StartsOn: s.StartsOn.Format(time.DateOnly), HoursBefore: strconv.Itoa(s.HoursBefore), ShipTo: s.ShipTo,
		PONo: s.PONo, Note: s.Note}
	if s.Weekday != nil {
		e.Weekday = strconv.Itoa(*s.Weekday)
	}
	if s.EndsOn != nil {
		e.EndsOn = s.EndsOn.Format(time.DateOnly)
	}
	e.Shown = e.Figures().Shown()
	return e
}

// Change reads the form. An error names every field that cannot be read. A
// start that is left empty is nil.
func (e StandingOrderEdit) Change() (s StandingOrder, startsOn *time.Time, err error) {
	var t typed
	s = StandingOrder{Name: strings.Join(strings.Fields(e.Name), " "), Rhythm: e.Rhythm, Every: 1, HoursBefore: 24,
		ShipTo: strings.TrimSpace(e.ShipTo), PONo: strings.TrimSpace(e.PONo), Note: strings.TrimSpace(e.Note)}
	if s.Name == "" || utf8.RuneCountInString(s.Name) > 80 {
		t.wrong("name", "Give it a name of up to 80 letters.")
	}
	if n := t.days("every", e.Every, 1, 52); n != nil {
		s.Every = *n
	}
	switch e.Rhythm {
	case RhythmWeeks:
		if s.Weekday = t.days("weekday", e.Weekday, 1, 7); s.Weekday == nil && strings.TrimSpace(e.Weekday) == "" {
			t.wrong("weekday", "On which weekday?")
		}
	case RhythmRuns, "":
		s.Rhythm = RhythmRuns
	default:
		t.wrong("rhythm", "Choose one of the list.")
	}
	startsOn = t.date("starts_on", "The start", e.StartsOn)
	s.EndsOn = t.date("ends_on", "The end", e.EndsOn)
	if startsOn != nil && s.EndsOn != nil && s.EndsOn.Before(*startsOn) {
		t.wrong("ends_on", "The end is before the start.")
	}
	if n := t.days("hours_before", e.HoursBefore, 0, 336); n != nil {
		s.HoursBefore = *n
	}
	if utf8.RuneCountInString(s.PONo) > 60 {
		t.wrong("po_no", "A PO number has up to 60 letters.")
	}
	if utf8.RuneCountInString(s.Note) > 2000 {
		t.wrong("note", "Up to 2,000 letters.")
	}
	return s, startsOn, t.err()
}

// Standing judges a row anew for a standing order, which is no order yet: what
// is out of stock today may be in it.
func (l *EntryLine) Standing() {
	if l.Item == nil || l.Item.Orderable || l.Item.Discontinued {
		return
	}
	l.Item.Orderable, l.Item.Short = true, true
	l.Field, l.Error, l.Warning = "", "", ""
	l.Judge()
}

// StandingOutcome is what a job did for a standing order.
type StandingOutcome struct {
	StandingOrderID StandingOrderID `db:"-"`
	CustomerID      CustomerID
	Name            string
	Outcome         string
	RunDate         time.Time
	DeliveryDate    time.Time
	Cutoff          time.Time
	SendAt          time.Time
	OrderNo         *string
	Findings        []OrderFinding `db:"-"`
	LeftOut         []OrderFinding `db:"-"` // lines that are not on the order
	SeePrices       bool
}

// Notice is what the customer is told of it. Times are told in zone.
func (o StandingOutcome) Notice(zone *time.Location) Notice {
	day := o.DeliveryDate.Format("Mon 2 Jan")
	at := func(t time.Time) string { return t.In(zone).Format("Mon 2 Jan 15:04") }
	n := Notice{Kind: "info", Link: fmt.Sprintf("/standing-orders/%d", o.StandingOrderID)}
	switch o.Outcome {
	case RunAnnounced:
		n.Text = fmt.Sprintf("Standing order “%s” for %s will be sent %s. Change it or skip it until then.",
			o.Name, day, at(o.SendAt))
	case RunMade:
		n.Kind, n.Link = "success", "/orders/"+InAddress(*o.OrderNo)
		n.Text = fmt.Sprintf("Order %s was sent from the standing order “%s” for %s.", *o.OrderNo, o.Name, day)
		if why := o.why(); why != "" {
			n.Kind = "warning"
			n.Text += " Left out: " + why
		}
	case RunFailed:
		n.Kind = "warning"
		n.Text = fmt.Sprintf("Standing order “%s” for %s could not be sent, and nothing was ordered. %s You can change it "+
			"and try again until %s.",
			o.Name, day, o.why(), at(o.Cutoff))
	case RunMissed:
		n.Kind = "warning"
		n.Text = fmt.Sprintf("Standing order “%s” for %s was not sent: its cutoff, %s, passed while our system was down. "+
			"Please call us.", o.Name, day, at(o.Cutoff))
	}
	return n
}

func (o StandingOutcome) why() string {
	return strings.Join(Refusals(append(slices.Clone(o.Findings), o.LeftOut...), o.SeePrices), " ")
}

// Refusals are the texts of those findings that refuse, one for an item.
func Refusals(findings []OrderFinding, seePrices bool) []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range findings {
		text := f.BuyerText(seePrices)
		if f.Code == "no_lines" {
			text = "No line of it can be ordered now."
		}
		about := text
		if item := f.detail().ItemNo; item != "" {
			about = item
		}
		if f.Action == "refuse" && !seen[about] {
			seen[about] = true
			out = append(out, text)
		}
	}
	return out
}

// StandingOrderService keeps a customer's standing orders.
type StandingOrderService interface {
	StandingOrders(ctx context.Context, who Session) ([]StandingOrder, error)
	// StandingOrder is CodeNotFound for one that is not the customer's; so
	// are all that follow.
	StandingOrder(ctx context.Context, who Session, id StandingOrderID) (StandingOrderDetail, error)
	// Save changes a standing order, or makes one with the rows given where id
	// is 0. Rows that cannot be ordered make it CodeInvalid, and are returned
	// judged.
	SaveStandingOrder(ctx context.Context, who Session, id StandingOrderID, edit StandingOrderEdit,
		rows []EntryRow) (StandingOrderID, []EntryLine, error)
	// SetStandingLines replaces the lines, all or none. Where they are not
	// those of shown any more (ShownRows; empty: not compared), it is
	// CodeConflict and says what has changed.
	SetStandingLines(ctx context.Context, who Session, id StandingOrderID, rows []EntryRow,
		shown string) ([]EntryLine, error)
	PauseStandingOrder(ctx context.Context, who Session, id StandingOrderID, paused bool) error
	// SetStandingRun does what a buyer may about one date: skip, unskip, retry.
	SetStandingRun(ctx context.Context, who Session, id StandingOrderID, runDate time.Time, action string) error
	DeleteStandingOrder(ctx context.Context, who Session, id StandingOrderID) error
	// StandingSource are rows to begin with: the cart's, or an order's.
	StandingSource(ctx context.Context, who Session, orderNo string) ([]EntryLine, error)
	// StandingShipTos are the customer's addresses, for the form.
	StandingShipTos(ctx context.Context, who Session) ([]ShipTo, error)
}

// StandingOrdersArgs asks for a look at the standing orders that are due:
// announce them, make them, tell what was missed.
type StandingOrdersArgs struct{}

// Kind is the job's name in the queue.
func (StandingOrdersArgs) Kind() string { return "standing_orders" }

// StandingOrderRunner works standing orders. It may run on several nodes at
// once: what is due is done by one of them, once.
type StandingOrderRunner interface {
	// RunStandingOrders does all that is due and tells the customers, and
	// returns how often it did what. One that fails does not keep the others
	// from being done.
	RunStandingOrders(ctx context.Context) (done map[string]int, err error)
}
