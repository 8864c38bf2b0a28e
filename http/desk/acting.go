package desk

import (
	"portal.example/portal"
	"portal.example/portal/http/page"
)

// BeginActing opens the portal of a customer: mode is preview or order.
func (c *Counter) BeginActing(q *page.Request) error {
	var in struct {
		Mode portal.Acting `form:"mode"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	err := c.Sessions.BeginActing(q.Context(), q.Who, q.Param("customer_no"), in.Mode)
	switch {
	case err == nil:
		return q.Done("/", "")
	case page.ShownOnPage(q, err):
		return c.customerPage(q, nil, err)
	}
	return err
}

// EndActing leads back to the customer's page at the desk.
func (c *Counter) EndActing(q *page.Request) error {
	if err := q.Decode(&struct{}{}); err != nil {
		return err
	}
	customerNo, err := c.Sessions.EndActing(q.Context(), q.Who)
	if err != nil {
		return err
	}
	if customerNo == "" {
		return q.Done("/desk/customers", "That had ended already")
	}
	return q.Done(page.DeskPath("customers", customerNo), "You are yourself again")
}
