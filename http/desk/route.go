package desk

import (
	"errors"
	"strconv"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// routesPage is the list of routes.
type routesPage struct {
	portal.DeskRoutes
	page.FormErrors
	Typed   portal.RouteEdit   `json:"-"`
	Holiday portal.HolidayEdit `json:"-"`
	Failed  string             `json:"-"` // the form that was refused: route, holiday
}

// routeForm is what the form of a route needs.
type routeForm struct {
	page.FormErrors
	Typed portal.RouteEdit
}

// RhythmChoices are the ways a route can run.
func (routeForm) RhythmChoices() []page.Option {
	return []page.Option{{Value: "weekdays", Label: "On weekdays"}, {Value: "days", Label: "Every so many days"}}
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
		out = append(out, routeFormDay{N: n, Name: page.WeekdayNames[n], Typed: f.Typed.Day[n],
			DaysErr: f.Error("cutoff_days_" + strconv.Itoa(n)), AtTErr: f.Error("cutoff_time_" + strconv.Itoa(n))})
	}
	return out
}

// Form is the form of a new route.
func (p routesPage) Form() routeForm { return routeForm{p.errorsOf("route"), p.Typed} }

// HolidayErrors are those of the holiday's form.
func (p routesPage) HolidayErrors() page.FormErrors { return p.errorsOf("holiday") }

func (p routesPage) errorsOf(form string) page.FormErrors {
	if p.Failed == form {
		return p.FormErrors
	}
	return page.FormErrors{}
}

func (c *Counter) ListRoutes(q *page.Request) error { return c.routesPage(q, routesPage{}, nil) }

// routesPage shows the routes; after a refused form with what was typed and
// the refusal.
func (c *Counter) routesPage(q *page.Request, view routesPage, refused error) error {
	routes, err := c.Routes.Routes(q.Context(), q.Who)
	if err != nil {
		return err
	}
	view.DeskRoutes, view.FormErrors = routes, page.FormErrorsOf(refused)
	if view.Failed != "route" {
		view.Typed = portal.RouteEdit{Active: true, Rhythm: "weekdays", CutoffDays: "1", CutoffTime: "15:00"}
	}
	return c.Page(q, page.Status(refused), "desk/routes", "Routes", "routes", view)
}

// routeEdit reads the form of a route: weekday repeated, and for each its own
// cutoff in cutoff_days_<n> and cutoff_time_<n>.
func routeEdit(q *page.Request) (portal.RouteEdit, error) {
	var in portal.RouteEdit
	if err := q.Decode(&in); err != nil {
		return in, err
	}
	in.Day = map[int]portal.RouteTime{}
	runs := map[string]bool{}
	for _, n := range q.PostForm["weekday"] {
		runs[n] = true
	}
	for n := 1; n <= 7; n++ {
		no := strconv.Itoa(n)
		in.Day[n] = portal.RouteTime{Runs: runs[no], CutoffDays: q.PostForm.Get("cutoff_days_" + no),
			CutoffTime: q.PostForm.Get("cutoff_time_" + no)}
	}
	return in, nil
}

func (c *Counter) NewRoute(q *page.Request) error {
	in, err := routeEdit(q)
	if err != nil {
		return err
	}
	code, err := c.Routes.SaveRoute(q.Context(), q.Who, "", in)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("routes", code), "Route "+code+" made")
	case page.ShownOnPage(q, err):
		return c.routesPage(q, routesPage{Typed: in, Failed: "route"}, err)
	}
	return err
}

// SaveHoliday adds a holiday of all routes.
func (c *Counter) SaveHoliday(q *page.Request) error {
	var in portal.HolidayEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	err := c.Routes.AddHoliday(q.Context(), q.Who, "", in)
	switch {
	case err == nil:
		return q.Done("/desk/routes", "Holiday saved")
	case page.ShownOnPage(q, err):
		return c.routesPage(q, routesPage{Holiday: in, Failed: "holiday"}, err)
	}
	return err
}

// DropHoliday takes a holiday away, of a route or of all.
func (c *Counter) DropHoliday(q *page.Request) error {
	id, err := strconv.ParseInt(q.Param("holiday_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such holiday.")
	}
	var in struct {
		Shown string `form:"shown"` // the holiday as the page shows it
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	err = c.Routes.DeleteHoliday(q.Context(), q.Who, portal.HolidayID(id), in.Shown)
	switch {
	case err == nil:
		return q.Done(q.Back("/desk/routes"), "Holiday deleted")
	// The list that it came from shows it as it is
	case portal.ErrorCode(err) == portal.CodeConflict && page.ShownOnPage(q, err):
		return q.Done(q.Back("/desk/routes"), portal.ErrorMessage(err))
	}
	return err
}

// routePage is one route.
type routePage struct {
	portal.DeskRoute
	page.FormErrors
	Typed   portal.RouteEdit   `json:"-"`
	Holiday portal.HolidayEdit `json:"-"`
	Failed  string             `json:"-"` // the form that was refused: route, holiday
}

// Form is the form of the route.
func (p routePage) Form() routeForm { return routeForm{p.errorsOf("route"), p.Typed} }

// HolidayErrors are those of the holiday's form.
func (p routePage) HolidayErrors() page.FormErrors { return p.errorsOf("holiday") }

func (p routePage) errorsOf(form string) page.FormErrors {
	if p.Failed == form {
		return p.FormErrors
	}
	return page.FormErrors{}
}

func (c *Counter) ShowRoute(q *page.Request) error { return c.routePage(q, routePage{}, nil) }

func (c *Counter) routePage(q *page.Request, view routePage, refused error) error {
	route, err := c.Routes.Route(q.Context(), q.Who, q.Param("code"))
	if err != nil {
		return err
	}
	view.DeskRoute, view.FormErrors = route, page.FormErrorsOf(refused)
	if view.Failed != "route" {
		view.Typed = route.Typed()
	}
	return c.Page(q, page.Status(refused), "desk/route", "Route "+route.Code, "routes", view)
}

func (c *Counter) SaveRoute(q *page.Request) error {
	in, err := routeEdit(q)
	if err != nil {
		return err
	}
	code, err := c.Routes.SaveRoute(q.Context(), q.Who, q.Param("code"), in)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("routes", code), "Route "+code+" saved")
	case page.ShownOnPage(q, err):
		return c.routePage(q, routePage{Typed: in, Failed: "route"}, err)
	}
	return err
}

func (c *Counter) SaveRouteHoliday(q *page.Request) error {
	var in portal.HolidayEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	code := q.Param("code")
	err := c.Routes.AddHoliday(q.Context(), q.Who, code, in)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("routes", code), "Holiday saved")
	case page.ShownOnPage(q, err):
		return c.routePage(q, routePage{Holiday: in, Failed: "holiday"}, err)
	}
	return err
}

// AssignRoute puts a customer, or with ship_to one of its addresses, on a
// route.
func (c *Counter) AssignRoute(q *page.Request) error {
	var in struct {
		ShipTo string `form:"ship_to"`
		Route  string `form:"route"`
		Shown  string `form:"shown"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	customerNo := q.Param("customer_no")
	err := c.Routes.AssignRoute(q.Context(), q.Who, customerNo, in.ShipTo, in.Route, in.Shown)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("customers", customerNo), "Route saved")
	case page.ShownOnPage(q, err):
		if e, ok := errors.AsType[*portal.Error](err); ok && in.ShipTo != "" { // each place has such a field
			for i := range e.Fields {
				e.Fields[i].Field += "-" + portal.InAddress(in.ShipTo)
			}
		}
		return c.customerPage(q, nil, err)
	}
	return err
}
