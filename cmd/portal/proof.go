package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"portal.example/portal/sql"
)

// proofShown is how many differences the command lists; /ops/proof has more.
const proofShown = 1000

type proofCommand struct {
	database
	Whole bool `help:"Look at everything, and not only at what came since the last proof."`
	JSON  bool `name:"json" help:"Write the run and its differences as JSON."`
}

// Help teaches what the flags do not.
func (proofCommand) Help() string {
	return `Compares every invoiced line with the receipt of its order line, and every order line with what the
price function gave when it was ordered; adds up orders, invoices and memos; and compares each customer's
documents, open amounts and aging. Follows the chain over the audit log and compares the status history with it:
a row that was cut, changed or slipped in is named. Runs every night as well, once a week over everything.
Differences stand at /ops/proof, where they are acknowledged. Ends with 1 while there are differences that
nobody has acknowledged.`
}

func (c proofCommand) Run(ctx context.Context, out io.Writer) error {
	db, err := sql.Open(ctx, sql.Config{URL: c.URL, Only: sql.OnlyWork})
	if err != nil {
		return err
	}
	defer db.Close()
	proof := sql.NewProof(db.Work)
	run, err := proof.Prove(ctx, c.Whole)
	if err != nil {
		return err
	}
	open, err := proof.OpenDifferences(ctx, proofShown)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{"run": run, "differences": open}); err != nil {
			return err
		}
	} else {
		for _, d := range open {
			line := ""
			if d.LineNo > 0 {
				line = fmt.Sprintf(" line %d", d.LineNo)
			}
			fmt.Fprintf(out, "%s: %s%s: %s\n", d.Word(), d.Subject, line, d.Detail)
		}
		over := "everything"
		if !run.Whole && run.Since != nil {
			over = "what came since " + run.Since.Local().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(out,
			"Compared %d order lines, %d receipts priced again, %d invoice lines, %d documents, %d customers: %s, in %.1f s.\n",
			run.OrderLines, run.Repriced, run.InvoiceLines, run.Documents, run.Customers, over, run.Seconds)
		fmt.Fprintf(out, "The audit log has %d sealed rows; its chain ends in %s. Keep that line elsewhere.\n",
			run.AuditRows, run.AuditHash)
		if run.Explained > 0 {
			fmt.Fprintf(out, "%d would have another price today, because a rule was changed since.\n", run.Explained)
		}
	}
	if run.Found > 0 {
		return fmt.Errorf("%d differences", run.Found)
	}
	if !c.JSON {
		fmt.Fprintln(out, "Everything agrees.")
	}
	return nil
}
