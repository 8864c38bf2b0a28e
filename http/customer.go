package http

import (
	"errors"
	"net/http"
	"time"

	"portal.example/portal"
)

// dashboardPage is the customer's first page.
type dashboardPage struct {
	portal.Dashboard
	CustomerName string        `json:"customer_name"`
	Access       portal.Access `json:"-"`
	Now          time.Time     `json:"-"`
}

func (s *Server) dashboard(q *request) error {
	d, err := s.Customers.Dashboard(q.Context(), q.who)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "dashboard", "Dashboard", "dashboard", dashboardPage{Dashboard: d,
		CustomerName: q.who.CustomerName, Access: q.frame.Access, Now: time.Now()})
}

// invoicesPage is a list of invoices.
type invoicesPage struct {
	portal.Invoices
}

// NextLink is the next page's address, or "".
func (p invoicesPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/invoices", "before", p.Next)
}

// mayInvoices refuses invoices to log-ins whose role does not see them.
func mayInvoices(q *request) error {
	if !q.frame.Rights.Invoices {
		return portal.Errorf(portal.CodeForbidden, "Your log-in does not see invoices. Ask whoever manages the log-ins of your account.")
	}
	return nil
}

func (s *Server) invoices(q *request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	list, err := s.Customers.Invoices(q.Context(), q.who, q.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "invoices", "Invoices", "invoices", invoicesPage{list})
}

func (s *Server) invoice(q *request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	invoice, err := s.Customers.Invoice(q.Context(), q.who, q.param("invoice_no"))
	if err != nil {
		return err
	}
	returns, err := s.Credits.InvoiceReturns(q.Context(), q.who, invoice.InvoiceNo)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "invoice", "Invoice "+invoice.InvoiceNo, "invoices", invoicePage{invoice, q.frame.Access, returns})
}

// invoicePage is one invoice.
type invoicePage struct {
	portal.InvoiceDetail
	Access  portal.Access         `json:"-"`
	Returns portal.InvoiceReturns `json:"returns"`
}

// profilePageData is the customer's own data and the log-in's sessions.
type profilePageData struct {
	Profile  *portal.Profile     `json:"profile,omitempty"` // nil for staff
	Email    string              `json:"email"`
	Sessions []sessionRow        `json:"sessions"`
	Acting   portal.Acting       `json:"-"` // then there is neither password nor session to see
	Message  string              `json:"error,omitempty"`
	Fields   []portal.FieldError `json:"fields,omitempty"`
}

// Error is the message at a field, or "".
func (p profilePageData) Error(field string) string {
	for _, f := range p.Fields {
		if f.Field == field {
			return f.Message
		}
	}
	return ""
}

// sessionRow is one of the log-in's sessions.
type sessionRow struct {
	ID        portal.SessionID `json:"session_id"`
	Current   bool             `json:"current"`
	Device    string           `json:"device"`
	Source    string           `json:"source"`
	CreatedAt time.Time        `json:"created_at"`
	SeenAt    time.Time        `json:"seen_at"`
}

func (s *Server) profile(q *request) error { return s.profilePage(q, nil) }

func (s *Server) deskProfile(q *request) error { return s.profilePage(q, nil) }

func (s *Server) profilePage(q *request, refused error) error {
	data := profilePageData{Email: q.who.Email, Acting: q.who.Acting}
	if q.who.Role == portal.RoleBuyer {
		p, err := s.Customers.Profile(q.Context(), q.who)
		if err != nil {
			return err
		}
		data.Profile = &p
	}
	var sessions []portal.Session
	if q.who.Acting == portal.ActingNot {
		var err error
		if sessions, err = s.Sessions.Sessions(q.Context(), q.who); err != nil {
			return err
		}
	}
	for _, x := range sessions {
		data.Sessions = append(data.Sessions, sessionRow{ID: x.ID, Current: x.ID == q.who.ID, Device: device(x.UserAgent),
			Source: x.Source, CreatedAt: x.CreatedAt, SeenAt: x.SeenAt})
	}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
		data.Message = portal.ErrorMessage(refused)
		if e, ok := errors.AsType[*portal.Error](refused); ok {
			data.Fields = e.Fields
		}
	}
	return s.page(q, code, "profile", "Profile", "profile", data)
}
