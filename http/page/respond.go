package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"portal.example/portal"
)

// View is what a page's template gets.
type View struct {
	Frame Frame
	Page  any
}

// Page answers with a customer's or the desk's page, or with its data as JSON.
func (k *Kit) Page(q *Request, status int, name, title, active string, data any) error {
	if WantsJSON(q.Request) {
		return WriteJSON(q.W, status, data)
	}
	return k.Render(q, status, name, "layout", View{Frame: k.frameOf(q, title, active), Page: data})
}

// PlainPage answers with a page that has no navigation: log-in, errors.
func (k *Kit) PlainPage(q *Request, status int, name, title string, data any) error {
	if WantsJSON(q.Request) {
		return WriteJSON(q.W, status, data)
	}
	f := Frame{Brand: k.Brand, Title: title, RequestID: RequestID(q.Context())}
	if q.Who.Acting != portal.ActingNot { // staff always have the way back
		f.ActingBy, f.Preview, f.ActingAs = q.Who.ActingBy, q.Who.Acting == portal.ActingPreview, q.Who.CustomerName
	}
	return k.Render(q, status, name, "layout", View{Frame: f, Page: data})
}

// Render executes into a buffer first, so that a failing template is an error
// page and not half a page.
func (k *Kit) Render(q *Request, status int, name, layout string, v any) error {
	var buf bytes.Buffer
	if err := k.pages.execute(&buf, name, layout, q.Now(), v); err != nil {
		return err
	}
	q.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.W.WriteHeader(status)
	_, _ = buf.WriteTo(q.W) // the visitor may be gone
	return nil
}

func WriteJSON(w http.ResponseWriter, status int, data any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	if err := enc.Encode(data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = buf.WriteTo(w)
	return nil
}

// Done answers a form that succeeded: back to a page with a toast, or what a
// part of a page or a program needs.
func (q *Request) Done(to, toast string) error {
	switch {
	case WantsJSON(q.Request):
		return WriteJSON(q.W, http.StatusOK, map[string]any{"ok": true, "message": toast})
	case IsPart(q.Request):
		q.toast(toast)
		q.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	q.kit.setFlash(q.W, url.QueryEscape(toast), 20)
	http.Redirect(q.W, q.Request, to, http.StatusSeeOther)
	return nil
}

// flashCookie carries a toast over a redirect.
const flashCookie = "portal_flash"

func (k *Kit) setFlash(w http.ResponseWriter, text string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Value: text, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: !k.PlainHTTP, SameSite: http.SameSiteLaxMode})
}

func (q *Request) flash() string {
	c, err := q.Cookie(flashCookie)
	if err != nil || q.Header.Get("X-Live") != "" { // a live refetch must not swallow it
		return ""
	}
	q.kit.setFlash(q.W, "", -1)
	text, err := url.QueryUnescape(c.Value)
	if err != nil {
		return ""
	}
	return text
}

// toast has htmx show a short message.
func (q *Request) toast(text string) {
	if text == "" {
		return
	}
	q.W.Header().Set("HX-Trigger", portal.ASCIIJSON(map[string]any{"toast": map[string]string{"text": text}}))
}

// Back is the page a form was on, where the browser says so, else fallback.
func (q *Request) Back(fallback string) string {
	u, err := url.Parse(q.Referer())
	if err != nil || u.Host != q.Host || u.Path == "" {
		return fallback
	}
	return inside(u.RequestURI())
}

// errorPage is what a visitor reads of an error.
type errorPage struct {
	Code      portal.Code         `json:"code"`
	Message   string              `json:"message"`
	Fields    []portal.FieldError `json:"fields,omitempty"`
	Confirm   map[string]string   `json:"confirm,omitempty"` // fields that confirm what is asked, as it is now
	RequestID string              `json:"request_id"`
	Status    int                 `json:"-"`
	Home      string              `json:"-"`
}

func (k *Kit) Fail(w http.ResponseWriter, r *http.Request, err error) {
	k.FailAs(w, r, portal.Session{}, err)
}

// FailAs answers with an error: the visitor gets the words of a portal.Error
// and a request id, the log gets the chain.
func (k *Kit) FailAs(w http.ResponseWriter, r *http.Request, who portal.Session, err error) {
	id := RequestID(r.Context())
	code := Status(err)
	switch {
	case code >= 500:
		k.Logger.Error("request failed", "request", id, "path", loggedPath(r.URL.Path),
			"login", int64(who.LoginID), "error", err)
	case code == http.StatusNotFound && who.ID != 0:
		// somebody may be trying other customers' numbers
		k.Logger.Warn("not found", "request", id, "path", loggedPath(r.URL.Path), "login", int64(who.LoginID),
			"customer", int64(who.CustomerID), "error", err)
	default:
		k.Logger.Info("request refused", "request", id, "path", loggedPath(r.URL.Path),
			"login", int64(who.LoginID), "error", err)
	}
	page := errorPage{Code: portal.ErrorCode(err), Message: portal.ErrorMessage(err), RequestID: id,
		Status: code, Home: "/"}
	if e, ok := errors.AsType[*portal.Error](err); ok {
		page.Fields = e.Fields
		if e.Shown != "" {
			page.Confirm = map[string]string{"shown": e.Shown}
		}
	}
	if r, ok := errors.AsType[*portal.RefusedError](err); ok {
		page.Confirm = map[string]string{}
		for name, value := range map[string]string{"confirm_prices": r.AskedPrices(), "confirm_po": r.AskedPO(),
			"shown_outcome": r.AskedOutcome()} {
			if value != "" {
				page.Confirm[name] = value
			}
		}
	}
	if who.Staff() {
		page.Home = "/desk/orders"
	}
	q := k.request(w, r, nil)
	q.Who = who
	switch {
	case errors.Is(err, errTooSlow):
		http.Error(w, page.Message, code)
	case WantsJSON(r):
		_ = WriteJSON(w, code, page)
	case IsPart(r):
		q.toast(page.Message)
		w.WriteHeader(code)
	default:
		if err := k.PlainPage(q, code, "page/error", http.StatusText(code), page); err != nil {
			k.Logger.Error("error page failed", "request", id, "error", err)
			http.Error(w, page.Message, code)
		}
	}
}

// Status is the HTTP status of an error; nil is 200.
func Status(err error) int {
	if err == nil {
		return http.StatusOK
	}
	if errors.Is(err, errTooSlow) {
		return http.StatusRequestTimeout
	}
	switch portal.ErrorCode(err) {
	case portal.CodeInvalid:
		return http.StatusUnprocessableEntity
	case portal.CodeConflict:
		return http.StatusConflict
	case portal.CodeForbidden, portal.CodeConfirm:
		return http.StatusForbidden
	case portal.CodeNotFound:
		return http.StatusNotFound
	case portal.CodeUnauthorized, portal.CodeFactor:
		return http.StatusUnauthorized
	case portal.CodeTooMany:
		return http.StatusTooManyRequests
	}
	if errors.Is(err, context.Canceled) {
		return 499 // the visitor went away; nobody reads this
	}
	return http.StatusInternalServerError
}
