package portal

import (
	"errors"
	"slices"
	"strings"
)

// Duty is what somebody of the staff does here: a row of portal.duty.
type Duty string

const (
	DutySales         Duty = "sales"
	DutyWarehouse     Duty = "warehouse"
	DutyCredit        Duty = "credit"
	DutyPrices        Duty = "prices"
	DutyAdministrator Duty = "administrator"
)

// Duties are all there are, in the order of portal.duty.
var Duties = []Duty{DutySales, DutyWarehouse, DutyCredit, DutyPrices, DutyAdministrator}

// Has reports whether who has one of the duties.
func (s Session) Has(duties ...Duty) bool {
	return slices.ContainsFunc(duties, func(d Duty) bool { return slices.Contains(s.Duties, d) })
}

// DutiesNeeded are the duties one of which would have been needed, where that is why
// err refused.
func DutiesNeeded(err error) []Duty {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Needs
	}
	return nil
}

// Require refuses who has none of the duties.
func (s Session) Require(duties ...Duty) error {
	if s.Has(duties...) {
		return nil
	}
	return &Error{Code: CodeForbidden, Message: "This needs the duty " + dutyWords(duties) + ".", Needs: duties}
}

// Label is what the duty is called.
func (d Duty) Label() string {
	if d == "" {
		return ""
	}
	return strings.ToUpper(string(d[:1])) + string(d[1:])
}

// dutyWords are duties within a sentence.
func dutyWords(duties []Duty) string {
	words := make([]string, len(duties))
	for i, d := range duties {
		words[i] = d.Label()
	}
	return strings.Join(words, " or ")
}
