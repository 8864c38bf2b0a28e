package http

import (
	"net/http"

	"portal.example/portal"
)

// notificationsPage is what a log-in was told, read and unread.
type notificationsPage struct {
	portal.Notifications
}

// NextLink is the address of the older ones, or "".
func (p notificationsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/notifications", "before", p.Next)
}

func (s *Server) notifications(q *request) error {
	list, err := s.Notifications.Notifications(q.Context(), q.who, q.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "notifications", "Notifications", "", notificationsPage{list})
}

// openNotification marks one read and leads to what it is about.
func (s *Server) openNotification(q *request) error {
	link, err := s.Notifications.OpenNotification(q.Context(), q.who, q.param("id"))
	if err != nil {
		return err
	}
	if wantsJSON(q.Request) || isHTMX(q.Request) {
		return q.done("/notifications", "")
	}
	if q.Method == http.MethodPost || link == "" {
		link = "/notifications"
	}
	http.Redirect(q.w, q.Request, link, http.StatusSeeOther)
	return nil
}

func (s *Server) readNotifications(q *request) error {
	if err := s.Notifications.ReadNotifications(q.Context(), q.who); err != nil {
		return err
	}
	return q.done("/notifications", "All read")
}

// chooseMail keeps what the log-in wants by mail: the kinds ticked.
func (s *Server) chooseMail(q *request) error {
	if err := s.ownAffairs(q); err != nil {
		return err
	}
	var in struct {
		Mail []portal.NewsKind `form:"mail"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	if err := s.Notifications.ChooseMail(q.Context(), q.who, in.Mail); err != nil {
		return err
	}
	return q.done("/profile", "Saved")
}

// forgotPage is where somebody asks for a new password.
type forgotPage struct {
	formErrors
	Email string `json:"email"`
	Asked bool   `json:"asked"`
}

func (s *Server) forgotForm(q *request) error {
	return s.plainPage(q, http.StatusOK, "forgot", "New password", forgotPage{})
}

// forgot gives the same answer to every address, after the same work.
func (s *Server) forgot(q *request) error {
	var in struct {
		Email string `form:"email"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	err := s.Resets.ForgotPassword(q.Context(), in.Email)
	switch {
	case shownOnPage(q, err):
		return s.plainPage(q, status(err), "forgot", "New password", forgotPage{formErrors: formErrorsOf(err), Email: in.Email})
	case err != nil:
		return err
	}
	return s.plainPage(q, http.StatusOK, "forgot", "New password", forgotPage{Email: in.Email, Asked: true})
}

// resetPage is where a link sets a new password.
type resetPage struct {
	formErrors
	Email string `json:"email"`
	Token string `json:"-"`
}

// Path is where the form is posted to.
func (p resetPage) Path() string { return resetPath + portal.InAddress(p.Token) }

// resetPath begins the addresses that end with the secret of a link: what
// writes down an address leaves that out (see loggedPath), and so do browsers.
const resetPath = "/reset/"

func (s *Server) resetForm(q *request) error {
	token := q.param("token")
	q.w.Header().Set("Referrer-Policy", "no-referrer")
	email, err := s.Resets.ResetOf(q.Context(), token)
	if err != nil {
		return err
	}
	return s.plainPage(q, http.StatusOK, "reset", "New password", resetPage{Email: email, Token: token})
}

// reset sets the password and leads to the log-in.
func (s *Server) reset(q *request) error {
	token := q.param("token")
	q.w.Header().Set("Referrer-Policy", "no-referrer")
	var in struct {
		New   string `form:"new_password"`
		Again string `form:"repeat_password"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	email, err := s.Resets.ResetOf(q.Context(), token)
	if err == nil && in.Again != "" && in.Again != in.New {
		err = portal.Invalid("repeat_password", "The two passwords differ.")
	}
	if err == nil {
		err = s.Resets.ResetPassword(q.Context(), token, in.New)
	}
	switch {
	case shownOnPage(q, err):
		return s.plainPage(q, status(err), "reset", "New password", resetPage{formErrors: formErrorsOf(err), Email: email, Token: token})
	case err != nil:
		return err
	case wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]bool{"ok": true})
	}
	s.clearCookie(q.w) // whoever was logged in here
	http.Redirect(q.w, q.Request, "/login?done=reset", http.StatusSeeOther)
	return nil
}

// newsIcon is the picture of a kind of news; of none, of a notice.
func newsIcon(k portal.NewsKind) string {
	switch k {
	case portal.NewsOrderReceived:
		return "send"
	case portal.NewsOrderApproved:
		return "check"
	case portal.NewsOrderChanged:
		return "edit"
	case portal.NewsOrderRejected:
		return "ban"
	case portal.NewsOrderCancelled:
		return "x"
	case portal.NewsOrderShipped:
		return "truck-delivery"
	case portal.NewsOrderDelivered:
		return "circle-check"
	case portal.NewsSignOffWaiting, portal.NewsSignOffDecided:
		return "clipboard-check"
	case portal.NewsReminder:
		return "clock"
	case portal.NewsReturnDecided:
		return "receipt-refund"
	case portal.NewsStatement:
		return "file-text"
	}
	return "bell"
}
