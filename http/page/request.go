package page

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-playground/form/v4"
	"github.com/julienschmidt/httprouter"

	"portal.example/portal"
)

// Request is one request with who makes it. A Handler answers through it and
// returns an error instead of writing one.
type Request struct {
	*http.Request
	W        http.ResponseWriter
	Who      portal.Session // the zero Session on public pages
	Frame    portal.Frame   // of the customer or the desk; taken before the page's data
	kit      *Kit
	location *time.Location // the company's
	params   httprouter.Params
	asks     []string // what this answer asks to have confirmed: name:value
	at       string   // where GET gives the page that answers; "" for the request's own address
}

// request is a request to this portal, before anybody knows whose it is.
func (k *Kit) request(w http.ResponseWriter, r *http.Request, params httprouter.Params) *Request {
	return &Request{Request: r, W: w, kit: k, params: params, location: time.UTC}
}

// Now is the time of business rules, erp.now() as the frame was read, in the
// company's zone. Where no frame was read (log-in, errors) nothing hangs on it.
func (q *Request) Now() time.Time {
	now, zone := q.Frame.Now, q.location
	if now.IsZero() {
		now = time.Now()
	}
	if zone == nil {
		zone = time.UTC
	}
	return now.In(zone)
}

// Today is the business date as a date field has it.
func (q *Request) Today() string { return q.Now().Format(time.DateOnly) }

// Ask notes that a refused form asks to have something confirmed, and what it
// told of it: the page that a live update fetches instead of it then asks the
// same, about the same.
func (q *Request) Ask(what, told string) { q.asks = append(q.asks, what+":"+told) }

// Asked is what was told by the question that the page being kept true asks, or
// "".
func (q *Request) Asked(what string) string {
	for _, a := range q.URL.Query()["confirm"] {
		if told, ok := strings.CutPrefix(a, what+":"); ok {
			return told
		}
	}
	return ""
}

// Handler answers a request or returns why it could not.
type Handler func(*Request) error

// At is a handler of a form that may answer with the page at another address: a
// route's, whose parameters are those of the form's own route. The page is fetched
// again from there.
func At(route string, h Handler) Handler {
	return func(q *Request) error {
		parts := strings.Split(route, "/")
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				parts[i] = q.params.ByName(name)
			}
		}
		q.at = strings.Join(parts, "/")
		return h(q)
	}
}

// formDecoder reads form values into structs by their form tags. Arrays are
// bounded, so that a crafted index cannot allocate much.
func newFormDecoder() *form.Decoder {
	d := form.NewDecoder()
	d.SetMaxArraySize(5000)
	return d
}

// MaxForm is how many bytes of form a page may send; the longest cart fits.
const MaxForm = 2 << 20

// Decode reads the posted form into v.
func (q *Request) Decode(v any) error {
	q.Body = http.MaxBytesReader(q.W, q.Body, MaxForm)
	if err := q.ParseForm(); err != nil {
		return unreadable(err)
	}
	values := url.Values{}
	for k, v := range q.PostForm {
		if !isText(k) || slices.ContainsFunc(v, func(s string) bool { return !isText(s) }) {
			return portal.Errorf(portal.CodeInvalid, "The form holds characters that are not text.")
		}
		if !strings.ContainsAny(k, "[]") { // in no name of ours; the decoder panics where they do not match
			values[strings.TrimSpace(k)] = cleanField(k, v)
		}
	}
	q.PostForm = values // handlers with fields of their own read it
	if err := newFormDecoder().Decode(v, values); err != nil {
		return &portal.Error{Code: portal.CodeInvalid, Message: "Some of the form could not be read.", Err: err}
	}
	return nil
}

// Every field is a text of one line, but these: textareas whose line breaks
// stay; what is pasted, whose tabs are columns; and passwords, of which each
// character counts.
var (
	fieldsOfLines = []string{"note", "details", "bill_to", "remit_to"}
	fieldsAsTyped = []string{"paste", "password", "new_password", "repeat_password", "current_password", "proof_password"}
)

// cleanField is what was typed into a field of a form, as texts are kept.
func cleanField(name string, typed []string) []string {
	clean := portal.CleanText
	switch {
	case slices.Contains(fieldsAsTyped, name):
		return typed
	case slices.Contains(fieldsOfLines, name):
		clean = portal.CleanLines
	}
	out := make([]string, len(typed))
	for i, s := range typed {
		out[i] = clean(s)
	}
	return out
}

// WantsJSON reports whether the answer should be the page's data.
func WantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// IsPart reports whether a part of a page asks, rather than a page.
func IsPart(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }
