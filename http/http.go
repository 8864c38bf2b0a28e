// Package http is the portal's face: routes, sessions, forms, pages and their
// JSON. It turns requests into calls of the services that package portal
// names, and their answers into HTML or JSON with the same figures.
//
// It holds no rule of the trade and no SQL; websockets are realtime's, which
// arrives here as a function.
package http

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"portal.example/portal/http/desk"
	"portal.example/portal/http/ops"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"

	"github.com/julienschmidt/httprouter"
	"github.com/klauspost/compress/gzhttp"

	"portal.example/portal"
)

// Config is what a Server needs. All services must be set; the functions at
// the end may be nil, their routes then answer 404.
type Config struct {
	page.Config
	Shop shop.Services
	Desk desk.Services
	Ops  ops.Services // without Ops and JobsUI their routes answer 404

	// Live serves GET /live for a session.
	Live func(w http.ResponseWriter, r *http.Request, who portal.Session)
	// Ready says whether the server can serve: nil, or why not.
	Ready func(ctx context.Context) error
	// Metrics serves GET /metrics, and decides who may ask.
	Metrics http.Handler
	// SecurityContact is the URI that /.well-known/security.txt names; without
	// one there is no such page.
	SecurityContact string
}

// Server answers requests. It is safe for concurrent use and needs no closing.
type Server struct {
	*page.Kit
	config  Config
	handler http.Handler
}

// New builds the server: templates parsed, assets hashed. An error is a slip in
// what is embedded, or in the brand.
func New(config Config) (*Server, error) {
	kit, err := page.New(config.Config, shop.Templates, desk.Templates, ops.Templates)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	s := &Server{Kit: kit, config: config}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypeFilter(compressible))
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	routes := http.NewCrossOriginProtection().Handler(s.routes())
	s.handler = kit.Timed(
		kit.Observe(kit.Secure(kit.Headed(kit.Readable(kit.Addressed(upgradeOr(routes, compress(routes))))))))
	return s, nil
}

// upgradeOr keeps websockets away from the compressing writer, which cannot be
// hijacked.
func upgradeOr(plain, compressed http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/live" {
			plain.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	})
}

