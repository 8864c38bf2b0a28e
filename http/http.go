// Package http is the portal's face: routes, sessions, forms, pages and their
// JSON. It turns requests into calls of the services that package portal
// names, and their answers into HTML or JSON with the same figures.
//
// It holds no rule of the trade and no SQL; websockets are realtime's, which
// arrives here as a function.
package http

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/julienschmidt/httprouter"
	"github.com/klauspost/compress/gzhttp"

	"portal.example/portal"
)

// Config is what a Server needs. All services must be set; the functions at
// the end may be nil, their routes then answer 404.
type Config struct {
	Sessions      portal.SessionService
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
	Desk          portal.DeskService
	Standing      portal.StandingOrderService
	Notices       portal.NoticeService
	Notifications portal.NotificationService
	Resets        portal.ResetService
	Mails         portal.MailService
	Credits       portal.CreditRequestService
	Proofs        portal.ProofService
	Brand         Brand
	Logger        *slog.Logger

	// PlainHTTP is for a server that is reached without TLS, as the demo is
	// on the loopback address: its cookie is not Secure and there is no HSTS.
	PlainHTTP bool

	// TrustedProxy takes the client's address from the last element of
	// X-Forwarded-For. Only behind a proxy that sets it.
	TrustedProxy bool

	// Live serves GET /live for a session.
	Live func(w http.ResponseWriter, r *http.Request, who portal.Session)
	// Ready says whether the server can serve: nil, or why not.
	Ready func(ctx context.Context) error
	// Enqueue adds a job and reports whether it did: one that waits already is
	// not doubled. Must be set.
	Enqueue func(ctx context.Context, args portal.JobArgs) (added bool, err error)
	// JobsUI is mounted under /ops/jobs for operators; JobsCSP replaces the
	// pages' content security policy there.
	JobsUI  http.Handler
	JobsCSP string
	// Metrics serves GET /metrics, and decides who may ask.
	Metrics http.Handler
	// Ops is what GET /ops shows of this node.
	Ops func() portal.NodeState
	// Observed, if set, is told of each answered request.
	Observed func(path string, status int, took time.Duration)
}

// Server answers requests. It is safe for concurrent use and needs no closing.
type Server struct {
	Config
	assets  *Assets
	pages   *pages
	handler http.Handler
}

