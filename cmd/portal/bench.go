package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/bench"
)

type benchCommand struct {
	Live       benchLiveCommand       `cmd:"" help:"Commit to frame on the socket, beside a bare LISTEN in the same run."`
	WriteTax   benchWriteTaxCommand   `cmd:"" help:"How many of its commits the ERP keeps with the portal's triggers."`
	Faults     benchFaultsCommand     `cmd:"" help:"Breaks things while events flow, and counts what is lost. Starts portals of its own."`
	Flood      benchFloodCommand      `cmd:"" help:"Buyers in peace, and among thousands of slow clients."`
	Pages      benchPagesCommand      `cmd:"" help:"How quick the pages are under load."`
	Prices     benchPricesCommand     `cmd:"" help:"How long ordering takes while a price list is loaded."`
	Orders     benchOrdersCommand     `cmd:"" help:"Prices, uploads and orders of several lengths, and many buyers at once."`
	Fill       benchFillCommand       `cmd:"" help:"Make a distributor of a given size in an empty, migrated database."`
	Statements benchStatementsCommand `cmd:"" help:"A run over all monthly statements, worked by a running portal."`
}

type benchTarget struct {
	database
	Portal   string        `name:"url" help:"The running portal to measure." default:"http://127.0.0.1:8080"`
	Duration time.Duration `help:"How long to measure." default:"10s"`
}

// benchOutput is where the findings go besides the table.
type benchOutput struct {
	SVG  string `name:"svg" help:"Write a plot to this file." placeholder:"FILE"`
	JSON string `name:"json" help:"Write the figures to this file, for machines." placeholder:"FILE"`
}

func (o benchOutput) write(out io.Writer, r bench.Report) error {
	return errors.Join(r.Write(out), r.Save(o.SVG, o.JSON))
}

// toLog tells on the log, which is not where the table goes.
func toLog(logger *slog.Logger) func(string, ...any) {
	return func(format string, args ...any) { logger.Info(fmt.Sprintf(format, args...)) }
}

type benchLiveCommand struct {
	benchTarget
	benchOutput
	Sockets       []int         `help:"Sockets, one customer each; several numbers are measured one after another, best in rising order." default:"1,100,1000"`
	Modes         []string      `help:"single: each event to one customer; broadcast: each to everybody." default:"single,broadcast"`
	Rate          float64       `help:"Commits a second in mode single, and while sockets come back." default:"100"`
	BroadcastRate float64       `help:"Commits a second in mode broadcast." default:"2"`
	Writers       int           `help:"Connections that commit." default:"4"`
	Settle        time.Duration `help:"How long idle sockets are left alone before the server's memory is read." default:"3s"`
	Reconnect     bool          `help:"At the end cut all sockets at once, but 100 that stay, and see them come back with their cursors."`
	PID           int           `name:"pid" help:"Process of the portal on this machine, where /metrics cannot be read."`
	MetricsToken  string        `help:"Bearer token of GET /metrics, where it asks for one." env:"PORTAL_METRICS_TOKEN"`
}

// Help explains the units.
func (benchLiveCommand) Help() string {
	return `Opens sockets on a running portal, commits changes, and takes the time from just before COMMIT is sent
until the frame is read at the socket, in milliseconds: p50, p95, p99 and max. Beside them, in the same run and
at the same rate, other connections commit changes with triggers off and a pg_notify of their own to a bare pgx
connection that only listens: "over" is the socket's figure minus that one's.

Every socket checks what it gets: lost (committed, and not there five seconds after the last commit), doubled
(twice over one connection), wrong recipient, out of order within a document. What comes again after a reconnect
is counted apart: clients drop it by id. It ends with 1 if anything was lost, doubled, wrong or out of order.

Memory is what the server's process has resident more than before the first socket, a socket, in KB of 1024
bytes. CPU is all the time the process ran meanwhile, over the frames it wrote, in microseconds: with few frames
a second, mostly what it does anyway. Both are read from /metrics of the portal, or of --pid. Memory of closed
handshakes goes back late: --settle 150s shows what stays.

With broadcasts: until the first, the median and the last socket had it. With --reconnect: until all are greeted
again, the browser's own jitter of 200 to 1500 ms included, and the latency of those that stayed.

10,000 sockets need as many open files here and in the portal: ulimit -n 20000. Customers, orders and sessions
are made for the measurement and taken away after it; the events stay in the log until it is pruned.`
}

func (c benchLiveCommand) Run(ctx context.Context, logger *slog.Logger, out io.Writer) error {
	result, err := bench.Live(ctx, bench.LiveOptions{URL: c.Portal, DatabaseURL: c.URL, Sockets: c.Sockets, Modes: c.Modes,
		Rate: c.Rate, BroadcastRate: c.BroadcastRate, Writers: c.Writers, Duration: c.Duration, Settle: c.Settle,
		Reconnect: c.Reconnect, PID: c.PID, MetricsToken: c.MetricsToken, Progress: toLog(logger)})
	if len(result.Points) > 0 {
		err = errors.Join(err, c.write(out, result.Report()))
	}
	if err == nil && !result.Flawless() {
		err = errors.New("events were lost, doubled, wrong or out of order")
	}
	return err
}

