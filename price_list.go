package portal

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// PriceList names what a price list file holds.
type PriceList string

const (
	ListLevels    PriceList = "levels"    // items' prices of the levels A to E
	ListContracts PriceList = "contracts" // customers' prices of items
	ListGroups    PriceList = "groups"    // customers' prices in categories
	ListBreaks    PriceList = "breaks"    // items' prices by quantity
)

// PriceLists are all of them.
var PriceLists = []PriceList{ListLevels, ListContracts, ListGroups, ListBreaks}

// MaxPriceList is how many bytes a price list file may have.
const MaxPriceList = 20 << 20

// Columns are the columns of the file, in the order of the export. A file may
// have them in any order, and leave out those that are not Required: for levels
// these prices then stay as they are, for rules they are open, 0 or any.
func (l PriceList) Columns() []PriceColumn {
	switch l {
	case ListLevels:
		return []PriceColumn{{"item_no", true}, {"price_a", false}, {"price_b", false}, {"price_c", false},
			{"price_d", false}, {"price_e", false}}
	case ListContracts:
		return []PriceColumn{{"customer_no", true}, {"item_no", true}, {"uom", false}, {"kind", true}, {"value", true},
			{"min_qty", false}, {"valid_from", false}, {"valid_to", false}}
	case ListGroups:
		return []PriceColumn{{"customer_no", true}, {"category", true}, {"kind", true}, {"value", true},
			{"valid_from", false}, {"valid_to", false}}
	case ListBreaks:
		return []PriceColumn{{"item_no", true}, {"min_qty", true}, {"price", false}, {"use_level", false}, {"levels", false},
			{"valid_from", false}, {"valid_to", false}}
	}
	return nil
}

// PriceColumn is a column of a price list.
type PriceColumn struct {
	Name     string
	Required bool
}

// PriceProblem is why a row of a price list is bad. Line counts the file's
// lines from 1; Column is empty where it is the row as a whole.
type PriceProblem struct {
	Line    int    `json:"line"`
	Column  string `json:"column,omitempty"`
	Message string `json:"message"`
}

// ImportOptions say what to do with a price list beyond checking it.
type ImportOptions struct {
	Apply    bool
	LeaveOut bool // the bad rows; otherwise they keep the good ones from being loaded
}

// MaxProblems is how many problems of a file are listed; the others are
// counted.
const MaxProblems = 1000

// PriceImport is what a price list would change, or has.
type PriceImport struct {
	List      PriceList      `json:"what"`
	Rows      int            `json:"rows"`
	New       int            `json:"new"`
	Changed   int            `json:"changed"`
	Unchanged int            `json:"unchanged"`
	Bad       int            `json:"bad"`      // rows
	Found     int            `json:"found"`    // problems in them
	Problems  []PriceProblem `json:"problems"` // the first MaxProblems, by line
	Applied   bool           `json:"applied"`
}

// Add notes problems, in any order of lines.
func (i *PriceImport) Add(problems ...PriceProblem) {
	i.Found += len(problems)
	i.Problems = append(i.Problems, problems...)
	if len(i.Problems) > 4*MaxProblems {
		i.Sort()
	}
}

// Sort brings the problems into the order of the file and keeps the first.
func (i *PriceImport) Sort() {
	slices.SortStableFunc(i.Problems, func(a, b PriceProblem) int { return a.Line - b.Line })
	if len(i.Problems) > MaxProblems {
		i.Problems = i.Problems[:MaxProblems]
	}
}

// PriceRow is a row of a price list. Cells are in the order of Columns: nil
// where the file has no such column, else what was written with numbers and
// dates checked and without needless zeros. A row with Problems is not to be
// used.
type PriceRow struct {
	Line     int
	Cells    []*string
	Problems []PriceProblem
}

// PriceListReader reads a price list row by row. It is for one goroutine and
// keeps nothing of the file but the row at hand.
type PriceListReader struct {
	list    PriceList
	columns []PriceColumn
	csv     *csv.Reader
	at      []int // where in the file each of the columns is; -1: nowhere
	head    []string
}

