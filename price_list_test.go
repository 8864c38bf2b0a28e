package portal_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"portal.example/portal"
)

// readList reads a whole list: its rows, and the problems as "line column:
// message".
func readList(t *testing.T, list portal.PriceList, file string) (rows []portal.PriceRow, problems []string) {
	t.Helper()
	r, err := portal.NewPriceListReader(strings.NewReader(file), list)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, problems
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range row.Problems {
			problems = append(problems, strings.Join(strings.Fields(fmt.Sprint(p.Line, " ", p.Column, " ", p.Message)), " "))
		}
		if len(row.Problems) == 0 {
			rows = append(rows, row)
		}
	}
}

func cells(row portal.PriceRow) string {
	var out []string
	for _, c := range row.Cells {
		if c == nil {
			out = append(out, "-")
		} else {
			out = append(out, *c)
		}
	}
	return strings.Join(out, "|")
}

func TestPriceListReads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list portal.PriceList
		file string
		want []string
	}{
		{portal.ListLevels, "item_no,price_a,price_b\nOIL5,30.00,28.5\n", []string{"OIL5|30|28.5|-|-|-"}},
		{portal.ListLevels, "\ufeffPrice_E;ITEM_NO\r\n;SALT1\r\n\r\n;;\r\n.5;\"OIL;5\"\r\n",
			[]string{"SALT1|-|-|-|-|", "OIL;5|-|-|-|-|0.5"}},
		{portal.ListContracts,
			"customer_no,item_no,uom,kind,value,min_qty,valid_from,valid_to\nC1,'=X,CS,Fixed,22.75,12.50,2026-01-01,2026-06-30\n", []string{"C1|=X|CS|fixed|22.75|12.5|2026-01-01|2026-06-30"}},
		{portal.ListGroups, "customer_no,category,kind,value\nC1,\"Oils, fats\",percent_off,100\n",
			[]string{"C1|Oils, fats|percent_off|100|-|-"}},
		{portal.ListBreaks, "item_no,min_qty,price,use_level,levels\nOIL5,12,23.40,,c a\nOIL5,24,,e,\n",
			[]string{"OIL5|12|23.4||A,C|-|-", "OIL5|24||E||-|-"}},
	} {
		rows, problems := readList(t, c.list, c.file)
		var got []string
		for _, r := range rows {
			got = append(got, cells(r))
		}
		if !slices.Equal(got, c.want) || problems != nil {
			t.Errorf("%q:\n got %q\nwant %q\n%q", c.file, got, c.want, problems)
		}
	}
}

func TestPriceListSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	_, problems := readList(t, portal.ListContracts, `customer_no;item_no;kind;value;min_qty;valid_from;valid_to
C1;OIL5;fixed;22,75;;;
;OIL5;rebate;-1;1.2345678;30.06.2026;
C1;OIL5;percent_off;100.5;;2026-02-01;2026-01-31
C1;OIL5;fixed;1e3;99999999999;2026-02-30;2026-01-31;x
C1;OIL5;fixed;12"5
C1;OIL5;fixed;
`)
	for i, want := range []string{
		"2 value “22,75” has a comma: write the decimals after a point (27.50)",
		"3 customer_no This is empty.", "3 kind “rebate” is not a kind", "3 value This cannot be negative.",
		"3 min_qty “1.2345678” has more than 6 decimals.", "3 valid_from “30.06.2026” is not a date: write 2026-06-30.",
		"4 value More than 100 percent off", "4 valid_to The last day is before the first.",
		"5 There are 8 cells, but the first line names 7 columns.", "6 This line cannot be read", "7 value This is empty.",
	} {
		if i >= len(problems) || !strings.HasPrefix(problems[i], want) {
			t.Errorf("problem %d is not %q: %q", i, want, problems)
		}
	}
	if len(problems) != 11 {
		t.Errorf("%d problems: %q", len(problems), problems)
	}
	_, problems = readList(t, portal.ListBreaks,
		"item_no,min_qty,price,use_level,levels\nX,1,,,\nX,1,2,A,\nX,1,2,,AF\nX,1,2,,\xff\n")
	if len(problems) != 4 || !strings.Contains(problems[0], "either price or use_level") ||
		!strings.Contains(problems[1], "either price") ||
		!strings.Contains(problems[2], "are not levels") || !strings.Contains(problems[3], "CSV UTF-8") {
		t.Errorf("breaks: %q", problems)
	}
	for file, want := range map[string]string{
		"":                           "empty",
		"item_no\nX\n":               "no price column",
		"item_no,price_a,price_f\n":  "“price_f” is no column",
		"price_a\n1\n":               "item_no is missing",
		"item_no,price_a,price_a\n":  "twice",
		"\xff\xfei\x00":              "Unicode text",
		"PK\x03\x04":                 "Excel",
		"\"item_no,price_a\nX,1\n\n": "first line cannot be read",
	} {
		if _, err := portal.NewPriceListReader(strings.NewReader(file),
			portal.ListLevels); portal.ErrorCode(err) != portal.CodeInvalid ||
			!strings.Contains(portal.ErrorMessage(err), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
	if _, err := portal.NewPriceListReader(strings.NewReader("x"), "wishes"); portal.ErrorCode(err) != portal.CodeInvalid {
		t.Errorf("unknown list: %v", err)
	}
}

// Whatever a file holds, reading it ends, says for each row that it is good or
// why not, and what is good reads the same again.
func FuzzPriceList(f *testing.F) {
	f.Add("item_no,price_a,price_b\nOIL5,30.00,28.5\n", 0)
	f.Add("\ufeffcustomer_no;item_no;kind;value;valid_from\nC1;OIL5;fixed;22.75;2026-01-01\n", 1)
	f.Add("customer_no,category,kind,value\nC1,\"Oils, fats\",percent_off,10\n", 2)
	f.Add("item_no,min_qty,price,use_level,levels\n'=1+1,12,,E,A B\n\"", 3)
	f.Fuzz(func(t *testing.T, file string, n int) {
		list := portal.PriceLists[uint(n)%uint(len(portal.PriceLists))]
		r, err := portal.NewPriceListReader(strings.NewReader(file), list)
		if err != nil {
			if portal.ErrorCode(err) != portal.CodeInvalid {
				t.Fatalf("not in words: %v", err)
			}
			return
		}
		var again strings.Builder
		w := csv.NewWriter(&again)
		var head, good []string
		last := 0
		for {
			row, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if row.Line <= last {
				t.Fatalf("line %d after line %d", row.Line, last)
			}
			last = row.Line
			for _, p := range row.Problems {
				if p.Line != row.Line || p.Message == "" {
					t.Fatalf("problem %+v of line %d", p, row.Line)
				}
			}
			if len(row.Problems) > 0 {
				continue
			}
			var line []string
			for i, c := range row.Cells {
				if c == nil {
					continue
				}
				if len(good) == 0 {
					head = append(head, list.Columns()[i].Name)
				}
				cell := *c
				if cell != "" && strings.ContainsRune("=+-@'", rune(cell[0])) {
					cell = "'" + cell
				}
				line = append(line, cell)
			}
			if len(good) == 0 {
				_ = w.Write(head)
			}
			_ = w.Write(line)
			good = append(good, cells(row))
		}
		if len(good) == 0 {
			return
		}
		w.Flush()
		rows, problems := readList(t, list, again.String())
		var got []string
		for _, row := range rows {
			got = append(got, cells(row))
		}
		if problems != nil || !slices.Equal(got, good) {
			t.Fatalf("%q:\nfirst %q\nagain %q\n%q", again.String(), good, got, problems)
		}
	})
}

// In a file with semicolons a price that can be read in two ways is asked about.
func TestPriceListDecimalSigns(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"1.234": "Is “1.234” 1234 or 1.234? Write 1234 or 1.2340.",
		"1,250": "Is “1,250” 1250 or 1.250? Write 1250 or 1.2500.", "27,50": "has a comma", "27.50": "27.5", "0.125": "0.125",
		"1.2340": "1.234", "1.234,50": "has a comma", "1250": "1250",
	} {
		r, err := portal.NewPriceListReader(strings.NewReader("item_no;price_a\nOIL5;"+cell+"\n"), portal.ListLevels)
		if err != nil {
			t.Fatal(err)
		}
		row, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if len(row.Problems) > 0 {
			got = row.Problems[0].Message
		} else {
			got = *row.Cells[1]
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", cell, got, want)
		}
	}
}
