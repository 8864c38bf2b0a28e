package page

import (
	"slices"

	"portal.example/portal"
)

// Frame is what stands around every page: the brand, who is logged in, where
// they are, and what the live script needs. A page is executed with a struct
// {Frame Frame; Page any}. A zero Session means nobody is logged in, and the
// frame then shows neither navigation nor search.
type Frame struct {
	Brand   Brand
	Title   string // of the page, without the brand's name
	Session portal.Session
	Active  string // Key of the NavEntry to mark
	Query   string // what stands in the search box

	CanOrder  bool // false: no cart
	SeePrices bool // false: the cart shows no total
	// SeeBalance: false shows no account, payments and statements.
	SeeBalance bool
	CartCount  int // lines in the cart
	CartTotal  string
	Rights     portal.Rights // of a customer's log-in

	Notices int                 // not read yet
	Notice  portal.Notification // the newest of them

	ActingBy  string // who of the staff sees this page as the customer; empty: the customer
	ActingAs  string // the customer
	Preview   bool   // and only looks
	StaffActs bool   // somebody of the staff acts as this customer now, elsewhere
	Toast     string // one short message that this page opens with
	Theme     string // what a browser without a choice of its own shows: light, dark; empty: its system's
	RequestID string

	LiveURL string        // websocket address; empty: the page does not change by itself
	Cursor  portal.Cursor // taken before the page read its data
	DayEnds int           // seconds until the company's next midnight, when prices may change; 0: not told
	// FirstPage is where the list begins that this page is a further page of;
	// empty on a first page.
	FirstPage string
	PageURL   string // where GET gives this page again, if not at its own address (answers to a POST)
}

// LoggedIn reports whether somebody is.
func (f Frame) LoggedIn() bool { return f.Session.ID != 0 }

// Who names who types on this page, for what is kept in the browser: staff who
// act for one customer do not find it again with another.
func (f Frame) Who() string {
	if f.ActingBy != "" {
		return f.ActingBy + " for " + f.Session.CustomerNo
	}
	return f.Session.Email
}

// Desk reports whether the page is one for staff.
func (f Frame) Desk() bool { return f.Session.Staff() }

// Buyer reports whether the page is one for a customer.
func (f Frame) Buyer() bool { return f.LoggedIn() && !f.Desk() }

// SearchURL is where the search box of the frame leads.
func (f Frame) SearchURL() string {
	if f.Desk() {
		return "/desk/orders"
	}
	return "/catalog"
}

// NavEntry is one entry of the navigation.
type NavEntry struct {
	Key, Label, URL, Icon string
	Current               bool
	Count                 int // of what waits there; 0: not shown
}

