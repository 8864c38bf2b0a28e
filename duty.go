package portal

import "slices"

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
