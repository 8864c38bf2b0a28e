package importcsv_test

import (
	"fmt"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql/importcsv"
)

// One item by one code: what two items would share is a problem of the file.
func TestImportRefusesSharedCodes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, "insert into erp.item (item_no, description, barcode) values ('There1', 'x', '96385074'), "+
		"('Gone', 'y', '4006381333948'); update erp.item set active = false where item_no = 'Gone'")
	dir := func(items, units string) string {
		return sampleDir(t, map[string]string{"items.csv": items, "units.csv": units, "breaks.csv": "", "contracts.csv": "",
			"stock.csv": "", "history.csv": "", "open_invoices.csv": "", "groups.csv": ""})
	}
	items := "item_no,description,barcode,active\nDUP1,a,0841200014073,\ndup1,b,,\nTWIN,c,841200014073,\nTHERE1,d,,\nNEW,e,96385074,\nOLD1,f,0841200014073,no\nFREE,g,4006381333948,\nOWN,h,12345678,\n"
	units := "item_no,uom,factor,barcode\nNEW,CS,12,00841200014073\nNEW,BX,6,8.41200018880E11\nDUP1,CS,6,4.00638E+12\n"
	r := load(t, db, dir(items, units), importcsv.Options{})
	got := problems(r)
	for _, want := range []string{
		"items.csv, line 3, item_no “dup1”: DUP1 in line 2 differs from this by case only.",
		"items.csv, line 4, barcode “841200014073”: items.csv, line 2, has it for DUP1 EA already.",
		"items.csv, line 5, item_no “THERE1”: Item There1 in the database differs from this by case only.",
		"items.csv, line 6, barcode “96385074”: In the database it is that of There1 EA.",
		"units.csv, line 2, barcode “00841200014073”: items.csv, line 2, has it for DUP1 EA already.",
		"units.csv, line 4, barcode “4.00638E+12”: A spreadsheet has made a number of this and dropped its last digits.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("not told: %s", want)
		}
	}
	if r.Found != 6 {
		t.Errorf("%d problems:\n%s", r.Found, got)
	}
	if fmt.Sprint(r.Warnings) != "[items.csv, line 9, barcode “12345678”: Its last digit is not the check digit of a "+
		"GTIN. It is taken as a code of your own.]" {
		t.Errorf("warnings: %v", r.Warnings)
	}

	// an ERP that has such codes
	pgtest.Exec(t, db, "update erp.company set duplicate_codes = 'allow'")
	if r := load(t, db, dir(items, "item_no,uom,factor,barcode\nNEW,BX,6,8.41200018880E11\n"),
		importcsv.Options{}); r.Found > 0 {
		t.Errorf("allowed: %s", problems(r))
	}
	if got := pgtest.Value[string](t, db, "select barcode from erp.item_uom where uom = 'BX'"); got != "841200018880" {
		t.Errorf("digits of a spreadsheet's number: %s", got)
	}
}

// A decimal sign is said by its column or by whoever imports, and never guessed.
func TestImportDecimalSigns(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, c := range map[string]struct {
		cells  string // of price_a, a line each
		sep    string
		sign   importcsv.Decimal
		prices string // as they are kept
		want   string // or the problem
	}{
		"ambiguous": {"1.234", ";", "", "",
			"line 2, price_a “1.234”: Is this 1234 or 1.234? The column does not say."},
		"ambiguous comma": {"1,250", ";", "", "", "line 2, price_a “1,250”: Is this 1250 or 1.250?"},
		"tabs":            {"1,250", "\t", "", "", "Is this 1250 or 1.250?"},
		"commas tell":     {"1,250 0,5 12,75", ";", "", "1.2500 0.5000 12.7500", ""},
		"points tell":     {"1.250 12.75", ";", "", "1.2500 12.7500", ""},
		"thousands": {"12,75 1.250", ";", "", "",
			"line 3, price_a “1.250”: This has a point, and line 2 of this column has its decimals after a comma."},
		"both":             {"12,75 12.75 1.250", ";", "", "", "line 4, price_a “1.250”: Is this 1250 or 1.250?"},
		"both, each plain": {"12,75 12.75", ";", "", "12.7500 12.7500", ""},
		"said comma":       {"1,250", ";", importcsv.DecimalComma, "1.2500", ""},
		"said point":       {"1.250", ";", importcsv.DecimalPoint, "1.2500", ""},
		"said, other": {"1.250", ";", importcsv.DecimalComma, "",
			"This has a point: write the decimals after a comma (1234,50)"},
		"a file of commas":  {"1.250", ",", "", "1.2500", ""},
		"said in commas":    {"\"1,250\"", ",", importcsv.DecimalComma, "1.2500", ""},
		"nothing to decide": {"1250 7", ";", "", "1250.0000 7.0000", ""},
	} {
		text := "item_no" + c.sep + "description" + c.sep + "price_a\n"
		var nos []string
		for n, cell := range strings.Fields(c.cells) {
			no := fmt.Sprintf("%s %d", name, n)
			nos = append(nos, no)
			text += no + c.sep + "x" + c.sep + cell + "\n"
		}
		dir := sampleDir(t, map[string]string{"items.csv": text, "units.csv": "", "breaks.csv": "", "contracts.csv": "",
			"stock.csv": "", "history.csv": "", "open_invoices.csv": "", "groups.csv": ""})
		r := load(t, db, dir, importcsv.Options{Decimal: c.sign})
		if got := problems(r); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %q", name, got, c.want)
		}
		got := pgtest.Value[string](t, db,
			"select coalesce(string_agg(price_a::text, ' ' order by item_no), '') from erp.item where item_no = any ($1)", nos)
		if got != c.prices {
			t.Errorf("%s: kept %q, want %q", name, got, c.prices)
		}
	}
}

// Control characters end in words, wherever they are.
func TestImportControlCharacters(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, files := range map[string]map[string]string{
		"items.csv, line 2, item_no “A�1”: This holds control characters":  {"items.csv": "item_no,description\nA\x001,x\n"},
		"items.csv, line 2, price_a “1�2”: This is not a number":           {"items.csv": "item_no,description,price_a\nA1,x,1\x002\n"},
		"items.csv, line 2, barcode “96385074�”: This holds control":       {"items.csv": "item_no,description,barcode\nA1,x,96385074\x00\n"},
		"items.csv, line 2, description “x�y”: This holds control":         {"items.csv": "item_no,description\nA1,x\x7fy\n"},
		"items.csv, descr�iption “descr�iption”: There is no such column.": {"items.csv": "item_no,descr\x00iption\nA1,x\n"},
		"items.csv, line 2 “y�”: There are 3 cells":                        {"items.csv": "item_no,description\nA1,x,y\x00\n"},
		"items.csv, line 2, active “�”: This is neither yes nor no.":       {"items.csv": "item_no,description,active\nA1,x,\x00\n"},
	} {
		for _, drop := range []string{"units.csv", "breaks.csv", "contracts.csv", "stock.csv", "history.csv",
			"open_invoices.csv", "groups.csv"} {
			files[drop] = ""
		}
		if got := problems(load(t, db, sampleDir(t, files), importcsv.Options{})); !strings.Contains(got, name) {
			t.Errorf("%q, want %q", got, name)
		}
	}
}
