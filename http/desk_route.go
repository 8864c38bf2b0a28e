package http

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"portal.example/portal"
)

// weekdayNames are by their numbers, 1 Monday … 7 Sunday.
var weekdayNames = [...]string{1: "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// runsOn is when a route runs, in words.
func runsOn(r portal.Route) string {
	if r.EveryDays != nil {
		return "every " + plural(*r.EveryDays, "day", "days")
	}
	names := make([]string, len(r.Weekdays))
	for i, d := range r.Weekdays {
		names[i] = weekdayNames[d][:3]
	}
	return strings.Join(names, ", ")
}

// cutoffWords is a cutoff before a delivery, in words.
func cutoffWords(days int, at string) string {
	switch days {
	case 0:
		return "the same day at " + at
	case 1:
		return "the day before at " + at
	}
	return plural(days, "day", "days") + " before at " + at
}

// holidayCutoff is a holiday's own cutoff in words, or "".
func holidayCutoff(h portal.RouteHoliday) string {
	switch {
	case h.CutoffDays != nil && h.CutoffTime != nil:
		return cutoffWords(*h.CutoffDays, *h.CutoffTime)
	case h.CutoffDays != nil:
		return strings.TrimSuffix(cutoffWords(*h.CutoffDays, ""), " at ")
	case h.CutoffTime != nil:
		return "at " + *h.CutoffTime
	}
	return ""
}

// deskRoutesPage is the list of routes.
type deskRoutesPage struct {
	portal.DeskRoutes
	formErrors
	Typed   portal.RouteEdit   `json:"-"`
	Holiday portal.HolidayEdit `json:"-"`
	Failed  string             `json:"-"` // the form that was refused: route, holiday
}

// routeForm is what the form of a route needs.
type routeForm struct {
	formErrors
	Typed portal.RouteEdit
}

// RhythmChoices are the ways a route can run.
func (routeForm) RhythmChoices() []option {
	return []option{{"weekdays", "On weekdays"}, {"days", "Every so many days"}}
}

// routeFormDay is a weekday's row of the form.
type routeFormDay struct {
	N               int
	Name            string
	Typed           portal.RouteTime
	DaysErr, AtTErr string
}

// Weekdays are the rows of the form.
func (f routeForm) Weekdays() []routeFormDay {
	var out []routeFormDay
	for n := 1; n <= 7; n++ {
		out = append(out, routeFormDay{N: n, Name: weekdayNames[n], Typed: f.Typed.Day[n],
			DaysErr: f.Error("cutoff_days_" + strconv.Itoa(n)), AtTErr: f.Error("cutoff_time_" + strconv.Itoa(n))})
	}
	return out
}

// Form is the form of a new route.
func (p deskRoutesPage) Form() routeForm { return routeForm{p.errorsOf("route"), p.Typed} }

// HolidayErrors are those of the holiday's form.
func (p deskRoutesPage) HolidayErrors() formErrors { return p.errorsOf("holiday") }

func (p deskRoutesPage) errorsOf(form string) formErrors {
	if p.Failed == form {
		return p.formErrors
	}
	return formErrors{}
}

func (s *Server) deskRoutes(q *request) error { return s.deskRoutesPage(q, deskRoutesPage{}, nil) }

// deskRoutesPage shows the routes; after a refused form with what was typed and
// the refusal.
func (s *Server) deskRoutesPage(q *request, page deskRoutesPage, refused error) error {
	routes, err := s.Desk.DeskRoutes(q.Context(), q.who)
	if err != nil {
		return err
	}
	page.DeskRoutes, page.formErrors = routes, formErrorsOf(refused)
	if page.Failed != "route" {
		page.Typed = portal.RouteEdit{Active: true, Rhythm: "weekdays", CutoffDays: "1", CutoffTime: "15:00"}
	}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "desk_routes", "Routes", "routes", page)
}

// routeEdit reads the form of a route: weekday repeated, and for each its own
// cutoff in cutoff_days_<n> and cutoff_time_<n>.
func routeEdit(q *request) (portal.RouteEdit, error) {
	var in portal.RouteEdit
	if err := q.decode(&in); err != nil {
		return in, err
	}
	in.Day = map[int]portal.RouteTime{}
	runs := map[string]bool{}
	for _, n := range q.PostForm["weekday"] {
		runs[n] = true
	}
	for n := 1; n <= 7; n++ {
		no := strconv.Itoa(n)
		in.Day[n] = portal.RouteTime{Runs: runs[no], CutoffDays: q.PostForm.Get("cutoff_days_" + no), CutoffTime: q.PostForm.Get("cutoff_time_" + no)}
	}
	return in, nil
}

func (s *Server) deskNewRoute(q *request) error {
	in, err := routeEdit(q)
	if err != nil {
		return err
	}
	code, err := s.Desk.SaveRoute(q.Context(), q.who, "", in)
	switch {
	case err == nil:
		return q.done(deskPath("routes", code), "Route "+code+" made")
	case shownOnPage(q, err):
		return s.deskRoutesPage(q, deskRoutesPage{Typed: in, Failed: "route"}, err)
	}
	return err
}

