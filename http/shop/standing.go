package shop

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// standingOrdersPage is the list of a customer's standing orders.
type standingOrdersPage struct {
	Standing []portal.StandingOrder `json:"standing_orders"`
	Access   portal.Access          `json:"-"`
}

// mayStand refuses standing orders to who may not order, or not without a
// signature: they are made while nobody is there who could give one.
func mayStand(q *page.Request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	if !q.Frame.Rights.Standing {
		return portal.Errorf(portal.CodeForbidden,
			"Your orders have a limit: a colleague without one sets up standing orders.")
	}
	return nil
}

// standingAccess is what the log-in may do about standing orders.
func standingAccess(q *page.Request) portal.Access {
	a := q.Frame.Access
	a.CanOrder = a.CanOrder && q.Frame.Rights.Standing
	return a
}

func (c *Counter) ListStandingOrders(q *page.Request) error {
	list, err := c.Standing.StandingOrders(q.Context(), q.Who)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/standing_orders", "Standing orders",
		"standing", standingOrdersPage{list, standingAccess(q)})
}

// standingPage is a standing order, or the form of a new one.
type standingPage struct {
	portal.StandingOrderDetail
	page.FormErrors
	Rows       quickPage                `json:"rows"` // what stands in the rows
	ShownLines string                   `json:"-"`    // as they stand, for the form to carry
	Typed      portal.StandingOrderEdit `json:"-"`
	Failed     string                   `json:"-"` // the form that was refused: settings, lines
	New        bool                     `json:"-"`
	Access     portal.Access            `json:"-"`
	Today      string                   `json:"-"`
}

// RhythmChoices are the ways a standing order repeats.
func (p standingPage) RhythmChoices() []page.Option {
	return []page.Option{{Value: portal.RhythmRuns, Label: "With our deliveries"},
		{Value: portal.RhythmWeeks, Label: "On a weekday"}}
}

// WeekdayChoices are the days of the week.
func (standingPage) WeekdayChoices() []page.Option {
	out := []page.Option{{Value: "", Label: "Choose"}}
	for n := 1; n <= 7; n++ {
		out = append(out, page.Option{Value: strconv.Itoa(n), Label: page.WeekdayNames[n]})
	}
	return out
}

// ShipToChoices are the customer's addresses.
func (p standingPage) ShipToChoices() []page.Option {
	out := []page.Option{{Value: "", Label: "The address on file"}}
	for _, t := range p.ShipTos {
		label := t.Name
		if t.City != "" {
			label += ", " + t.City
		}
		out = append(out, page.Option{Value: t.Code, Label: label})
	}
	return out
}

func (c *Counter) ShowStandingOrder(q *page.Request) error {
	if q.IsNew("standing_order_id") {
		return c.newStandingOrder(q)
	}
	return c.standingPage(q, standingPage{}, nil)
}

func standingID(q *page.Request) (portal.StandingOrderID, error) {
	id, err := strconv.ParseInt(q.Param("standing_order_id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such standing order.")
	}
	return portal.StandingOrderID(id), nil
}

// standingPage shows a standing order; after a refused form with what was typed
// and the refusal.
func (c *Counter) standingPage(q *page.Request, view standingPage, refused error) error {
	id, err := standingID(q)
	if err != nil {
		return err
	}
	if view.StandingOrderDetail, err = c.Standing.StandingOrder(q.Context(), q.Who, id); err != nil {
		return err
	}
	view.ShownLines = portal.ShownRows(view.Lines)
	if view.Failed != "settings" {
		view.Typed = view.StandingOrder.Typed()
	}
	if view.Failed != "lines" {
		view.Rows = newQuickPage(view.Lines, q.Frame.Access)
	}
	view.FormErrors, view.Access, view.Today = page.FormErrorsOf(refused), standingAccess(q), q.Today()
	return c.Page(q, page.Status(refused), "shop/standing_order", view.Name, "standing", view)
}

// newStandingOrder is the form of a new one, with the lines of the cart or of
// an order to begin with.
func (c *Counter) newStandingOrder(q *page.Request) error {
	if err := mayStand(q); err != nil {
		return err
	}
	v := q.URL.Query()
	view := standingPage{Typed: portal.StandingOrderEdit{Rhythm: portal.RhythmRuns, Every: "1", HoursBefore: "24"}}
	if orderNo := v.Get("order"); orderNo != "" || v.Get("from") == "cart" {
		lines, err := c.Standing.StandingSource(q.Context(), q.Who, orderNo)
		if err != nil {
			return err
		}
		view.Lines = lines
	}
	return c.newStandingPage(q, view, nil)
}

func (c *Counter) newStandingPage(q *page.Request, view standingPage, refused error) error {
	var err error
	if view.ShipTos, err = c.Standing.StandingShipTos(q.Context(), q.Who); err != nil {
		return err
	}
	if view.Failed != "lines" {
		view.Rows = newQuickPage(view.Lines, q.Frame.Access)
	}
	view.Lines = view.Rows.Lines
	view.New, view.FormErrors, view.Access = true, page.FormErrorsOf(refused), standingAccess(q)
	view.Today = q.Today()
	return c.Page(q, page.Status(refused), "shop/standing_order", "New standing order", "standing", view)
}

