package sheet_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"portal.example/portal/internal/sheet"
)

// catalogue is what the customer of these tests may order.
var catalogue = []sheet.Found{
	{Item: "OIL5", Unit: "EA", Units: []string{"EA", "CS"}},
	{Item: "CAN1010", Unit: "EA", Units: []string{"EA", "CS"}},
	{Item: "BEV1012", Unit: "EA", Units: []string{"EA", "BX"}},
	{Item: "RICE25", Unit: "EA", Units: []string{"EA"}},
	{Item: "BEEF", Unit: "LB", Units: []string{"LB"}, Fractional: true},
	{Item: "-10X", Unit: "EA", Units: []string{"EA"}},
	{Item: "22195", Unit: "EA", Units: []string{"EA"}},
	{Item: "12", Unit: "EA", Units: []string{"EA"}},
}

// barcodes name an item, perhaps in another unit than its own.
var barcodes = map[string]sheet.Found{
	"8410200018880": {Item: "BEV1012", Unit: "EA", Units: []string{"EA", "BX"}},
	"4006381333931": {Item: "OIL5", Unit: "CS", Units: []string{"EA", "CS"}},
}

func lookup(codes []string) ([]sheet.Found, error) {
	out := make([]sheet.Found, len(codes))
	for i, code := range codes {
		out[i] = barcodes[code]
		for _, f := range catalogue {
			if strings.EqualFold(f.Item, code) {
				out[i] = f
			}
		}
	}
	return out, nil
}

// reading says what became of a file: its rows, or what is asked, or why it is
// refused.
func reading(b *sheet.Book, err error) string {
	var c *sheet.Choice
	if err == nil {
		c, err = sheet.Choose(b, 5500, lookup)
	}
	if err != nil {
		return "refused: " + err.Error()
	}
	s := c.Studies[0]
	r := s.Read()
	if c.Doubt {
		r.Doubts = append(r.Doubts, sheet.DoubtSheet)
	}
	if !r.Sure() {
		asked := []string{}
		for _, d := range r.Doubts {
			if !slices.Contains(asked, string(d)) {
				asked = append(asked, string(d))
			}
		}
		return "asks " + strings.Join(asked, ", ")
	}
	return rowsText(s.Entries(r.Columns))
}

func rowsText(list sheet.Entries) string {
	var out []string
	for _, e := range list.Rows {
		row := strings.TrimSpace(e.Ref + " " + e.Qty + " " + e.UOM)
		if e.Problem != "" {
			row += " !"
		}
		out = append(out, row)
	}
	return strings.Join(out, "; ")
}

func file(data []byte) (*sheet.Book, error) {
	return sheet.Open(bytes.NewReader(data), int64(len(data)))
}

// xlsx makes a file of sheets; each begins with its name, hidden ones with a
// minus. A cell =x is a formula, and what else cells are they are by their type.
func xlsx(t testing.TB, sheets ...[][]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for n, rows := range sheets {
		name, hidden := strings.CutPrefix(rows[0][0].(string), "-")
		if n == 0 {
			check(f.SetSheetName("Sheet1", name))
		} else {
			_, err := f.NewSheet(name)
			check(err)
		}
		for i, row := range rows[1:] {
			for k, v := range row {
				at, err := excelize.CoordinatesToCellName(k+1, i+1)
				check(err)
				switch v := v.(type) {
				case styled:
					style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &v.format})
					check(err)
					check(f.SetCellValue(name, at, v.value))
					check(f.SetCellStyle(name, at, at, style))
				case string:
					if formula, ok := strings.CutPrefix(v, "="); ok {
						check(f.SetCellFormula(name, at, formula))
						continue
					}
					check(f.SetCellValue(name, at, v))
				default:
					check(f.SetCellValue(name, at, v))
				}
			}
		}
		if hidden {
			check(f.SetSheetVisible(name, false))
		}
	}
	var out bytes.Buffer
	check(f.Write(&out))
	return out.Bytes()
}

type styled struct {
	value  any
	format string
}

