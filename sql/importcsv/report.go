package importcsv

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	out := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(out, format, args...) }
	for _, w := range r.Warnings {
		p("Look at this: %s\n", w)
	}
	if r.Found > 0 {
		for _, b := range r.Problems {
			p("%s\n", b)
		}
		p("\n")
		for _, f := range r.Files {
			if f.Problems > 0 {
				p("%-18s %d %s in %d rows\n", f.Name, f.Problems, plural(f.Problems, "problem"), f.Rows)
			}
		}
		if more := r.Found - len(r.Problems); more > 0 {
			p("Not listed: %d more. --errors FILE writes all of them.\n", more)
		}
		if len(r.Unread) > 0 {
			p("References between the files were not checked, because %s cannot be read.\n", strings.Join(r.Unread, ", "))
		}
		p("Nothing was imported.\n")
		return out.Flush()
	}
	for _, f := range r.Files {
		if f.Name != "history.csv" && f.Name != "open_invoices.csv" {
			p("%-18s %d rows: %d new, %d changed\n", f.Name, f.Rows, f.New, f.Changed)
		} else {
			p("%-18s %d rows\n", f.Name, f.Rows)
		}
	}
	if r.Invoices+r.Credits+r.Payments > 0 {
		p("%d invoices over %s, %d credit memos, %d payments; %d lines. Open: %s, at %d customers.\n",
			r.Invoices, r.Invoiced, r.Credits, r.Payments, r.Lines, r.Open, r.Owing)
		p("Totals, open amounts and aging agree.\n")
	}
	if r.DryRun {
		p("This was a dry run: all is well, and nothing was kept.\n")
		return out.Flush()
	}
	p("New customers have Web Access with its defaults, and no log-in yet: portal user add buyer@example.com " +
		"--customer NO,\nor invite people at the customer's page of the desk.\n")
	return out.Flush()
}

func plural(n int, one string) string {
	if n == 1 {
		return one
	}
	return one + "s"
}
