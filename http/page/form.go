package page

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"portal.example/portal"
)

// FormErrors is why a form was refused, in the words of the page.
type FormErrors struct {
	Message string              `json:"error,omitempty"`
	Fields  []portal.FieldError `json:"fields,omitempty"`
}

func FormErrorsOf(err error) FormErrors {
	if err == nil {
		return FormErrors{}
	}
	f := FormErrors{Message: portal.ErrorMessage(err)}
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

// StillShown is what a refused form carries on of what its page showed: what the
// refusal has told its reader, else what it carried. What was typed is compared
// with that, and not with what nobody has read yet.
func StillShown(err error, carried string) string {
	if e, ok := errors.AsType[*portal.Error](err); ok && e.Shown != "" {
		return e.Shown
	}
	return carried
}

// Refused reports whether the page answers a form that was.
func (f FormErrors) Refused() bool { return f.Message != "" || len(f.Fields) > 0 }

// Error is the message at a field, or "".
func (f FormErrors) Error(field string) string { return f.LineError(field, 0) }

// LineError is the message at a field of a line, or "".
func (f FormErrors) LineError(field string, line int) string {
	for _, e := range f.Fields {
		if e.Field == field && e.Line == line {
			return e.Message
		}
	}
	return ""
}

// ShownOnPage reports whether a refusal is answered with the page it came
// from: the visitor can do something about it there.
func ShownOnPage(q *Request, err error) bool {
	code := portal.ErrorCode(err)
	return (code == portal.CodeInvalid || code == portal.CodeConflict || code == portal.CodeTooMany) &&
		!WantsJSON(q.Request) && !IsPart(q.Request)
}

// NewKey names a form, so that sending it twice does it once.
func NewKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Revision reads which state of an order a form was made from; nil where it
// does not say.
func Revision(s string) *int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil
	}
	return &n
}

// LineQtys reads the fields qty_<line number> of a form: what was typed, the
// quantities, and the lines whose field is empty. An error names each field
// that cannot be read.
func LineQtys(form url.Values) (typed map[int]string, qtys map[int]portal.Qty, empty []int, err error) {
	typed, qtys = map[int]string{}, map[int]portal.Qty{}
	refused := &portal.Error{Code: portal.CodeInvalid}
	for name, values := range form {
		number, isQty := strings.CutPrefix(name, "qty_")
		line, err := strconv.Atoi(number)
		if !isQty || err != nil || line < 1 || line > math.MaxInt32 {
			continue
		}
		text := strings.TrimSpace(values[0])
		typed[line] = text
		if text == "" {
			empty = append(empty, line)
			continue
		}
		qty, problem := LineQty(text, "0 for none")
		if problem != "" {
			refused.Fields = append(refused.Fields,
				portal.FieldError{Field: "qty", Line: line, Message: fmt.Sprintf("Line %d: %s", line, problem)})
			continue
		}
		qtys[line] = qty
	}
	if len(refused.Fields) > 0 {
		slices.SortFunc(refused.Fields, func(a, b portal.FieldError) int { return a.Line - b.Line })
		refused.Message = refused.Fields[0].Message
		return typed, nil, nil, refused
	}
	return typed, qtys, empty, nil
}

// LineQty reads the quantity of a document's line, which may be 0; none says
// what that means there.
func LineQty(text, none string) (qty portal.Qty, problem string) {
	read := portal.ReadQty(text)
	if read.Zero() {
		return portal.Qty{}, ""
	}
	if qty, problem = read.Number(); problem == portal.QtyAsk {
		problem = "enter a quantity like 12, or " + none + "."
	}
	return qty, problem
}
