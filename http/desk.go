package http

import (
	"errors"
	"net/http"
	"strings"

	"portal.example/portal"
)

// The desk's pages are those of staff: the order queue, customers with their
// Web Access, items. What each may do is the database's to say; a refusal is
// shown on the page it came from, with what was typed.

// deskHome leads to the queue.
func (s *Server) deskHome(q *request) error {
	http.Redirect(q.w, q.Request, "/desk/orders", http.StatusSeeOther)
	return nil
}

// formErrors is why a form was refused, in the words of the page.
type formErrors struct {
	Message string              `json:"error,omitempty"`
	Fields  []portal.FieldError `json:"fields,omitempty"`
}

func formErrorsOf(err error) formErrors {
	if err == nil {
		return formErrors{}
	}
	f := formErrors{Message: portal.ErrorMessage(err)}
	e, ok := errors.AsType[*portal.Error](err)
	if !ok {
		return f
	}
	f.Fields = e.Fields
	if len(f.Fields) == 1 && f.Fields[0].Message == f.Message {
		f.Message = "" // the list says it, with its link
		if e.Shown != "" {
			f.Message = "Changed meanwhile."
		}
	}
	return f
}

// stillShown is what a refused form carries on of what its page showed: what the
// refusal has told its reader, else what it carried. What was typed is compared
// with that, and not with what nobody has read yet.
func stillShown(err error, carried string) string {
	if e, ok := errors.AsType[*portal.Error](err); ok && e.Shown != "" {
		return e.Shown
	}
	return carried
}

// Refused reports whether the page answers a form that was.
func (f formErrors) Refused() bool { return f.Message != "" || len(f.Fields) > 0 }

// Error is the message at a field, or "".
func (f formErrors) Error(field string) string { return f.LineError(field, 0) }

// LineError is the message at a field of a line, or "".
func (f formErrors) LineError(field string, line int) string {
	for _, e := range f.Fields {
		if e.Field == field && e.Line == line {
			return e.Message
		}
	}
	return ""
}

// shownOnPage reports whether a refusal is answered with the page it came
// from: the visitor can do something about it there.
func shownOnPage(q *request, err error) bool {
	code := portal.ErrorCode(err)
	return (code == portal.CodeInvalid || code == portal.CodeConflict) && !wantsJSON(q.Request) && !isHTMX(q.Request)
}

// deskSearch is what was typed into a list's search box.
func deskSearch(q *request) string {
	search := strings.TrimSpace(q.URL.Query().Get("q"))
	if len(search) > 200 {
		search = search[:200]
	}
	return strings.ToValidUTF8(search, "")
}

// deskPath is the address of a document of the desk.
func deskPath(kind, number string) string { return "/desk/" + kind + "/" + portal.InAddress(number) }
