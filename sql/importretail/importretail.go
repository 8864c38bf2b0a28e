// Package importretail loads the ledger "Online Retail II", the real invoices
// and credits of a wholesaler of gift-ware (UCI Machine Learning Repository,
// doi:10.24432/C5CG6D, CC BY 4.0), into the ERP's tables.
//
// What the columns mean and where two readings are possible, this is the one
// taken: stock codes are trimmed and upper-cased; a document that occurs in
// both halves of the file counts once, as the second half has it; repeated
// lines are kept; C… are credit memos and A… adjustments of the house account,
// which also takes documents without a customer; a line's amount is exact and
// a document's total is their sum rounded once.
package importretail

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/gzip"
)

// firstHalf is how many data rows the file's first sheet has; the second
// begins after them and repeats its last days.
const firstHalf = 525_461

const (
	maxLine   = 1 << 20 // bytes
	maxListed = 1000    // rejected rows kept with their reason
	chunk     = 4000    // documents whose lines are written by one statement
)

// Options say how to run. The zero value is right for the whole file.
type Options struct {
	// Progress is told how far the work is: a stage's name, what is done of it
	// and, if known, of how much. Bytes while reading, documents after.
	Progress func(stage string, done, total int64)
	Size     int64 // of the file, in bytes, for Progress
	// FirstHalf is the number of data rows before the overlap; 0 means that of
	// the published file.
	FirstHalf int
}

// Rejected is a row that was left out and why.
type Rejected struct {
	Line   int // in the file, from 1
	Reason string
}

// Report is what an import did.
type Report struct {
	Rows        int // data rows read
	Overlapping int // of them: of the first half, again in the second
	RejectedN   int
	Rejected    []Rejected // the first of them, by line

	Customers, Items               int64  // new, the house account not counted
	Invoices, Credits, Adjustments int64  // new
	Lines                          int64  // on the new documents
	Known                          int64  // documents that were there already
	Amount                         string // Σ quantity × price of the new documents, exact
}

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	p := func(format string, args ...any) { fmt.Fprintf(w, format, args...) }
	out := bufio.NewWriter(w)
	w = out
	p("Read %d rows", r.Rows)
	if r.Overlapping > 0 {
		p("; %d are of documents that come again later in the file", r.Overlapping)
	}
	p(".\nNew: %d customers, %d items, %d invoices, %d credit memos, %d adjustments; %d lines, together %s.\n",
		r.Customers, r.Items, r.Invoices, r.Credits, r.Adjustments, r.Lines, r.Amount)
	if r.Known > 0 {
		p("There already, left as they are: %d documents.\n", r.Known)
	}
	if r.RejectedN > 0 {
		p("Left out: %d.\n", r.RejectedN)
		for _, b := range r.Rejected {
			p("  line %d: %s\n", b.Line, b.Reason)
		}
		if more := r.RejectedN - len(r.Rejected); more > 0 {
			p("  … and %d more\n", more)
		}
	}
	return out.Flush()
}

func (r *Report) reject(line int, reason string) {
	r.RejectedN++
	if len(r.Rejected) < maxListed {
		r.Rejected = append(r.Rejected, Rejected{line, reason})
	}
}

// Run imports a file, plain or gzip, in one transaction. The connection is the
// owner's.
func Run(ctx context.Context, conn *pgx.Conn, file io.Reader, o Options) (Report, error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	var report Report
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		i := importer{tx: tx, options: o, report: &report}
		return i.run(ctx, file)
	})
	if err != nil {
		return Report{}, err
	}
	if report.Lines > 0 {
		// the planner should know of a million new rows before the first page
		if _, err := conn.Exec(ctx, "analyze erp.customer, erp.web_access, erp.item, erp.invoice, erp.invoice_line, "+
			"erp.credit_memo, erp.credit_memo_line"); err != nil {
			return report, fmt.Errorf("imported, but not analyzed: %w", err)
		}
	}
	slices.SortStableFunc(report.Rejected, func(a, b Rejected) int { return a.Line - b.Line })
	return report, nil
}

type importer struct {
	tx      pgx.Tx
	options Options
	report  *Report
}

func (i *importer) run(ctx context.Context, file io.Reader) error {
	// one import at a time: a second waits, and then finds everything there
	if _, err := i.tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('portal import')); set local jit = off; set "+
		"local work_mem = '64MB'"); err != nil {
		return err
	}
	half, err := i.stage(ctx, file)
	if err != nil {
		return err
	}
	i.options.Progress("Sorting documents", 0, 0)
	overlapping, err := i.do(ctx, "overlap", half)
	if err != nil {
		return err
	}
	i.report.Overlapping = int(overlapping)
	for _, step := range []string{"index", "documents"} {
		if _, err := i.do(ctx, step); err != nil {
			return err
		}
	}
	if err := i.rejects(ctx, "strangers"); err != nil {
		return err
	}
	for _, step := range []string{"totals", "known"} {
		if _, err := i.do(ctx, step); err != nil {
			return err
		}
	}
	if err := i.rejects(ctx, "taken"); err != nil {
		return err
	}
	return i.write(ctx)
}

