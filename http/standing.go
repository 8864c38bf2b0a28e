package http

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"portal.example/portal"
)

// standingOrdersPage is the list of a customer's standing orders.
type standingOrdersPage struct {
	Standing []portal.StandingOrder `json:"standing_orders"`
	Access   portal.Access          `json:"-"`
}

// mayStand refuses standing orders to who may not order, or not without a
// signature: they are made while nobody is there who could give one.
func mayStand(q *request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	if !q.frame.Rights.Standing {
		return portal.Errorf(portal.CodeForbidden, "Your orders have a limit: a colleague without one sets up standing orders.")
	}
	return nil
}

// standingAccess is what the log-in may do about standing orders.
func standingAccess(q *request) portal.Access {
	a := q.frame.Access
	a.CanOrder = a.CanOrder && q.frame.Rights.Standing
	return a
}

func (s *Server) standingOrders(q *request) error {
	list, err := s.Standing.StandingOrders(q.Context(), q.who)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "standing_orders", "Standing orders", "standing", standingOrdersPage{list, standingAccess(q)})
}

// standingPage is a standing order, or the form of a new one.
type standingPage struct {
	portal.StandingOrderDetail
	formErrors
	Rows       quickPage                `json:"rows"` // what stands in the rows
	ShownLines string                   `json:"-"`    // as they stand, for the form to carry
	Typed      portal.StandingOrderEdit `json:"-"`
	Failed     string                   `json:"-"` // the form that was refused: settings, lines
	New        bool                     `json:"-"`
	Access     portal.Access            `json:"-"`
	Today      string                   `json:"-"`
}

// RhythmChoices are the ways a standing order repeats.
func (p standingPage) RhythmChoices() []option {
	return []option{{portal.RhythmRuns, "With our deliveries"}, {portal.RhythmWeeks, "On a weekday"}}
}

// WeekdayChoices are the days of the week.
func (standingPage) WeekdayChoices() []option {
	out := []option{{"", "Choose"}}
	for n := 1; n <= 7; n++ {
		out = append(out, option{strconv.Itoa(n), weekdayNames[n]})
	}
	return out
}

// ShipToChoices are the customer's addresses.
func (p standingPage) ShipToChoices() []option {
	out := []option{{"", "The address on file"}}
	for _, t := range p.ShipTos {
		label := t.Name
		if t.City != "" {
			label += ", " + t.City
		}
		out = append(out, option{t.Code, label})
	}
	return out
}

func (s *Server) standingOrder(q *request) error {
	if q.isNew("standing_order_id") {
		return s.newStandingOrder(q)
	}
	return s.standingPage(q, standingPage{}, nil)
}

func standingID(q *request) (portal.StandingOrderID, error) {
	id, err := strconv.ParseInt(q.param("standing_order_id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such standing order.")
	}
	return portal.StandingOrderID(id), nil
}

// standingPage shows a standing order; after a refused form with what was typed
// and the refusal.
func (s *Server) standingPage(q *request, page standingPage, refused error) error {
	id, err := standingID(q)
	if err != nil {
		return err
	}
	if page.StandingOrderDetail, err = s.Standing.StandingOrder(q.Context(), q.who, id); err != nil {
		return err
	}
	page.ShownLines = portal.ShownRows(page.Lines)
	if page.Failed != "settings" {
		page.Typed = page.StandingOrder.Typed()
	}
	if page.Failed != "lines" {
		page.Rows = newQuickPage(page.Lines, q.frame.Access)
	}
	page.formErrors, page.Access, page.Today = formErrorsOf(refused), standingAccess(q), q.today()
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "standing_order", page.Name, "standing", page)
}

// newStandingOrder is the form of a new one, with the lines of the cart or of
// an order to begin with.
func (s *Server) newStandingOrder(q *request) error {
	if err := mayStand(q); err != nil {
		return err
	}
	v := q.URL.Query()
	page := standingPage{Typed: portal.StandingOrderEdit{Rhythm: portal.RhythmRuns, Every: "1", HoursBefore: "24"}}
	if orderNo := v.Get("order"); orderNo != "" || v.Get("from") == "cart" {
		lines, err := s.Standing.StandingSource(q.Context(), q.who, orderNo)
		if err != nil {
			return err
		}
		page.Lines = lines
	}
	return s.newStandingPage(q, page, nil)
}

func (s *Server) newStandingPage(q *request, page standingPage, refused error) error {
	var err error
	if page.ShipTos, err = s.Standing.StandingShipTos(q.Context(), q.who); err != nil {
		return err
	}
	if page.Failed != "lines" {
		page.Rows = newQuickPage(page.Lines, q.frame.Access)
	}
	page.Lines = page.Rows.Lines
	page.New, page.formErrors, page.Access = true, formErrorsOf(refused), standingAccess(q)
	page.Today = q.today()
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "standing_order", "New standing order", "standing", page)
}

