package page

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/julienschmidt/httprouter"

	"portal.example/portal"
)

// Staff see the portal of a customer on the customer's own pages, in the
// session that portal.ActingService keeps beside theirs. There is no second
// cookie: on a page of customers, staff are the customer whose portal they have
// open, if any.

// AsCustomer is who the visitor is on pages of customers. ok is false for
// staff that have no customer's portal open.
func (k *Kit) AsCustomer(r *http.Request, who portal.Session) (customer portal.Session, ok bool, err error) {
	if !who.Staff() {
		return who, true, nil
	}
	customer, ok, err = k.Sessions.ActingFor(r.Context(), who)
	if err == nil && ok && customer.Acting == portal.ActingPreview && r.Method != http.MethodGet &&
		r.Method != http.MethodHead {
		// the database would refuse it, too
		err = portal.Errorf(portal.CodeForbidden, portal.PreviewOnly)
	}
	return customer, ok, err
}

// OwnAffairs refuses what is a person's own while staff have the portal of a
// customer open: on its pages nobody should have to wonder whose password it is.
func (k *Kit) OwnAffairs(q *Request) error {
	_, acting, err := k.Sessions.ActingFor(q.Context(), q.Who)
	if err == nil && acting {
		err = portal.Errorf(portal.CodeForbidden,
			"Passwords and sessions are each person's own. Go back to the desk for yours.")
	}
	return err
}

// Public serves pages that need no session. One that is there is known.
func (k *Kit) Public(h Handler) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		q := k.request(w, r, p)
		if token := k.Token(r); token != "" {
			if who, err := k.Sessions.Session(r.Context(), token); err == nil {
				known(r)
				q.Who = who
			}
		}
		k.finish(q, h(q))
	}
}

// BuyerData serves what an open page of a customer asks for as somebody types:
// quick, since nothing of the frame is read.
func (k *Kit) BuyerData(h Handler) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		q := k.request(w, r, p)
		k.finish(q, func() (err error) {
			if q.Who, err = k.Sessions.Session(r.Context(), k.Token(r)); err != nil {
				return err
			}
			known(r)
			customer, ok, err := k.AsCustomer(r, q.Who)
			if err != nil {
				return err
			}
			if !ok {
				return portal.Errorf(portal.CodeNotFound, "There is no such page.")
			}
			q.Who = customer
			return h(q)
		}())
	}
}

// Anyone serves whoever is logged in, customer or staff.
func (k *Kit) Anyone(h Handler) httprouter.Handle {
	return k.guard(func(portal.Session) bool { return true }, h)
}

// Buyer serves customers, and staff who have a customer's portal open; other
// staff are sent to the desk.
func (k *Kit) Buyer(h Handler) httprouter.Handle {
	return k.guard(func(who portal.Session) bool { return who.Role == portal.RoleBuyer }, h)
}

// Staff serves the distributor's people.
func (k *Kit) Staff(h Handler) httprouter.Handle {
	return k.guard(portal.Session.Staff, h)
}

// Operator serves operators only.
func (k *Kit) Operator(h Handler) httprouter.Handle {
	return k.guard(func(who portal.Session) bool { return who.Role == portal.RoleOps }, h)
}

func (k *Kit) guard(may func(portal.Session) bool, h Handler) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		q := k.request(w, r, p)
		k.finish(q, func() error {
			who, err := k.Sessions.Session(r.Context(), k.Token(r))
			if err != nil {
				return err
			}
			known(r)
			q.Who = who
			forCustomers := may(portal.Session{Role: portal.RoleBuyer})
			if who.Staff() && !may(who) && forCustomers {
				customer, ok, err := k.AsCustomer(r, who)
				if ok {
					q.Who = customer // a refusal is shown as theirs, too
				}
				if err != nil {
					return err
				}
				if !ok && r.Method == http.MethodGet && !WantsJSON(r) && !IsPart(r) && r.Header.Get("X-Live") == "" {
					return k.toDesk(q)
				}
			}
			if who = q.Who; !may(who) {
				// what a login may not use does not exist for it
				return portal.Errorf(portal.CodeNotFound, "There is no such page.")
			}
			if q.Frame, err = k.Frames.Frame(r.Context(), who); err != nil {
				return err
			}
			if q.location, err = time.LoadLocation(q.Frame.TimeZone); err != nil {
				return err
			}
			return h(q)
		}())
	}
}

// toDesk leads staff away from a page of customers: one that they had open
// while they acted as one, or the brand's own address.
func (k *Kit) toDesk(q *Request) error {
	if q.URL.Path != "/" {
		return q.Done("/desk/orders", "That is a page of customers. Open it from the customer at the desk.")
	}
	http.Redirect(q.W, q.Request, "/desk/orders", http.StatusSeeOther)
	return nil
}

// finish writes what a handler's error means.
func (k *Kit) finish(q *Request, err error) {
	if err == nil {
		return
	}
	code := portal.ErrorCode(err)
	switch {
	case code == portal.CodeFactor && !WantsJSON(q.Request):
		q.leadTo("/login/factor")
	case code == portal.CodeUnauthorized && q.URL.Path != "/login" && !WantsJSON(q.Request):
		k.ClearCookie(q.W)
		q.leadTo("/login")
	default:
		k.FailAs(q.W, q.Request, q.Who, err)
	}
}

// leadTo sends the visitor to where they log in or prove who they are, and from
// there back to the page they wanted.
func (q *Request) leadTo(to string) {
	if q.Method == http.MethodGet && q.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(q.URL.RequestURI())
	}
	if IsPart(q.Request) {
		q.W.Header().Set("HX-Redirect", to)
		q.W.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(q.W, q.Request, to, http.StatusSeeOther)
}

// Next is where to go after log-in: a page of this portal, never elsewhere, and
// never an address that only takes forms.
func (k *Kit) Next(raw string) string {
	to := inside(raw)
	if path, _, _ := strings.Cut(to, "?"); k.IsPage != nil && !k.IsPage(path) {
		return "/"
	}
	return to
}

// inside is a path of this portal, "/" for whatever leads elsewhere.
func inside(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") ||
		strings.Contains(raw, `\`) || u.Path == "/login" || strings.HasPrefix(u.Path, "/login/") || u.Path == "/live" {
		return "/"
	}
	return u.RequestURI()
}
