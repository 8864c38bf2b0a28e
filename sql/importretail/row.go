package importretail

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

// row is one line of the ledger, as it will be staged.
type row struct {
	document    string // digits; C and digits for a credit, A and digits for an adjustment
	code        string // trimmed, upper case
	description string // trimmed
	quantity    int64
	at          time.Time // of the ledger's own clock; it names no zone
	price       pgtype.Numeric
	customer    string // digits, or empty
	country     string
}

// The columns in the order of row; the second name is the one of the older file.
var columns = [...][2]string{
	{"Invoice", "InvoiceNo"}, {"StockCode"}, {"Description"}, {"Quantity"}, {"InvoiceDate"}, {"Price", "UnitPrice"},
	{"Customer ID", "CustomerID"}, {"Country"},
}

// header tells which field of a line each column is in.
type header [len(columns)]int

// parseHeader reads the first line. older reports the names of the file that
// holds the second year alone, whose documents do not overlap.
func parseHeader(line string) (h header, older bool, err error) {
	fields, err := split(strings.TrimPrefix(line, "\ufeff"))
	if err != nil {
		return h, false, fmt.Errorf("the first line: %w", err)
	}
	at := map[string]int{}
	for i, f := range fields {
		at[strings.ToLower(strings.TrimSpace(f))] = i
	}
	for i, names := range columns {
		found := -1
		for k, name := range names {
			if n, ok := at[strings.ToLower(name)]; ok && name != "" {
				found = n
				older = older || k == 1
				break
			}
		}
		if found < 0 {
			return h, false, fmt.Errorf("the first line names no column %q; expected are Invoice, StockCode, Description, "+
				"Quantity, InvoiceDate, Price, Customer ID, Country", names[0])
		}
		h[i] = found
	}
	return h, older, nil
}

var (
	documentForm = regexp.MustCompile(`^[CA]?[0-9]{1,15}$`)
	priceForm    = regexp.MustCompile(`^-?([0-9]{1,10})(?:\.([0-9]+))?$`)
	customerForm = regexp.MustCompile(`^[0-9]{1,15}$`)
)

const maxQuantity = 1_000_000_000

// parse reads one line. An error says in words what is wrong with it.
func (h header) parse(line string) (row, error) {
	if !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
		return row{}, errors.New("not UTF-8 text")
	}
	fields, err := split(line)
	if err != nil {
		return row{}, err
	}
	if len(fields) != len(columns) {
		return row{}, fmt.Errorf("%d columns where %d are expected", len(fields), len(columns))
	}
	field := func(i int) string { return strings.TrimSpace(fields[h[i]]) }

	r := row{document: strings.ToUpper(field(0)), code: strings.ToUpper(field(1)),
		description: field(2), country: field(7)}
	if !documentForm.MatchString(r.document) {
		return row{}, fmt.Errorf("document number %q is not digits, with or without C or A before them", field(0))
	}
	if r.code == "" {
		return row{}, errors.New("no stock code")
	}
	if r.quantity, err = strconv.ParseInt(field(3), 10, 64); err != nil || max(r.quantity, -r.quantity) > maxQuantity {
		return row{}, fmt.Errorf("quantity %q is not a whole number", field(3))
	}
	if r.at, err = parseTime(field(4)); err != nil {
		return row{}, err
	}
	if r.price, err = parsePrice(field(5)); err != nil {
		return row{}, err
	}
	// spreadsheets like to make a number of it
	r.customer = strings.TrimSuffix(field(6), ".0")
	if r.customer != "" && !customerForm.MatchString(r.customer) {
		return row{}, fmt.Errorf("customer number %q is not digits", field(6))
	}
	return r, nil
}

// split separates the fields of one line. No field of the ledger holds a line
// break, so that a quote left open spoils its own line only.
func split(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	fields, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, errors.New("a quote is left open or stands inside a field")
	}
	return fields, nil
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1900 {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("date %q is not of the form 2010-12-31 23:59:00", s)
}

// parsePrice reads a decimal exactly, with up to the four decimals that the
// price columns keep.
func parsePrice(s string) (pgtype.Numeric, error) {
	m := priceForm.FindStringSubmatch(s)
	if m == nil {
		return pgtype.Numeric{}, fmt.Errorf("price %q is not a decimal number", s)
	}
	fraction := strings.TrimRight(m[2], "0")
	if len(fraction) > 4 {
		return pgtype.Numeric{}, fmt.Errorf("price %q has more than four decimals", s)
	}
	n, _ := new(big.Int).SetString(m[1]+fraction, 10)
	if strings.HasPrefix(s, "-") {
		n.Neg(n)
	}
	return pgtype.Numeric{Int: n, Exp: -int32(len(fraction)), Valid: true}, nil
}
