// Package importcsv brings a distributor's books into the ERP's tables from a
// directory of CSV files: customers and ship-tos, items, units and price levels,
// contracts, stock, invoices of the past and what of them is open. The files
// and their columns are in docs/import.md, which is written from files.go.
//
// Files are read into temporary tables, checked as a whole (check.sql) and
// written in a statement a table (apply.sql), all in one transaction. Before it
// commits, the database has to prove that documents, open amounts and aging
// agree. A dry run does all of it and rolls back, so what it finds good will go.
package importcsv

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

const (
	defaultShown = 20     // problems listed of each file
	chunk        = 20_000 // documents whose rows are written by one statement
)

//go:embed check.sql apply.sql
var stepFiles embed.FS

//go:embed sample/*.csv
var samples embed.FS

// steps are the statements of check.sql and apply.sql by name.
var steps = readSteps("check.sql", "apply.sql")

func readSteps(names ...string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		raw, err := stepFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		for _, part := range strings.Split(string(raw), "-- step: ")[1:] {
			step, statement, _ := strings.Cut(part, "\n")
			out[step] = statement
		}
	}
	return out
}

// Options say how to run.
type Options struct {
	// Decimal says which sign stands before decimals, in all files.
	Decimal Decimal
	// DryRun checks and tries everything, and keeps nothing.
	DryRun bool
	// Shown is how many problems of each file are in the report; 0 means 20.
	Shown int
	// Errors, if set, gets all problems as CSV: file, line, column, value, reason.
	Errors io.Writer
	// Progress is told how far the work is: a stage's name, what is done of it
	// and, if known, of how much. Bytes while reading, documents after.
	Progress func(stage string, done, total int64)
}

// Problem is one thing that is wrong with a file. Line counts from 1; it and
// Column are zero where it is the file as a whole.
type Problem struct {
	File   string
	Line   int
	Column string
	Value  string
	Reason string
}

func (p Problem) String() string {
	var out strings.Builder
	out.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&out, ", line %d", p.Line)
	}
	if p.Column != "" {
		out.WriteString(", " + p.Column)
	}
	if p.Value != "" {
		fmt.Fprintf(&out, " “%s”", p.Value)
	}
	return out.String() + ": " + p.Reason
}

// FileReport is what became of one file.
type FileReport struct {
	Name         string // customers.csv
	Rows         int
	New, Changed int64 // rows of the ERP's table; documents are in Report
	Problems     int
}

// Report is what an import did, or would do.
type Report struct {
	Files    []FileReport
	Problems []Problem // the first of each file
	Found    int       // all of them
	// Unread are files that could not be read at all; references were then not
	// checked.
	Unread []string
	// Warnings are what may be right but is seldom meant; nothing is held up.
	Warnings []Problem
	DryRun   bool

	Invoices, Credits, Payments, Lines int64
	Invoiced                           string // Σ totals of the invoices
	Open                               string // Σ of what is open, credits and payments counted negative
	Owing                              int64  // customers with anything open
}

// Run imports the directory. Problems of the files are in the report and no
// error; nothing is then imported. The connection is the owner's.
func Run(ctx context.Context, conn *pgx.Conn, dir string, o Options) (Report, error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	if o.Shown == 0 {
		o.Shown = defaultShown
	}
	i := importer{dir: dir, options: o, report: Report{DryRun: o.DryRun}}
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		i.tx = tx
		return i.run(ctx)
	})
	if err != nil && !errors.Is(err, errKeepNothing) {
		return Report{}, err
	}
	if err == nil {
		// the planner should know of a million new rows before the first page
		if _, err := conn.Exec(ctx,
			`analyze erp.customer, erp.web_access, erp.ship_to, erp.category, erp.item, erp.item_uom, erp.price_contract,
			erp.stock, erp.invoice, erp.invoice_line, erp.credit_memo, erp.credit_memo_line, erp.payment,
			erp.payment_application`); err != nil {
			return i.report, fmt.Errorf("imported, but not analyzed: %w", err)
		}
	}
	return i.report, nil
}

// errKeepNothing rolls back: a dry run, or problems.
var errKeepNothing = errors.New("nothing is kept")

type importer struct {
	dir     string
	options Options
	tx      pgx.Tx
	report  Report
	present map[string][]string // columns of each file that is there
	whole   []wholeFile
}

