package portal

// Bases of aging: from which date the age of an invoice counts.
const (
	BasisInvoiceDate = "invoice_date"
	BasisDueDate     = "due_date"
)

// Aging is what is owed by the age of the documents; the buckets sum to the
// balance.
type Aging struct {
	Current Money `json:"current" db:"current_due"`
	Days30  Money `json:"days_30" db:"days_30"`
	Days60  Money `json:"days_60" db:"days_60"`
	Days90  Money `json:"days_90" db:"days_90"`
	Balance Money `json:"balance" db:"balance"`
	PastDue Money `json:"past_due" db:"past_due"`
}

// Buckets are the four of them, current first.
func (a Aging) Buckets() []Money { return []Money{a.Current, a.Days30, a.Days60, a.Days90} }

// BucketNames are what the buckets are called, in their order.
var BucketNames = []string{"Current", "30–59 days", "60–89 days", "90 days and more"}

// AgingRule is how an aging by a basis counts, in the words that stand below
// it.
func AgingRule(basis string) string {
	if basis == BasisDueDate {
		return "Ages count in days from the due date; what is not yet due is Current, as is what is up to 29 days past it. " +
			"Credits and payments not yet applied count from their own date, as negative amounts. Past due is what was due " +
			"before the day."
	}
	return "Ages count in days from the invoice date: Current is 0 to 29 days, then 30 to 59, 60 to 89, and 90 days " +
		"and more. " +
		"Credits and payments not yet applied count from their own date, as negative amounts. Past due is what was due " +
		"before the day."
}
