package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	nethttp "net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"portal.example/portal/http"
	"portal.example/portal/http/desk"
	"portal.example/portal/http/ops"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"
	"portal.example/portal/jobs"
	"portal.example/portal/mail"
	"portal.example/portal/pdf"
	"portal.example/portal/realtime"
	"portal.example/portal/sql"
)

// app is the running portal: everything that serve and demo start, and end in
// order.
type app struct {
	settings
	logger *slog.Logger
	db     *sql.DB
	server *http.Server // nil when only jobs are worked
	hub    *realtime.Hub
	source eventSource
	jobs   *jobs.Client // nil when only pages are served
	ui     *jobs.UI
	watch  *watch // nil when only jobs are worked
	front  front  // TLS, where it ends here

	certificates certificateWatch

	metrics *metrics // nil when only jobs are worked

	draining atomic.Bool // it ends soon: no new visitors, please
}

// newApp opens the database and builds the parts; nothing runs yet.
func newApp(ctx context.Context, url, direct string, c settings, logger *slog.Logger) (*app, error) {
	if err := c.checkTransport(); err != nil {
		return nil, err
	}
	if !c.wallChecked {
		if err := checkWall(ctx, c.logins.URL(wallRole[c.only()], c.only(), url), logger); err != nil {
			return nil, err
		}
	}
	direct = cmp.Or(direct, url)
	db, err := sql.Open(ctx, sql.Config{URL: url, Logins: c.logins, Only: c.only(),
		DirectURL: cmp.Or(direct, c.logins.Work), Pooling: sql.Pooling(c.Pooled), WebConns: c.WebConns})
	if err != nil {
		return nil, fmt.Errorf("%w\nIs the database up, and migrated? portal doctor tells more", err)
	}
	a := &app{settings: c, logger: logger, db: db}
	if err := a.build(url, direct); err != nil {
		db.Close()
		return nil, err
	}
	return a, nil
}

// checkWall refuses a database that would show customers what is not theirs.
func checkWall(ctx context.Context, url string, logger *slog.Logger) error {
	wall, err := sql.CheckWall(ctx, url)
	if err != nil {
		return fmt.Errorf("%w\nIs the database up, and migrated? portal doctor tells more", err)
	}
	if wall.Stale {
		logger.Warn("this build cannot compare the database with what it must be: sql/wall.jsonl was not written anew")
	}
	if wall.Other {
		logger.Info("another version of the portal migrated this database; it was compared with what that version left",
			"migrations_behind", wall.Behind)
	}
	if holes := wall.Holes(); len(holes) > 0 {
		return &sql.HoleError{Holes: holes}
	}
	return nil
}

func (a *app) build(url, direct string) error {
	brand, err := a.brand()
	if err != nil {
		return err
	}
	post, err := a.postman(brand)
	if err != nil {
		return err
	}
	mails := sql.NewMailStore(a.db)
	press := pdf.New(brand.Letterhead(), append(slices.Clone(a.Fonts), pdf.SystemFonts...)...)
	if a.db.Work != nil {
		if err := a.buildJobs(press, mails, post); err != nil {
			return err
		}
	}
	if a.only() == sql.OnlyWork {
		return nil
	}

	sessions := sql.NewSessionStore(a.db, sql.SessionConfig{Cost: a.bcryptCost, Slow: a.slowLogIns})
	factors, err := a.factors(sessions, brand)
	if err != nil {
		return err
	}
	a.hub = realtime.New(realtime.Config{EventLog: sql.NewEventLog(a.db), Alive: sessions.Alive,
		SessionSockets: a.SessionSockets, Logger: a.logger})
	if direct, err = a.logins.Direct(sql.RoleAuth, a.only(), direct, url); err != nil {
		return err
	}
	a.source = a.newSource(direct)
	if a.jobs != nil {
		if a.ui, err = jobs.NewUI(a.jobs, a.logger, "/ops/jobs"); err != nil {
			return err
		}
	}
	a.watch = a.newWatch()
	a.metrics = a.newMetrics()
	if a.front, err = a.settings.front(a.db, a.logger); err != nil {
		return err
	}
	standing := sql.NewStandingStore(a.db)
	entries := sql.NewEntryStore(a.db)
	staff := sql.NewDesk(a.db)
	staffing := sql.NewStaffStore(a.db, a.bcryptCost)
	contact, err := contactURI(a.SecurityContact)
	if err != nil {
		return err
	}
	signOn, err := a.singleSignOn(sessions)
	if err != nil {
		return err
	}
	a.server, err = http.New(http.Config{
		Config: page.Config{
			Sessions:       sessions,
			Frames:         sql.NewFrameStore(a.db),
			Factors:        factors,
			SignOn:         signOn,
			Duties:         staffing,
			Acts:           sql.NewActStore(a.db),
			Brand:          brand,
			Logger:         a.logger,
			PlainHTTP:      a.PlainHTTP,
			PublicURL:      a.PublicURL,
			TrustedProxies: a.proxies,
			UnknownProxy:   a.unknownProxy,
			Limits:         a.limits,
			Observed:       a.metrics.observed,
		},
		Shop: shop.Services{
			Catalog:       sql.NewCatalogStore(a.db),
			Carts:         sql.NewCartStore(a.db),
			Entries:       entries,
			Columns:       entries,
			Reorders:      entries,
			Guides:        sql.NewGuideStore(a.db),
			Orders:        sql.NewOrderStore(a.db),
			Customers:     sql.NewCustomerStore(a.db),
			Invoices:      sql.NewInvoiceStore(a.db),
			Accounts:      sql.NewAccountStore(a.db),
			Printer:       press,
			SignOffs:      sql.NewSignOffStore(a.db),
			People:        sql.NewPeopleStore(a.db, a.bcryptCost),
			Standing:      standing,
			Notices:       standing,
			Notifications: sql.NewNotificationStore(a.db),
			Resets:        sql.NewResetStore(a.db, sessions),
			Credits:       sql.NewCreditRequestStore(a.db),
		},
		Desk: desk.Services{
			Orders:    staff.OrderDesk,
			Customers: staff.CustomerDesk,
			Items:     staff.ItemDesk,
			Warehouse: staff.Warehouse,
			Prices:    staff.PriceDesk,
			Returns:   staff.ReturnDesk,
			Money:     staff.MoneyDesk,
			Invoices:  staff.InvoiceDesk,
			Routes:    staff.RouteDesk,
			Staffing:  staffing,
			Held:      sql.NewHeldStore(a.db),
			Audit:     sql.NewAuditStore(a.db),
		},
		Ops: ops.Services{
			Statements: staff.StatementDesk,
			Mails:      mails,
			Proofs:     sql.NewProofStore(a.db),
			Enqueue:    a.jobs.Enqueue,
			Ops:        a.watch.state,
			JobsUI:     a.jobsUI(),
			JobsCSP:    jobs.UICSP,
		},
		Live:    a.hub.ServeLive,
		Ready:   a.ready,
		Metrics: a.metrics.handler(a.MetricsToken),

		SecurityContact: contact,
	})
	return err
}

