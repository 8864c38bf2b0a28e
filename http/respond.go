package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf16"

	"portal.example/portal"
)

// view is what a page's template gets.
type view struct {
	Frame Frame
	Page  any
}

// page answers with a customer's or the desk's page, or with its data as JSON.
func (s *Server) page(q *request, status int, name, title, active string, data any) error {
	if wantsJSON(q.Request) {
		return writeJSON(q.w, status, data)
	}
	return s.render(q, status, name, "layout", view{Frame: s.frameOf(q, title, active), Page: data})
}

// plainPage answers with a page that has no navigation: log-in, errors.
func (s *Server) plainPage(q *request, status int, name, title string, data any) error {
	if wantsJSON(q.Request) {
		return writeJSON(q.w, status, data)
	}
	f := Frame{Brand: s.Brand, Title: title, RequestID: requestID(q.Context())}
	if q.who.Acting != portal.ActingNot { // staff always have the way back
		f.ActingBy, f.Preview, f.ActingAs = q.who.ActingBy, q.who.Acting == portal.ActingPreview, q.who.CustomerName
	}
	return s.render(q, status, name, "layout", view{Frame: f, Page: data})
}

// render executes into a buffer first, so that a failing template is an error
// page and not half a page.
func (s *Server) render(q *request, status int, name, layout string, v any) error {
	var buf bytes.Buffer
	if err := s.pages.execute(&buf, name, layout, q.now(), v); err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.WriteHeader(status)
	_, _ = buf.WriteTo(q.w) // the visitor may be gone
	return nil
}

func writeJSON(w http.ResponseWriter, status int, data any) error {
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

// done answers a form that succeeded: back to a page with a toast, or what a
// part of a page or a program needs.
func (q *request) done(to, toast string) error {
	switch {
	case wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]any{"ok": true, "message": toast})
	case isHTMX(q.Request):
		q.toast(toast)
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.SetCookie(q.w, &http.Cookie{Name: flashCookie, Value: url.QueryEscape(toast), Path: "/", MaxAge: 20,
		HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
	return nil
}

// flashCookie carries a toast over a redirect.
const flashCookie = "portal_flash"

func (q *request) flash() string {
	c, err := q.Cookie(flashCookie)
	if err != nil || q.Header.Get("X-Live") != "" { // a live refetch must not swallow it
		return ""
	}
	http.SetCookie(q.w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1})
	text, err := url.QueryUnescape(c.Value)
	if err != nil {
		return ""
	}
	return text
}

// toast has htmx show a short message.
func (q *request) toast(text string) {
	if text == "" {
		return
	}
	data, err := json.Marshal(map[string]any{"toast": map[string]string{"text": text}})
	if err != nil {
		return
	}
	q.w.Header().Set("HX-Trigger", asciiJSON(data))
}

// asciiJSON writes what is not ASCII as \u escapes: header values are ASCII.
func asciiJSON(data []byte) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(string(data))) {
		if unit < 0x80 {
			out.WriteByte(byte(unit))
		} else {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String()
}

// back is the page a form was on, where the browser says so, else fallback.
func (q *request) back(fallback string) string {
	u, err := url.Parse(q.Referer())
	if err != nil || u.Host != q.Host || u.Path == "" {
		return fallback
	}
	return next(u.RequestURI())
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

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.failAs(w, r, portal.Session{}, portal.Frame{}, err)
}

// failAs answers with an error: the visitor gets the words of a portal.Error
// and a request id, the log gets the chain.
func (s *Server) failAs(w http.ResponseWriter, r *http.Request, who portal.Session, _ portal.Frame, err error) {
	id := requestID(r.Context())
	code := status(err)
	switch {
	case code >= 500:
		s.Logger.Error("request failed", "request", id, "path", loggedPath(r.URL.Path), "login", int64(who.LoginID), "error", err)
	case code == http.StatusNotFound && who.ID != 0:
		// somebody may be trying other customers' numbers
		s.Logger.Warn("not found", "request", id, "path", loggedPath(r.URL.Path), "login", int64(who.LoginID), "customer", int64(who.CustomerID), "error", err)
	default:
		s.Logger.Info("request refused", "request", id, "path", loggedPath(r.URL.Path), "login", int64(who.LoginID), "error", err)
	}
	page := errorPage{Code: portal.ErrorCode(err), Message: portal.ErrorMessage(err), RequestID: id, Status: code, Home: "/"}
	if e, ok := errors.AsType[*portal.Error](err); ok {
		page.Fields = e.Fields
		if e.Shown != "" {
			page.Confirm = map[string]string{"shown": e.Shown}
		}
	}
	if r, ok := errors.AsType[*portal.RefusedError](err); ok {
		page.Confirm = map[string]string{}
		for name, value := range map[string]string{"confirm_prices": r.AskedPrices(), "confirm_po": r.AskedPO(), "shown_outcome": r.AskedOutcome()} {
			if value != "" {
				page.Confirm[name] = value
			}
		}
	}
	if who.Staff() {
		page.Home = "/desk/orders"
	}
	q := &request{Request: r, w: w, who: who, location: time.UTC}
	switch {
	case wantsJSON(r):
		_ = writeJSON(w, code, page)
	case isHTMX(r):
		q.toast(page.Message)
		w.WriteHeader(code)
	default:
		if err := s.plainPage(q, code, "error", http.StatusText(code), page); err != nil {
			s.Logger.Error("error page failed", "request", id, "error", err)
			http.Error(w, page.Message, code)
		}
	}
}