// wholeFile is a problem of a file as a whole.
type wholeFile struct {
	name string
	fault
}

func (i *importer) run(ctx context.Context) error {
	// one import at a time: a second waits, and then finds everything there
	if _, err := i.tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('portal import')); set local jit = off; set "+
		"local work_mem = '64MB'"); err != nil {
		return err
	}
	if err := i.stage(ctx); err != nil {
		return err
	}
	if err := i.check(ctx); err != nil {
		return err
	}
	if i.report.Found > 0 {
		return errKeepNothing
	}
	if err := i.apply(ctx); err != nil {
		return err
	}
	if err := i.prove(ctx); err != nil {
		return err
	}
	if i.options.DryRun {
		return errKeepNothing
	}
	return nil
}

// stage reads every file of the directory into its temporary table.
func (i *importer) stage(ctx context.Context) error {
	entries, err := os.ReadDir(i.dir)
	if err != nil {
		return err
	}
	known := map[string]string{} // file kind → name on disk
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if !strings.HasSuffix(name, ".csv") || e.IsDir() {
			continue
		}
		kind := strings.TrimSuffix(name, ".csv")
		found := false
		for _, f := range fileKinds {
			found = found || f.name == kind
		}
		if !found {
			i.whole = append(i.whole, wholeFile{kind, fault{Reason: "No such file is known. Known are: " + fileNames() + "."}})
			continue
		}
		known[kind] = e.Name()
	}
	if len(known) == 0 && len(i.whole) == 0 {
		return fmt.Errorf("there is no CSV file in %s; the files are: %s", i.dir, fileNames())
	}
	_, history := known["history"]
	if _, open := known["open_invoices"]; history && !open {
		i.whole = append(i.whole, wholeFile{"history", fault{Reason: "With history.csv, open_invoices.csv has to be " +
			"there: it says which of the invoices are open. If all are paid, give it with its first line only."}})
	}
	i.present = map[string][]string{}
	kinds, err := i.fileKinds(ctx)
	if err != nil {
		return err
	}
	for _, f := range kinds {
		if err := i.table(ctx, f); err != nil {
			return err
		}
		if name, ok := known[f.name]; ok {
			if err := i.read(ctx, f, name); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func fileNames() string {
	names := make([]string, len(fileKinds))
	for i, f := range fileKinds {
		names[i] = f.name + ".csv"
	}
	return strings.Join(names, ", ")
}

// table makes the file's temporary table.
func (i *importer) table(ctx context.Context, f fileKind) error {
	var sql strings.Builder
	fmt.Fprintf(&sql, "create temp table import_%s (line int not null, problems text", f.name)
	for _, c := range f.columns {
		fmt.Fprintf(&sql, ", %s %s", c.name, c.sqlType())
	}
	sql.WriteString(") on commit drop")
	_, err := i.tx.Exec(ctx, sql.String())
	return err
}

// read copies one file's rows into its temporary table.
func (i *importer) read(ctx context.Context, f fileKind, name string) error {
	file, err := os.Open(filepath.Join(i.dir, name))
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	stage := "Reading " + f.name + ".csv"
	counted := &countingReader{r: file}
	i.options.Progress(stage, 0, info.Size())
	r, err := i.open(counted, file, f)
	if bad, ok := errors.AsType[unreadable](err); ok {
		i.whole = append(i.whole, wholeFile{f.name, bad.fault})
		i.report.Unread = append(i.report.Unread, f.name+".csv")
		i.report.Files = append(i.report.Files, FileReport{Name: f.name + ".csv"})
		return nil
	}
	if err != nil {
		return err
	}
	columns := make([]string, len(f.columns))
	for k, c := range f.columns {
		columns[k] = c.name
	}
	rows, to := io.Pipe()
	go func() {
		to.CloseWithError(r.copyTo(to, func() { i.options.Progress(stage, counted.n, info.Size()) }))
	}()
	_, err = i.tx.Conn().PgConn().CopyFrom(ctx, rows,
		fmt.Sprintf("copy pg_temp.import_%s (line, problems, %s) from stdin", f.name, strings.Join(columns, ", ")))
	rows.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // ends the reading, should COPY have ended first
	if err != nil {
		return err
	}
	i.present[f.name] = r.present()
	i.report.Files = append(i.report.Files, FileReport{Name: f.name + ".csv", Rows: r.rows})
	return nil
}

// open reads a file's head, and before it, where decimals may stand after
// either sign, the whole file once for which it is.
func (i *importer) open(counted io.Reader, file io.ReadSeeker, f fileKind) (*reader, error) {
	r, err := newReader(counted, f)
	if err != nil {
		return nil, err
	}
	r.decimal = i.options.Decimal
	if !r.either || r.decimal != DecimalUnsaid {
		return r, nil
	}
	if err := r.learn(); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	learned := r.signs
	if r, err = newReader(file, f); err == nil {
		r.signs = learned
	}
	return r, err
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// check finds everything that is wrong, and reports it.
func (i *importer) check(ctx context.Context) error {
	if _, err := i.do(ctx, "bad"); err != nil {
		return err
	}
	for _, w := range i.whole {
		if _, err := i.tx.Exec(ctx, "insert into import_bad values ($1, 0, $2, $3, $4)", w.name, w.Column, w.Value,
			w.Reason); err != nil {
			return err
		}
	}
	for _, f := range fileKinds {
		if _, err := i.tx.Exec(ctx,
			fmt.Sprintf(`insert into import_bad select '%s', s.line, p.f ->> 'column', p.f ->> 'value', p.f ->> 'reason'
			from pg_temp.import_%[1]s s cross join lateral jsonb_array_elements(s.problems::jsonb) as p(f)
			where s.problems is not null`, f.name)); err != nil {
			return err
		}
	}
	checks := []string{"names", "twice", "codes", "references", "masters", "circles", "rules", "documents", "lines",
		"sums", "there", "used_up"}
	if len(i.report.Unread) > 0 {
		checks = nil // all that refers to such a file would be wrong
	}
	for n, step := range checks {
		i.options.Progress("Checking", int64(n), int64(len(checks)))
		if _, err := i.do(ctx, step); err != nil {
			return err
		}
	}
	if len(i.report.Unread) == 0 {
		rows, _ := i.tx.Query(ctx, steps["warnings"], i.options.Shown)
		var err error
		if i.report.Warnings, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Problem]); err != nil {
			return err
		}
	}
	if err := i.tx.QueryRow(ctx, steps["count"]).Scan(&i.report.Found); err != nil {
		return err
	}
	if i.report.Found == 0 {
		return nil
	}
	return i.problems(ctx)
}

func (i *importer) problems(ctx context.Context) error {
	order := make([]string, len(fileKinds))
	for k, f := range fileKinds {
		order[k] = f.name
	}
	rows, _ := i.tx.Query(ctx, steps["first"], order, i.options.Shown)
	var err error
	if i.report.Problems, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Problem]); err != nil {
		return err
	}
	rows, _ = i.tx.Query(ctx, steps["counts"])
	counts := map[string]int{}
	var file string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&file, &n}, func() error {
		counts[file+".csv"] = n
		return nil
	}); err != nil {
		return err
	}
	for k := range i.report.Files {
		f := &i.report.Files[k]
		f.Problems = counts[f.Name]
		delete(counts, f.Name)
	}
	for name, n := range counts {
		i.report.Files = append(i.report.Files, FileReport{Name: name, Problems: n})
	}
	if i.options.Errors == nil {
		return nil
	}
	_, err = i.tx.Conn().PgConn().CopyTo(ctx, i.options.Errors,
		`copy (select file || '.csv' as file, nullif(line, 0) as line, field as "column", value, message as reason
		from import_bad order by array_position('{`+strings.Join(order, ",")+
			`}'::text[], file), import_bad.line, field) to stdout with (format csv, header)`)
	return err
}

