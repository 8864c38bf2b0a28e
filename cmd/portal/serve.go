package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"portal.example/portal/http/page"
	"portal.example/portal/mail"
	"portal.example/portal/sql"
)

type serveCommand struct {
	URL string `name:"database-url" help:"The ERP's database: postgres://user@host/name, or a libpq keyword string. Not needed where each log-in has its own." env:"DATABASE_URL,PORTAL_DATABASE_URL" placeholder:"URL"`
	loginSettings
	DirectURL string        `help:"Connection that does not pass a pooler, for LISTEN, jobs and migrations. Default: the database URL." env:"PORTAL_DIRECT_URL" placeholder:"URL"`
	Events    string        `help:"How changes are heard of: notify (any PostgreSQL) or wal (its write-ahead log, for an ERP that writes much; needs wal_level=logical and the right REPLICATION)." enum:"notify,wal" default:"notify" env:"PORTAL_EVENTS"`
	Drain     time.Duration `help:"At SIGTERM, how long to go on serving while /readyz says 503: longer than a load balancer takes to notice." default:"5s" env:"PORTAL_DRAIN"`
	settings
}

// settings are what serve and demo share.
type settings struct {
	Addr            string        `help:"Address to listen on. Default: 127.0.0.1:8080; where TLS ends here, :443." env:"PORTAL_ADDR" placeholder:"ADDRESS"`
	Brand           string        `help:"Directory with brand.json and logo.svg. Default: the built-in brand." type:"existingdir" env:"PORTAL_BRAND"`
	Fonts           []string      `help:"Folders with fonts (TTF, OTF, TTC) for papers in scripts beyond Latin, Greek and Cyrillic, in order; several with commas. Debian's Noto is found by itself." type:"existingdir" env:"PORTAL_FONTS" placeholder:"DIR,…"`
	Only            string        `help:"Only customers' pages (web), only pages, of customers, staff and operators (desk), or only jobs (work)." enum:",web,desk,work" default:"" env:"PORTAL_ONLY"`
	PlainHTTP       bool          `name:"plain-http" help:"Serve without TLS in front: the session cookie is not marked Secure. Not for production." env:"PORTAL_PLAIN_HTTP"`
	MetricsToken    string        `help:"Bearer token that GET /metrics asks for. Without one it does not exist there." env:"PORTAL_METRICS_TOKEN"`
	SecurityContact string        `help:"Whom to tell of a hole in the portal: an e-mail address or an https:// page, shown at /.well-known/security.txt." env:"PORTAL_SECURITY_CONTACT" placeholder:"CONTACT"`
	MetricsAddr     string        `help:"Address that answers GET /metrics to whoever reaches it: of this machine, or of a network for operators." env:"PORTAL_METRICS_ADDR" placeholder:"ADDRESS"`
	ProfileAddr     string        `help:"Address that answers /debug/pprof/, for go tool pprof. Of this machine only: it tells what is in memory." env:"PORTAL_PROFILE_ADDR" placeholder:"ADDRESS"`
	Poll            time.Duration `help:"How often the event log is read without being woken." default:"250ms" env:"PORTAL_POLL"`
	Node            string        `help:"Name of this node, in metrics and on the operators' page. Default: the machine's name." env:"PORTAL_NODE"`
	Pooled          string        `help:"Whether the database URL passes a pooler: auto finds out, yes where that is not noticed, no for one in session mode." enum:"auto,yes,no" default:"auto" env:"PORTAL_POOLED"`
	WebConns        int32         `help:"Most database connections for customers' requests." default:"16" env:"PORTAL_WEB_CONNS"`

	mailSettings
	transportSettings
	factorSettings

	logins      sql.LoginURLs // separate log-ins; empty: one for all
	events      string        // the event source: wal, else notify
	bcryptCost  int           // of new passwords; 0 takes the default. Tests lower it
	wallChecked bool          // for tests, whose database was migrated a moment ago
	drainFor    time.Duration // between the signal and the end; 0: none
	// Of the database, after which the event source connects anew; 0 takes the default. Tests lower it
	silence     time.Duration
	sampleEvery time.Duration // for the operators' page; 0 takes the default. Tests lower it
	slowLogIns  time.Duration // what a second of waiting after wrong passwords lasts; 0: a second. Tests lower it
	limits      page.Limits   // of time for requests and answers; tests lower them
}

// Help teaches what the flags do not.
func (serveCommand) Help() string {
	return `Serves customers' pages, the desk and the operators' pages, pushes live events, and works the jobs. Run portal
migrate first.

TLS ends here with --tls auto --host orders.example.com (certificates by ACME, renewed without a stop; ports 443
and 80 must reach this machine) or with --tls-cert and --tls-key; else in front of it, at a load balancer or
reverse proxy, which must pass the Upgrade of websockets and be named by --trusted-proxy. Without TLS anywhere,
browsers refuse the session cookie unless --plain-http is given.

Without --smtp-url mails are written and kept for operators under /ops/mail, and nothing leaves the house.

SIGTERM ends it in order: /readyz says 503 and no new jobs are taken while pages and sockets are served on for --drain;
then sockets are told to come back (1012), and requests and jobs in hand are finished.`
}

// node is the name of this node.
func (c settings) node() string {
	if c.Node != "" {
		return c.Node
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "unnamed"
	}
	return name
}

// mailSettings say how mails are sent; doctor takes them as well.
type mailSettings struct {
	SMTPURL   string `name:"smtp-url" help:"Mail server: smtp://user:password@host:587 (STARTTLS where offered) or smtps://user:password@host:465. Without one mails are kept." env:"PORTAL_SMTP_URL" placeholder:"URL"`
	MailFrom  string `help:"Who mails come from: orders@example.com, or 'Name <orders@example.com>'. Bounces come back to it." env:"PORTAL_MAIL_FROM" placeholder:"ADDRESS"`
	PublicURL string `name:"public-url" help:"Where the portal is reached, for links in mails: https://orders.example.com." env:"PORTAL_PUBLIC_URL" placeholder:"URL"`
}

// postman writes mails in a brand and sends them, or keeps them where no mail
// server is set.
func (c mailSettings) postman(brand page.Brand) (*mail.Postman, error) {
	return mail.New(mail.Config{URL: c.SMTPURL, From: c.MailFrom, PublicURL: c.PublicURL, Letterhead: brand.Letterhead()})
}

func (c serveCommand) Run(ctx context.Context, logger *slog.Logger, out io.Writer) error {
	c.logins = c.loginURLs()
	if missing := c.logins.Missing(c.only(), c.URL); missing != "" {
		return fmt.Errorf("no database is given: set --database-url (DATABASE_URL), or %s where each log-in has its own",
			missing)
	}
	c.drainFor = c.Drain
	c.settings.events = c.Events
	a, err := newApp(ctx, c.URL, c.DirectURL, c.settings, logger)
	if err != nil {
		return err
	}
	return a.run(ctx, func(address string) {
		scheme := "http"
		if c.encrypted() {
			scheme = "https"
		}
		fmt.Fprintf(out, "Serving on %s://%s\n", scheme, address)
	})
}
