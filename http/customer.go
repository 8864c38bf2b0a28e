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

// Chart is the spend by month; nil where there is none to show.
func (p dashboardPage) Chart() *spendChart { return newSpendChart(p.Spend) }

// MostOf is the largest amount of the top items, or nil without prices.
func (p dashboardPage) MostOf() *portal.Money {
	if len(p.TopItems) == 0 {
		return nil
	}
	return p.TopItems[0].Amount
}

// OpenOrders is how many orders are open.
func (p dashboardPage) OpenOrders() (n int) {
	for _, c := range p.OpenByNow {
		n += c.Orders
	}
	return n
}

func (s *Server) dashboard(q *request) error {
	d, err := s.Customers.Dashboard(q.Context(), q.who)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "dashboard", "Dashboard", "dashboard", dashboardPage{Dashboard: d,
		CustomerName: q.who.CustomerName, Access: q.frame.Access, Now: q.now()})
}

// profilePageData is the customer's own data and the log-in's sessions.
type profilePageData struct {
	Profile  *portal.Profile     `json:"profile,omitempty"` // nil for staff
	Email    string              `json:"email"`
	Sessions []sessionRow        `json:"sessions"`
	Mail     []mailChoice        `json:"mail,omitempty"`
	Acting   portal.Acting       `json:"-"` // then there is neither password nor session to see
	Message  string              `json:"error,omitempty"`
	Fields   []portal.FieldError `json:"fields,omitempty"`
}

// mailChoice is a kind of news that the log-in may have by mail.
type mailChoice struct {
	portal.MailChoice
	Label string `json:"label"`
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
		choices, err := s.Notifications.MailChoices(q.Context(), q.who)
		if err != nil {
			return err
		}
		for _, c := range choices {
			data.Mail = append(data.Mail, mailChoice{c, c.Kind.Label()})
		}
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
