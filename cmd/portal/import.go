package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"portal.example/portal/sql/importretail"
)

type importCommand struct {
	CSV          importCSVCommand    `cmd:"" name:"csv" help:"A distributor's books: customers, items, prices, stock, invoices, from a directory of CSV files."`
	OnlineRetail importRetailCommand `cmd:"" name:"online-retail" help:"The ledger \"Online Retail II\": customers, items, invoices, credit memos."`
}

type importRetailCommand struct {
	database
	File string `arg:"" help:"The file, .csv or .csv.gz." type:"existingfile"`
}

// Help teaches what the flags do not.
func (importRetailCommand) Help() string {
	return `Loads a ledger with the columns Invoice, StockCode, Description, Quantity, InvoiceDate, Price, Customer
ID, Country into a migrated database. All or nothing, in one transaction. Customers, items and documents that
are there already stay as they are, so that a second run with the same file changes nothing. Rows that cannot be
read are listed with their line number and left out. Documents without a customer go to the customer HOUSE, a
house account.

The items' prices become level A. Charges such as POST are on the invoices but not for sale. No payments are in the
file: what was invoiced is open.

Afterwards: portal user add buyer@example.com --customer 13085`
}

func (c importRetailCommand) Run(ctx context.Context, out io.Writer) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, c.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))

	progress := newProgress(os.Stderr)
	report, err := importretail.Run(ctx, conn, file, importretail.Options{Progress: progress.report, Size: info.Size()})
	progress.done()
	if err != nil {
		return fmt.Errorf("nothing imported from %s: %w", c.File, err)
	}
	return report.Print(out)
}

// progress shows stages of long work: a bar on a terminal, a line a stage
// elsewhere.
type progress struct {
	out   io.Writer
	live  bool
	stage string
	bar   *progressbar.ProgressBar
}

func newProgress(f *os.File) *progress {
	return &progress{out: f, live: term.IsTerminal(int(f.Fd()))}
}

// report has the shape of an importer's Progress. A total of 0 is unknown.
func (p *progress) report(stage string, done, total int64) {
	if stage != p.stage {
		p.done()
		p.stage = stage
		if !p.live {
			fmt.Fprintln(p.out, stage+" …")
			return
		}
		if total == 0 {
			total = -1
		}
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(stage),
			progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
	}
	if p.bar != nil {
		_ = p.bar.Set64(done) // a bar that cannot be drawn stops nothing
	}
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