func (c *Counter) MakeStandingOrder(q *page.Request) error {
	if err := mayStand(q); err != nil {
		return err
	}
	form, err := c.entryForm(q)
	if err != nil {
		return err
	}
	var in portal.StandingOrderEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	if action := q.PostForm.Get("action"); action != "save" && action != "" || form.stops() {
		view := standingPage{Typed: in, Failed: "lines"}
		if view.Rows, err = c.standingRows(q, form); err != nil {
			return err
		}
		return c.newStandingPage(q, view, saidOf(q, form))
	}
	id, lines, err := c.Standing.SaveStandingOrder(q.Context(), q.Who, 0, in, form.rows)
	if err != nil {
		if !page.ShownOnPage(q, err) {
			return err
		}
		return c.newStandingPage(q, standingPage{Typed: in, Rows: newQuickPage(lines, q.Frame.Access).of(form),
			Failed: "lines"}, err)
	}
	if page.WantsJSON(q.Request) {
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"standing_order_id": id})
	}
	return q.Done(standingPath(id), "Standing order made")
}

// standingRows are the rows of a form, checked as those of a standing order.
func (c *Counter) standingRows(q *page.Request, form entryForm) (quickPage, error) {
	lines, err := c.Entries.Resolve(q.Context(), q.Who, form.rows)
	if err != nil {
		return quickPage{}, err
	}
	for i := range lines {
		lines[i].Standing()
	}
	return newQuickPage(lines, q.Frame.Access).of(form), nil
}

// saidOf is what a page says of a form's rows that is no refusal. A program that
// sent a file is told that something is asked, and what.
func saidOf(q *page.Request, form entryForm) error {
	if form.asks() && page.WantsJSON(q.Request) {
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
func standingToChange(q *page.Request) (portal.StandingOrderID, error) {
	id, err := standingID(q)
	if err != nil {
		return 0, err
	}
	return id, mayStand(q)
}

func (c *Counter) SaveStandingOrder(q *page.Request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	var in portal.StandingOrderEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	_, _, err = c.Standing.SaveStandingOrder(q.Context(), q.Who, id, in, nil)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done(standingPath(id), "Standing order saved")
	case page.ShownOnPage(q, err):
		return c.standingPage(q, standingPage{Typed: in, Failed: "settings"}, err)
	}
	return err
}

func (c *Counter) SaveStandingLines(q *page.Request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	form, err := c.entryForm(q)
	if err != nil {
		return err
	}
	if action := q.PostForm.Get("action"); action != "save" && action != "" || form.stops() {
		rows, err := c.standingRows(q, form)
		if err != nil {
			return err
		}
		return c.standingPage(q, standingPage{Rows: rows, Failed: "lines"}, saidOf(q, form))
	}
	lines, err := c.Standing.SetStandingLines(q.Context(), q.Who, id, form.rows, q.PostForm.Get("shown"))
	switch {
	case err == nil:
		return q.Done(standingPath(id), page.Plural(newQuickPage(lines, q.Frame.Access).Ready, "line", "lines")+" saved")
	case page.ShownOnPage(q, err):
		return c.standingPage(q, standingPage{Rows: newQuickPage(lines, q.Frame.Access).of(form), Failed: "lines"}, err)
	}
	return err
}

func (c *Counter) PauseStandingOrder(q *page.Request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	var in struct {
		Paused bool `form:"paused"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	if err := c.Standing.PauseStandingOrder(q.Context(), q.Who, id, in.Paused); err != nil {
		return err
	}
	if in.Paused {
		return q.Done(standingPath(id), "Paused: nothing is sent until you resume it")
	}
	return q.Done(standingPath(id), "Resumed")
}

// SaveStandingDate skips a date, takes that back, or tries an order again.
func (c *Counter) SaveStandingDate(q *page.Request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	var in struct {
		RunDate string `form:"run_date"`
		Action  string `form:"action"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	told := map[string]string{"skip": "Skipped", "unskip": "It will be sent",
		"retry": "It will be tried again within a minute"}[in.Action]
	date, err := time.Parse(time.DateOnly, in.RunDate)
	if err != nil || told == "" || !portal.DayWithinReason(date) {
		return portal.Invalid("run_date", "Which date?")
	}
	err = c.Standing.SetStandingRun(q.Context(), q.Who, id, date, in.Action)
	switch {
	case err == nil:
		return q.Done(standingPath(id), told)
	case page.ShownOnPage(q, err):
		return c.standingPage(q, standingPage{}, err)
	}
	return err
}

func (c *Counter) DeleteStandingOrder(q *page.Request) error {
	id, err := standingToChange(q)
	if err != nil {
		return err
	}
	if err := c.Standing.DeleteStandingOrder(q.Context(), q.Who, id); err != nil {
		return err
	}
	return q.Done("/standing-orders", "Standing order deleted")
}

// PutAwayNotice takes a notice off the pages of all log-ins of the customer.
func (c *Counter) PutAwayNotice(q *page.Request) error {
	id, err := strconv.ParseInt(q.Param("notice_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such notice.")
	}
	err = c.Notices.PutAway(q.Context(), q.Who, portal.NoticeID(id))
	if portal.ErrorCode(err) == portal.CodeNotFound && !page.WantsJSON(q.Request) {
		err = nil // a colleague was quicker
	}
	if err != nil {
		return err
	}
	return q.Done("/", "")
}
