package portal

import "strings"

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

// Label is what the duty is called.
func (d Duty) Label() string {
	if d == "" {
		return ""
	}
	return strings.ToUpper(string(d[:1])) + string(d[1:])
}

// DutyWords are what duties are called, in a row.
func DutyWords(duties []Duty, between string) string {
	words := make([]string, len(duties))
	for i, d := range duties {
		words[i] = d.Label()
	}
	return strings.Join(words, between)
}
