package shop

import (
	"net/http"

	"portal.example/portal"
	"portal.example/portal/http/page"
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
	return page.ListLink("/notifications", "before", p.Next)
}

func (c *Counter) ListNotifications(q *page.Request) error {
	list, err := c.Notifications.Notifications(q.Context(), q.Who, q.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/notifications", "Notifications", "", notificationsPage{list})
}

// OpenNotification marks one read and leads to what it is about.
func (c *Counter) OpenNotification(q *page.Request) error {
	link, err := c.Notifications.OpenNotification(q.Context(), q.Who, q.Param("id"))
	if err != nil {
		return err
	}
	if page.WantsJSON(q.Request) || page.IsPart(q.Request) {
		return q.Done("/notifications", "")
	}
	if q.Method == http.MethodPost || link == "" {
		link = "/notifications"
	}
	http.Redirect(q.W, q.Request, link, http.StatusSeeOther)
	return nil
}

func (c *Counter) ReadNotifications(q *page.Request) error {
	if err := c.Notifications.ReadNotifications(q.Context(), q.Who); err != nil {
		return err
	}
	return q.Done("/notifications", "All read")
}

// ChooseMail keeps what the log-in wants by mail: the kinds ticked.
func (c *Counter) ChooseMail(q *page.Request) error {
	if err := c.OwnAffairs(q); err != nil {
		return err
	}
	var in struct {
		Mail []portal.NotificationKind `form:"mail"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	if err := c.Notifications.ChooseMail(q.Context(), q.Who, in.Mail); err != nil {
		return err
	}
	return q.Done("/profile", "Saved")
}

// forgotPage is where somebody asks for a new password.
type forgotPage struct {
	page.FormErrors
	Email string `json:"email"`
	Asked bool   `json:"asked"`
}

func (c *Counter) ShowForgotten(q *page.Request) error {
	return c.PlainPage(q, http.StatusOK, "shop/forgot", "New password", forgotPage{})
}

// SendReset gives the same answer to every address, after the same work.
func (c *Counter) SendReset(q *page.Request) error {
	var in struct {
		Email string `form:"email"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	err := c.Resets.ForgotPassword(q.Context(), in.Email, c.Source(q.Request))
	switch {
	case page.ShownOnPage(q, err):
		return c.PlainPage(q, page.Status(err), "shop/forgot", "New password",
			forgotPage{FormErrors: page.FormErrorsOf(err), Email: in.Email})
	case err != nil:
		return err
	}
	return c.PlainPage(q, http.StatusOK, "shop/forgot", "New password", forgotPage{Email: in.Email, Asked: true})
}

// resetPage is where a link sets a new password.
type resetPage struct {
	page.FormErrors
	Email string `json:"email"`
	Token string `json:"-"`
}

// Path is where the form is posted to.
func (p resetPage) Path() string { return page.ResetPath + portal.InAddress(p.Token) }

func (c *Counter) ShowReset(q *page.Request) error {
	token := q.Param("token")
	q.W.Header().Set("Referrer-Policy", "no-referrer")
	email, err := c.Resets.ResetOf(q.Context(), token)
	if err != nil {
		return err
	}
	return c.PlainPage(q, http.StatusOK, "shop/reset", "New password", resetPage{Email: email, Token: token})
}

// SetPassword sets the password and leads to the log-in.
func (c *Counter) SetPassword(q *page.Request) error {
	token := q.Param("token")
	q.W.Header().Set("Referrer-Policy", "no-referrer")
	var in struct {
		New   string `form:"new_password"`
		Again string `form:"repeat_password"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	email, err := c.Resets.ResetOf(q.Context(), token)
	if err == nil && in.Again != "" && in.Again != in.New {
		err = portal.Invalid("repeat_password", "The two passwords differ.")
	}
	if err == nil {
		err = c.Resets.ResetPassword(q.Context(), token, in.New)
	}
	switch {
	case page.ShownOnPage(q, err):
		return c.PlainPage(q, page.Status(err), "shop/reset", "New password",
			resetPage{FormErrors: page.FormErrorsOf(err), Email: email, Token: token})
	case err != nil:
		return err
	case page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]bool{"ok": true})
	}
	c.ClearCookie(q.W) // whoever was logged in here
	http.Redirect(q.W, q.Request, "/login?done=reset", http.StatusSeeOther)
	return nil
}

// notificationIcon is the picture of a kind of news; of none, of a notice.
func notificationIcon(k portal.NotificationKind) string {
	switch k {
	case portal.NotifyOrderReceived:
		return "send"
	case portal.NotifyOrderApproved:
		return "check"
	case portal.NotifyOrderChanged:
		return "edit"
	case portal.NotifyOrderRejected:
		return "ban"
	case portal.NotifyOrderCancelled:
		return "x"
	case portal.NotifyOrderShipped:
		return "truck-delivery"
	case portal.NotifyOrderDelivered:
		return "circle-check"
	case portal.NotifySignOffWaiting, portal.NotifySignOffDecided:
		return "clipboard-check"
	case portal.NotifyReminder:
		return "clock"
	case portal.NotifyReturnDecided:
		return "receipt-refund"
	case portal.NotifyStatement:
		return "file-text"
	}
	return "bell"
}
