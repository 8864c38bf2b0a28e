package importcsv

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"
)

// Decimal says which sign stands before the decimals of numbers.
type Decimal string

// The signs. They decide how 1,234 and 1.234 are read; 0,5 and 12.50 can be read
// in one way only. Without one said, a column of a file with semicolons or tabs
// goes by such numbers of its own, and where it has none, a number that can be
// read in two ways is a problem; files with commas have points.
const (
	DecimalUnsaid Decimal = ""
	DecimalComma  Decimal = "comma"
	DecimalPoint  Decimal = "point"
)

var (
	number = regexp.MustCompile(`^-?(\d+([.,]\d*)?|[.,]\d+)$`)
	// 1,234 and 1.234: thousands, or decimals
	eitherWay = regexp.MustCompile(`^-?[1-9]\d{0,2}[.,]\d{3}$`)
)

// signs are the lines in which a column has a number whose one sign, by its
// place, stands before decimals; 0: none.
type signs struct{ comma, point int }

// learn reads all of a file for the signs of its columns. Lines that cannot be
// read are left to the second reading.
func (r *reader) learn() error {
	r.signs = make([]signs, len(r.kind.columns))
	for {
		record, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if _, bad := errors.AsType[*csv.ParseError](err); bad {
			continue
		}
		if err != nil {
			return err
		}
		line, _ := r.csv.FieldPos(0)
		for i, c := range r.kind.columns {
			if at := r.at[i]; at >= 0 && at < len(record) && c.sqlType() == "numeric" {
				r.signs[i].see(strings.TrimSpace(record[at]), line)
			}
		}
	}
}

func (s *signs) see(cell string, line int) {
	if !number.MatchString(cell) || eitherWay.MatchString(cell) {
		return
	}
	switch {
	case s.comma == 0 && strings.Contains(cell, ","):
		s.comma = line
	case s.point == 0 && strings.Contains(cell, "."):
		s.point = line
	}
}

// decimalSign returns the sign before the decimals of a cell that has one of
// the two, or why that is not known.
func (r *reader) decimalSign(column int, cell string) (sign, reason string) {
	has := "."
	if strings.Contains(cell, ",") {
		has = ","
	}
	names := map[string]string{",": "comma", ".": "point"}
	other := map[string]string{",": ".", ".": ","}[has]
	said := map[Decimal]string{DecimalComma: ",", DecimalPoint: "."}[r.decimal]
	switch {
	case said == "" && !r.either:
		said = "."
	case !eitherWay.MatchString(cell):
		return has, ""
	}
	if said != "" {
		if has != said {
			return "", fmt.Sprintf("This has a %s: write the decimals after a %s (1234%s50), and nothing between thousands.",
				names[has], names[said], said)
		}
		return said, ""
	}
	seen := r.signs[column]
	mine, theirs := seen.point, seen.comma
	if has == "," {
		mine, theirs = theirs, mine
	}
	switch {
	case mine > 0 && theirs == 0:
		return has, ""
	case theirs > 0 && mine == 0:
		return "", fmt.Sprintf("This has a %s, and line %d of this column has its decimals after a %s. Write nothing "+
			"between thousands.", names[has], theirs, names[other])
	}
	whole, part, _ := strings.Cut(cell, has)
	return "", fmt.Sprintf("Is this %s%s or %s.%s? The column does not say. Say which sign stands before decimals: "+
		"--decimal comma or --decimal point.", whole, part, whole, part)
}

// number reads 27.50, or 27,50 where the column has its decimals after commas.
// Nothing may stand between thousands.
func (r *reader) number(column int, cell string, places int32, negative bool) (read, reason string) {
	plain := cell
	if len(cell) > 40 || !number.MatchString(cell) {
		switch {
		case strings.ContainsAny(cell, ",'") && r.either:
			return "", "This is not a number: write 1234,50 or 1234.50, and nothing between thousands."
		case strings.ContainsRune(cell, ','):
			return "", "This has a comma: write the decimals after a point (1234.50), and nothing between thousands. In a " +
				"file with semicolons, 1234,50 is read as well."
		}
		return "", "This is not a number: write 27.50."
	}
	if strings.ContainsAny(cell, ",.") {
		sign, reason := r.decimalSign(column, cell)
		if reason != "" {
			return "", reason
		}
		plain = strings.Replace(cell, sign, ".", 1)
	}
	d, err := decimal.NewFromString(strings.TrimSuffix(plain, "."))
	switch {
	case err != nil:
		return "", "This is not a number: write 27.50."
	case d.IsNegative() && !negative:
		return "", "This cannot be negative."
	case !d.Equal(d.Round(places)):
		return "", fmt.Sprintf("This has more than %d decimals.", places)
	case d.Abs().GreaterThanOrEqual(decimal.New(1, 8)):
		return "", "This is too large."
	}
	return d.String(), ""
}
