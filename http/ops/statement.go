package ops

import (
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// runsPage is the monthly statements as operators see them.
type runsPage struct {
	Runs   []portal.StatementRun    `json:"runs"`
	Failed []portal.FailedStatement `json:"failed"`
	From   string                   `json:"-"`
	To     string                   `json:"-"`
	page.FormErrors
}

func (c *Counter) ListStatementRuns(q *page.Request) error { return c.runsPage(q, runsPage{}, nil) }

func (c *Counter) runsPage(q *page.Request, view runsPage, refused error) error {
	var err error
	if view.Runs, err = c.Statements.StatementRuns(q.Context(), q.Who); err != nil {
		return err
	}
	if view.Failed, err = c.Statements.FailedStatements(q.Context(), q.Who); err != nil {
		return err
	}
	view.FormErrors = page.FormErrorsOf(refused)
	if view.From == "" && view.To == "" {
		now := q.Now()
		first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
		view.From, view.To = first.AddDate(0, -1, 0).Format(time.DateOnly), first.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return c.Page(q, page.Status(refused), "ops/statements", "Statements", "statements", view)
}

func (c *Counter) BeginRun(q *page.Request) error {
	var form struct {
		From string `form:"from"`
		To   string `form:"to"`
	}
	if err := q.Decode(&form); err != nil {
		return err
	}
	from, err := time.Parse(time.DateOnly, form.From)
	if err != nil || !portal.DayWithinReason(from) {
		err = portal.Invalid("from", "Write the date as YYYY-MM-DD. %s", portal.DayWords)
	}
	to, errTo := time.Parse(time.DateOnly, form.To)
	if err == nil && (errTo != nil || !portal.DayWithinReason(to)) {
		err = portal.Invalid("to", "Write the date as YYYY-MM-DD. %s", portal.DayWords)
	}
	if err == nil {
		err = c.Statements.BeginStatementRun(q.Context(), q.Who, from, to)
	}
	switch {
	case err == nil:
		return q.Done("/ops/statements", "The run has begun")
	case page.ShownOnPage(q, err):
		return c.runsPage(q, runsPage{From: form.From, To: form.To}, err)
	}
	return err
}

func (c *Counter) RetryStatements(q *page.Request) error {
	n, err := c.Statements.RetryStatements(q.Context(), q.Who)
	if err != nil {
		return err
	}
	return q.Done("/ops/statements", page.Plural(n, "statement queued again", "statements queued again"))
}