func compressible(contentType string) bool {
	return gzhttp.DefaultContentTypeFilter(contentType)
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// routes is every address of the portal on one screen.
func (s *Server) routes() http.Handler {
	k := s.Kit
	shop := shop.New(k, s.config.Shop)
	desk := desk.New(k, s.config.Desk, shop)
	ops := ops.New(k, s.config.Ops)
	mux := httprouter.New()
	mux.HandleMethodNotAllowed = true
	mux.RedirectTrailingSlash = true
	k.IsPage = func(path string) bool {
		handle, _, _ := mux.Lookup(http.MethodGet, path)
		return handle != nil
	}
	mux.NotFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.Fail(w, r, portal.Errorf(portal.CodeNotFound, "There is no such page."))
	})

	mux.Handler("GET", "/assets/*name", k.Assets)
	mux.Handler("GET", "/favicon.ico", http.RedirectHandler(k.Assets.URL("logo.svg"), http.StatusFound))
	mux.GET("/healthz", s.healthz)
	mux.GET("/readyz", s.readyz)
	mux.GET("/.well-known/change-password", k.Anyone(changePassword))
	mux.GET("/.well-known/security.txt", s.securityTxt)
	if s.config.Metrics != nil {
		mux.Handler("GET", "/metrics", s.config.Metrics)
	}

	mux.GET("/login", k.Public(shop.ShowLogIn))
	mux.POST("/login", k.RateLimited(k.Public(shop.LogIn)))
	mux.POST("/login/passkey", k.RateLimited(k.Public(shop.LogInWithPasskey)))
	mux.POST("/login/passkey/options", k.RateLimited(k.Public(shop.LogInOptions)))
	mux.GET("/login/factor", k.AnyStage(shop.ShowFactor))
	mux.POST("/login/factor", k.RateLimited(k.AnyStage(shop.ProveFactor)))
	mux.POST("/logout", k.Public(shop.LogOut))
	mux.GET("/live", s.live)
	mux.GET("/invite", k.RateLimited(k.Public(shop.ShowInvitation)))
	mux.POST("/invite", k.RateLimited(k.Public(shop.AcceptInvitation)))
	mux.GET("/forgot", k.Public(shop.ShowForgotten))
	mux.POST("/forgot", k.RateLimited(k.Public(shop.SendReset)))
	mux.GET("/reset/:token", k.RateLimited(k.Public(shop.ShowReset)))
	mux.POST("/reset/:token", k.RateLimited(k.Public(shop.SetPassword)))

	mux.GET("/", k.Buyer(shop.ShowDashboard))
	mux.GET("/catalog", k.Buyer(shop.ListItems))
	mux.GET("/my-items", k.Buyer(shop.ListMyItems))
	mux.GET("/lookup", k.BuyerData(shop.Lookup))
	mux.POST("/my-items", k.Buyer(shop.AddMany))
	mux.POST("/lists", k.Buyer(shop.SaveList))
	mux.POST("/lists/:list_id/delete", k.Buyer(shop.DeleteList))
	mux.POST("/lists/:list_id/items", k.Buyer(shop.PutOnList))
	mux.GET("/items/:item_no", k.Buyer(shop.ShowItem))
	mux.GET("/items/:item_no/picture", k.Anyone(shop.ItemPicture))
	mux.POST("/favorites/:item_no", k.Buyer(shop.MarkFavorite))
	mux.GET("/quick-order", k.Buyer(shop.ShowQuickOrder))
	mux.POST("/quick-order", k.Buyer(shop.SendQuickOrder))
	mux.GET("/quick-order/template", k.Buyer(shop.QuickTemplate))
	mux.GET("/cart", k.Buyer(shop.ShowCart))
	mux.POST("/cart", k.Buyer(shop.SaveCart))
	mux.POST("/cart/lines", k.Buyer(shop.SaveCartLine))
	mux.POST("/cart/submit", k.Buyer(page.At("/cart", shop.SubmitCart)))
	mux.GET("/orders", k.Buyer(shop.ListOrders))
	mux.GET("/orders/:order_no", k.Buyer(shop.ShowOrder))
	mux.POST("/orders/:order_no/cancel", k.Buyer(page.At("/orders/:order_no", shop.CancelOrder)))
	mux.POST("/orders/:order_no/change", k.Buyer(page.At("/orders/:order_no", shop.ChangeOrder)))
	mux.POST("/orders/:order_no/reorder", k.Buyer(page.At("/orders/:order_no", shop.ReorderOrder)))
	mux.GET("/standing-orders", k.Buyer(shop.ListStandingOrders))
	mux.POST("/standing-orders", k.Buyer(page.At("/standing-orders/new", shop.MakeStandingOrder)))
	mux.GET("/standing-orders/:standing_order_id", k.Buyer(shop.ShowStandingOrder)) // or new
	mux.POST("/standing-orders/:standing_order_id/settings",
		k.Buyer(page.At("/standing-orders/:standing_order_id", shop.SaveStandingOrder)))
	mux.POST("/standing-orders/:standing_order_id/lines",
		k.Buyer(page.At("/standing-orders/:standing_order_id", shop.SaveStandingLines)))
	mux.POST("/standing-orders/:standing_order_id/pause",
		k.Buyer(page.At("/standing-orders/:standing_order_id", shop.PauseStandingOrder)))
	mux.POST("/standing-orders/:standing_order_id/dates",
		k.Buyer(page.At("/standing-orders/:standing_order_id", shop.SaveStandingDate)))
	mux.POST("/standing-orders/:standing_order_id/delete",
		k.Buyer(page.At("/standing-orders/:standing_order_id", shop.DeleteStandingOrder)))
	mux.POST("/notices/:notice_id/put-away", k.Buyer(shop.PutAwayNotice))
	mux.GET("/notifications", k.Buyer(shop.ListNotifications))
	mux.POST("/notifications", k.Buyer(shop.ReadNotifications))
	mux.GET("/notifications/:id", k.Buyer(shop.OpenNotification))
	mux.POST("/notifications/:id", k.Buyer(shop.OpenNotification))
	mux.GET("/invoices", k.Buyer(shop.ListInvoices))
	mux.GET("/invoices.csv", k.Buyer(shop.ExportInvoices))
	mux.GET("/invoices/:invoice_no", k.Buyer(shop.ShowInvoice))
	mux.GET("/invoices/:invoice_no/pdf", k.Buyer(shop.InvoicePDF))
	mux.POST("/invoices/:invoice_no/reorder", k.Buyer(page.At("/invoices/:invoice_no", shop.ReorderInvoice)))
	mux.GET("/returns", k.Buyer(shop.ListReturns))
	mux.GET("/returns/:request_no", k.Buyer(shop.ShowReturn))  // or new
	mux.POST("/returns/:request_no", k.Buyer(shop.MakeReturn)) // new only
	mux.POST("/returns/:request_no/withdraw", k.Buyer(page.At("/returns/:request_no", shop.WithdrawReturn)))
	mux.POST("/returns/:request_no/photos", k.Buyer(page.At("/returns/:request_no", shop.AddReturnPhotos)))
	mux.GET("/returns/:request_no/photos/:photo_id", k.Buyer(shop.ReturnPhoto))
	mux.GET("/credit-memos/:memo_no", k.Buyer(shop.ShowCreditMemo))
	mux.GET("/account", k.Buyer(shop.ShowAccount))
	mux.GET("/payments", k.Buyer(shop.ListPayments))
	mux.GET("/payments/:payment_no", k.Buyer(shop.ShowPayment))
	mux.GET("/statement", k.Buyer(shop.ShowStatement))
	mux.GET("/statement/pdf", k.Buyer(shop.StatementPDF))
	mux.POST("/statement", k.Buyer(shop.RequestStatement))
	mux.GET("/statements/:statement_id/pdf", k.Buyer(shop.KeptStatementPDF))
	mux.GET("/approvals", k.Buyer(shop.ListApprovals))
	mux.GET("/approvals/:sign_off", k.Buyer(shop.ShowApproval))
	mux.POST("/approvals/:sign_off/approve", k.Buyer(page.At("/approvals/:sign_off", shop.Approve)))
	mux.POST("/approvals/:sign_off/reject", k.Buyer(page.At("/approvals/:sign_off", shop.RejectApproval)))
	mux.POST("/approvals/:sign_off/take-back", k.Buyer(page.At("/approvals/:sign_off", shop.TakeBackApproval)))
	mux.GET("/people", k.Buyer(shop.ListPeople))
	mux.POST("/people", k.Buyer(k.Confirmed(shop.Invite)))
	mux.GET("/people/:login_id", k.Buyer(shop.ShowPerson))
	mux.POST("/people/:login_id", k.Buyer(k.Confirmed(shop.SavePerson)))
	mux.POST("/people/:login_id/disable", k.Buyer(page.At("/people/:login_id", k.Confirmed(shop.DisablePerson))))
	mux.POST("/people/:login_id/link", k.Buyer(page.At("/people/:login_id", k.Confirmed(shop.RenewInvitation))))
	mux.GET("/profile", k.Buyer(shop.ShowProfile))
	mux.POST("/profile/password", k.RateLimited(k.Anyone(page.At("/profile", shop.ChangePassword))))
	mux.POST("/profile/mail", k.Buyer(page.At("/profile", shop.ChooseMail)))
	mux.POST("/profile/sessions", k.Anyone(page.At("/profile", shop.EndOtherSessions)))
	mux.POST("/profile/passkey", k.AnyStage(k.Confirmed(shop.AddPasskey)))
	mux.POST("/profile/passkey/new", k.AnyStage(k.Confirmed(shop.BeginPasskey)))
	mux.POST("/profile/passkey/options", k.AnyStage(shop.PasskeyOptions))
	mux.POST("/profile/app", k.AnyStage(k.Confirmed(shop.BeginApp)))
	mux.POST("/profile/app/add", k.AnyStage(k.Confirmed(shop.AddApp)))
	mux.POST("/profile/codes", k.AnyStage(k.Confirmed(shop.NewCodes)))
	mux.POST("/profile/factors/:factor_id/remove", k.AnyStage(k.Confirmed(shop.RemoveFactor)))
	mux.POST("/profile/browsers/:browser_id/forget", k.AnyStage(shop.ForgetBrowser))
	mux.POST("/profile/sessions/:session_id/revoke", k.Anyone(shop.RevokeSession))

	mux.POST("/acting/end", k.Staff(desk.EndActing))

	mux.GET("/desk", k.Staff(desk.Home))
	mux.GET("/desk/orders", k.Staff(desk.ListOrders))
	mux.POST("/desk/orders", k.Staff(desk.ApproveOrders))
	mux.GET("/desk/orders/:order_no", k.Staff(desk.ShowOrder))
	mux.POST("/desk/orders/:order_no/move", k.Staff(page.At("/desk/orders/:order_no", desk.MoveOrder)))
	mux.POST("/desk/orders/:order_no/edit", k.Staff(page.At("/desk/orders/:order_no", desk.EditOrder)))
	mux.POST("/desk/orders/:order_no/pick", k.Staff(page.At("/desk/orders/:order_no", desk.PickOrder)))
	mux.POST("/desk/orders/:order_no/ship", k.Staff(page.At("/desk/orders/:order_no", desk.ShipOrder)))
	mux.POST("/desk/orders/:order_no/invoice", k.Staff(page.At("/desk/orders/:order_no", desk.InvoiceOrder)))
	mux.GET("/desk/warehouse", k.Staff(desk.ShowWarehouse))
	mux.GET("/desk/warehouse/:order_no", k.Staff(desk.ShowPick))
	mux.GET("/desk/warehouse/:order_no/pick-list", k.Staff(desk.PickList))
	mux.GET("/desk/warehouse/:order_no/packing-slip", k.Staff(desk.PackingSlip))
	mux.POST("/desk/warehouse/:order_no/pick", k.Staff(page.At("/desk/warehouse/:order_no", desk.PickStep)))
	mux.POST("/desk/warehouse/:order_no/all", k.Staff(page.At("/desk/warehouse/:order_no", desk.PickAll)))
	mux.POST("/desk/warehouse/:order_no/short", k.Staff(page.At("/desk/warehouse/:order_no", desk.PickShort)))
	mux.POST("/desk/warehouse/:order_no/substitute", k.Staff(page.At("/desk/warehouse/:order_no", desk.PickSubstitute)))
	mux.POST("/desk/warehouse/:order_no/ship", k.Staff(page.At("/desk/warehouse/:order_no", desk.PickShip)))
	mux.POST("/desk/shipments/:shipment_id/delivered",
		k.Staff(page.At("/desk/shipments/:shipment_id", desk.DeliverShipment)))
	mux.POST("/desk/shipments/:shipment_id/take-back",
		k.Staff(page.At("/desk/shipments/:shipment_id", desk.TakeBackShipment)))
	mux.GET("/desk/returns", k.Staff(desk.ListReturns))
	mux.GET("/desk/returns/:request_no", k.Staff(desk.ShowReturn))
	mux.POST("/desk/returns/:request_no/review", k.Staff(page.At("/desk/returns/:request_no", desk.ReviewReturn)))
	mux.POST("/desk/returns/:request_no/decide", k.Staff(page.At("/desk/returns/:request_no", desk.DecideReturn)))
	mux.POST("/desk/returns/:request_no/reject", k.Staff(page.At("/desk/returns/:request_no", desk.RejectReturn)))
	mux.POST("/desk/returns/:request_no/receive", k.Staff(page.At("/desk/returns/:request_no", desk.ReceiveReturn)))
	mux.POST("/desk/returns/:request_no/credit",
		k.Staff(page.At("/desk/returns/:request_no", k.Confirmed(desk.CreditReturn))))
	mux.GET("/desk/returns/:request_no/photos/:photo_id", k.Staff(desk.ReturnPhoto))
	mux.GET("/desk/customers", k.Staff(desk.ListCustomers))
	mux.GET("/desk/customers/:customer_no", k.Staff(desk.ShowCustomer))
	mux.POST("/desk/customers/:customer_no/access", k.Staff(page.At("/desk/customers/:customer_no", desk.SaveAccess)))
	mux.POST("/desk/customers/:customer_no/acting", k.Staff(page.At("/desk/customers/:customer_no", desk.BeginActing)))
	mux.GET("/desk/customers/:customer_no/people", k.Staff(shop.ListPeople))
	mux.POST("/desk/customers/:customer_no/people", k.Staff(k.Confirmed(shop.Invite)))
	mux.POST("/desk/customers/:customer_no/second-factor",
		k.Staff(page.At("/desk/customers/:customer_no/people", k.Confirmed(shop.RequireFactor))))
	mux.GET("/desk/customers/:customer_no/people/:login_id", k.Staff(shop.ShowPerson))
	mux.POST("/desk/customers/:customer_no/people/:login_id", k.Staff(k.Confirmed(shop.SavePerson)))
	mux.POST("/desk/customers/:customer_no/people/:login_id/disable",
		k.Staff(page.At("/desk/customers/:customer_no/people/:login_id", k.Confirmed(shop.DisablePerson))))
	mux.POST("/desk/customers/:customer_no/people/:login_id/link",
		k.Staff(page.At("/desk/customers/:customer_no/people/:login_id", k.Confirmed(shop.RenewInvitation))))
	mux.GET("/desk/customers/:customer_no/prices", k.Staff(desk.ShowCustomerPrices))
	mux.POST("/desk/customers/:customer_no/prices/contract",
		k.Staff(page.At("/desk/customers/:customer_no/prices", desk.SaveContract)))
	mux.POST("/desk/customers/:customer_no/prices/group",
		k.Staff(page.At("/desk/customers/:customer_no/prices", desk.SaveGroup)))
	mux.POST("/desk/customers/:customer_no/prices/end",
		k.Staff(page.At("/desk/customers/:customer_no/prices", desk.EndRule)))
	mux.POST("/desk/customers/:customer_no/prices/delete",
		k.Staff(page.At("/desk/customers/:customer_no/prices", desk.DeleteRule)))
	mux.GET("/desk/customers/:customer_no/account", k.Staff(desk.ShowAccount))
	mux.POST("/desk/customers/:customer_no/payments",
		k.Staff(page.At("/desk/customers/:customer_no/account", k.Confirmed(desk.PostPayment))))
	mux.POST("/desk/customers/:customer_no/credits",
		k.Staff(page.At("/desk/customers/:customer_no/account", k.Confirmed(desk.IssueCredit))))
	mux.POST("/desk/customers/:customer_no/apply",
		k.Staff(page.At("/desk/customers/:customer_no/account", k.Confirmed(desk.ApplyCredit))))
	mux.GET("/desk/customers/:customer_no/statement", k.Staff(desk.ShowStatement))
	mux.GET("/desk/customers/:customer_no/statement/pdf", k.Staff(desk.StatementPDF))
	mux.GET("/desk/aging", k.Staff(desk.ShowAging))
	mux.GET("/desk/aging.csv", k.Staff(desk.ExportAging))
	mux.GET("/desk/payments", k.Staff(desk.ListPayments))
	mux.GET("/desk/payments/:payment_no", k.Staff(desk.ShowPayment))
	mux.POST("/desk/payments/:payment_no/reverse",
		k.Staff(page.At("/desk/payments/:payment_no", k.Confirmed(desk.ReversePayment))))
	mux.GET("/desk/invoices", k.Staff(desk.ListInvoices))
	mux.GET("/desk/invoices/:invoice_no", k.Staff(desk.ShowInvoice))
	mux.GET("/desk/invoices/:invoice_no/pdf", k.Staff(desk.InvoicePDF))
	mux.GET("/desk/invoicing", k.Staff(desk.ShowInvoicing))
	mux.POST("/desk/invoicing", k.Staff(desk.InvoiceOrders))
	mux.GET("/ops/statements", k.Operator(ops.ListStatementRuns))
	mux.POST("/ops/statements", k.Operator(ops.BeginRun))
	mux.POST("/ops/statements/retry", k.Operator(ops.RetryStatements))
	mux.POST("/desk/customers/:customer_no/route", k.Staff(page.At("/desk/customers/:customer_no", desk.AssignRoute)))
	mux.GET("/desk/routes", k.Staff(desk.ListRoutes))
	mux.POST("/desk/routes", k.Staff(desk.NewRoute))
	mux.GET("/desk/routes/:code", k.Staff(desk.ShowRoute))
	mux.POST("/desk/routes/:code", k.Staff(desk.SaveRoute))
	mux.POST("/desk/routes/:code/holidays", k.Staff(page.At("/desk/routes/:code", desk.SaveRouteHoliday)))
	mux.POST("/desk/holidays", k.Staff(page.At("/desk/routes", desk.SaveHoliday)))
	mux.POST("/desk/holidays/:holiday_id/delete", k.Staff(page.At("/desk/holidays/:holiday_id", desk.DropHoliday)))
	mux.GET("/desk/items", k.Staff(desk.ListItems))
	mux.GET("/desk/items/:item_no", k.Staff(desk.ShowItem))
	mux.POST("/desk/items/:item_no", k.Staff(desk.SaveItem))
	mux.POST("/desk/items/:item_no/receive", k.Staff(page.At("/desk/items/:item_no", desk.ReceiveGoods)))
	mux.POST("/desk/items/:item_no/expected", k.Staff(page.At("/desk/items/:item_no", desk.ExpectGoods)))
	mux.GET("/desk/items/:item_no/prices", k.Staff(desk.ShowItemPrices))
	mux.POST("/desk/items/:item_no/prices/break", k.Staff(page.At("/desk/items/:item_no/prices", desk.SaveBreak)))
	mux.POST("/desk/items/:item_no/prices/end", k.Staff(page.At("/desk/items/:item_no/prices", desk.EndRule)))
	mux.POST("/desk/items/:item_no/prices/delete", k.Staff(page.At("/desk/items/:item_no/prices", desk.DeleteRule)))
	mux.GET("/desk/prices", k.Staff(desk.ListPriceLists))
	mux.POST("/desk/prices", k.Staff(desk.ImportPrices))
	mux.GET("/desk/prices/export", k.Staff(desk.ExportPrices))
	mux.GET("/desk/why", k.Staff(desk.ShowWhy))
	mux.GET("/desk/profile", k.Staff(shop.ShowDeskProfile))

	if s.config.Ops.Ops != nil {
		mux.GET("/ops", k.Operator(ops.ShowOverview))
	}
	mux.GET("/ops/mail", k.Operator(ops.ListMails))
	mux.GET("/ops/mail/:mail_id", k.Operator(ops.ShowMail))
	mux.GET("/ops/mail/:mail_id/html", k.Operator(ops.MailHTML))
	mux.POST("/ops/mail/:mail_id/retry", k.Operator(ops.RetryMail))
	mux.GET("/ops/proof", k.Operator(ops.ShowProof))
	mux.POST("/ops/proof", k.Operator(ops.RunProof))
	mux.POST("/ops/proof/:difference_id/acknowledge", k.Operator(ops.AcknowledgeProof))

	if s.config.Ops.JobsUI != nil {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			mux.Handle(method, "/ops/jobs/*rest", k.Operator(ops.Jobs))
		}
		mux.Handle("GET", "/ops/jobs", k.Operator(ops.Jobs))
	}
	return mux
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request, _ httprouter.Params) {
	fmt.Fprintln(w, "ok")
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	if s.config.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := s.config.Ready(ctx); err != nil {
			s.Logger.Warn("not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ready")
}