type benchWriteTaxCommand struct {
	database
	benchOutput
	Writers  []int             `help:"Connections that commit, each as fast as it is answered; several numbers are measured." default:"1,8,32"`
	Modes    []string          `help:"What is compared, turn by turn: none, current, notify, wal, or names of your own with --before." default:"none,current,notify"`
	Before   map[string]string `help:"A statement that sets a mode, executed before each of its turns; may be given several times." placeholder:"MODE=SQL" mapsep:"none"`
	Changes  []string          `help:"seen: a change that the customer sees; unseen: one that it does not." default:"seen,unseen"`
	Rounds   int               `help:"How often all modes have their turn." default:"2"`
	Duration time.Duration     `help:"How long a turn is." default:"3s"`
	FlushMS  float64           `name:"flush-ms" help:"Delay each flush of a commit by so many ms, as an ordinary disk does (commit_delay, commit_siblings = 0)." default:"0"`
}

// Help says what the modes are.
func (benchWriteTaxCommand) Help() string {
	return `Writers change one order a transaction, as fast as they are answered. All modes have their turns in
every round, there and back, so that what else the machine does falls on all alike; share is a mode's commits
over those of none. Spread is half the distance between the slowest and the fastest round.

    none     the writers' sessions have all triggers off
             (session_replication_role = replica)
    current  the database as it is: start a portal beside it, or do not
    notify   as current, and every transaction notifies one listening
             connection, as triggers do for a node that sleeps
    wal      as current, and a temporary logical slot with the event log
             is read meanwhile (needs wal_level = logical)

A mode, one of these or of your own, may have a statement that sets it: --modes none,asleep --before
"asleep=update …". Statements are not undone. With "select 1" it is a name for the database as it is: --modes
none,adaptive --before "adaptive=select 1".

The database's user has to be a superuser. Orders are made for the measurement and taken away after it; the
events stay in the log until it is pruned.`
}

func (c benchWriteTaxCommand) Run(ctx context.Context, logger *slog.Logger, out io.Writer) error {
	result, err := bench.WriteTax(ctx, bench.WriteTaxOptions{DatabaseURL: c.URL, Writers: c.Writers, Modes: c.Modes,
		Before: c.Before, Changes: c.Changes, Rounds: c.Rounds, Duration: c.Duration,
		Flush: time.Duration(c.FlushMS * float64(time.Millisecond)), Progress: toLog(logger)})
	if err != nil {
		return err
	}
	return c.write(out, result.Report())
}

type benchFaultsCommand struct {
	database
	benchOutput
	Sockets int           `help:"Sockets over two nodes." default:"200"`
	Rate    float64       `help:"Commits a second." default:"100"`
	Each    time.Duration `help:"How long events flow over each fault, which comes after a quarter of it." default:"6s"`
}

// Help says what is broken.
func (benchFaultsCommand) Help() string {
	return `Starts portals of its own on a migrated database and, while events flow: kills one node of two (kill
-9), ends one of two (SIGTERM), terminates the backends that tell the nodes of events, and has 5 of 50 clients
stop reading. Every socket checks what it gets and comes back with its cursor, as a browser does. It takes under
a minute, and ends with 1 if anything was lost, doubled, wrong or out of order. No other portal should run on
the database.

"others" are the sockets that the fault was not about, meanwhile; where the listeners go, all of them. A client
that missed too much is told to read everything again (a resync): what lies before is counted as resynced over,
not as lost.`
}

func (c benchFaultsCommand) Run(ctx context.Context, logger *slog.Logger, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	result, err := bench.Faults(ctx, bench.FaultsOptions{DatabaseURL: c.URL, Portal: bench.Executable, Sockets: c.Sockets,
		Rate: c.Rate, Each: c.Each, Progress: toLog(logger)})
	if len(result.Points) > 0 {
		err = errors.Join(err, c.write(out, result.Report()))
	}
	if err == nil && !result.Flawless() {
		err = errors.New("events were lost, doubled, wrong or out of order")
	}
	return err
}

type benchPagesCommand struct {
	benchTarget
	benchOutput
	Buyers     int           `help:"Buyers with a session each." default:"20"`
	Rate       float64       `help:"Pages a second, over all." default:"50"`
	Orders     float64       `help:"Orders a second, over all, beside the pages; 0: nobody orders." default:"2"`
	CheckEvery int           `help:"Compare the prices of every so many-th page with erp.price; 0: of none." default:"10"`
	Warm       time.Duration `help:"How long pages are asked for before anything is measured: connections prepare their statements." default:"5s"`
	As         string        `help:"Customer whose log-in asks. Default: customers that have no log-in get one for the time of the measurement, or are made for it."`
	Paths      []string      `arg:"" optional:"" help:"Pages to ask for in turn; {item}, {word} and {prefix} are filled in. Default: catalog, a search, a category, an item, the typeahead, cart, orders, invoices, account, dashboard."`
}

