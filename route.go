package portal

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// RouteID identifies a delivery route.
type RouteID int64

// Route is a delivery run: by weekday, or every n days from a start date.
type Route struct {
	ID         RouteID    `json:"-"`
	Code       string     `json:"code"`
	Name       string     `json:"name"`
	Active     bool       `json:"active"`
	EveryDays  *int       `json:"every_days"` // nil: by weekday
	StartDate  *time.Time `json:"start_date"` // of EveryDays
	CutoffDays int        `json:"cutoff_days_before"`
	CutoffTime string     `json:"cutoff_time"` // 15:00, in the company's zone
	Weekdays   []int      `json:"weekdays"`    // 1 Monday … 7 Sunday
	Places     int        `json:"places"`      // customers and ship-tos on it
	Next       *time.Time `json:"next"`        // day of the next run
	Cutoff     *time.Time `json:"cutoff"`      // of Next
}

// RouteDay is a weekday of a route. A nil cutoff takes the route's.
type RouteDay struct {
	Weekday    int     `json:"weekday"`
	CutoffDays *int    `json:"cutoff_days_before"`
	CutoffTime *string `json:"cutoff_time"`
}

// RouteRun is a coming run, Planned for another day if a holiday moved it.
type RouteRun struct {
	Planned time.Time `json:"planned"`
	Date    time.Time `json:"date"`
	Cutoff  time.Time `json:"cutoff"`
}

// Moved reports whether a holiday moved the run.
func (r RouteRun) Moved() bool { return !r.Planned.Equal(r.Date) }

// HolidayID identifies a holiday of a route.
type HolidayID int64

// RouteHoliday is a day without a run, which may move to another day.
type RouteHoliday struct {
	ID          HolidayID  `json:"holiday_id"`
	All         bool       `json:"all_routes"`
	Day         time.Time  `json:"holiday"`
	Name        string     `json:"name"`
	Replacement *time.Time `json:"replacement"`
	CutoffDays  *int       `json:"cutoff_days_before"` // of the replacement; nil: as on the day replaced
	CutoffTime  *string    `json:"cutoff_time"`
}

// Shown is the holiday as the form that deletes it carries it.
func (h RouteHoliday) Shown() string { return h.Figures().Shown() }

// Figures are what lists show of a holiday.
func (h RouteHoliday) Figures() Figures {
	f := Figures{{Field: "holiday", Label: "The holiday", Value: isoDay(&h.Day)},
		{Field: "name", Label: "Its name", Value: h.Name},
		{Field: "replacement", Label: "The day instead", Value: isoDay(h.Replacement)}}
	if h.CutoffDays != nil {
		f = append(f, Figure{Field: "cutoff_days", Label: "Its cutoff, days before",
			Value: strconv.Itoa(*h.CutoffDays), Needed: true})
	}
	if h.CutoffTime != nil {
		f = append(f, Figure{Field: "cutoff_time", Label: "Its cutoff, time", Value: *h.CutoffTime, Needed: true})
	}
	return f
}

// RoutePlace is a customer, or one of its ship-tos, on a route.
type RoutePlace struct {
	CustomerNo   string `json:"customer_no"`
	CustomerName string `json:"customer_name"`
	ShipTo       string `json:"ship_to"` // code; empty: the account
	ShipToName   string `json:"ship_to_name"`
	City         string `json:"city"`
}

// DeskRoutes is the list of routes, with the holidays of all of them.
type DeskRoutes struct {
	Routes   []Route        `json:"routes"`
	Holidays []RouteHoliday `json:"holidays"`
}

// DeskRoute is one route as staff see it.
type DeskRoute struct {
	Route
	Days      []RouteDay     `json:"days" db:"-"`
	Runs      []RouteRun     `json:"runs" db:"-"`     // the next five
	Holidays  []RouteHoliday `json:"holidays" db:"-"` // its own and those of all, from today on
	RoutedTo  []RoutePlace   `json:"routed_to" db:"-"`
	Now       time.Time      `json:"-" db:"-"`
	MorePlace bool           `json:"more" db:"-"` // there are more than RoutedTo holds
}

// RouteEdit is the form of a route, as typed. Day holds what was typed for a
// weekday, by its number.
type RouteEdit struct {
	Code       string            `form:"code"`
	Name       string            `form:"name"`
	Active     bool              `form:"active"`
	Rhythm     string            `form:"rhythm"` // weekdays, days
	EveryDays  string            `form:"every_days"`
	StartDate  string            `form:"start_date"`
	CutoffDays string            `form:"cutoff_days_before"`
	CutoffTime string            `form:"cutoff_time"`
	Day        map[int]RouteTime `form:"-"`
	Shown      string            `form:"shown"` // Figures of the form as it was opened; empty: not compared
}