func TestPaste(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"from a spreadsheet":      {"OIL5\t12\r\nRICE25\t3\r\n", "OIL5 12; RICE25 3"},
		"one item and one number": {"OIL5 12", "OIL5 12"},
		"the same with a tab":     {"OIL5\t12", "OIL5 12"},
		"lines count as quantities": {"OIL5\t1\nRICE25\t2\nCAN1010\t3\nBEV1012\t4\nBEEF\t5",
			"OIL5 1; RICE25 2; CAN1010 3; BEV1012 4; BEEF 5"},
		"number first":                {"12\tOIL5\n3\tRICE25", "OIL5 12; RICE25 3"},
		"1, 2 before items":           {"1\tOIL5\n2\tRICE25", "asks quantity"},
		"times":                       {"3 x OIL5\n2 x RICE25", "OIL5 3; RICE25 2"},
		"spaces":                      {"OIL5 12\nRICE25   3", "OIL5 12; RICE25 3"},
		"with a unit":                 {"OIL5 12 CS\nRICE25 3 EA", "OIL5 12 CS; RICE25 3 EA"},
		"a unit in one row":           {"OIL5\t4\tEA\nOIL5\t2\nOIL5\t1\tPALLET", "OIL5 4 EA; OIL5 2; OIL5 1 PALLET"},
		"decimal comma among spaces":  {"BEEF 2,5\nBEEF 3", "BEEF 2.5; BEEF 3"},
		"commas":                      {"OIL5, 12\nRICE25 ,3\n", "OIL5 12; RICE25 3"},
		"quotes":                      {"OIL5\t12\n3\" pipe\t4", "OIL5 12; 3\" pipe 4"},
		"codes alone":                 {"OIL5\nRICE25\n", "OIL5; RICE25"},
		"a pack size before":          {"OIL5\t4\tOlive\t6", "asks quantity"},
		"numbers that are codes, too": {"OIL5\t12\nRICE25\t12", "OIL5 12; RICE25 12"},
		"codes of digits":             {"22195\t4\n22195\t5", "22195 4; 22195 5"},
		"unknown":                     {"NOPE\t1", "NOPE 1"},
		"nothing":                     {"", "refused: nothing stands in it"},
		"blank":                       {" \n\t\n", "refused: nothing stands in it"},
		"a price list":                {"OIL5\t36.00\nRICE25\t20.00", "asks quantity"},
		"thousands or decimals":       {"BEEF\t1,250", "asks sign"},
		"item, name, number":          {"OIL5\tOlive\t6\nRICE25\tRice\t7", "OIL5 6; RICE25 7"},
		"invisible signs":             {"\u200bOIL5\u00a0\t12\u200b", "OIL5 12"},
		"an unclosed quote":           {"OIL5\t12\n\"RICE25\t3\nBEEF\t2", "OIL5 12; \"RICE25 3; BEEF 2"},
	} {
		if got := reading(sheet.Paste(c.text)); got != c.want {
			t.Errorf("%s: %q is %s, want %s", name, c.text, got, c.want)
		}
	}
	b, err := sheet.Paste(strings.Repeat("OIL5\t1\n", 20))
	if err != nil {
		t.Fatal(err)
	}
	if table, err := b.Table(0, 5); err != nil || len(table.Rows) != 5 || !table.More {
		t.Errorf("too many: %d rows, more %v, %v", len(table.Rows), table.More, err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"byte order mark": {"\xef\xbb\xbfOIL5,12", "OIL5 12"},
		"utf-16":          {"\xff\xfeO\x00I\x00L\x005\x00\t\x001\x00", "OIL5 1"},
		"windows":         {"Artikel;St\xfcckzahl\nOIL5;1", "OIL5 1"},
		"sep=":            {"sep=;\r\nOIL5;12", "OIL5 12"},
		"old excel": {"\xd0\xcf\x11\xe0xxxx",
			"refused: this is an old Excel file (.xls), or one with a password; save it as .xlsx or .csv"},
		"broken excel": {"PK\x03\x04xxxx", "refused: this Excel file cannot be read; is it whole, and without a password?"},
		"empty":        {"", "refused: nothing stands in it"},
	} {
		if got := reading(file([]byte(c[0]))); got != c[1] {
			t.Errorf("%s: %s, want %s", name, got, c[1])
		}
	}
	if _, err := sheet.Open(strings.NewReader(""), sheet.MaxBytes+1); err == nil {
		t.Error("too large: no error")
	}
	failing := errors.New("the database is away")
	b, err := sheet.Paste("OIL5 1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sheet.Choose(b, 10, func([]string) ([]sheet.Found, error) { return nil, failing }); !errors.Is(err,
		failing) {
		t.Errorf("a lookup that fails: %v", err)
	}
}