// New builds the server: templates parsed, assets hashed. An error is a slip
// in what is embedded, or in the brand.
func New(config Config) (*Server, error) {
	s := &Server{Config: config}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.assets, err = NewAssets(config.Brand); err != nil {
		return nil, fmt.Errorf("http: assets: %w", err)
	}
	templates, err := fs.Sub(htmlFiles, "html")
	if err != nil {
		return nil, err
	}
	if s.pages, err = parsePages(templates, s.assets); err != nil {
		return nil, fmt.Errorf("http: templates: %w", err)
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypeFilter(compressible))
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	routes := http.NewCrossOriginProtection().Handler(s.routes())
	s.handler = s.observe(s.secure(s.readable(s.addressed(upgradeOr(routes, compress(routes))))))
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
	mux := httprouter.New()
	mux.HandleMethodNotAllowed = true
	mux.RedirectTrailingSlash = true
	mux.NotFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, portal.Errorf(portal.CodeNotFound, "There is no such page."))
	})

	mux.Handler("GET", "/assets/*name", s.assets)
	mux.Handler("GET", "/favicon.ico", http.RedirectHandler(s.assets.URL("logo.svg"), http.StatusFound))
	mux.GET("/healthz", s.healthz)
	mux.GET("/readyz", s.readyz)
	if s.Metrics != nil {
		mux.Handler("GET", "/metrics", s.Metrics)
	}

	mux.GET("/login", s.public(s.loginForm))
	mux.POST("/login", s.slowly(s.public(s.login)))
	mux.POST("/logout", s.public(s.logout))
	mux.GET("/live", s.live)
	mux.GET("/invite", s.slowly(s.public(s.inviteForm)))
	mux.POST("/invite", s.slowly(s.public(s.acceptInvite)))
	mux.GET("/forgot", s.public(s.forgotForm))
	mux.POST("/forgot", s.slowly(s.public(s.forgot)))
	mux.GET("/reset/:token", s.slowly(s.public(s.resetForm)))
	mux.POST("/reset/:token", s.slowly(s.public(s.reset)))

	mux.GET("/", s.buyer(s.dashboard))
	mux.GET("/catalog", s.buyer(s.catalog))
	mux.GET("/my-items", s.buyer(s.myItems))
	mux.GET("/lookup", s.buyerData(s.lookup))
	mux.POST("/my-items", s.buyer(s.addMany))
	mux.POST("/lists", s.buyer(s.saveList))
	mux.POST("/lists/:list_id/delete", s.buyer(s.deleteList))
	mux.POST("/lists/:list_id/items", s.buyer(s.putOnList))
	mux.GET("/items/:item_no", s.buyer(s.item))
	mux.GET("/items/:item_no/picture", s.anyone(s.picture))
	mux.POST("/favorites/:item_no", s.buyer(s.favorite))
	mux.GET("/quick-order", s.buyer(s.quickOrderForm))
	mux.POST("/quick-order", s.buyer(s.quickOrder))
	mux.GET("/quick-order/template", s.buyer(s.quickTemplate))
	mux.GET("/cart", s.buyer(s.cart))
	mux.POST("/cart", s.buyer(s.saveCart))
	mux.POST("/cart/lines", s.buyer(s.cartLine))
	mux.POST("/cart/submit", s.buyer(s.submitCart))
	mux.GET("/orders", s.buyer(s.orders))
	mux.GET("/orders/:order_no", s.buyer(s.order))
	mux.POST("/orders/:order_no/cancel", s.buyer(s.cancelOrder))
	mux.POST("/orders/:order_no/change", s.buyer(s.changeOrder))
	mux.POST("/orders/:order_no/reorder", s.buyer(s.reorderOrder))
	mux.GET("/standing-orders", s.buyer(s.standingOrders))
	mux.POST("/standing-orders", s.buyer(s.makeStandingOrder))
	mux.GET("/standing-orders/:standing_order_id", s.buyer(s.standingOrder)) // or new
	mux.POST("/standing-orders/:standing_order_id/settings", s.buyer(s.saveStandingOrder))
	mux.POST("/standing-orders/:standing_order_id/lines", s.buyer(s.saveStandingLines))
	mux.POST("/standing-orders/:standing_order_id/pause", s.buyer(s.pauseStandingOrder))
	mux.POST("/standing-orders/:standing_order_id/dates", s.buyer(s.standingDate))
	mux.POST("/standing-orders/:standing_order_id/delete", s.buyer(s.deleteStandingOrder))
	mux.POST("/notices/:notice_id/put-away", s.buyer(s.putAway))
	mux.GET("/notifications", s.buyer(s.notifications))
	mux.POST("/notifications", s.buyer(s.readNotifications))
	mux.GET("/notifications/:id", s.buyer(s.openNotification))
	mux.POST("/notifications/:id", s.buyer(s.openNotification))
	mux.GET("/invoices", s.buyer(s.invoices))
	mux.GET("/invoices.csv", s.buyer(s.exportInvoices))
	mux.GET("/invoices/:invoice_no", s.buyer(s.invoice))
	mux.GET("/invoices/:invoice_no/pdf", s.buyer(s.invoicePDF))
	mux.POST("/invoices/:invoice_no/reorder", s.buyer(s.reorderInvoice))
	mux.GET("/returns", s.buyer(s.creditRequests))
	mux.GET("/returns/:request_no", s.buyer(s.creditRequest)) // or new
	mux.POST("/returns/:request_no", s.buyer(s.makeReturn))   // new only
	mux.POST("/returns/:request_no/withdraw", s.buyer(s.withdrawRequest))
	mux.POST("/returns/:request_no/photos", s.buyer(s.requestPhotos))
	mux.GET("/returns/:request_no/photos/:photo_id", s.buyer(s.requestPhoto))
	mux.GET("/credit-memos/:memo_no", s.buyer(s.creditMemo))
	mux.GET("/account", s.buyer(s.account))
	mux.GET("/payments", s.buyer(s.payments))
	mux.GET("/payments/:payment_no", s.buyer(s.payment))
	mux.GET("/statement", s.buyer(s.statement))
	mux.GET("/statement/pdf", s.buyer(s.statementPDF))
	mux.POST("/statement", s.buyer(s.requestStatement))
	mux.GET("/statements/:statement_id/pdf", s.buyer(s.statementPaper))
	mux.GET("/approvals", s.buyer(s.approvals))
	mux.GET("/approvals/:sign_off", s.buyer(s.approval))
	mux.POST("/approvals/:sign_off/approve", s.buyer(s.approve))
	mux.POST("/approvals/:sign_off/reject", s.buyer(s.rejectApproval))
	mux.POST("/approvals/:sign_off/take-back", s.buyer(s.takeBackApproval))
	mux.GET("/people", s.buyer(s.people))
	mux.POST("/people", s.buyer(s.invite))
	mux.GET("/people/:login_id", s.buyer(s.person))
	mux.POST("/people/:login_id", s.buyer(s.savePerson))
	mux.POST("/people/:login_id/disable", s.buyer(s.disablePerson))
	mux.POST("/people/:login_id/link", s.buyer(s.renewInvitation))
	mux.GET("/profile", s.buyer(s.profile))
	mux.POST("/profile/password", s.anyone(s.changePassword))
	mux.POST("/profile/mail", s.buyer(s.chooseMail))
	mux.POST("/profile/sessions/:session_id/revoke", s.anyone(s.revokeSession))

	mux.POST("/acting/end", s.staff(s.endActing))

	mux.GET("/desk", s.staff(s.deskHome))
	mux.GET("/desk/orders", s.staff(s.deskOrders))
	mux.POST("/desk/orders", s.staff(s.deskApprove))
	mux.GET("/desk/orders/:order_no", s.staff(s.deskOrder))
	mux.POST("/desk/orders/:order_no/move", s.staff(s.deskMove))
	mux.POST("/desk/orders/:order_no/edit", s.staff(s.deskEdit))
	mux.POST("/desk/orders/:order_no/pick", s.staff(s.deskPick))
	mux.POST("/desk/orders/:order_no/ship", s.staff(s.deskShip))
	mux.POST("/desk/orders/:order_no/invoice", s.staff(s.deskInvoice))
	mux.GET("/desk/warehouse", s.staff(s.warehouse))
	mux.GET("/desk/warehouse/:order_no", s.staff(s.pickOrder))
	mux.GET("/desk/warehouse/:order_no/pick-list", s.staff(s.pickList))
	mux.GET("/desk/warehouse/:order_no/packing-slip", s.staff(s.packingSlip))
	mux.POST("/desk/warehouse/:order_no/pick", s.staff(s.pickStep))
	mux.POST("/desk/warehouse/:order_no/all", s.staff(s.pickAll))
	mux.POST("/desk/warehouse/:order_no/short", s.staff(s.pickShort))
	mux.POST("/desk/warehouse/:order_no/substitute", s.staff(s.pickSubstitute))
	mux.POST("/desk/warehouse/:order_no/ship", s.staff(s.pickShip))
	mux.POST("/desk/shipments/:shipment_id/delivered", s.staff(s.deliverShipment))
	mux.POST("/desk/shipments/:shipment_id/take-back", s.staff(s.takeBack))
	mux.GET("/desk/returns", s.staff(s.deskCredits))
	mux.GET("/desk/returns/:request_no", s.staff(s.deskCredit))
	mux.POST("/desk/returns/:request_no/review", s.staff(s.deskCreditReview))
	mux.POST("/desk/returns/:request_no/decide", s.staff(s.deskCreditDecide))
	mux.POST("/desk/returns/:request_no/reject", s.staff(s.deskCreditReject))
	mux.POST("/desk/returns/:request_no/receive", s.staff(s.deskCreditReceive))
	mux.POST("/desk/returns/:request_no/credit", s.staff(s.deskCreditIssue))
	mux.GET("/desk/returns/:request_no/photos/:photo_id", s.staff(s.deskCreditPhoto))
	mux.GET("/desk/customers", s.staff(s.deskCustomers))
	mux.GET("/desk/customers/:customer_no", s.staff(s.deskCustomer))
	mux.POST("/desk/customers/:customer_no/access", s.staff(s.deskSaveAccess))
	mux.POST("/desk/customers/:customer_no/acting", s.staff(s.beginActing))
	mux.GET("/desk/customers/:customer_no/people", s.staff(s.people))
	mux.POST("/desk/customers/:customer_no/people", s.staff(s.invite))
	mux.GET("/desk/customers/:customer_no/people/:login_id", s.staff(s.person))
	mux.POST("/desk/customers/:customer_no/people/:login_id", s.staff(s.savePerson))
	mux.POST("/desk/customers/:customer_no/people/:login_id/disable", s.staff(s.disablePerson))
	mux.POST("/desk/customers/:customer_no/people/:login_id/link", s.staff(s.renewInvitation))
	mux.GET("/desk/customers/:customer_no/prices", s.staff(s.customerPrices))
	mux.POST("/desk/customers/:customer_no/prices/contract", s.staff(s.saveContract))
	mux.POST("/desk/customers/:customer_no/prices/group", s.staff(s.saveGroup))
	mux.POST("/desk/customers/:customer_no/prices/end", s.staff(s.endRule))
	mux.POST("/desk/customers/:customer_no/prices/delete", s.staff(s.deleteRule))
	mux.GET("/desk/customers/:customer_no/account", s.staff(s.deskAccount))
	mux.POST("/desk/customers/:customer_no/payments", s.staff(s.postPayment))
	mux.POST("/desk/customers/:customer_no/credits", s.staff(s.issueCredit))
	mux.POST("/desk/customers/:customer_no/apply", s.staff(s.applyCredit))
	mux.GET("/desk/customers/:customer_no/statement", s.staff(s.deskStatement))
	mux.GET("/desk/customers/:customer_no/statement/pdf", s.staff(s.deskStatementPDF))
	mux.GET("/desk/aging", s.staff(s.deskAging))
	mux.GET("/desk/aging.csv", s.staff(s.exportAging))
	mux.GET("/desk/payments", s.staff(s.deskPayments))
	mux.GET("/desk/payments/:payment_no", s.staff(s.deskPayment))
	mux.POST("/desk/payments/:payment_no/reverse", s.staff(s.reversePayment))
	mux.GET("/desk/invoices", s.staff(s.deskInvoices))
	mux.GET("/desk/invoices/:invoice_no", s.staff(s.deskInvoicePage))
	mux.GET("/desk/invoices/:invoice_no/pdf", s.staff(s.deskInvoicePDF))
	mux.GET("/desk/invoicing", s.staff(s.deskInvoicing))
	mux.POST("/desk/invoicing", s.staff(s.invoiceMany))
	mux.GET("/ops/statements", s.operator(s.statementRuns))
	mux.POST("/ops/statements", s.operator(s.beginRun))
	mux.POST("/ops/statements/retry", s.operator(s.retryStatements))
	mux.POST("/desk/customers/:customer_no/route", s.staff(s.deskAssignRoute))
	mux.GET("/desk/routes", s.staff(s.deskRoutes))
	mux.POST("/desk/routes", s.staff(s.deskNewRoute))
	mux.GET("/desk/routes/:code", s.staff(s.deskRoute))
	mux.POST("/desk/routes/:code", s.staff(s.deskSaveRoute))
	mux.POST("/desk/routes/:code/holidays", s.staff(s.deskRouteHoliday))
	mux.POST("/desk/holidays", s.staff(s.deskAllHoliday))
	mux.POST("/desk/holidays/:holiday_id/delete", s.staff(s.deskDropHoliday))
	mux.GET("/desk/items", s.staff(s.deskItems))
	mux.GET("/desk/items/:item_no", s.staff(s.deskItem))
	mux.POST("/desk/items/:item_no", s.staff(s.deskSaveItem))
	mux.POST("/desk/items/:item_no/receive", s.staff(s.deskReceive))
	mux.POST("/desk/items/:item_no/expected", s.staff(s.deskExpect))
	mux.GET("/desk/items/:item_no/prices", s.staff(s.itemPrices))
	mux.POST("/desk/items/:item_no/prices/break", s.staff(s.saveBreak))
	mux.POST("/desk/items/:item_no/prices/end", s.staff(s.endRule))
	mux.POST("/desk/items/:item_no/prices/delete", s.staff(s.deleteRule))
	mux.GET("/desk/prices", s.staff(s.priceLists))
	mux.POST("/desk/prices", s.staff(s.importPrices))
	mux.GET("/desk/prices/export", s.staff(s.exportPrices))
	mux.GET("/desk/why", s.staff(s.deskWhy))
	mux.GET("/desk/profile", s.staff(s.deskProfile))

	if s.Ops != nil {
		mux.GET("/ops", s.operator(s.overview))
	}
	mux.GET("/ops/mail", s.operator(s.mails))
	mux.GET("/ops/mail/:mail_id", s.operator(s.mail))
	mux.GET("/ops/mail/:mail_id/html", s.operator(s.mailHTML))
	mux.POST("/ops/mail/:mail_id/retry", s.operator(s.retryMail))
	mux.GET("/ops/proof", s.operator(s.proof))
	mux.POST("/ops/proof", s.operator(s.runProof))
	mux.POST("/ops/proof/:difference_id/acknowledge", s.operator(s.acknowledgeProof))

	if s.JobsUI != nil {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			mux.Handle(method, "/ops/jobs/*rest", s.operator(s.jobs))
		}
		mux.Handle("GET", "/ops/jobs", s.operator(s.jobs))
	}
	return mux
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request, _ httprouter.Params) {
	fmt.Fprintln(w, "ok")
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	if s.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			s.Logger.Warn("not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ready")
}

// status is the HTTP status of an error.
func status(err error) int {
	switch portal.ErrorCode(err) {
	case portal.CodeInvalid:
		return http.StatusUnprocessableEntity
	case portal.CodeConflict:
		return http.StatusConflict
	case portal.CodeForbidden:
		return http.StatusForbidden
	case portal.CodeNotFound:
		return http.StatusNotFound
	case portal.CodeUnauthorized:
		return http.StatusUnauthorized
	case portal.CodeTooMany:
		return http.StatusTooManyRequests
	}
	if errors.Is(err, context.Canceled) {
		return 499 // the visitor went away; nobody reads this
	}
	return http.StatusInternalServerError
}
