package page

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"portal.example/portal"
)

// Addressed has every part of a path stand as portal.InAddress writes it, before
// the routes are matched. Addresses of ours do already. One that was made by
// hand or by a program with percent-encoding, "/items/A%2FB%201", then leads to
// the same page; so does one in which a proxy has encoded our "~".
func (k *Kit) Addressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := addressPath(r.URL.EscapedPath()); path != r.URL.Path {
			u, again := *r.URL, *r
			u.Path, u.RawPath = path, ""
			again.URL = &u
			r = &again
		}
		next.ServeHTTP(w, r)
	})
}

// addressPath is a path as portal.InAddress writes its parts. Paths without
// numbers are left alone: files, and the job queue's own pages.
func addressPath(escaped string) string {
	if strings.HasPrefix(escaped, "/assets/") || strings.HasPrefix(escaped, "/ops/jobs/") {
		return escaped
	}
	parts := strings.Split(escaped, "/")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil {
			continue
		}
		if parts[i] = text; text != "" && (strings.Trim(text, ".") == "" || strings.ContainsFunc(text, notInAddress)) {
			parts[i] = portal.InAddress(text)
		}
	}
	return strings.Join(parts, "/")
}

// notInAddress reports whether portal.InAddress never writes r.
func notInAddress(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.~", r))
}

// Param is a number in the address.
func (q *Request) Param(name string) string { return portal.FromAddress(q.params.ByName(name)) }

// IsNew reports whether the address is that of something to be made, where else
// a number stands. A document that is numbered "new" has another address.
func (q *Request) IsNew(name string) bool { return q.params.ByName(name) == "new" }

// inAddress is portal.InAddress for templates, of a text by value or by pointer.
func inAddress(v any) string {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer {
		if p.IsNil() {
			return portal.InAddress("")
		}
		v = p.Elem().Interface()
	}
	return portal.InAddress(fmt.Sprint(v))
}

// ByNumber is what was typed into the fields of a form that are named by a
// number, as "apply-INV-1" with the prefix "apply-", by that number. A name has
// the number as an address has it.
func ByNumber(form url.Values, prefix string) map[string]string {
	typed := map[string]string{}
	for name, values := range form {
		if part, ok := strings.CutPrefix(name, prefix); ok && len(values) > 0 {
			typed[portal.FromAddress(part)] = values[0]
		}
	}
	return typed
}

// AtNumber has the errors of such fields lie at the names that the form has.
func AtNumber(err error, prefix string) error {
	if e, ok := errors.AsType[*portal.Error](err); ok {
		for i, f := range e.Fields {
			if no, ok := strings.CutPrefix(f.Field, prefix); ok {
				e.Fields[i].Field = prefix + portal.InAddress(no)
			}
		}
	}
	return err
}

// DeskPath is the address of a document of the desk.
func DeskPath(kind, number string) string { return "/desk/" + kind + "/" + portal.InAddress(number) }

// InviteLink is the address to hand over; a path where nobody has said what the
// portal's address is. The token stands behind the question mark, where our log
// does not look.
func (k *Kit) InviteLink(token string) string {
	return k.PublicURL + "/invite?token=" + url.QueryEscape(token)
}