func (s *Server) makeStandingOrder(q *request) error {
	if err := mayStand(q); err != nil {
		return err
	}
	form, err := s.entryForm(q)
	if err != nil {
		return err
	}
	var in portal.StandingOrderEdit
	if err := q.decode(&in); err != nil {
		return err
	}
	if action := q.PostForm.Get("action"); action != "save" && action != "" || form.stops() {
		page := standingPage{Typed: in, Failed: "lines"}
		if page.Rows, err = s.standingRows(q, form); err != nil {
			return err
		}
		return s.newStandingPage(q, page, saidOf(q, form))
	}
	id, lines, err := s.Standing.SaveStandingOrder(q.Context(), q.who, 0, in, form.rows)
	if err != nil {
		if !shownOnPage(q, err) {
			return err
		}
		return s.newStandingPage(q, standingPage{Typed: in, Rows: newQuickPage(lines, q.frame.Access).of(form), Failed: "lines"}, err)
	}
	if wantsJSON(q.Request) {
		return writeJSON(q.w, http.StatusOK, map[string]any{"standing_order_id": id})
	}
	return q.done(standingPath(id), "Standing order made")
}

// standingRows are the rows of a form, checked as those of a standing order.
func (s *Server) standingRows(q *request, form entryForm) (quickPage, error) {
	lines, err := s.Entries.Resolve(q.Context(), q.who, form.rows)
	if err != nil {
		return quickPage{}, err
	}
	for i := range lines {
		lines[i].Standing()
	}
	return newQuickPage(lines, q.frame.Access).of(form), nil
}

// saidOf is what a page says of a form's rows that is no refusal. A program that
// sent a file is told that something is asked, and what.
func saidOf(q *request, form entryForm) error {
	if form.asks() && wantsJSON(q.Request) {
		return said(strings.Join(form.sheet.Ask.Why, " "))
	}
	return said(form.message)
}

// said is a message as the error of a page that is no refusal, or nil.
func said(message string) error {
	if message == "" {
		return nil
	}
	return portal.Errorf(portal.CodeInvalid, "%s", message)
}

func standingPath(id portal.StandingOrderID) string {
	return "/standing-orders/" + strconv.FormatInt(int64(id), 10)
}

// standingToChange is the standing order of the address, for those who may
// change it.
func standingToChange(q *request) (portal.StandingOrderID, error) {
	id, err := standingID(q)
	if err != nil {
		return 0, err
	}
	return id, mayStand(q)
}

func (s *Server) saveStandingOrder(q *request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	var in portal.StandingOrderEdit
	if err := q.decode(&in); err != nil {
		return err
	}
	_, _, err = s.Standing.SaveStandingOrder(q.Context(), q.who, id, in, nil)
	in.Shown = stillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.done(standingPath(id), "Standing order saved")
	case shownOnPage(q, err):
		return s.standingPage(q, standingPage{Typed: in, Failed: "settings"}, err)
	}
	return err
}

func (s *Server) saveStandingLines(q *request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	form, err := s.entryForm(q)
	if err != nil {
		return err
	}
	if action := q.PostForm.Get("action"); action != "save" && action != "" || form.stops() {
		rows, err := s.standingRows(q, form)
		if err != nil {
			return err
		}
		return s.standingPage(q, standingPage{Rows: rows, Failed: "lines"}, saidOf(q, form))
	}
	lines, err := s.Standing.SetStandingLines(q.Context(), q.who, id, form.rows, q.PostForm.Get("shown"))
	switch {
	case err == nil:
		return q.done(standingPath(id), plural(newQuickPage(lines, q.frame.Access).Ready, "line", "lines")+" saved")
	case shownOnPage(q, err):
		return s.standingPage(q, standingPage{Rows: newQuickPage(lines, q.frame.Access).of(form), Failed: "lines"}, err)
	}
	return err
}

func (s *Server) pauseStandingOrder(q *request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	var in struct {
		Paused bool `form:"paused"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	if err := s.Standing.PauseStandingOrder(q.Context(), q.who, id, in.Paused); err != nil {
		return err
	}
	if in.Paused {
		return q.done(standingPath(id), "Paused: nothing is sent until you resume it")
	}
	return q.done(standingPath(id), "Resumed")
}

// standingDate skips a date, takes that back, or tries an order again.
func (s *Server) standingDate(q *request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	var in struct {
		RunDate string `form:"run_date"`
		Action  string `form:"action"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	told := map[string]string{"skip": "Skipped", "unskip": "It will be sent", "retry": "It will be tried again within a minute"}[in.Action]
	date, err := time.Parse(time.DateOnly, in.RunDate)
	if err != nil || told == "" || !portal.DayWithinReason(date) {
		return portal.Invalid("run_date", "Which date?")
	}
	err = s.Standing.SetStandingRun(q.Context(), q.who, id, date, in.Action)
	switch {
	case err == nil:
		return q.done(standingPath(id), told)
	case shownOnPage(q, err):
		return s.standingPage(q, standingPage{}, err)
	}
	return err
}

func (s *Server) deleteStandingOrder(q *request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	if err := s.Standing.DeleteStandingOrder(q.Context(), q.who, id); err != nil {
		return err
	}
	return q.done("/standing-orders", "Standing order deleted")
}

// putAway takes a notice off the pages of all log-ins of the customer.
func (s *Server) putAway(q *request) error {
	id, err := strconv.ParseInt(q.param("notice_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such notice.")
	}
	err = s.Notices.PutAway(q.Context(), q.who, portal.NoticeID(id))
	if portal.ErrorCode(err) == portal.CodeNotFound && !wantsJSON(q.Request) {
		err = nil // a colleague was quicker
	}
	if err != nil {
		return err
	}
	return q.done("/", "")
}
