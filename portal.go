// Package portal is the domain of a wholesale distributor's customer portal:
// the nouns of the trade (customer, item, price, cart, order, event …), their
// validation, the rules that need no database, and the interfaces through
// which the technology folders meet.
//
// It imports the standard library and the decimal type only. PostgreSQL lives
// in sql, triggers and listener, pages in http, websockets in realtime, River
// in jobs; cmd/portal ties them together. What operators watch is no part of the
// trade: see package health.
package portal

// Named id types, so that swapping two ids does not compile. Zero means none.
type (
	CustomerID int64
	LoginID    int64
	SessionID  int64
	ItemID     int64
	OrderID    int64
	ShipmentID int64
	ShipToID   int64
	CategoryID int64
	InvoiceID  int64
	SignOffID  int64

	CreditRequestID int64
	PhotoID         int64
)
