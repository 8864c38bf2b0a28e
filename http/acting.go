package http

import (
	"net/http"

	"portal.example/portal"
)

// Staff see the portal of a customer on the customer's own pages, in the
// session that portal.ActingService keeps beside theirs. There is no second
// cookie: on a page of customers, staff are the customer whose portal they have
// open, if any.

// asCustomer is who the visitor is on pages of customers. ok is false for
// staff that have no customer's portal open.
func (s *Server) asCustomer(r *http.Request, who portal.Session) (customer portal.Session, ok bool, err error) {
	if !who.Staff() {
		return who, true, nil
	}
	customer, ok, err = s.Sessions.ActingFor(r.Context(), who)
	if err == nil && ok && customer.Acting == portal.ActingPreview && r.Method != http.MethodGet && r.Method != http.MethodHead {
		// the database would refuse it, too
		err = portal.Errorf(portal.CodeForbidden, portal.PreviewOnly)
	}
	return customer, ok, err
}

// ownAffairs refuses what is a person's own while staff have the portal of a
// customer open: on its pages nobody should have to wonder whose password it is.
func (s *Server) ownAffairs(q *request) error {
	_, acting, err := s.Sessions.ActingFor(q.Context(), q.who)
	if err == nil && acting {
		err = portal.Errorf(portal.CodeForbidden, "Passwords and sessions are each person's own. Go back to the desk for yours.")
	}
	return err
}

// beginActing opens the portal of a customer: mode is preview or order.
func (s *Server) beginActing(q *request) error {
	var in struct {
		Mode portal.Acting `form:"mode"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	err := s.Sessions.BeginActing(q.Context(), q.who, q.param("customer_no"), in.Mode)
	switch {
	case err == nil:
		return q.done("/", "")
	case shownOnPage(q, err):
		return s.deskCustomerPage(q, nil, err)
	}
	return err
}

// endActing leads back to the customer's page at the desk.
func (s *Server) endActing(q *request) error {
	if err := q.decode(&struct{}{}); err != nil {
		return err
	}
	customerNo, err := s.Sessions.EndActing(q.Context(), q.who)
	if err != nil {
		return err
	}
	if customerNo == "" {
		return q.done("/desk/customers", "That had ended already")
	}
	return q.done(deskPath("customers", customerNo), "You are yourself again")
}
