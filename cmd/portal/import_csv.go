package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/sql/importcsv"
)

type importCSVCommand struct {
	URL     string `name:"database-url" help:"The ERP's database, as its owner: postgres://user@host/name, or a libpq keyword string." env:"DATABASE_URL,PORTAL_DATABASE_URL" placeholder:"URL"`
	Dir     string `arg:"" optional:"" help:"The directory with the files." type:"existingdir"`
	DryRun  bool   `help:"Check and try everything, and keep nothing."`
	Errors  string `help:"Write all problems to this CSV file: file, line, column, value, reason." type:"path" placeholder:"FILE"`
	Shown   int    `help:"How many problems of each file are listed." default:"20"`
	Decimal string `help:"Which sign stands before decimals, in all files: comma or point. Without it each column of a file with semicolons or tabs tells it, and a number that can be read in two ways is a problem." enum:",comma,point" default:"" placeholder:"SIGN"`
	Samples string `help:"Write sample files into this directory instead, one of each kind." type:"path" placeholder:"DIR"`
}

// Help teaches what the flags do not.
func (importCSVCommand) Help() string {
	return `Reads what is there of customers.csv, ship_tos.csv, web_access.csv, categories.csv, items.csv,
units.csv, contracts.csv, groups.csv, breaks.csv, stock.csv, history.csv and open_invoices.csv. Columns are
named by the first line, in any order; docs/import.md has all of them, and --samples writes files to begin with.
UTF-8, with or without a byte order mark; comma, semicolon or tab between the cells; dates like 2026-06-30.

All files are checked first, and every problem is told by file, line, column and value; then all or nothing, in
one transaction, and not before totals, open amounts and aging of what was imported agree. Customers, items,
prices and stock that are there already are changed to what the file says, where it has the column; documents
are written once, and a second time is an error.`
}

func (c importCSVCommand) Run(ctx context.Context, out io.Writer) error {
	switch {
	case c.Samples != "":
		if err := importcsv.WriteSamples(c.Samples); err != nil {
			return err
		}
		fmt.Fprintf(out, "Sample files are in %s. Try: portal import csv %[1]s --dry-run\n", c.Samples)
		return nil
	case c.Dir == "":
		return errors.New("which directory? Or --samples DIR, for files to begin with")
	case c.URL == "":
		return errors.New("missing --database-url, or DATABASE_URL in the environment")
	}
	conn, err := pgx.Connect(ctx, c.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))

	progress := newProgress(os.Stderr)
	options := importcsv.Options{DryRun: c.DryRun, Shown: c.Shown, Decimal: importcsv.Decimal(c.Decimal),
		Progress: progress.report}
	if c.Errors != "" {
		file, err := os.Create(c.Errors)
		if err != nil {
			return err
		}
		defer file.Close()
		options.Errors = file
	}
	report, err := importcsv.Run(ctx, conn, c.Dir, options)
	progress.done()
	if err != nil {
		return fmt.Errorf("nothing imported from %s: %w", c.Dir, err)
	}
	if err := report.Print(out); err != nil {
		return err
	}
	if report.Found > 0 {
		return fmt.Errorf("%d problems in %s", report.Found, c.Dir)
	}
	return nil
}
