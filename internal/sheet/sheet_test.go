package sheet_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"portal.example/portal/internal/sheet"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"from a spreadsheet": {"OIL5\t12\r\nRICE25\t3\r\n", "[[OIL5 12] [RICE25 3]]"},
		"empty lines count":  {"OIL5\t12\n\nRICE25\t3\n\n", "[[OIL5 12] [] [RICE25 3]]"},
		"semicolons":         {"OIL5;12;\"a, b\"\nRICE25;3", "[[OIL5 12 a, b] [RICE25 3]]"},
		"commas":             {"OIL5, 12\nRICE25 ,3\n", "[[OIL5 12] [RICE25 3]]"},
		"spaces":             {"OIL5 12\nRICE25   3", "[[OIL5 12] [RICE25 3]]"},
		"codes alone":        {"OIL5\nRICE25\n", "[[OIL5] [RICE25]]"},
		"quotes":             {"OIL5\t12\n3\" pipe\t4", "[[OIL5 12] [3\" pipe 4]]"},
		"nothing":            {"", "[]"},
		"blank":              {" \n\t\n", "[]"},
	} {
		rows, err := sheet.Parse(c.text, 100)
		if err != nil || fmt.Sprint(rows) != c.want {
			t.Errorf("%s: %v %v, want %s", name, rows, err, c.want)
		}
	}
	if rows, err := sheet.Parse(strings.Repeat("A\t1\n", 20), 5); !errors.Is(err, sheet.ErrTooMany) || len(rows) != 5 {
		t.Errorf("too many: %d %v", len(rows), err)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	for i, row := range [][]any{{"Item number", "Qty"}, {"OIL5", 12}, {"SALT1", 1.5}, {nil, nil}, {4006381333931, 2}} {
		if err := f.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var xlsx bytes.Buffer
	if err := f.Write(&xlsx); err != nil {
		t.Fatal(err)
	}
	if rows, err := sheet.Read(&xlsx, 100); err != nil || fmt.Sprint(rows) != "[[Item number Qty] [OIL5 12] [SALT1 1.5] [] [4006381333931 2]]" {
		t.Errorf("xlsx: %v %v", rows, err)
	}
	for name, c := range map[string][2]string{
		"byte order mark": {"\xef\xbb\xbfOIL5,12", "[[OIL5 12]]"},
		"utf-16":          {"\xff\xfeA\x00\t\x001\x00", "[[A 1]]"},
		"windows":         {"CAF\xc9,1", "[[CAFÉ 1]]"},
	} {
		if rows, err := sheet.Read(strings.NewReader(c[0]), 100); err != nil || fmt.Sprint(rows) != c[1] {
			t.Errorf("%s: %v %v", name, rows, err)
		}
	}
	for name, file := range map[string]string{"old excel": "\xd0\xcf\x11\xe0xxxx", "broken excel": "PK\x03\x04xxxx", "too large": strings.Repeat("x", sheet.MaxBytes+1)} {
		if _, err := sheet.Read(strings.NewReader(file), 100); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestGuess(t *testing.T) {
	t.Parallel()
	items := []string{"OIL5", "RICE25", "22195"}
	known := func(cells []string) (n int) {
		for _, c := range cells {
			if slices.Contains(items, c) {
				n++
			}
		}
		return n
	}
	for text, want := range map[string]sheet.Columns{
		"OIL5\t12\nRICE25\t3":                              {Ref: 0, UOM: -1, Qty: 1},
		"12\tOIL5\n3\tRICE25":                              {Ref: 1, UOM: -1, Qty: 0},
		"OIL5\t1\tCS\nRICE25\t2":                           {Ref: 0, UOM: 2, Qty: 1},
		"Olive oil\tOIL5\tCS\t2":                           {Ref: 1, UOM: 2, Qty: 3},
		"22195\t4\n22195\t5":                               {Ref: 0, UOM: -1, Qty: 1},
		"Quantity\tUnit\tDescription\tSKU\n1\tEA\tx\tOIL5": {Ref: 3, UOM: 1, Qty: 0, Head: true},
		"Item No.;Description;Qty\nNOPE;x;1":               {Ref: 0, UOM: -1, Qty: 2, Head: true},
		"NOPE\t1":                                          {Ref: 0, UOM: -1, Qty: 1},
	} {
		rows, err := sheet.Parse(text, 100)
		if got := sheet.Guess(rows, known); err != nil || got != want {
			t.Errorf("%q: %+v, want %+v (%v)", text, got, want, err)
		}
	}
}

// Whatever is pasted, rows of clean text come back, or words why not.
func FuzzParse(f *testing.F) {
	f.Add("OIL5\t12\r\n\"a\nb\"\t3\n")
	f.Add("a;b\n\"")
	f.Add("\"\x00,\xff")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := sheet.Parse(text, 50)
		if len(rows) > 50 || (err == nil && len(rows) > 0 && len(rows) > strings.Count(strings.ReplaceAll(text, "\r", "\n"), "\n")+1) {
			t.Errorf("%d rows", len(rows))
		}
		for _, cells := range rows {
			for _, c := range cells {
				if !utf8.ValidString(c) || strings.ContainsRune(c, 0) {
					t.Errorf("cell %q", c)
				}
			}
		}
		sheet.Guess(rows, func(cells []string) int { return len(cells) % 3 })
	})
}
