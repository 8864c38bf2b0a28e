package http

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"portal.example/portal"
)

// accountPage is what a customer owes, at the customer's own page and at the
// desk's.
type accountPage struct {
	portal.Account
	Asked string `json:"-"` // the day as typed
	Rule  string `json:"rule"`
	formErrors
}

// Today reports whether the figures are today's.
func (p accountPage) IsToday() bool { return p.AsOf.Equal(p.Account.Today) }

// openBucket is a part of the open documents.
type openBucket struct {
	Name      string
	Amount    portal.Money
	Documents []portal.OpenDocument
	More      int // that are not listed
}

// Buckets are the open documents by age, without empty ones.
func (p accountPage) Buckets() []openBucket {
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
func (accountPage) Bases() []option {
	return []option{{portal.BasisInvoiceDate, "Invoice date"}, {portal.BasisDueDate, "Due date"}}
}

func accountQuery(q *request) (portal.AccountQuery, error) {
	asOf, err := dayOf(q.URL.Query(), "as_of")
	query := portal.AccountQuery{AsOf: asOf, Basis: q.URL.Query().Get("basis")}
	if err == nil {
		err = query.Validate()
	}
	return query, err
}

// accountPageOf reads an account as the address asks; a slip there shows today's
// with the error at its field.
func accountPageOf(q *request, read func(portal.AccountQuery) (portal.Account, error)) (accountPage, int, error) {
	page := accountPage{Asked: q.URL.Query().Get("as_of")}
	code := http.StatusOK
	query, err := accountQuery(q)
	if err == nil {
		page.Account, err = read(query)
	}
	if portal.ErrorCode(err) == portal.CodeInvalid && !wantsJSON(q.Request) {
		page.formErrors, code = formErrorsOf(err), status(err)
		page.Account, err = read(portal.AccountQuery{})
	}
	page.Rule = portal.AgingRule(page.Basis)
	return page, code, err
}

func (s *Server) account(q *request) error {
	page, code, err := accountPageOf(q, func(query portal.AccountQuery) (portal.Account, error) {
		return s.Accounts.Account(q.Context(), q.who, query)
	})
	if err != nil {
		return err
	}
	return s.page(q, code, "account", "Account", "account", page)
}

// paymentsPage is a list of payments.
type paymentsPage struct{ portal.Payments }

// NextLink is the next page's address, or "".
func (p paymentsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/payments", "before", p.Next)
}

func (s *Server) payments(q *request) error {
	list, err := s.Accounts.Payments(q.Context(), q.who, q.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "payments", "Payments", "account", paymentsPage{list})
}

func (s *Server) payment(q *request) error {
	payment, err := s.Accounts.Payment(q.Context(), q.who, q.param("payment_no"))
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "payment", "Payment "+payment.PaymentNo, "account", payment)
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
	formErrors
}

func (p statementPage) link(path string, page int) string {
	n := ""
	if page > 1 {
		n = strconv.Itoa(page)
	}
	return listLink(path, "from", p.From.Format(time.DateOnly), "to", p.To.Format(time.DateOnly), "as_of", p.AsOf.Format(time.DateOnly), "page", n)
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

func periodOf(q *request) (p portal.Period, err error) {
	v := q.URL.Query()
	if q.Method == http.MethodPost {
		var form struct {
			From string `form:"from"`
			To   string `form:"to"`
		}
		if err := q.decode(&form); err != nil {
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

// statementPageOf reads a statement as the address asks; a slip there shows this
// month's with the error at its field.
func statementPageOf(q *request, base string, read func(portal.Period) (portal.Statement, error)) (statementPage, int, error) {
	page := statementPage{Base: base}
	code := http.StatusOK
	period, err := periodOf(q)
	if err == nil {
		page.Statement, err = read(period)
	}
	v := q.URL.Query()
	if portal.ErrorCode(err) == portal.CodeInvalid && !wantsJSON(q.Request) {
		page.formErrors, code = formErrorsOf(err), status(err)
		page.Statement, err = read(portal.Period{})
		page.Typed.From, page.Typed.To, page.Typed.AsOf = v.Get("from"), v.Get("to"), v.Get("as_of")
	} else {
		page.Typed.From, page.Typed.To, page.Typed.AsOf = page.From.Format(time.DateOnly), page.To.Format(time.DateOnly), page.AsOf.Format(time.DateOnly)
	}
	page.cut(v.Get("page"))
	page.Rule = portal.AgingRule(page.Basis)
	return page, code, err
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

func (s *Server) statement(q *request) error {
	page, code, err := statementPageOf(q, "/statement", func(p portal.Period) (portal.Statement, error) {
		return s.Accounts.Statement(q.Context(), q.who, p)
	})
	if err != nil {
		return err
	}
	return s.page(q, code, "statement", "Statement", "account", page)
}

func (s *Server) statementPDF(q *request) error {
	period, err := periodOf(q)
	if err != nil {
		return err
	}
	statement, err := s.Accounts.Statement(q.Context(), q.who, period)
	if err != nil {
		return err
	}
	return s.printStatement(q, statement)
}

func (s *Server) printStatement(q *request, statement portal.Statement) error {
	paper, err := s.Printer.StatementPDF(statement)
	if err != nil {
		return err
	}
	return q.paper(portal.Paper{Name: "statement-" + statement.CustomerNo + "-" + statement.To.Format(time.DateOnly) + ".pdf", MediaType: "application/pdf", Data: paper})
}

func (s *Server) requestStatement(q *request) error {
	period, err := periodOf(q)
	if err != nil {
		return err
	}
	if _, err := s.Accounts.RequestStatement(q.Context(), q.who, period); err != nil {
		return err
	}
	return q.done("/account#statements", "Your statement is being made. It appears under Statements, and comes by mail if you chose that.")
}

func (s *Server) statementPaper(q *request) error {
	id, err := strconv.ParseInt(q.param("statement_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such statement.")
	}
	paper, err := s.Accounts.StatementPaper(q.Context(), q.who, portal.StatementID(id))
	if err != nil {
		return err
	}
	return q.paper(paper)
}