// Nav is the navigation at the side of wide screens.
func (f Frame) Nav() []NavEntry {
	if f.Desk() {
		nav := f.open(
			NavEntry{Key: "orders", Label: "Orders", URL: "/desk/orders", Icon: "clipboard-list"},
			NavEntry{Key: "warehouse", Label: "Warehouse", URL: "/desk/warehouse", Icon: "building-warehouse"},
			NavEntry{Key: "customers", Label: "Customers", URL: "/desk/customers", Icon: "building-store"},
			NavEntry{Key: "money", Label: "Money", URL: "/desk/aging", Icon: "wallet"},
			NavEntry{Key: "items", Label: "Items", URL: "/desk/items", Icon: "box"},
			NavEntry{Key: "returns", Label: "Returns", URL: "/desk/returns", Icon: "receipt-refund"},
			NavEntry{Key: "prices", Label: "Prices", URL: "/desk/prices", Icon: "tag"},
			NavEntry{Key: "routes", Label: "Routes", URL: "/desk/routes", Icon: "route"},
			NavEntry{Key: "staff", Label: "Staff", URL: "/desk/staff", Icon: "users"},
		)
		if len(nav) == 0 { // no duty yet
			nav = append(nav, NavEntry{Key: "profile", Label: "Profile", URL: "/desk/profile", Icon: "user"})
		}
		if f.Session.MayAudit() {
			nav = append(nav, NavEntry{Key: "audit", Label: "Audit log", URL: "/desk/audit", Icon: "history"})
		}
		if f.Session.Role == portal.RoleOps {
			nav = append(nav, NavEntry{Key: "overview", Label: "Overview", URL: "/ops", Icon: "trending-up"})
			nav = append(nav, NavEntry{Key: "statements", Label: "Statements", URL: "/ops/statements", Icon: "file-text"})
			nav = append(nav, NavEntry{Key: "mail", Label: "Mail", URL: "/ops/mail", Icon: "mail"})
			nav = append(nav, NavEntry{Key: "proof", Label: "Price proof", URL: "/ops/proof", Icon: "shield-check"})
			nav = append(nav, NavEntry{Key: "jobs", Label: "Jobs", URL: "/ops/jobs", Icon: "settings"})
		}
		return f.marked(nav)
	}
	nav := []NavEntry{
		{Key: "dashboard", Label: "Dashboard", URL: "/", Icon: "dashboard"},
		{Key: "catalog", Label: "Catalog", URL: "/catalog", Icon: "category"},
		{Key: "my-items", Label: "My Items", URL: "/my-items", Icon: "star"},
	}
	if f.CanOrder {
		nav = append(nav, NavEntry{Key: "quick-order", Label: "Quick order", URL: "/quick-order", Icon: "bolt"})
		nav = append(nav, NavEntry{Key: "cart", Label: "Cart", URL: "/cart", Icon: "cart"})
	}
	return f.marked(append(nav,
		f.withRights(
			NavEntry{Key: "orders", Label: "Orders", URL: "/orders", Icon: "clipboard-list"},
			NavEntry{Key: "standing", Label: "Standing orders", URL: "/standing-orders", Icon: "repeat"},
			NavEntry{Key: "approvals", Label: "Approvals", URL: "/approvals", Icon: "clipboard-check", Count: f.Rights.ToSign},
			NavEntry{Key: "invoices", Label: "Invoices", URL: "/invoices", Icon: "file-invoice"},
			NavEntry{Key: "returns", Label: "Returns", URL: "/returns", Icon: "receipt-refund"},
			NavEntry{Key: "account", Label: "Account", URL: "/account", Icon: "wallet"},
			NavEntry{Key: "people", Label: "People", URL: "/people", Icon: "users"},
			NavEntry{Key: "profile", Label: "Profile", URL: "/profile", Icon: "user"},
		)...))
}

// open leaves out what no duty of who looks opens.
func (f Frame) open(nav ...NavEntry) []NavEntry {
	return slices.DeleteFunc(nav, func(e NavEntry) bool { return !f.May("GET " + e.URL) })
}

// Bar is the navigation at the bottom of a phone: five entries at most.
func (f Frame) Bar() []NavEntry {
	if f.Desk() {
		nav := f.Nav()
		return nav[:min(len(nav), 5)]
	}
	middle := NavEntry{Key: "cart", Label: "Cart", URL: "/cart", Icon: "cart"}
	if !f.CanOrder {
		middle = NavEntry{Key: "my-items", Label: "My Items", URL: "/my-items", Icon: "star"}
	}
	return f.marked([]NavEntry{
		{Key: "dashboard", Label: "Home", URL: "/", Icon: "home"},
		{Key: "catalog", Label: "Catalog", URL: "/catalog", Icon: "category"},
		middle,
		{Key: "orders", Label: "Orders", URL: "/orders", Icon: "clipboard-list"},
		{Key: "profile", Label: "Profile", URL: "/profile", Icon: "user"},
	})
}

// withRights leaves out what the log-in's role does not see.
func (f Frame) withRights(nav ...NavEntry) []NavEntry {
	return slices.DeleteFunc(nav, func(e NavEntry) bool {
		switch e.Key {
		case "approvals":
			return !f.Rights.Requests
		case "invoices", "returns":
			return !f.Rights.Invoices
		case "account":
			return !f.SeeBalance
		case "people":
			return !f.Rights.People
		}
		return false
	})
}

// More is what the bar of a phone has no room for: it stands in the account
// menu there.
func (f Frame) More() []NavEntry {
	bar := f.Bar()
	return slices.DeleteFunc(f.Nav(), func(e NavEntry) bool {
		return slices.ContainsFunc(bar, func(b NavEntry) bool { return b.URL == e.URL })
	})
}

func (f Frame) marked(nav []NavEntry) []NavEntry {
	for i := range nav {
		nav[i].Current = nav[i].Key == f.Active
	}
	return nav
}
