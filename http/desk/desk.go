// Package desk is the counter of the distributor's own people: the order queue,
// the warehouse, customers with their Web Access, prices, items, routes, money
// and returns. What each may do is the database's to say; a refusal is shown on
// the page it came from, with what was typed.
package desk

import (
	"embed"
	"html/template"
	"net/http"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"
)

// Services are what the pages ask. All must be set.
type Services struct {
	Orders    portal.OrderDesk
	Customers portal.CustomerDesk
	Items     portal.ItemDesk
	Warehouse portal.Warehouse
	Prices    portal.PriceDesk
	Returns   portal.ReturnDesk
	Money     portal.MoneyDesk
	Invoices  portal.InvoiceDesk
	Routes    portal.RouteDesk
	Staffing  portal.StaffService
	Held      portal.HeldService
	Audit     portal.AuditService
}

// Counter serves the pages of staff. Safe for concurrent use.
type Counter struct {
	*page.Kit
	Services
	shop *shop.Counter // prints invoices and statements
}

// New serves with kit, which has Templates and those of the shop.
func New(kit *page.Kit, services Services, shop *shop.Counter) *Counter {
	return &Counter{kit, services, shop}
}

//go:embed html
var files embed.FS

// Templates are the pages' own.
var Templates = page.Templates{Counter: "desk", Files: files, Funcs: func(now func() time.Time) template.FuncMap {
	state := func(m portal.StaffMember) string { return shop.LogInState(m.Disabled, m.InvitedTill, now()) }
	return template.FuncMap{"staffState": state,
		"entryLink": entryLink}
}}

// Home leads to the queue, and who has no duty to what they may see.
func (c *Counter) Home(q *page.Request) error {
	http.Redirect(q.W, q.Request, page.DeskHome(q.Who), http.StatusSeeOther)
	return nil
}
