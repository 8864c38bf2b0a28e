package shop

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// AccountPage is what a customer owes, at the customer's own page and at the
// desk's.
type AccountPage struct {
	portal.Account
	Asked string `json:"-"` // the day as typed
	Rule  string `json:"rule"`
	page.FormErrors
}

// Today reports whether the figures are today's.
func (p AccountPage) IsToday() bool { return p.AsOf.Equal(p.Account.Today) }

// openBucket is a part of the open documents.
type openBucket struct {
	Name      string
	Amount    portal.Money
	Documents []portal.OpenDocument
	More      int // that are not listed
}

// Buckets are the open documents by age, without empty ones.
func (p AccountPage) Buckets() []openBucket {
	var out []openBucket
	for i, amount := range p.Aging.Buckets() {
		b := openBucket{Name: portal.BucketNames[i], Amount: amount}
		for _, d := range p.Open {
			if d.Bucket == i {
				b.Documents = append(b.Documents, d)
				b.More = d.InBucket
			}
		}
		if b.More -= len(b.Documents); len(b.Documents) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// Bases are the choices of the filter.
func (AccountPage) Bases() []page.Option {
	return []page.Option{{Value: portal.BasisInvoiceDate, Label: "Invoice date"},
		{Value: portal.BasisDueDate, Label: "Due date"}}
}

func AccountQuery(q *page.Request) (portal.AccountQuery, error) {
	asOf, err := dayOf(q.URL.Query(), "as_of")
	query := portal.AccountQuery{AsOf: asOf, Basis: q.URL.Query().Get("basis")}
	if err == nil {
		err = query.Validate()
	}
	return query, err
}

// AccountPageOf reads an account as the address asks; a slip there shows today's
// with the error at its field.
func AccountPageOf(q *page.Request, read func(portal.AccountQuery) (portal.Account, error)) (AccountPage, int, error) {
	view := AccountPage{Asked: q.URL.Query().Get("as_of")}
	code := http.StatusOK
	query, err := AccountQuery(q)
	if err == nil {
		view.Account, err = read(query)
	}
	if portal.ErrorCode(err) == portal.CodeInvalid && !page.WantsJSON(q.Request) {
		view.FormErrors, code = page.FormErrorsOf(err), page.Status(err)
		view.Account, err = read(portal.AccountQuery{})
	}
	view.Rule = portal.AgingRule(view.Basis)
	return view, code, err
}

func (c *Counter) ShowAccount(q *page.Request) error {
	view, code, err := AccountPageOf(q, func(query portal.AccountQuery) (portal.Account, error) {
		return c.Accounts.Account(q.Context(), q.Who, query)
	})
	if err != nil {
		return err
	}
	return c.Page(q, code, "shop/account", "Account", "account", view)
}

// paymentsPage is a list of payments.
type paymentsPage struct{ portal.Payments }

// NextLink is the next page's address, or "".
func (p paymentsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/payments", "before", p.Next)
}

func (c *Counter) ListPayments(q *page.Request) error {
	list, err := c.Accounts.Payments(q.Context(), q.Who, q.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/payments", "Payments", "account", paymentsPage{list})
}

func (c *Counter) ShowPayment(q *page.Request) error {
	payment, err := c.Accounts.Payment(q.Context(), q.Who, q.Param("payment_no"))
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/payment", "Payment "+payment.PaymentNo, "account", payment)
}

// statementLines is how many documents a page of a statement shows; the paper
// has all.
const statementLines = 500

// statementPage is a statement on screen, a page of it where it is long.
type statementPage struct {
	portal.Statement
	Rule       string                          `json:"rule"`
	PageNo     int                             `json:"page"`
	Pages      int                             `json:"pages"`
	Forward    portal.Money                    `json:"brought_forward"` // the balance before the first document shown
	Typed      struct{ From, To, AsOf string } `json:"-"`
	Base       string                          `json:"-"` // address of the statement: a customer's own, or one at the desk
	CustomerID string                          `json:"-"`
	page.FormErrors
}

func (p statementPage) link(path string, view int) string {
	n := ""
	if view > 1 {
		n = strconv.Itoa(view)
	}
	return page.ListLink(path, "from", p.From.Format(time.DateOnly), "to", p.To.Format(time.DateOnly),
		"as_of", p.AsOf.Format(time.DateOnly), "page", n)
}

// PDFLink is the same as a paper.
func (p statementPage) PDFLink() string { return p.link(p.Base+"/pdf", 1) }

// PrevLink and NextLink are the pages beside this one, or "".
func (p statementPage) PrevLink() string {
	if p.PageNo <= 1 {
		return ""
	}
	return p.link(p.Base, p.PageNo-1)
}

// NextLink is the next page's address, or "".
func (p statementPage) NextLink() string {
	if p.PageNo >= p.Pages {
		return ""
	}
	return p.link(p.Base, p.PageNo+1)
}

// Last reports whether the page ends the statement.
func (p statementPage) Last() bool { return p.PageNo == p.Pages }

func PeriodOf(q *page.Request) (p portal.Period, err error) {
	v := q.URL.Query()
	if q.Method == http.MethodPost {
		var form struct {
			From string `form:"from"`
			To   string `form:"to"`
		}
		if err := q.Decode(&form); err != nil {
			return p, err
		}
		v = url.Values{"from": {form.From}, "to": {form.To}}
	}
	if p.From, err = dayOf(v, "from"); err != nil {
		return p, err
	}
	if p.To, err = dayOf(v, "to"); err != nil {
		return p, err
	}
	p.AsOf, err = dayOf(v, "as_of")
	return p, err
}

// StatementPageOf reads a statement as the address asks; a slip there shows this
// month's with the error at its field.
func StatementPageOf(q *page.Request, base string,
	read func(portal.Period) (portal.Statement, error)) (statementPage, int, error) {
	view := statementPage{Base: base}
	code := http.StatusOK
	period, err := PeriodOf(q)
	if err == nil {
		view.Statement, err = read(period)
	}
	v := q.URL.Query()
	if portal.ErrorCode(err) == portal.CodeInvalid && !page.WantsJSON(q.Request) {
		view.FormErrors, code = page.FormErrorsOf(err), page.Status(err)
		view.Statement, err = read(portal.Period{})
		view.Typed.From, view.Typed.To, view.Typed.AsOf = v.Get("from"), v.Get("to"), v.Get("as_of")
	} else {
		view.Typed.From, view.Typed.To, view.Typed.AsOf = view.From.Format(time.DateOnly), view.To.Format(time.DateOnly),
			view.AsOf.Format(time.DateOnly)
	}
	view.cut(v.Get("page"))
	view.Rule = portal.AgingRule(view.Basis)
	return view, code, err
}

// cut leaves the documents of one page.
func (p *statementPage) cut(asked string) {
	n, _ := strconv.Atoi(asked)
	p.Pages = max((len(p.Lines)+statementLines-1)/statementLines, 1)
	p.PageNo = min(max(n, 1), p.Pages)
	p.Forward = p.Opening
	from := (p.PageNo - 1) * statementLines
	if from > 0 {
		p.Forward = p.Lines[from-1].Balance
	}
	p.Lines = p.Lines[from:min(from+statementLines, len(p.Lines))]
}

func (c *Counter) ShowStatement(q *page.Request) error {
	view, code, err := StatementPageOf(q, "/statement", func(p portal.Period) (portal.Statement, error) {
		return c.Accounts.Statement(q.Context(), q.Who, p)
	})
	if err != nil {
		return err
	}
	return c.Page(q, code, "shop/statement", "Statement", "account", view)
}

func (c *Counter) StatementPDF(q *page.Request) error {
	period, err := PeriodOf(q)
	if err != nil {
		return err
	}
	statement, err := c.Accounts.Statement(q.Context(), q.Who, period)
	if err != nil {
		return err
	}
	return c.PrintStatement(q, statement)
}

func (c *Counter) PrintStatement(q *page.Request, statement portal.Statement) error {
	paper, err := c.Printer.StatementPDF(statement)
	if err != nil {
		return err
	}
	return q.Paper(portal.Paper{Name: "statement-" + statement.CustomerNo + "-" + statement.To.Format(time.DateOnly) +
		".pdf", MediaType: "application/pdf", Data: paper})
}

func (c *Counter) RequestStatement(q *page.Request) error {
	period, err := PeriodOf(q)
	if err != nil {
		return err
	}
	if _, err := c.Accounts.RequestStatement(q.Context(), q.Who, period); err != nil {
		return err
	}
	return q.Done("/account#statements",
		"Your statement is being made. It appears under Statements, and comes by mail if you chose that.")
}

func (c *Counter) KeptStatementPDF(q *page.Request) error {
	id, err := strconv.ParseInt(q.Param("statement_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such statement.")
	}
	paper, err := c.Accounts.StatementPaper(q.Context(), q.Who, portal.StatementID(id))
	if err != nil {
		return err
	}
	return q.Paper(paper)
}
