package portal

import (
	"context"
)

// DeskCustomer is one row of the desk's list of customers.
type DeskCustomer struct {
	CustomerNo  string  `json:"customer_no"`
	Name        string  `json:"name"`
	PriceLevel  string  `json:"price_level"`
	CreditLimit *Money  `json:"credit_limit"`
	CreditHold  bool    `json:"credit_hold"`
	Active      bool    `json:"active"`
	Route       *string `json:"route"`
	Enabled     bool    `json:"enabled"`
	OpenOrders  int     `json:"open_orders"`
}

// DeskCustomerDetail is a customer with its Web Access tab.
type DeskCustomerDetail struct {
	DeskCustomer
	TermsDays int          `json:"terms_days"`
	Balance   Money        `json:"balance"`
	Exposure  Money        `json:"exposure"`
	Access    WebAccess    `json:"access" db:"-"`
	Audit     []AuditEntry `json:"audit" db:"-"`
	ShipTos   []ShipTo     `json:"ship_tos" db:"-"`
	Logins    []string     `json:"logins"`
	People    []Person     `json:"people" db:"-"`
}

// CustomerDesk is the staff's side of customers and their Web Access.
type CustomerDesk interface {
	// Customers and DeskItems list by number, PageSize at a time; after is
	// the last number seen.
	Customers(ctx context.Context, who Session, query, after string) (rows []DeskCustomer, next string, err error)
	Customer(ctx context.Context, who Session, customerNo string) (DeskCustomerDetail, error)
	// SaveAccess is CodeConflict where somebody else has changed the row since
	// the form was made.
	SaveAccess(ctx context.Context, who Session, customerNo string, edit AccessEdit) error
}
