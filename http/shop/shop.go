// Package shop is the buyers' counter: catalogue, cart, orders, invoices,
// account, returns and what a person does about themselves. Staff see these
// pages while they act for a customer.
//
// It holds no rule of the trade: what a page says comes from the services of
// package portal, and what may be done is the database's to say.
package shop

import (
	"embed"
	"html/template"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// Services are what the pages ask. All must be set.
type Services struct {
	Catalog       portal.CatalogService
	Carts         portal.CartService
	Entries       portal.EntryService
	Columns       portal.EntryColumnsService
	Reorders      portal.ReorderService
	Guides        portal.GuideService
	Orders        portal.OrderService
	Customers     portal.CustomerService
	Invoices      portal.InvoiceService
	Accounts      portal.AccountService
	Printer       portal.Printer
	SignOffs      portal.SignOffService
	People        portal.PeopleService
	Standing      portal.StandingOrderService
	Notices       portal.NoticeService
	Notifications portal.NotificationService
	Resets        portal.ResetService
	Credits       portal.CreditRequestService
}

// Counter serves the buyers' pages. Safe for concurrent use.
type Counter struct {
	*page.Kit
	Services
}

// New serves with kit, which has Templates.
func New(kit *page.Kit, services Services) *Counter { return &Counter{kit, services} }

//go:embed html
var files embed.FS

// Templates are the pages' own.
var Templates = page.Templates{Counter: "shop", Files: files, Funcs: func(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"role":             RoleWord,
		"limit":            limitWords,
		"person":           func(p portal.Person) string { return LogInState(p.Disabled, p.InvitedTill, now()) },
		"signOff":          signOffLook,
		"notificationIcon": notificationIcon,
		"looksOnly":        looksOnly,
		"device":           portal.Device,

		"returnRule": returnRule,
	}
}}