// apply writes the ERP's tables.
func (i *importer) apply(ctx context.Context) error {
	for _, part := range []struct {
		file    string
		change  string
		add     string
		counted bool
	}{
		{"customers", "customers_change", "customers_add", true},
		{"ship_tos", "ship_tos_change", "ship_tos_add", true},
		{webAccess, "web_access_change", "", true},
		{"categories", "", "categories_add", true},
		{"categories", "categories_change", "", false},
		{"items", "items_change", "items_add", true},
		{"items", "substitutes_change", "", false},
		{"units", "units_change", "units_add", true},
		{"contracts", "contracts_change", "contracts_add", true},
		{"groups", "groups_change", "groups_add", true},
		{"breaks", "breaks_change", "breaks_add", true},
		{"stock", "stock_change", "stock_add", true},
	} {
		columns := i.present[part.file]
		i.options.Progress("Writing "+part.file, 0, 0)
		var changed, added int64
		var err error
		if part.file == "categories" {
			// a statement on categories is news to every open catalogue, even one that finds nothing to do
			var needed bool
			if err := i.tx.QueryRow(ctx, steps["categories_needed"], columns).Scan(&needed); err != nil {
				return err
			}
			if !needed {
				continue
			}
		}
		if part.change != "" && columns != nil {
			if changed, err = i.do(ctx, part.change, columns); err != nil {
				return err
			}
		}
		if part.add != "" {
			if added, err = i.do(ctx, part.add); err != nil {
				return err
			}
		}
		for k := range i.report.Files {
			if f := &i.report.Files[k]; part.counted && f.Name == part.file+".csv" {
				f.New, f.Changed = added, changed
			}
		}
	}
	return i.documents(ctx)
}