// deskAllHoliday adds a holiday of all routes.
func (s *Server) deskAllHoliday(q *request) error {
	var in portal.HolidayEdit
	if err := q.decode(&in); err != nil {
		return err
	}
	err := s.Desk.AddHoliday(q.Context(), q.who, "", in)
	switch {
	case err == nil:
		return q.done("/desk/routes", "Holiday saved")
	case shownOnPage(q, err):
		return s.deskRoutesPage(q, deskRoutesPage{Holiday: in, Failed: "holiday"}, err)
	}
	return err
}

// deskDropHoliday takes a holiday away, of a route or of all.
func (s *Server) deskDropHoliday(q *request) error {
	id, err := strconv.ParseInt(q.param("holiday_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such holiday.")
	}
	var in struct {
		Shown string `form:"shown"` // the holiday as the page shows it
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	err = s.Desk.DeleteHoliday(q.Context(), q.who, portal.HolidayID(id), in.Shown)
	switch {
	case err == nil:
		return q.done(q.back("/desk/routes"), "Holiday deleted")
	case portal.ErrorCode(err) == portal.CodeConflict && shownOnPage(q, err): // the list that it came from shows it as it is
		return q.done(q.back("/desk/routes"), portal.ErrorMessage(err))
	}
	return err
}

// deskRoutePage is one route.
type deskRoutePage struct {
	portal.DeskRoute
	formErrors
	Typed   portal.RouteEdit   `json:"-"`
	Holiday portal.HolidayEdit `json:"-"`
	Failed  string             `json:"-"` // the form that was refused: route, holiday
}

// Form is the form of the route.
func (p deskRoutePage) Form() routeForm { return routeForm{p.errorsOf("route"), p.Typed} }

// HolidayErrors are those of the holiday's form.
func (p deskRoutePage) HolidayErrors() formErrors { return p.errorsOf("holiday") }

func (p deskRoutePage) errorsOf(form string) formErrors {
	if p.Failed == form {
		return p.formErrors
	}
	return formErrors{}
}

func (s *Server) deskRoute(q *request) error { return s.deskRoutePage(q, deskRoutePage{}, nil) }

func (s *Server) deskRoutePage(q *request, page deskRoutePage, refused error) error {
	route, err := s.Desk.DeskRoute(q.Context(), q.who, q.param("code"))
	if err != nil {
		return err
	}
	page.DeskRoute, page.formErrors = route, formErrorsOf(refused)
	if page.Failed != "route" {
		page.Typed = route.Typed()
	}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "desk_route", "Route "+route.Code, "routes", page)
}

func (s *Server) deskSaveRoute(q *request) error {
	in, err := routeEdit(q)
	if err != nil {
		return err
	}
	code, err := s.Desk.SaveRoute(q.Context(), q.who, q.param("code"), in)
	in.Shown = stillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.done(deskPath("routes", code), "Route "+code+" saved")
	case shownOnPage(q, err):
		return s.deskRoutePage(q, deskRoutePage{Typed: in, Failed: "route"}, err)
	}
	return err
}

func (s *Server) deskRouteHoliday(q *request) error {
	var in portal.HolidayEdit
	if err := q.decode(&in); err != nil {
		return err
	}
	code := q.param("code")
	err := s.Desk.AddHoliday(q.Context(), q.who, code, in)
	switch {
	case err == nil:
		return q.done(deskPath("routes", code), "Holiday saved")
	case shownOnPage(q, err):
		return s.deskRoutePage(q, deskRoutePage{Holiday: in, Failed: "holiday"}, err)
	}
	return err
}

// RouteChoices are the routes that a customer can be put on; of an inactive one
// only who is on it already.
func routeChoices(r portal.CustomerRouting, none, on string) []option {
	out := []option{{"", none}}
	for _, route := range r.Routes {
		if route.Active || route.Code == on {
			out = append(out, option{route.Code, route.Code + " · " + route.Name})
		}
	}
	return out
}

// deskAssignRoute puts a customer, or with ship_to one of its addresses, on a
// route.
func (s *Server) deskAssignRoute(q *request) error {
	var in struct {
		ShipTo string `form:"ship_to"`
		Route  string `form:"route"`
		Shown  string `form:"shown"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	customerNo := q.param("customer_no")
	err := s.Desk.AssignRoute(q.Context(), q.who, customerNo, in.ShipTo, in.Route, in.Shown)
	switch {
	case err == nil:
		return q.done(deskPath("customers", customerNo), "Route saved")
	case shownOnPage(q, err):
		if e, ok := errors.AsType[*portal.Error](err); ok && in.ShipTo != "" { // each place has such a field
			for i := range e.Fields {
				e.Fields[i].Field += "-" + portal.InAddress(in.ShipTo)
			}
		}
		return s.deskCustomerPage(q, nil, err)
	}
	return err
}