// write fills the ERP's tables from what is staged.
func (i *importer) write(ctx context.Context) error {
	i.options.Progress("Writing customers and items", 0, 0)
	house, err := i.do(ctx, "house")
	if err != nil {
		return err
	}
	if house > 0 {
		if _, err := i.do(ctx, "house_closed"); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		name  string
		count *int64
	}{{"customers", &i.report.Customers}, {"items", &i.report.Items}, {"invoices", new(int64)}, {"memos", new(int64)}} {
		if *step.count, err = i.do(ctx, step.name); err != nil {
			return err
		}
	}
	var documents int64
	if err := i.tx.QueryRow(ctx, "select count(*) from retail_document").Scan(&documents); err != nil {
		return err
	}
	for n := int64(0); n < documents; n += chunk {
		i.options.Progress("Writing lines", n, documents)
		for _, step := range []string{"invoice_lines", "memo_lines"} {
			if _, err := i.do(ctx, step, n+1, n+chunk); err != nil {
				return err
			}
		}
	}
	i.options.Progress("Writing lines", documents, documents)
	if _, err := i.do(ctx, "numbers"); err != nil {
		return err
	}
	r := i.report
	return i.tx.QueryRow(ctx, steps["summary"]).Scan(&r.Invoices, &r.Credits, &r.Adjustments, &r.Known,
		&r.Lines, &r.Amount)
}

// do runs a step and returns how many rows it touched.
func (i *importer) do(ctx context.Context, step string, args ...any) (int64, error) {
	tag, err := i.tx.Exec(ctx, steps[step], args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", strings.ReplaceAll(step, "_", " "), err)
	}
	return tag.RowsAffected(), nil
}

// rejects runs a step that returns lines and why they are left out.
func (i *importer) rejects(ctx context.Context, step string) error {
	rows, _ := i.tx.Query(ctx, steps[step])
	var line int
	var reason string
	_, err := pgx.ForEachRow(rows, []any{&line, &reason}, func() error {
		i.report.reject(line, reason)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return nil
}

// stage copies the file's rows into a temporary table and returns how many
// data rows come before the overlap.
func (i *importer) stage(ctx context.Context, file io.Reader) (half int, err error) {
	counted := &countingReader{r: file}
	lines, err := openLines(counted)
	if err != nil {
		return 0, err
	}
	if !lines.Scan() {
		if err := lines.Err(); err != nil {
			return 0, fmt.Errorf("the file cannot be read: %w", err)
		}
		return 0, errors.New("the file is empty")
	}
	h, older, err := parseHeader(lines.Text())
	if err != nil {
		return 0, err
	}
	if half = i.options.FirstHalf; half == 0 && !older {
		half = firstHalf
	}
	if _, err := i.do(ctx, "stage"); err != nil {
		return 0, err
	}
	source := &rowSource{lines: lines, header: h, line: 1, report: i.report, progress: func() {
		i.options.Progress("Reading", counted.n, i.options.Size)
	}}
	_, err = i.tx.CopyFrom(ctx, pgx.Identifier{"retail_row"},
		[]string{"row_no", "line_no", "document", "code", "description", "quantity", "at", "price", "customer_no", "country"},
		source)
	if broken := source.Err(); broken != nil {
		return 0, fmt.Errorf("line %d: %w", source.line+1, broken)
	}
	if err != nil {
		return 0, fmt.Errorf("line %d: %w", source.line, err)
	}
	if i.report.Rows == i.report.RejectedN && i.report.Rows > 0 {
		return 0, fmt.Errorf("none of the %d rows can be read; line %d: %s", i.report.Rows, i.report.Rejected[0].Line,
			i.report.Rejected[0].Reason)
	}
	return half, nil
}

// openLines reads plain text or gzip, told apart by their first bytes.
func openLines(r io.Reader) (*bufio.Scanner, error) {
	buffered := bufio.NewReaderSize(r, 256<<10)
	r = buffered
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("not a whole gzip file: %w", err)
		}
		r = unpacked
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	return lines, nil
}

// rowSource feeds COPY with the rows that can be read and notes the others.
type rowSource struct {
	lines    *bufio.Scanner
	header   header
	line     int
	report   *Report
	progress func()
	row      row
}

func (s *rowSource) Next() bool {
	for s.lines.Scan() {
		s.line++
		text := s.lines.Text()
		if text == "" {
			continue
		}
		s.report.Rows++
		if s.report.Rows%10_000 == 0 {
			s.progress()
		}
		var err error
		if s.row, err = s.header.parse(text); err != nil {
			s.report.reject(s.line, err.Error())
			continue
		}
		return true
	}
	s.progress()
	return false
}

func (s *rowSource) Values() ([]any, error) {
	r := &s.row
	return []any{s.report.Rows, s.line, r.document, r.code, r.description, r.quantity, r.at, r.price,
		r.customer, r.country}, nil
}

func (s *rowSource) Err() error {
	if err := s.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("longer than %d bytes: this is not the ledger", maxLine)
	} else if err != nil {
		return fmt.Errorf("the file cannot be read to its end: %w", err)
	}
	return nil
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

//go:embed import.sql
var importSQL string

var steps = parseSteps(importSQL)

// parseSteps cuts the script at its "-- step: name" lines.
func parseSteps(script string) map[string]string {
	m := map[string]string{}
	for _, part := range strings.Split(script, "-- step: ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		m[strings.TrimSpace(name)] = body
	}
	return m
}