// buildJobs makes the client of the job queue, which also operators' pages ask.
func (a *app) buildJobs(press *pdf.Press, mails *sql.MailStore, post *mail.Postman) (err error) {
	house := sql.NewHousekeeper(a.db.Work)
	a.jobs, err = jobs.New(jobs.Config{
		Pool:        a.db.Jobs,
		Orders:      sql.NewApproval(a.db.Work),
		Housekeeper: house,
		Standing:    sql.NewStandingWork(a.db.Work),
		Statements:  sql.NewStatementWork(a.db.Work, press),
		Proof:       sql.NewProof(a.db.Work),
		Mails:       mails,
		Post:        post,
		Logger:      a.logger,
		Clock:       house.Now,
		InsertOnly:  a.only() == sql.OnlyDesk,
	})
	return err
}

// jobsUI is nil where no jobs can be seen: an interface that holds a nil pointer is
// not.
func (a *app) jobsUI() nethttp.Handler {
	if a.ui == nil {
		return nil
	}
	return a.ui
}

// brand is the one that is set, else the built-in.
func (c settings) brand() (page.Brand, error) {
	if c.Brand == "" {
		return page.DefaultBrand()
	}
	return page.LoadBrand(os.DirFS(c.Brand))
}

// run starts everything, tells ready the address, and returns when ctx ends and
// all has been brought to an end, or when a part fails that nothing can mend.
func (a *app) run(ctx context.Context, ready func(address string)) error {
	defer a.db.Close()
	asked := ctx // to end, in contrast to failing
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	if a.db.Work != nil {
		if err := a.jobs.Start(ctx); err != nil {
			return fmt.Errorf("start jobs: %w", err)
		}
		defer a.stopJobs(ctx)
		defer a.startSealing(ctx)()
	}
	if a.server == nil {
		a.logger.Info("working jobs only")
		<-ctx.Done()
		return context.Cause(ctx)
	}

	if a.ProfileAddr != "" {
		if err := serveProfiles(ctx, a.ProfileAddr); err != nil {
			return err
		}
	}
	if err := a.serveMetrics(ctx); err != nil {
		return err
	}
	l, err := a.listen()
	if err != nil {
		return err
	}
	// Until the last socket has gone, it is told what happens.
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		if err := a.source.Run(live, a.hub.Deliver); err != nil && live.Err() == nil {
			fail(fmt.Errorf("event source: %w", err))
		}
	}()
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		a.watch.run(live)
	}()
	if a.ui != nil {
		if err := a.ui.Start(live); err != nil {
			return fmt.Errorf("start job pages: %w", err)
		}
	}
	web := a.webServer()
	go func() {
		if err := a.serveOn(ctx, web, l); !errors.Is(err, nethttp.ErrServerClosed) {
			fail(fmt.Errorf("serve: %w", err))
		}
	}()
	ready(l.Addr().String())

	<-ctx.Done() // jobs take no new work from here on
	a.draining.Store(true)
	if asked.Err() != nil {
		a.drain()
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := a.hub.Close(stop); err != nil {
		a.logger.Warn("close sockets", "error", err)
	}
	if err := web.Shutdown(stop); err != nil {
		a.logger.Warn("finish requests", "error", err)
	}
	end()
	<-listening
	<-watching
	return context.Cause(ctx)
}

// errEnding is why a node that serves well is not ready.
var errEnding = errors.New("the node is ending")

// ready tells a load balancer whether to send visitors here.
func (a *app) ready(ctx context.Context) error {
	if a.draining.Load() {
		return errEnding
	}
	if err := a.db.Web.Ping(ctx); err != nil {
		return err
	}
	n, err := a.db.Behind(ctx)
	if err == nil && n > 0 {
		err = fmt.Errorf("the database is %d migrations behind this version: run portal migrate", n)
	}
	return err
}

// drain goes on serving for a while as a node that is not ready, so that load
// balancers have taken it out before connections are refused.
func (a *app) drain() {
	if a.drainFor > 0 {
		a.logger.Info("ending: not ready for new visitors", "serving_on_for", a.drainFor)
		time.Sleep(a.drainFor)
	}
}

func (a *app) stopJobs(ctx context.Context) {
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := a.jobs.Stop(stop); err != nil {
		a.logger.Warn("finish jobs", "error", err)
	}
}
