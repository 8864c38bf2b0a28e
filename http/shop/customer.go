package shop

import (
	"errors"
	"net/http"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
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

func (c *Counter) ShowDashboard(q *page.Request) error {
	d, err := c.Customers.Dashboard(q.Context(), q.Who)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/dashboard", "Dashboard", "dashboard", dashboardPage{Dashboard: d,
		CustomerName: q.Who.CustomerName, Access: q.Frame.Access, Now: q.Now()})
}

// profilePageData is the customer's own data and the log-in's sessions.
type profilePageData struct {
	Profile  *portal.Profile     `json:"profile,omitempty"` // nil for staff
	Email    string              `json:"email"`
	Sessions []sessionRow        `json:"sessions"`
	Factors  *portal.Factors     `json:"security,omitempty"` // nil while staff act as a customer
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

func (c *Counter) ShowProfile(q *page.Request) error { return c.profilePage(q, nil) }

func (c *Counter) ShowDeskProfile(q *page.Request) error { return c.profilePage(q, nil) }

func (c *Counter) profilePage(q *page.Request, refused error) error {
	data := profilePageData{Email: q.Who.Email, Acting: q.Who.Acting}
	if q.Who.Role == portal.RoleBuyer {
		p, err := c.Customers.Profile(q.Context(), q.Who)
		if err != nil {
			return err
		}
		data.Profile = &p
		choices, err := c.Notifications.MailChoices(q.Context(), q.Who)
		if err != nil {
			return err
		}
		for _, choice := range choices {
			data.Mail = append(data.Mail, mailChoice{choice, choice.Kind.Label()})
		}
	}
	var sessions []portal.Session
	if q.Who.Acting == portal.ActingNot {
		var err error
		if sessions, err = c.Sessions.Sessions(q.Context(), q.Who); err != nil {
			return err
		}
		factors, err := c.Factors.Factors(q.Context(), q.Who)
		if err != nil {
			return err
		}
		data.Factors = &factors
	}
	for _, x := range sessions {
		data.Sessions = append(data.Sessions, sessionRow{ID: x.ID, Current: x.ID == q.Who.ID,
			Device: portal.Device(x.UserAgent), Source: x.Source, CreatedAt: x.CreatedAt, SeenAt: x.SeenAt})
	}
	if refused != nil {
		data.Message = portal.ErrorMessage(refused)
		if e, ok := errors.AsType[*portal.Error](refused); ok {
			data.Fields = e.Fields
		}
	}
	return c.Page(q, page.Status(refused), "shop/profile", "Profile", "profile", data)
}