// Help tells how to come by a distributor of the size that is spoken of.
func (benchPagesCommand) Help() string {
	return `Buyers ask for pages and order at a rate, whether the answers before have come or not; p50, p95, p99
and max are milliseconds at the client. It ends with 1 if a page failed or showed another price than erp.price
gives.

5,000 customers, 50,000 items and 2 million invoice lines, in an empty database:

    portal migrate && portal bench fill --invoices 80 --lines 5 --big 0
    portal serve --plain-http & portal bench pages`
}

func (c benchPagesCommand) Run(ctx context.Context, logger *slog.Logger, out io.Writer) error {
	if len(c.Paths) == 0 {
		c.Paths = []string{"/catalog", "/catalog?page=100", "/catalog?q={word}", "/catalog?category=5", "/items/{item}",
			"/lookup?q={prefix}", "/cart", "/orders", "/invoices", "/account", "/"}
	}
	result, err := bench.Pages(ctx, bench.PagesOptions{URL: c.Portal, DatabaseURL: c.URL, Paths: c.Paths, Buyers: c.Buyers,
		As: c.As, Rate: c.Rate, Orders: c.Orders, CheckEvery: c.CheckEvery, Duration: c.Duration, Warm: c.Warm,
		Progress: toLog(logger)})
	if err != nil {
		return err
	}
	return errors.Join(c.write(out, result.Report()), result.Err())
}

type benchPricesCommand struct {
	benchTarget
	Buyers    int           `help:"Buyers who order, each with a session." default:"20"`
	Lines     int           `help:"Lines of each order." default:"5"`
	Every     time.Duration `help:"How often each buyer orders." default:"2s"`
	Levels    int           `help:"Level prices that are loaded." default:"50000"`
	Contracts int           `help:"Contracts that are loaded." default:"50000"`
}

func (c benchPricesCommand) Run(ctx context.Context, out io.Writer) error {
	report, err := bench.Prices(ctx, bench.PricesOptions{URL: c.Portal, DatabaseURL: c.URL, Buyers: c.Buyers,
		Lines: c.Lines, Every: c.Every, Levels: c.Levels, Contracts: c.Contracts, Duration: c.Duration})
	fmt.Fprintln(out, report)
	return err
}

type benchOrdersCommand struct {
	benchTarget
	Lines  []int `help:"How many lines the prices, uploads and orders have that are timed one by one." default:"1,10,50,200,2000"`
	Rounds int   `help:"How often each is timed; the longer ones less often." default:"200"`
	Open   int   `help:"Open orders that stand in the database while many buyers order." default:"10000"`
	Buyers int   `help:"Buyers who order at the same time, as fast as they are answered." default:"50"`
}

func (c benchOrdersCommand) Run(ctx context.Context, out io.Writer) error {
	report, err := bench.Orders(ctx, bench.OrdersOptions{URL: c.Portal, DatabaseURL: c.URL, Lines: c.Lines,
		Rounds: c.Rounds, Open: c.Open, Buyers: c.Buyers, Duration: c.Duration})
	fmt.Fprintln(out, report)
	return err
}

type benchFillCommand struct {
	database
	Customers int `help:"How many customers." default:"5000"`
	Items     int `help:"How many items." default:"50000"`
	Invoices  int `help:"Invoices of each customer, over two years." default:"0"`
	Lines     int `help:"Lines of each invoice." default:"5"`
	Big       int `help:"Invoices of one customer more, BIG." default:"60000"`
	Monthly   int `help:"How many customers want a monthly statement." default:"10000"`
}

func (c benchFillCommand) Run(ctx context.Context, out io.Writer) error {
	conn, err := pgx.Connect(ctx, c.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := bench.Fill(ctx, conn, c.Customers, c.Items); err != nil {
		return err
	}
	if c.Invoices > 0 {
		if err := bench.FillMoney(ctx, conn, c.Invoices, c.Lines, c.Big, c.Monthly); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "Made %d customers and %d items.\n", c.Customers, c.Items)
	return nil
}

type benchStatementsCommand struct {
	database
	From string `help:"First day of the period." required:""`
	To   string `help:"Last day of the period." required:""`
	PID  int    `name:"pid" help:"Process of the portal on this machine, to read its memory."`
}

func (c benchStatementsCommand) Run(ctx context.Context, out io.Writer) error {
	from, err := time.Parse(time.DateOnly, c.From)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	to, err := time.Parse(time.DateOnly, c.To)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	conn, err := pgx.Connect(ctx, c.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	report, err := bench.Statements(ctx, conn, from, to, c.PID)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, report)
	return nil
}
