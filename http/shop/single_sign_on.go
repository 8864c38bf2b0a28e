package shop

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// signOnButton is single sign-on on the log-in page.
type signOnButton struct {
	Name    string `json:"name"`
	Refusal string `json:"error,omitempty"` // of the last try
	Silent  bool   `json:"-"`               // it did not answer a moment ago
	LogOut  bool   `json:"-"`               // somebody logged out here, and is logged in there
}

// confirmedPage says at the end of a way to the provider whether it proved who they are.
type confirmedPage struct {
	Provider string `json:"provider"`
	Refusal  string `json:"error,omitempty"`
}

// signOnButton is nil where there is no single sign-on.
func (c *Counter) signOnButton(q *page.Request) *signOnButton {
	if c.SignOn == nil {
		return nil
	}
	asked := q.URL.Query()
	return &signOnButton{Name: c.SignOn.Name(), Silent: c.SignOn.Silent(), LogOut: asked.Get("out") == "sso",
		Refusal: portal.SignOnRefusal(asked.Get("sso")).Words(c.SignOn.Name())}
}

var errNoSignOn = portal.Errorf(portal.CodeNotFound, "There is no such page.")

// BeginSignOn sends a browser to the provider, to log in.
func (c *Counter) BeginSignOn(q *page.Request) error {
	if c.SignOn == nil {
		return errNoSignOn
	}
	next := c.Next(q.URL.Query().Get("next"))
	if q.Who.ID != 0 {
		return c.toNext(q, q.Who, next)
	}
	return c.toProvider(q, portal.Session{}, next)
}

// ConfirmBySignOn sends one there who is logged in, to prove anew who they are.
func (c *Counter) ConfirmBySignOn(q *page.Request) error {
	if c.SignOn == nil || q.Who.By != portal.ByProvider {
		return errNoSignOn
	}
	return c.toProvider(q, q.Who, "/")
}

func (c *Counter) toProvider(q *page.Request, who portal.Session, next string) error {
	s, err := c.SignOn.BeginSignOn(q.Context(), who, c.Browser(q.W, q.Request).Known, next)
	if err != nil {
		return err
	}
	address, err := c.SignOn.Address(q.Context(), s, who.ID != 0)
	if err != nil {
		return c.signOnRefused(q, s, err)
	}
	http.Redirect(q.W, q.Request, address, http.StatusSeeOther)
	return nil
}

// EndSignOn is where the browser comes back to from the provider.
func (c *Counter) EndSignOn(q *page.Request) error {
	if c.SignOn == nil {
		return errNoSignOn
	}
	from, answer := c.Browser(q.W, q.Request), q.URL.Query()
	s, err := c.SignOn.TakeSignOn(q.Context(), answer.Get("state"), from.Known)
	if err == nil && s.Session != 0 && s.Session != q.Who.ID {
		err = &portal.SignOnError{Refusal: portal.SignOnExpired, Err: errors.New("its session has ended")}
		s.Session = 0
	}
	var id portal.Identity
	if err == nil {
		id, err = c.SignOn.Identify(q.Context(), s, answer)
	}
	if err != nil {
		return c.signOnRefused(q, s, err)
	}
	if s.Session != 0 {
		if err := c.SignOn.ConfirmByIdentity(q.Context(), q.Who, id); err != nil {
			return c.signOnRefused(q, s, err)
		}
		return c.PlainPage(q, http.StatusOK, "shop/confirmed", "It is you", confirmedPage{Provider: c.SignOn.Name()})
	}
	token, who, err := c.SignOn.LogInByIdentity(q.Context(), id, from)
	if err != nil {
		return c.signOnRefused(q, s, err)
	}
	c.LoggedIn(q.W, token, who)
	next := c.Next(s.Next)
	if who.Stage != portal.StageFull {
		return c.halfway(q, who, next)
	}
	return c.toNext(q, who, next)
}

// signOnRefused tells why: at the log-in, or where a form waits for the proof. What went
// wrong inside goes to the log.
func (c *Counter) signOnRefused(q *page.Request, s portal.SignOn, err error) error {
	refused, ok := errors.AsType[*portal.SignOnError](err)
	if !ok {
		return err
	}
	c.Logger.Warn("single sign-on refused", "request", page.RequestID(q.Context()), "source", c.Source(q.Request), "error",
		err)
	if s.Session != 0 {
		return c.PlainPage(q, http.StatusForbidden, "shop/confirmed", "Is it you?",
			confirmedPage{Provider: c.SignOn.Name(), Refusal: refused.Refusal.Words(c.SignOn.Name())})
	}
	to := "/login?sso=" + url.QueryEscape(string(refused.Refusal))
	if next := c.Next(cmp.Or(s.Next, "/")); next != "/" {
		to += "&next=" + url.QueryEscape(next)
	}
	http.Redirect(q.W, q.Request, to, http.StatusSeeOther)
	return nil
}

// LogOutOfProvider goes on to the provider's own log-out.
func (c *Counter) LogOutOfProvider(q *page.Request) error {
	if c.SignOn == nil {
		return errNoSignOn
	}
	http.Redirect(q.W, q.Request, cmp.Or(c.SignOn.LogOutAddress(q.Context()), "/login"), http.StatusSeeOther)
	return nil
}

// loggedOutTo is where a log-out leads.
func (c *Counter) loggedOutTo(q *page.Request) string {
	if c.SignOn != nil && q.Who.By == portal.ByProvider && c.SignOn.LogOutAddress(q.Context()) != "" {
		return "/login?out=sso"
	}
	return "/login"
}