// RouteTime is a weekday's row of the form.
type RouteTime struct {
	Runs       bool
	CutoffDays string
	CutoffTime string
}

// RouteChange is a RouteEdit that has been read.
type RouteChange struct {
	Code, Name string
	Active     bool
	EveryDays  *int
	StartDate  *time.Time
	CutoffDays int
	CutoffTime string
	Days       []RouteDay
}

var (
	clockTime = regexp.MustCompile(`^([01]?\d|2[0-3]):[0-5]\d(:00)?$|^24:00$`)
	routeCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$`)
)

func (t *typed) days(field, s string, least, most int) *int {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		t.wrong(field, "Write a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+".")
		return nil
	}
	return &n
}

func (t *typed) clock(field, s string) *string {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	if !clockTime.MatchString(s) {
		t.wrong(field, "Write the time as hour and minute, like 15:00.")
		return nil
	}
	return &s
}

// Change reads the form. An error names every field that cannot be read.
func (e RouteEdit) Change() (RouteChange, error) {
	var t typed
	c := RouteChange{Code: strings.ToUpper(strings.TrimSpace(e.Code)), Name: strings.Join(strings.Fields(e.Name), " "),
		Active: e.Active, CutoffDays: 1, CutoffTime: "15:00"}
	if !routeCode.MatchString(c.Code) {
		t.wrong("code", "A code is up to 20 letters and digits, like NORTH.")
	}
	if c.Name == "" || utf8.RuneCountInString(c.Name) > 80 {
		t.wrong("name", "Every route needs a name, of up to 80 letters: customers read it.")
	}
	if n := t.days("cutoff_days_before", e.CutoffDays, 0, 14); n != nil {
		c.CutoffDays = *n
	}
	if at := t.clock("cutoff_time", e.CutoffTime); at != nil {
		c.CutoffTime = *at
	}
	if e.Rhythm == "days" {
		c.EveryDays, c.StartDate = t.days("every_days", e.EveryDays, 1, 366), t.date("start_date", "The start", e.StartDate)
		if strings.TrimSpace(e.EveryDays) == "" {
			t.wrong("every_days", "Every how many days?")
		}
		if strings.TrimSpace(e.StartDate) == "" {
			t.wrong("start_date", "Counted from which day?")
		}
		return c, t.err()
	}
	for weekday := 1; weekday <= 7; weekday++ {
		if typed := e.Day[weekday]; typed.Runs {
			n := strconv.Itoa(weekday)
			c.Days = append(c.Days, RouteDay{Weekday: weekday, CutoffDays: t.days("cutoff_days_"+n, typed.CutoffDays, 0, 14),
				CutoffTime: t.clock("cutoff_time_"+n, typed.CutoffTime)})
		}
	}
	if len(c.Days) == 0 {
		t.wrong("weekday", "On which weekdays does it run?")
	}
	return c, t.err()
}

// Typed is the form as it stands for a route.
func (r DeskRoute) Typed() RouteEdit {
	e := RouteEdit{Code: r.Code, Name: r.Name, Active: r.Active,
		Rhythm: "weekdays", CutoffDays: strconv.Itoa(r.CutoffDays), CutoffTime: r.CutoffTime, Day: map[int]RouteTime{}}
	if r.EveryDays != nil {
		e.Rhythm, e.EveryDays = "days", strconv.Itoa(*r.EveryDays)
	}
	if r.StartDate != nil {
		e.StartDate = r.StartDate.Format(time.DateOnly)
	}
	for _, d := range r.Days {
		at := RouteTime{Runs: true}
		if d.CutoffDays != nil {
			at.CutoffDays = strconv.Itoa(*d.CutoffDays)
		}
		if d.CutoffTime != nil {
			at.CutoffTime = *d.CutoffTime
		}
		e.Day[d.Weekday] = at
	}
	e.Shown = e.Figures().Shown()
	return e
}

// Figures are what the form of a route shows.
func (e RouteEdit) Figures() Figures {
	f := Figures{
		{Field: "code", Label: "The code", Value: e.Code}, {Field: "name", Label: "The name", Value: e.Name},
		{Field: "cutoff_days_before", Label: "Cutoff, days before", Value: e.CutoffDays},
		{Field: "cutoff_time", Label: "Cutoff, time", Value: e.CutoffTime},
		{Field: "rhythm", Label: "When it runs", Value: e.Rhythm},
		{Field: "every_days", Label: "Days from run to run", Value: e.EveryDays},
		{Field: "start_date", Label: "Counted from", Value: e.StartDate},
		{Field: "active", Label: "Active", Value: onOff(e.Active)},
	}
	for n := 1; n <= 7; n++ {
		no, day := strconv.Itoa(n), time.Weekday(n%7).String()
		f = append(f, Figure{Field: "weekday_" + no, Label: day, Value: onOff(e.Day[n].Runs), At: "weekday"},
			Figure{Field: "cutoff_days_" + no, Label: day + ", cutoff, days before", Value: e.Day[n].CutoffDays},
			Figure{Field: "cutoff_time_" + no, Label: day + ", cutoff, time", Value: e.Day[n].CutoffTime})
	}
	return f
}

// RouteFigures are the route that a place is on.
func RouteFigures(code string) Figures {
	return Figures{{Field: "route", Label: "The route", Value: code}}
}

// Shown is the place's route as its form carries it.
func (p RoutedPlace) Shown() string { return RouteFigures(p.Route).Shown() }

// HolidayEdit is the form of a holiday, as typed.
type HolidayEdit struct {
	Holiday     string `form:"holiday"`
	Name        string `form:"holiday_name"`
	Replacement string `form:"replacement"` // empty: the run is dropped
	CutoffDays  string `form:"holiday_cutoff_days"`
	CutoffTime  string `form:"holiday_cutoff_time"`
}

// Change reads the form. An error names every field that cannot be read.
func (e HolidayEdit) Change() (RouteHoliday, error) {
	var t typed
	h := RouteHoliday{Name: strings.Join(strings.Fields(e.Name), " "),
		Replacement: t.date("replacement", "The replacement", e.Replacement),
		CutoffDays:  t.days("holiday_cutoff_days", e.CutoffDays, 0, 14),
		CutoffTime:  t.clock("holiday_cutoff_time", e.CutoffTime)}
	if d := t.date("holiday", "The holiday", e.Holiday); d != nil {
		h.Day = *d
	} else if strings.TrimSpace(e.Holiday) == "" {
		t.wrong("holiday", "Which day has no run?")
	}
	if utf8.RuneCountInString(h.Name) > 80 {
		t.wrong("holiday_name", "Up to 80 letters.")
	}
	if h.Replacement == nil && strings.TrimSpace(e.Replacement) == "" && (h.CutoffDays != nil || h.CutoffTime != nil) {
		t.wrong("replacement", "A cutoff belongs to a replacement: which day?")
	}
	return h, t.err()
}

// RoutedPlace is a customer, or one of its ship-tos, with the route it has.
type RoutedPlace struct {
	ShipTo   string    `json:"ship_to"` // code; empty: the account
	Name     string    `json:"name"`
	Route    string    `json:"route"` // code; empty: none, or the account's
	Delivery *Delivery `json:"next_delivery" db:"-"`
}

// CustomerRouting is which routes a customer and its ship-tos are on, and which
// there are.
type CustomerRouting struct {
	Places []RoutedPlace `json:"places"`
	Routes []Route       `json:"routes"`
}

// RouteDesk is the staff's side of routes. Open pages of the customers concerned
// follow at once.
type RouteDesk interface {
	Routes(ctx context.Context, who Session) (DeskRoutes, error)
	// Route is CodeNotFound for a code that no route has.
	Route(ctx context.Context, who Session, code string) (DeskRoute, error)
	// SaveRoute changes the route of a code, or makes one where code is empty.
	SaveRoute(ctx context.Context, who Session, code string, edit RouteEdit) (newCode string, err error)
	// AddHoliday adds one to a route, or to all where code is empty.
	AddHoliday(ctx context.Context, who Session, code string, edit HolidayEdit) error
	// DeleteHoliday is CodeConflict where the holiday is not the one that was
	// shown any more (RouteHoliday.Shown; empty: not compared).
	DeleteHoliday(ctx context.Context, who Session, id HolidayID, shown string) error
	CustomerRouting(ctx context.Context, who Session, customerNo string) (CustomerRouting, error)
	// AssignRoute puts a customer, or one of its ship-tos, on a route; an
	// empty code takes it off. It is CodeConflict where the route that was
	// shown (RoutedPlace.Shown; empty: not compared) is another one by now.
	AssignRoute(ctx context.Context, who Session, customerNo, shipTo, code, shown string) error
}
