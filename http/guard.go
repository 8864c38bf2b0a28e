package http

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/julienschmidt/httprouter"

	"portal.example/portal"
)

// public serves pages that need no session. One that is there is known.
func (s *Server) public(h handler) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		q := &request{Request: r, w: w, params: p, location: time.UTC}
		if token := s.token(r); token != "" {
			if who, err := s.Sessions.Session(r.Context(), token); err == nil {
				q.who = who
			}
		}
		s.finish(q, h(q))
	}
}

// buyerData serves what an open page of a customer asks for as somebody types:
// quick, since nothing of the frame is read.
func (s *Server) buyerData(h handler) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		q := &request{Request: r, w: w, params: p, location: time.UTC}
		s.finish(q, func() (err error) {
			if q.who, err = s.Sessions.Session(r.Context(), s.token(r)); err != nil {
				return err
			}
			customer, ok, err := s.asCustomer(r, q.who)
			if err != nil {
				return err
			}
			if !ok {
				return portal.Errorf(portal.CodeNotFound, "There is no such page.")
			}
			q.who = customer
			return h(q)
		}())
	}
}

// anyone serves whoever is logged in, customer or staff.
func (s *Server) anyone(h handler) httprouter.Handle {
	return s.guard(func(portal.Session) bool { return true }, h)
}

// buyer serves customers, and staff who have a customer's portal open; other
// staff are sent to the desk.
func (s *Server) buyer(h handler) httprouter.Handle {
	return s.guard(func(who portal.Session) bool { return who.Role == portal.RoleBuyer }, h)
}

// staff serves the distributor's people.
func (s *Server) staff(h handler) httprouter.Handle {
	return s.guard(portal.Session.Staff, h)
}

// operator serves operators only.
func (s *Server) operator(h handler) httprouter.Handle {
	return s.guard(func(who portal.Session) bool { return who.Role == portal.RoleOps }, h)
}

func (s *Server) guard(may func(portal.Session) bool, h handler) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		q := &request{Request: r, w: w, params: p, location: time.UTC}
		s.finish(q, func() error {
			who, err := s.Sessions.Session(r.Context(), s.token(r))
			if err != nil {
				return err
			}
			q.who = who
			forCustomers := may(portal.Session{Role: portal.RoleBuyer})
			if who.Staff() && !may(who) && forCustomers {
				customer, ok, err := s.asCustomer(r, who)
				if ok {
					q.who = customer // a refusal is shown as theirs, too
				}
				if err != nil {
					return err
				}
				if !ok && r.Method == http.MethodGet && !wantsJSON(r) && !isHTMX(r) && r.Header.Get("X-Live") == "" {
					return s.toDesk(q)
				}
			}
			if who = q.who; !may(who) {
				// what a login may not use does not exist for it
				return portal.Errorf(portal.CodeNotFound, "There is no such page.")
			}
			if who.Staff() {
				q.frame, err = s.Desk.DeskFrame(r.Context(), who)
			} else {
				q.frame, err = s.Customers.Frame(r.Context(), who)
			}
			if err != nil {
				return err
			}
			if q.location, err = time.LoadLocation(q.frame.TimeZone); err != nil {
				return err
			}
			return h(q)
		}())
	}
}

// toDesk leads staff away from a page of customers: one that they had open
// while they acted as one, or the brand's own address.
func (s *Server) toDesk(q *request) error {
	if q.URL.Path != "/" {
		return q.done("/desk/orders", "That is a page of customers. Open it from the customer at the desk.")
	}
	http.Redirect(q.w, q.Request, "/desk/orders", http.StatusSeeOther)
	return nil
}

// finish writes what a handler's error means.
func (s *Server) finish(q *request, err error) {
	if err == nil {
		return
	}
	if portal.ErrorCode(err) == portal.CodeUnauthorized && q.URL.Path != "/login" && !wantsJSON(q.Request) {
		s.clearCookie(q.w)
		to := "/login"
		if q.Method == http.MethodGet && q.URL.Path != "/" {
			to += "?next=" + url.QueryEscape(q.URL.RequestURI())
		}
		if isHTMX(q.Request) {
			q.w.Header().Set("HX-Redirect", to)
			q.w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
		return
	}
	s.failAs(q.w, q.Request, q.who, q.frame, err)
}

// next is where to go after log-in: a path of this portal, never elsewhere.
func next(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") ||
		strings.Contains(raw, `\`) || u.Path == "/login" || u.Path == "/live" {
		return "/"
	}
	return u.RequestURI()
}

// live hands the socket to realtime. Who has no session is told before the
// upgrade.
func (s *Server) live(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	who, err := s.Sessions.Session(r.Context(), s.token(r))
	if err != nil {
		http.Error(w, "log in first", status(err))
		return
	}
	if s.Live == nil {
		http.NotFound(w, r)
		return
	}
	// the page says whose it is: staff have pages of both kinds open
	if who.Staff() && r.URL.Query().Has("acting") {
		customer, ok, err := s.asCustomer(r, who)
		if err != nil || !ok {
			http.Error(w, "nobody's portal is open", http.StatusUnauthorized)
			return
		}
		who = customer
	}
	// and in which session it was made: a page that outlived its log-in, in the
	// browser's cache or another tab, hears nothing of who logged in since
	if of := r.URL.Query().Get("session"); of != "" && of != strconv.FormatInt(int64(who.ID), 10) {
		http.Error(w, "this page is of another session", http.StatusUnauthorized)
		return
	}
	s.Live(w, r, who)
}

func (s *Server) jobs(q *request) error {
	if s.JobsCSP != "" {
		q.w.Header().Set("Content-Security-Policy", s.JobsCSP)
	}
	s.JobsUI.ServeHTTP(q.w, q.Request)
	return nil
}