func (i *importer) documents(ctx context.Context) error {
	if _, err := i.do(ctx, "number"); err != nil {
		return err
	}
	var documents int64
	if err := i.tx.QueryRow(ctx, "select count(*) from import_document").Scan(&documents); err != nil {
		return err
	}
	if documents == 0 {
		return nil
	}
	each := func(stage string, names ...string) error {
		for n := int64(0); n < documents; n += chunk {
			i.options.Progress(stage, n, documents)
			for _, step := range names {
				if _, err := i.do(ctx, step, n+1, n+chunk); err != nil {
					return err
				}
			}
		}
		i.options.Progress(stage, documents, documents)
		return nil
	}
	if err := each("Writing invoices", "invoices", "memos", "ids", "memo_ids", "invoice_lines", "memo_lines"); err != nil {
		return err
	}
	for _, step := range []string{"settle", "payments"} {
		if _, err := i.do(ctx, step); err != nil {
			return err
		}
	}
	// the invoices are new to the planner
	if _, err := i.tx.Exec(ctx, "analyze erp.invoice, erp.invoice_line, erp.credit_memo, erp.payment"); err != nil {
		return err
	}
	if err := each("Applying payments", "applications"); err != nil {
		return err
	}
	if _, err := i.do(ctx, "numbers"); err != nil {
		return err
	}
	r := &i.report
	return i.tx.QueryRow(ctx, steps["summary"]).Scan(&r.Invoices, &r.Credits, &r.Payments, &r.Lines,
		&r.Invoiced, &r.Open, &r.Owing)
}

// prove lets the database judge; what it finds is a slip of ours, or of the
// books before, and keeps everything from being imported.
func (i *importer) prove(ctx context.Context) error {
	if i.report.Invoices+i.report.Credits+i.report.Payments == 0 {
		return nil
	}
	i.options.Progress("Proving balances", 0, 0)
	if _, err := i.tx.Exec(ctx, "analyze erp.payment_application, erp.payment"); err != nil {
		return err
	}
	rows, _ := i.tx.Query(ctx, steps["prove"])
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var what, subject, detail string
		err := row.Scan(&what, &subject, &detail)
		return what + " " + subject + ": " + detail, err
	})
	if err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	if len(found) > 0 {
		return fmt.Errorf("the books would not agree:\n  %s", strings.Join(found, "\n  "))
	}
	return nil
}

// do runs a step and returns how many rows it touched.
func (i *importer) do(ctx context.Context, step string, args ...any) (int64, error) {
	if len(args) == 0 { // may be several statements
		tag, err := i.tx.Conn().PgConn().Exec(ctx, steps[step]).ReadAll()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", strings.ReplaceAll(step, "_", " "), err)
		}
		return tag[len(tag)-1].CommandTag.RowsAffected(), nil
	}
	tag, err := i.tx.Exec(ctx, steps[step], args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", strings.ReplaceAll(step, "_", " "), err)
	}
	return tag.RowsAffected(), nil
}

// WriteSamples writes the sample files into a directory, which it makes. Files
// that are there already are left alone, and are an error.
func WriteSamples(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := fs.ReadDir(samples, "sample")
	if err != nil {
		return err
	}
	for _, e := range entries {
		data, err := samples.ReadFile("sample/" + e.Name())
		if err != nil {
			return err
		}
		file, err := os.OpenFile(filepath.Join(dir, e.Name()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_, err = file.Write(data)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}
