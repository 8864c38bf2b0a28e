package shop

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// loginPage is the log-in form.
type loginPage struct {
	Email string `json:"email,omitempty"`
	Next  string `json:"next,omitempty"`
	Error string `json:"error,omitempty"`
	Done  bool   `json:"-"` // a new password was set just now

	Passkeys bool `json:"-"` // one logs in by itself
}

func (c *Counter) ShowLogIn(q *page.Request) error {
	to := c.Next(q.URL.Query().Get("next"))
	if q.Who.ID != 0 {
		http.Redirect(q.W, q.Request, to, http.StatusSeeOther)
		return nil
	}
	return c.PlainPage(q, http.StatusOK, "shop/login", "Log in",
		loginPage{Next: to, Done: q.URL.Query().Get("done") == "reset", Passkeys: c.Factors.OffersPasskeys()})
}

func (c *Counter) LogIn(q *page.Request) error {
	var in struct {
		Email    string `form:"email"`
		Password string `form:"password"`
		Next     string `form:"next"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	email := strings.TrimSpace(in.Email)
	token, who, err := c.Sessions.LogIn(q.Context(), email, in.Password, c.Browser(q.W, q.Request))
	if code := portal.ErrorCode(err); code == portal.CodeUnauthorized || code == portal.CodeTooMany {
		c.Logger.Warn("log-in refused", "request", page.RequestID(q.Context()), "source", c.Source(q.Request))
		if page.WantsJSON(q.Request) {
			return err
		}
		return c.PlainPage(q, page.Status(err), "shop/login", "Log in",
			loginPage{Email: email, Next: c.Next(in.Next), Error: portal.ErrorMessage(err),
				Passkeys: c.Factors.OffersPasskeys()})
	}
	if err != nil {
		return err
	}
	c.LoggedIn(q.W, token, who)
	if who.Stage != portal.StageFull {
		return c.halfway(q, who, c.Next(in.Next))
	}
	if page.WantsJSON(q.Request) {
		return page.WriteJSON(q.W, http.StatusOK,
			map[string]string{"email": who.Email, "role": string(who.Role), "customer_no": who.CustomerNo})
	}
	return c.toNext(q, who, c.Next(in.Next))
}

// halfway answers a log-in whose password was right: its second factor comes next.
func (c *Counter) halfway(q *page.Request, who portal.Session, next string) error {
	if page.WantsJSON(q.Request) {
		return page.WriteJSON(q.W, http.StatusAccepted,
			map[string]string{"stage": string(who.Stage), "next": "/login/factor"})
	}
	http.Redirect(q.W, q.Request, "/login/factor?next="+url.QueryEscape(next), http.StatusSeeOther)
	return nil
}

func (c *Counter) LogOut(q *page.Request) error {
	if err := c.Sessions.LogOut(q.Context(), c.Token(q.Request)); err != nil {
		return err
	}
	c.ClearCookie(q.W)
	if page.WantsJSON(q.Request) {
		return page.WriteJSON(q.W, http.StatusOK, map[string]bool{"ok": true})
	}
	http.Redirect(q.W, q.Request, "/login", http.StatusSeeOther)
	return nil
}

func (c *Counter) RevokeSession(q *page.Request) error {
	if err := c.OwnAffairs(q); err != nil {
		return err
	}
	id, err := strconv.ParseInt(q.Param("session_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such session.")
	}
	if err := c.Sessions.Revoke(q.Context(), q.Who, portal.SessionID(id)); err != nil {
		return err
	}
	return q.Done(profilePath(q.Who), "Session ended")
}

// EndOtherSessions ends all of the log-in's sessions but this one.
func (c *Counter) EndOtherSessions(q *page.Request) error {
	if err := c.OwnAffairs(q); err != nil {
		return err
	}
	n, err := c.Sessions.EndOthers(q.Context(), q.Who)
	switch {
	case err != nil:
		return err
	case n == 0:
		return q.Done(profilePath(q.Who), "There were no others.")
	}
	return q.Done(profilePath(q.Who), "All other sessions have ended.")
}

func (c *Counter) ChangePassword(q *page.Request) error {
	if err := c.OwnAffairs(q); err != nil {
		return err
	}
	var in struct {
		Current string `form:"current_password"`
		New     string `form:"new_password"`
		Again   string `form:"repeat_password"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	var err error
	if in.Again != "" && in.Again != in.New {
		err = portal.Invalid("repeat_password", "The two new passwords differ.")
	} else {
		err = c.Sessions.ChangePassword(q.Context(), q.Who, in.Current, in.New)
	}
	if portal.ErrorCode(err) == portal.CodeInvalid && !page.WantsJSON(q.Request) {
		return c.profilePage(q, err)
	}
	if err != nil {
		return err
	}
	return q.Done(profilePath(q.Who), "Password changed. Your other sessions have ended.")
}

func profilePath(who portal.Session) string {
	if who.Staff() {
		return "/desk/profile"
	}
	return "/profile"
}