// NewPriceListReader reads the head of a file: comma or semicolon between the
// cells, with or without a byte order mark. Errors are CodeInvalid at field
// file.
func NewPriceListReader(file io.Reader, list PriceList) (*PriceListReader, error) {
	r := &PriceListReader{list: list, columns: list.Columns()}
	if r.columns == nil {
		return nil, Invalid("what", "Choose what the file holds.")
	}
	in := bufio.NewReaderSize(file, 64<<10)
	start, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("price list: %w", err)
	}
	switch {
	case bytes.HasPrefix(start, []byte("\ufeff")):
		_, _ = in.Discard(3)
		start = start[3:]
	case bytes.HasPrefix(start, []byte("PK\x03\x04")) || bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")):
		return nil, Invalid("file", "This is an Excel workbook. Save it as “CSV UTF-8” and upload that.")
	case bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff")):
		return nil, Invalid("file", "This is “Unicode text”. Save it as “CSV UTF-8” and upload that.")
	}
	line, _, _ := bytes.Cut(start, []byte("\n"))
	r.csv = csv.NewReader(in)
	r.csv.FieldsPerRecord = -1
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		r.csv.Comma = ';'
	}
	head, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, Invalid("file", "The file is empty.")
	}
	if err != nil {
		if _, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, Invalid("file", "The first line cannot be read: it must name the columns.")
		}
		return nil, fmt.Errorf("price list: %w", err)
	}
	return r, r.readHead(head)
}

func (r *PriceListReader) readHead(head []string) error {
	all := make([]string, len(r.columns))
	for i, c := range r.columns {
		all[i] = c.Name
	}
	expected := fmt.Sprintf("The first line of a %s file names its columns: %s.", r.list, strings.Join(all, ", "))
	r.at = make([]int, len(r.columns))
	for i := range r.at {
		r.at[i] = -1
	}
	for k, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		i := slices.Index(all, name)
		switch {
		case name == "" && k > 0:
			// a spreadsheet's empty columns at the right
		case i < 0:
			return Invalid("file", "“%s” is no column of it. %s", clip(name), expected)
		case r.at[i] >= 0:
			return Invalid("file", "The column %s is there twice.", name)
		default:
			r.at[i] = k
		}
		r.head = append(r.head, name)
	}
	prices := 0
	for i, c := range r.columns {
		if c.Required && r.at[i] < 0 {
			return Invalid("file", "The column %s is missing. %s", c.Name, expected)
		}
		if r.at[i] >= 0 && !c.Required {
			prices++
		}
	}
	if r.list == ListLevels && prices == 0 {
		return Invalid("file", "There is no price column. %s", expected)
	}
	return nil
}

// Read returns the next row that is not blank, io.EOF after the last. Rows that
// are bad come with their problems and not as errors.
func (r *PriceListReader) Read() (PriceRow, error) {
	for {
		cells, err := r.csv.Read()
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			return PriceRow{Line: bad.StartLine,
				Problems: []PriceProblem{{Line: bad.StartLine,
					Message: "This line cannot be read: a quotation mark is not closed, or stands inside a cell."}}}, nil
		}
		if err != nil {
			return PriceRow{}, err
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		line, _ := r.csv.FieldPos(0)
		return r.row(line, cells), nil
	}
}

