package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/term"

	"portal.example/portal/internal/demo"
	"portal.example/portal/internal/localpg"
	"portal.example/portal/sql"
)

const demoPassword = "demo-portal"

type demoCommand struct {
	Dir   string `help:"Where the demonstration keeps its database." default:".portal" env:"PORTAL_DEMO_DIR"`
	Fresh bool   `help:"Throw the demonstration's data away and start over."`
	Busy  bool   `help:"Let a simulated office and warehouse work, so that orders move by themselves."`
	Open  bool   `help:"Listen on an address that others can reach, although everybody knows the passwords."`
	Seed  uint64 `help:"Number that the demonstration data is made from." default:"1"`
	settings
}

// Help teaches what the flags do not.
func (demoCommand) Help() string {
	return `Starts a PostgreSQL of its own in --dir (as a plain user when run as root), fills it with a fictional
distributor and serves the portal. A second start keeps the data; --fresh starts over. The owner's connection
URL is written to --dir/database-url: psql "$(cat .portal/database-url)". The portal itself connects with the
log-ins of --dir/logins.env, one each for customers' pages, the desk and jobs.

Log-ins, all with the password ` + demoPassword + `:
  buyer@c1003.example    a customer; every customer number has one
  buyer@c1004.example    a customer with several people: this one signs off what buyer2@c1004.example orders over its
                         limit; accounts@c1004.example sees invoices and orders nothing
  desk@demo.example      staff: order desk and warehouse
  ops@demo.example       operator: the desk, the job queues and the mails, which are kept at /ops/mail

Passkeys are bound to a name, and browsers make none for 127.0.0.1: give --public-url http://localhost:8080 and open
that address to try them.`
}

func (c demoCommand) Run(ctx context.Context, logger *slog.Logger, out io.Writer) error {
	if err := c.checkTransport(); err != nil {
		return err
	}
	if err := c.mayListen(out); err != nil {
		return err
	}
	// the address first: if it is taken, nothing else need start
	if err := addressFree(c.Addr); err != nil {
		return err
	}
	if c.Fresh {
		if err := localpg.Remove(c.Dir); err != nil {
			return fmt.Errorf("start over: %w", err)
		}
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	pg, err := localpg.Start(ctx, localpg.Config{Dir: c.Dir, Port: port})
	if errors.Is(err, localpg.ErrRunning) {
		return fmt.Errorf("%w\nAnother portal demo uses %s. Stop that one, or give this one another --dir and --addr", err,
			c.Dir)
	}
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		if err := pg.Stop(stop); err != nil {
			logger.Error("stop PostgreSQL", "error", err)
		}
	}()
	if err := pg.EnsureDatabase(ctx, "portal"); err != nil {
		return err
	}
	url := pg.URL("portal")
	urlFile := filepath.Join(c.Dir, "database-url")
	if err := os.WriteFile(urlFile, []byte(url+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the database's address: %w", err)
	}
	if err := migrate(ctx, url); err != nil {
		return err
	}
	made, err := sql.CreateLogins(ctx, url)
	if err != nil {
		return err
	}
	if err := writeLogins(filepath.Join(c.Dir, "logins.env"), made); err != nil {
		return err
	}
	c.logins = made.LoginURLs
	if err := c.seed(ctx, url, out); err != nil {
		return err
	}

	c.PlainHTTP = !c.encrypted()
	if c.PublicURL == "" {
		c.PublicURL = "http://" + c.Addr
	}
	if c.FactorKey == "" {
		if c.FactorKey, err = keptKey(filepath.Join(c.Dir, "factor-key")); err != nil {
			return err
		}
	}
	a, err := newApp(ctx, url, url, c.settings, logger)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-pg.Done():
			cancel(fmt.Errorf("PostgreSQL ended: %w", pg.Err()))
		case <-ctx.Done():
		}
	}()
	if c.Busy {
		pool, err := pgxpool.New(ctx, url)
		if err != nil {
			return err
		}
		defer pool.Close()
		go func() {
			if err := demo.Busy(ctx, pool, demo.BusyOptions{Logger: logger}); err != nil && ctx.Err() == nil {
				logger.Error("the simulated office stopped", "error", err)
			}
		}()
	}
	err = a.run(ctx, func(address string) {
		fmt.Fprintf(out, `
The portal is at   http://%s

  customer         buyer@c1003.example   (each customer number has one: c1001 … )
                   buyer@c1004.example   (several people: also buyer2@ and accounts@)
  staff            desk@demo.example     → the desk
  operator         ops@demo.example      → the desk, the job queues, and the mails, which are kept
  password         %s

  database         psql "$(cat %s)"

Ctrl-C ends it; the data stays.
`, address, demoPassword, urlFile)
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// mayListen asks before a demonstration can be reached from elsewhere; where
// there is nobody to ask, --open has to say so.
func (c demoCommand) mayListen(out io.Writer) error {
	if loopback(c.Addr) || c.Open {
		return nil
	}
	refused := fmt.Errorf("others could reach %s, and the passwords are known to everybody\n"+
		"Leave --addr away, or say --open if that is meant", c.Addr)
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return refused
	}
	fmt.Fprintf(out, "Others can reach %s, and the passwords are known to everybody. Go on? Type yes: ", c.Addr)
	var typed string
	if _, err := fmt.Fscanln(os.Stdin, &typed); err != nil || typed != "yes" {
		return refused
	}
	return nil
}

func (c demoCommand) seed(ctx context.Context, url string, out io.Writer) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	hash, err := bcrypt.GenerateFromPassword([]byte(demoPassword), 10)
	if err != nil {
		return err
	}
	start := time.Now()
	summary, err := demo.Seed(ctx, conn, demo.Options{Seed: c.Seed, Now: time.Now(), PasswordHash: string(hash)})
	if err != nil {
		return fmt.Errorf("fill the demonstration: %w", err)
	}
	if summary.Customers > 0 {
		fmt.Fprintf(out, "Made %d customers, %d items, %d orders, %d invoices in %s.\n", summary.Customers, summary.Items,
			summary.Orders, summary.Invoices, time.Since(start).Round(10*time.Millisecond))
	}
	return nil
}

// addressFree says in words what listening would say in errno.
func addressFree(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w\nSomething else uses that address. Stop it, or choose another with --addr",
			address, err)
	}
	return l.Close()
}

// freePort is a port for the private PostgreSQL that nobody uses now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("no free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
