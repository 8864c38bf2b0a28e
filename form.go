package portal

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// typedNumber is how people write an amount: digits, commas between thousands
// or none, a point before the decimals.
var typedNumber = regexp.MustCompile(`^-?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?$|^-?\.\d+$`)

// readTyped reads a number as somebody typed it; ok is false where it is none,
// has more decimals than places or more digits than the database keeps.
func readTyped(s string, places int32) (d decimal.Decimal, ok bool) {
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "$"))
	if len(s) > 24 || !typedNumber.MatchString(s) {
		return decimal.Decimal{}, false
	}
	d, err := decimal.NewFromString(strings.TrimSuffix(strings.ReplaceAll(s, ",", ""), "."))
	if err != nil || !d.Equal(d.Round(places)) || d.Abs().GreaterThanOrEqual(decimal.New(1, 10)) {
		return decimal.Decimal{}, false
	}
	return d, true
}

// typed collects what is wrong with the fields of one form.
type typed struct{ fields []FieldError }

func (t *typed) wrong(field, message string) {
	t.fields = append(t.fields, FieldError{Field: field, Message: message})
}

// number reads a field that may be empty.
func (t *typed) number(field, label, s string, places int32, example string) *decimal.Decimal {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	d, ok := readTyped(s, places)
	switch {
	case !ok:
		t.wrong(field, label+": write a number like "+example+".")
		return nil
	case d.IsNegative():
		t.wrong(field, label+" cannot be negative.")
		return nil
	}
	return &d
}

func (t *typed) money(field, label, s string) *Money {
	if d := t.number(field, label, s, 2, "2500.00, or leave it empty for no limit"); d != nil {
		return &Money{*d}
	}
	return nil
}

func (t *typed) price(field, label, s string) *Price {
	if d := t.number(field, label, s, 4, "27.00, or leave it empty for none"); d != nil {
		return &Price{*d}
	}
	return nil
}

// choice takes one of the values; empty means unchanged.
func (t *typed) choice(field, s string, values ...string) string {
	for _, v := range values {
		if s == v {
			return s
		}
	}
	if s != "" {
		t.wrong(field, "Choose one of the list.")
	}
	return ""
}

// required reads a number that must be there.
func (t *typed) required(field, label, s string, places int32, example string) *Price {
	if strings.TrimSpace(s) == "" {
		t.wrong(field, label+" is missing: write a number like "+example+".")
		return nil
	}
	d := t.number(field, label, s, places, example)
	if d == nil {
		return nil
	}
	return &Price{*d}
}

// date reads a day that may be empty.
func (t *typed) date(field, label, s string) *time.Time {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.wrong(field, label+": write the date as 2026-06-30.")
		return nil
	}
	if !DayWithinReason(d) {
		t.wrong(field, label+": "+DayWords)
		return nil
	}
	return &d
}

// err is nil where all is well.
func (t *typed) err() error {
	switch len(t.fields) {
	case 0:
		return nil
	case 1:
		return &Error{Code: CodeInvalid, Message: t.fields[0].Message, Fields: t.fields}
	}
	return &Error{Code: CodeInvalid,
		Message: "Nothing was saved: " + strconv.Itoa(len(t.fields)) + " fields need another value.", Fields: t.fields}
}

// isoDay is a day as a date input wants it.
func isoDay(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}