func (r *PriceListReader) row(line int, cells []string) PriceRow {
	row := PriceRow{Line: line, Cells: make([]*string, len(r.columns))}
	wrong := func(column, format string, args ...any) {
		row.Problems = append(row.Problems, PriceProblem{Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
	}
	for k := len(r.head); k < len(cells); k++ {
		if strings.TrimSpace(cells[k]) != "" {
			wrong("", "There are %d cells, but the first line names %d columns. Is there a comma inside a number?",
				len(cells), len(r.head))
			return row
		}
	}
	got := func(name string) string {
		if i := slices.IndexFunc(r.columns, func(c PriceColumn) bool { return c.Name == name }); i >= 0 &&
			row.Cells[i] != nil {
			return *row.Cells[i]
		}
		return ""
	}
	for i, c := range r.columns {
		if r.at[i] < 0 {
			continue
		}
		var cell string
		if r.at[i] < len(cells) {
			cell = unguard(strings.TrimSpace(cells[r.at[i]]))
		}
		if utf8.ValidString(cell) && !strings.ContainsFunc(cell, func(c rune) bool { return c < ' ' && c != '\t' }) {
			cell = CleanText(cell)
		}
		switch {
		case !utf8.ValidString(cell):
			wrong(c.Name, "This is not UTF-8. Save the file as “CSV UTF-8”.")
			continue
		case strings.ContainsFunc(cell, func(c rune) bool { return c < ' ' && c != '\t' }):
			wrong(c.Name, "This holds characters that are not text.")
			continue
		case len(cell) > 200:
			wrong(c.Name, "This is too long.")
			continue
		case cell == "" && c.Required:
			wrong(c.Name, "This is empty.")
			continue
		}
		read, problem := readCell(c.Name, cell, r.csv.Comma != ',')
		if problem != "" {
			wrong(c.Name, "%s", problem)
			continue
		}
		row.Cells[i] = &read
	}
	if len(row.Problems) > 0 {
		return row
	}
	// what goes for a row as a whole
	if kind := got("kind"); kind == "percent_off" && moreThanHundred(got("value")) {
		wrong("value", "More than 100 percent off is not a price.")
	} else if r.list == ListGroups && kind == "fixed" {
		wrong("kind", "A category has no fixed price: percent_off or cost_plus.")
	}
	if from, to := got("valid_from"), got("valid_to"); from != "" && to != "" && to < from {
		wrong("valid_to", "The last day is before the first.")
	}
	if r.list == ListBreaks && (got("price") == "") == (got("use_level") == "") {
		wrong("price", "Give either price or use_level.")
	}
	return row
}

// hundred is all of it, in percent.
var hundred = decimal.NewFromInt(100)

func moreThanHundred(s string) bool {
	d, err := decimal.NewFromString(s)
	return err == nil && d.GreaterThan(hundred)
}

var fileNumber = regexp.MustCompile(`^-?(\d+(\.\d*)?|\.\d+)$`)

// readCell checks a cell by its column's name, and returns it as the database
// reads it, or what is wrong. either: see readNumber.
func readCell(column, cell string, either bool) (read, problem string) {
	if cell == "" {
		return "", ""
	}
	switch column {
	case "price_a", "price_b", "price_c", "price_d", "price_e", "price", "value":
		return readNumber(cell, 4, either)
	case "min_qty":
		read, problem = readNumber(cell, 6, either)
		return read, problem
	case "kind":
		if kind := strings.ToLower(cell); slices.Contains([]string{"fixed", "percent_off", "cost_plus"}, kind) {
			return kind, ""
		}
		return "", "“" + clip(cell) + "” is not a kind: fixed, percent_off or cost_plus."
	case "use_level":
		if level := strings.ToUpper(cell); slices.Contains(levels, level) {
			return level, ""
		}
		return "", "“" + clip(cell) + "” is not a level: A, B, C, D or E."
	case "levels":
		return readLevels(cell)
	case "valid_from", "valid_to":
		d, err := time.Parse(time.DateOnly, cell)
		if err != nil {
			return "", "“" + clip(cell) + "” is not a date: write 2026-06-30."
		}
		if !DayWithinReason(d) {
			return "", "“" + clip(cell) + "”: " + DayWords + " Leave it empty where there is no end."
		}
		return d.Format(time.DateOnly), ""
	}
	return cell, ""
}

// eitherNumber may have thousands or decimals behind its sign.
var eitherNumber = regexp.MustCompile(`^[1-9]\d{0,2}[.,]\d{3}$`)

// readNumber reads 27.50. either: the file has semicolons between its cells, as
// those have whose decimals stand after commas, and 1.234 could be a thousand.
func readNumber(cell string, places int32, either bool) (read, problem string) {
	if either && eitherNumber.MatchString(cell) {
		whole, part := cell[:len(cell)-4], cell[len(cell)-3:]
		return "", fmt.Sprintf("Is “%s” %s%s or %s.%s? Write %[2]s%[3]s or %[2]s.%[3]s0.", cell, whole, part, whole, part)
	}
	if len(cell) > 40 || !fileNumber.MatchString(cell) {
		if strings.ContainsRune(cell, ',') {
			return "", "“" + clip(cell) +
				"” has a comma: write the decimals after a point (27.50), and nothing between thousands."
		}
		return "", "“" + clip(cell) + "” is not a number: write 27.50."
	}
	d, err := decimal.NewFromString(strings.TrimSuffix(cell, "."))
	switch {
	case err != nil:
		return "", "“" + clip(cell) + "” is not a number: write 27.50."
	case d.IsNegative():
		return "", "This cannot be negative."
	case !d.Equal(d.Round(places)):
		return "", "“" + clip(cell) + "” has more than " + strconv.Itoa(int(places)) + " decimals."
	case d.GreaterThanOrEqual(decimal.New(1, 10)):
		return "", "“" + clip(cell) + "” is too large."
	}
	return d.String(), ""
}

// readLevels reads "ABC", "A B C" or "A,B,C" as "A,B,C".
func readLevels(cell string) (read, problem string) {
	var out []string
	for _, c := range strings.ToUpper(cell) {
		switch {
		case 'A' <= c && c <= 'E':
			out = append(out, string(c))
		case !strings.ContainsRune(" ,;/+", c):
			return "", "“" + clip(cell) + "” are not levels: A to E, like “A B”."
		}
	}
	if len(out) == 0 {
		return "", "“" + clip(cell) + "” are not levels: A to E, like “A B”."
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ","), ""
}

// clip keeps a quoted cell short.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// guarded are the characters at which a spreadsheet takes a cell for a formula,
// and the mark itself that keeps it from doing so.
const guarded = "=+-@'"

// unguard takes away the apostrophe that the export sets before a cell that a
// spreadsheet would take for a formula.
func unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune(guarded, rune(cell[1])) {
		return cell[1:]
	}
	return cell
}
