package sql

// The desk's services. Everything runs as the role portal_desk and is marked with
// the person who acts; what may be done is the database's to say. All are safe for
// concurrent use.
type (
	// OrderDesk implements portal.OrderDesk.
	OrderDesk struct{ db *DB }
	// CustomerDesk implements portal.CustomerDesk.
	CustomerDesk struct{ db *DB }
	// ItemDesk implements portal.ItemDesk.
	ItemDesk struct{ db *DB }
	// Warehouse implements portal.Warehouse.
	Warehouse struct{ db *DB }
	// PriceDesk implements portal.PriceDesk.
	PriceDesk struct{ db *DB }
	// ReturnDesk implements portal.ReturnDesk.
	ReturnDesk struct{ db *DB }
	// MoneyDesk implements portal.MoneyDesk.
	MoneyDesk struct{ db *DB }
	// InvoiceDesk implements portal.InvoiceDesk.
	InvoiceDesk struct{ db *DB }
	// StatementDesk implements portal.StatementDesk.
	StatementDesk struct{ db *DB }
	// RouteDesk implements portal.RouteDesk.
	RouteDesk struct{ db *DB }
)

// Desk are all of them on one database.
type Desk struct {
	*OrderDesk
	*CustomerDesk
	*ItemDesk
	*Warehouse
	*PriceDesk
	*ReturnDesk
	*MoneyDesk
	*InvoiceDesk
	*StatementDesk
	*RouteDesk
}

// NewDesk serves staff from db.
func NewDesk(db *DB) Desk {
	return Desk{&OrderDesk{db}, &CustomerDesk{db}, &ItemDesk{db}, &Warehouse{db}, &PriceDesk{db}, &ReturnDesk{db},
		&MoneyDesk{db}, &InvoiceDesk{db}, &StatementDesk{db}, &RouteDesk{db}}
}
