package desk

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// auditPage is a page of the audit log with what narrows it.
type auditPage struct {
	portal.AuditPage
	page.FormErrors
	Customer string          `json:"customer"`
	Person   string          `json:"person"`
	Subject  string          `json:"subject"`
	Group    portal.ActGroup `json:"group"`
	Noun     string          `json:"noun"`
	From     string          `json:"from"`
	To       string          `json:"to"`

	Zone   *time.Location `json:"-"` // the company's
	Reader portal.Session `json:"-"`
}

func (p auditPage) link(path, before string) string {
	return page.ListLink(path, "customer", p.Customer, "person", p.Person, "subject", p.Subject,
		"group", string(p.Group), "noun", p.Noun, "from", p.From, "to", p.To, "before", before)
}

// NextLink is the next page's address, or "".
func (p auditPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return p.link("/desk/audit", p.Next)
}

// ExportLink is the log as a file, narrowed as it is.
func (p auditPage) ExportLink() string { return p.link("/desk/audit.csv", "") }

// Narrowed reports whether something is asked for.
func (p auditPage) Narrowed() bool { return p.link("", "") != "" }

// Groups and Nouns are the choices.
func (auditPage) Groups() []page.Option {
	out := []page.Option{{Value: "", Label: "Everything"}}
	for _, g := range portal.ActGroups {
		out = append(out, page.Option{Value: string(g), Label: g.Label()})
	}
	return out
}

func (auditPage) Nouns() []page.Option {
	return []page.Option{{Value: "", Label: "Anything"}, {Value: "order", Label: "Orders"},
		{Value: "invoice", Label: "Invoices"}, {Value: "payment", Label: "Payments"},
		{Value: "request", Label: "Returns"}, {Value: "item", Label: "Items"}, {Value: "customer", Label: "Customers"},
		{Value: "person", Label: "People"}, {Value: "mail", Label: "Mails"}}
}

// Lines are the rows in words.
func (p auditPage) Lines() []actLine {
	out := make([]actLine, len(p.Rows))
	for i, row := range p.Rows {
		out[i] = actLineOf(row, p.Labels, p.Zone, p.Reader)
	}
	return out
}

// auditFilter reads what the address asks for.
func auditFilter(v url.Values) (f portal.AuditFilter, err error) {
	text := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	f = portal.AuditFilter{CustomerNo: text("customer"), Person: text("person"), Subject: text("subject"),
		Group: portal.ActGroup(text("group")), Noun: text("noun"), Before: v.Get("before")}
	for name, into := range map[string]**time.Time{"from": &f.From, "to": &f.To} {
		if s := text(name); s != "" {
			day, bad := time.Parse(time.DateOnly, s)
			if bad != nil {
				return f, portal.Invalid(name, "Write the date as YYYY-MM-DD.")
			}
			if !portal.DayWithinReason(day) {
				return f, portal.Invalid(name, "%s", portal.DayWords)
			}
			*into = &day
		}
	}
	if f.From != nil && f.To != nil && f.To.Before(*f.From) {
		return f, portal.Invalid("to", "The last day lies before the first.")
	}
	return f, nil
}

func (c *Counter) ShowAudit(q *page.Request) error {
	f, err := auditFilter(q.URL.Query())
	v := q.URL.Query()
	view := auditPage{Customer: f.CustomerNo, Person: f.Person, Subject: f.Subject, Group: f.Group, Noun: f.Noun,
		From: v.Get("from"), To: v.Get("to"), Zone: q.Now().Location(), Reader: q.Who}
	if err == nil {
		view.AuditPage, err = c.Audit.Audit(q.Context(), q.Who, f)
	}
	code := http.StatusOK
	if err != nil {
		if portal.ErrorCode(err) != portal.CodeInvalid || page.WantsJSON(q.Request) {
			return err
		}
		view.FormErrors, code = page.FormErrorsOf(err), page.Status(err)
	}
	return c.Page(q, code, "desk/audit", "Audit log", "audit", view)
}

// ExportAudit writes what the filter leaves as CSV, the newest first.
func (c *Counter) ExportAudit(q *page.Request) error {
	f, err := auditFilter(q.URL.Query())
	if err != nil {
		return err
	}
	f.Before = ""
	out := q.AttachCSV("audit", q.Now())
	w := csv.NewWriter(out)
	err = w.Write([]string{"audit_id", "at", "who", "what", "subject", "customer_no", "group", "action",
		"address", "program", "db_login", "data"})
	if err == nil {
		err = c.Audit.EachAudit(q.Context(), q.Who, f, func(row portal.AuditRow) error {
			data, err := json.Marshal(row.Data)
			if err != nil {
				return err
			}
			cells := []string{"", row.At.UTC().Format(time.RFC3339Nano), row.Actor, row.Label, row.Subject, row.CustomerNo,
				string(row.Group), row.Action, row.Source, row.Program, row.DBLogin, string(data)}
			for i := range cells {
				cells[i] = page.Cell(cells[i])
			}
			cells[0] = strconv.FormatInt(row.ID, 10)
			return w.Write(cells)
		})
	}
	if w.Flush(); err == nil {
		err = w.Error()
	}
	return c.Exported(q, out, "audit", err)
}
