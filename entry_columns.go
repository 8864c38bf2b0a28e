package portal

import "context"

// EntryColumns is which column of a table of order rows is what, counted from 0;
// -1 is none.
type EntryColumns struct {
	Head     bool // the row that looks like a head is one
	Item     int
	Quantity int
	Unit     int
	AllUnits string // the unit of all rows; "": by the column, else each item's own
	Sign     string // the decimal sign, "." or ",", where quantities do not say it themselves
}

// EntryColumnsService remembers what a customer said of its tables' columns.
type EntryColumnsService interface {
	// EntryColumns is the answer for a shape, the SHA-256 of what tells tables
	// apart as 64 hex digits. ok is false where nobody was asked.
	EntryColumns(ctx context.Context, who Session, shape string) (c EntryColumns, ok bool, err error)
	// RememberEntryColumns keeps an answer instead of the one before. Of many
	// shapes those answered last are kept.
	RememberEntryColumns(ctx context.Context, who Session, shape string, c EntryColumns) error
}
