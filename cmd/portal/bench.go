package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/bench"
)

type benchCommand struct {
	Live       benchLiveCommand       `cmd:"" help:"Commit to frame on the socket, beside a bare LISTEN in the same run."`
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

type benchLiveCommand struct {
	benchTarget
	Sockets []int `help:"Sockets, one customer each; several numbers are measured one after another." default:"1,100,1000"`
	Rate    int   `help:"Commits a second." default:"100"`
	PID     int   `name:"pid" help:"Process of the portal on this machine, to read the memory of idle sockets."`
}

func (c benchLiveCommand) Run(ctx context.Context, out io.Writer) error {
	for _, n := range c.Sockets {
		report, err := bench.Live(ctx, bench.LiveOptions{URL: c.Portal, DatabaseURL: c.URL, Sockets: n, Rate: c.Rate, Duration: c.Duration, PID: c.PID})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%d sockets, %d commits/s, %s\n%s\n\n", n, c.Rate, c.Duration, report)
	}
	return nil
}

type benchPagesCommand struct {
	benchTarget
	Buyers int      `help:"Buyers with a session each." default:"20"`
	Rate   int      `help:"Requests a second." default:"50"`
	As     string   `help:"Customer whose log-in asks. Default: buyers made for the measurement."`
	Paths  []string `arg:"" optional:"" help:"Pages to ask for in turn. Default: catalog, a search, a category, an item, cart, orders, dashboard."`
}

func (c benchPagesCommand) Run(ctx context.Context, out io.Writer) error {
	if len(c.Paths) == 0 {
		c.Paths = []string{"/catalog", "/catalog?page=500", "/catalog?q=olive+oil", "/catalog?category=5", "/items/I000123", "/cart", "/orders", "/"}
	}
	pages, err := bench.Pages(ctx, bench.PagesOptions{URL: c.Portal, DatabaseURL: c.URL, Buyers: c.Buyers, As: c.As, Rate: c.Rate, Duration: c.Duration}, c.Paths)
	for _, path := range c.Paths {
		fmt.Fprintf(out, "%-28s %s\n", path, pages[path])
	}
	return err
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
	report, err := bench.Prices(ctx, bench.PricesOptions{URL: c.Portal, DatabaseURL: c.URL, Buyers: c.Buyers, Lines: c.Lines, Every: c.Every,
		Levels: c.Levels, Contracts: c.Contracts, Duration: c.Duration})
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
	report, err := bench.Orders(ctx, bench.OrdersOptions{URL: c.Portal, DatabaseURL: c.URL, Lines: c.Lines, Rounds: c.Rounds, Open: c.Open,
		Buyers: c.Buyers, Duration: c.Duration})
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
