package http

import (
	"net/http"
	"strconv"
	"strings"

	"portal.example/portal"
)

// cookieName: the __Host- prefix makes the browser insist on Secure, the root
// path and no domain. Without TLS it would refuse the cookie.
func (s *Server) cookieName() string {
	if s.PlainHTTP {
		return "portal_session"
	}
	return "__Host-portal_session"
}

func (s *Server) token(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *Server) setCookie(w http.ResponseWriter, token string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: !s.PlainHTTP, SameSite: http.SameSiteLaxMode})
}

func (s *Server) clearCookie(w http.ResponseWriter) { s.setCookie(w, "", -1) }

// loginPage is the log-in form.
type loginPage struct {
	Email string `json:"email,omitempty"`
	Next  string `json:"next,omitempty"`
	Error string `json:"error,omitempty"`
	Done  bool   `json:"-"` // a new password was set just now
}

func (s *Server) loginForm(q *request) error {
	to := next(q.URL.Query().Get("next"))
	if q.who.ID != 0 {
		http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
		return nil
	}
	return s.plainPage(q, http.StatusOK, "login", "Log in", loginPage{Next: to, Done: q.URL.Query().Get("done") == "reset"})
}

func (s *Server) login(q *request) error {
	var in struct {
		Email    string `form:"email"`
		Password string `form:"password"`
		Next     string `form:"next"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	email := strings.TrimSpace(in.Email)
	token, who, err := s.Sessions.LogIn(q.Context(), email, in.Password, s.source(q.Request), q.UserAgent())
	if portal.ErrorCode(err) == portal.CodeUnauthorized {
		s.Logger.Warn("log-in refused", "request", requestID(q.Context()), "email", email, "source", s.source(q.Request))
		if wantsJSON(q.Request) {
			return err
		}
		return s.plainPage(q, http.StatusUnauthorized, "login", "Log in",
			loginPage{Email: email, Next: next(in.Next), Error: portal.ErrorMessage(err)})
	}
	if err != nil {
		return err
	}
	s.setCookie(q.w, token, 30*24*3600)
	if wantsJSON(q.Request) {
		return writeJSON(q.w, http.StatusOK, map[string]string{"email": who.Email, "role": string(who.Role), "customer_no": who.CustomerNo})
	}
	to := next(in.Next)
	if who.Staff() && !strings.HasPrefix(to, "/desk") && !strings.HasPrefix(to, "/ops") {
		to = "/desk/orders"
	}
	http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
	return nil
}

func (s *Server) logout(q *request) error {
	if err := s.Sessions.LogOut(q.Context(), s.token(q.Request)); err != nil {
		return err
	}
	s.clearCookie(q.w)
	if wantsJSON(q.Request) {
		return writeJSON(q.w, http.StatusOK, map[string]bool{"ok": true})
	}
	http.Redirect(q.w, q.Request, "/login", http.StatusSeeOther)
	return nil
}

func (s *Server) revokeSession(q *request) error {
	if err := s.ownAffairs(q); err != nil {
		return err
	}
	id, err := strconv.ParseInt(q.param("session_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such session.")
	}
	if err := s.Sessions.Revoke(q.Context(), q.who, portal.SessionID(id)); err != nil {
		return err
	}
	return q.done(profilePath(q.who), "Session ended")
}

func (s *Server) changePassword(q *request) error {
	if err := s.ownAffairs(q); err != nil {
		return err
	}
	var in struct {
		Current string `form:"current_password"`
		New     string `form:"new_password"`
		Again   string `form:"repeat_password"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	var err error
	if in.Again != "" && in.Again != in.New {
		err = portal.Invalid("repeat_password", "The two new passwords differ.")
	} else {
		err = s.Sessions.ChangePassword(q.Context(), q.who, in.Current, in.New)
	}
	if portal.ErrorCode(err) == portal.CodeInvalid && !wantsJSON(q.Request) {
		return s.profilePage(q, err)
	}
	if err != nil {
		return err
	}
	return q.done(profilePath(q.who), "Password changed. Your other sessions have ended.")
}

func profilePath(who portal.Session) string {
	if who.Staff() {
		return "/desk/profile"
	}
	return "/profile"
}
