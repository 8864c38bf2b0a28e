package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"portal.example/portal/internal/bench"
)

type benchFloodCommand struct {
	benchTarget
	benchOutput
	Buyers  int     `help:"Buyers with a session each." default:"20"`
	Orders  float64 `help:"Orders a second, over all." default:"4"`
	Pages   float64 `help:"Pages a second, over all." default:"16"`
	Clients int     `help:"Slow clients at a time." default:"5000"`
	Rounds  int     `help:"How often: peace and flood in turn." default:"2"`
	Sources int     `help:"Addresses of this machine that they come from, 127.0.1.1 and on (Linux); 0: its own, which has no limit of connections." default:"50"`
}

// Help says what the clients do.
func (benchFloodCommand) Help() string {
	return `Buyers order and look at pages at a rate, first in peace, then while slow clients hold as many
connections as they are let: a third sends headers a byte at a time, a third a form without a session, and a
third asks for files and reads none. Who is cut comes back within two seconds. It ends with 1 if a buyer failed,
or if the buyers' p95 is more than twice that of before.

Give --duration 40s or more, which is each half of a round: what holds connections shows only after the time
that they are let. It needs as many open files here and in the portal as there are clients: ulimit -n 12000.
Orders and log-ins are taken away after it.`
}

func (c benchFloodCommand) Run(ctx context.Context, logger *slog.Logger, out io.Writer) error {
	result, err := bench.Flood(ctx, bench.FloodOptions{URL: c.Portal, DatabaseURL: c.URL, Buyers: c.Buyers,
		Orders: c.Orders, Pages: c.Pages, Clients: c.Clients, Sources: c.Sources, Rounds: c.Rounds, Duration: c.Duration,
		Progress: toLog(logger)})
	if err != nil {
		return err
	}
	return errors.Join(c.write(out, result.Report()), result.Err())
}
