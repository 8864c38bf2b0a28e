package importcsv_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql/importcsv"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// newBooks is a database without customers on 1 July 2026.
func newBooks(t *testing.T) *pgtest.DB {
	t.Helper()
	db := pgtest.New(t)
	pgtest.Exec(t, db, "update erp.clock set fixed = '2026-07-01 12:00-04'")
	return db
}

// sampleDir is a directory with the sample files; changes replace or add files,
// empty text takes one away.
func sampleDir(t *testing.T, changes map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "books")
	if err := importcsv.WriteSamples(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range changes {
		path := filepath.Join(dir, name)
		var err error
		if text == "" {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, db *pgtest.DB, dir string, o importcsv.Options) importcsv.Report {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	r, err := importcsv.Run(t.Context(), conn, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// problems are those of a report as a person reads them.
func problems(r importcsv.Report) string {
	var out []string
	for _, p := range r.Problems {
		out = append(out, p.String())
	}
	return strings.Join(out, "\n")
}

func mustLoad(t *testing.T, db *pgtest.DB, dir string) importcsv.Report {
	t.Helper()
	r := load(t, db, dir, importcsv.Options{})
	if r.Found > 0 {
		t.Fatalf("problems:\n%s", problems(r))
	}
	return r
}

// everything is a digest of all that an import could change.
func everything(t *testing.T, db *pgtest.DB) string {
	t.Helper()
	return pgtest.Value[string](t, db, `select coalesce(md5(string_agg(x, '|' order by x)), '') from (
		select 'c' || c::text from erp.customer c union all select 'w' || w::text from erp.web_access w
		union all select 's' || s::text from erp.ship_to s union all select 'k' || k::text from erp.category k
		union all select 't' || t::text from erp.item t union all select 'u' || u::text from erp.item_uom u
		union all select 'p' || p::text from erp.price_contract p union all select 'g' || g::text from erp.price_group g
		union all select 'b' || b::text from erp.price_break b union all select 'o' || o::text from erp.stock o
		union all select 'i' || i::text from erp.invoice i union all select 'l' || l::text from erp.invoice_line l
		union all select 'm' || m::text from erp.credit_memo m union all select 'n' || n::text from erp.credit_memo_line n
		union all select 'y' || y::text from erp.payment y union all select 'a' || a::text from erp.payment_application a
		union all select 'e' || e::text from portal.event e union all select 'd' || d::text from portal.audit d) all_rows(x)`)
}

func TestImportSamples(t *testing.T) {
	t.Parallel()
	db := newBooks(t)
	before := everything(t, db)
	dir := sampleDir(t, nil)
	if r := load(t, db, dir, importcsv.Options{DryRun: true}); r.Found > 0 || r.Invoices != 4 {
		t.Fatalf("dry run: %+v\n%s", r, problems(r))
	}
	if everything(t, db) != before {
		t.Fatal("a dry run left something behind")
	}
	r := mustLoad(t, db, dir)
	if r.Invoices != 4 || r.Credits != 2 || r.Payments != 4 || r.Lines != 6 || r.Open != "420.85" || r.Owing != 3 {
		t.Errorf("report %+v", r)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(),
		"customers.csv      3 rows: 3 new, 0 changed") || !strings.Contains(out.String(), "no log-in yet") {
		t.Errorf("report: %s", out.String())
	}
	for query, want := range map[string]string{
		"select string_agg(concat_ws(' ', customer_no, price_level, terms_days, credit_limit), ', ' order by customer_no) " +
			"from erp.customer": "C2001 A 30, C2002 C 14 5000.00, C2003 E 30 2500.50",
		"select name from erp.customer where customer_no = 'C2003'":       "Café Zürich",
		"select count(*) || ' ' || bool_and(enabled) from erp.web_access": "3 true",
		`select string_agg(concat_ws(' ', customer_no, see_price_breaks, max_order, over_max, see_stock), ', '
			order by customer_no)
		 from erp.web_access join erp.customer using (customer_id)`: "C2001 t 2500.00 queue number, C2002 f block " +
			"in_low_out, C2003 t block number",
		"select string_agg(c.name || '<' || coalesce(p.name, ''), ' ' order by c.name) from erp.category c left join " +
			"erp.category p on p.category_id = c.parent_id": "Dry goods<Pantry Oils<Pantry Pantry<",
		"select o.item_no from erp.item i join erp.item o on o.item_id = i.substitute_item_id where i.item_no = 'OLIVE3'": "OLIVE5",
		"select string_agg(uom || trim_scale(factor) || coalesce(' ' || price, ''), ' ' order by uom, factor) from " +
			"erp.item_uom": "CS4 CS24 9.2000",
		// the price function knows contracts, groups, breaks and levels of the files
		`select string_agg(p.step || ' ' || trim_scale(p.unit_price), ', ' order by p.ord) from erp.customer c
		 cross join lateral erp.price(c.customer_id, array(select item_id from erp.item where item_no in ('OLIVE5', 'SALT1')
		order by item_no), array[null, null], array[1, 48]) p
		 where c.customer_no = 'C2002'`: "contract 25.9, level 0.335",
		"select invoice_date || ' ' || due_date || ' ' || total || ' ' || open_amount || ' ' || tax || ' ' || freight || " +
			"' ' || po_no from erp.invoice where invoice_no = '70001'": "2026-03-02 2026-04-01 267.38 0.00 0.00 12.50 PO-17",
		// terms of 14 days; a line total that the price's four decimals cannot say
		"select due_date || ' ' || total || ' ' || s.code from erp.invoice join erp.ship_to s using (ship_to_id) where " +
			"invoice_no = '70002'": "2026-03-24 580.00 MAIN",
		"select string_agg(description || ' ' || trim_scale(line_total), ' / ' order by line_no) from erp.invoice_line " +
			"join erp.invoice using (invoice_id) where invoice_no = '70003'": "Rice long grain 25 lb 221 / Pallet deposit 15",
		// what was paid: 70001 on its day, 2.48 of it by the credit that is used up; the rest of 70003 as open_invoices.csv
		// says
		`select string_agg(concat_ws(' ', i.invoice_no, coalesce(m.memo_no, p.payment_date::text), a.amount, a.applied_on),
			', ' order by i.invoice_no, a.amount)
		 from erp.payment_application a join erp.invoice i using (invoice_id) left join erp.payment p using (payment_id)
		 left join erp.credit_memo m on m.credit_memo_id = a.credit_memo_id`: "70001 CM-70004 2.48 2026-03-28, 70001 " +
			"2026-03-28 264.90 2026-03-28, 70002 2026-03-24 580.00 2026-03-24, 70003 2026-05-20 100.00 2026-05-20",
		"select concat_ws(' ', b.current_due, b.days_30, b.days_60, b.days_90, b.balance, b.past_due) from erp.customer " +
			"c, erp.aging(c.customer_id) b where customer_no = 'C2003'": "0 -100.00 0 410.75 310.75 410.75",
		"select concat_ws(' ', b.balance) from erp.customer c, erp.aging(c.customer_id, '2026-05-10') b where customer_no " +
			"= 'C2001'": "236.00",
		"select next_no::text from erp.document_series where series = 'invoice'": "70004",
		"select string_agg(distinct kind, ' ' order by kind) from portal.event": "access catalog credit invoice item " +
			"notice payment",
	} {
		if got := pgtest.Value[string](t, db, query); got != want {
			t.Errorf("%s\n got  %s\n want %s", query, got, want)
		}
	}
}

// The columns that the documentation names are those that are read.
func TestImportDocs(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	if err := importcsv.Describe(&want); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "docs", "import.md")
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := bytes.Cut(got, []byte("### customers.csv"))
	if !ok {
		head = got
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(path, append(bytes.Clone(head), bytes.TrimRight(want.Bytes(), "\n")...), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(bytes.TrimSpace(got[len(head):])) != string(bytes.TrimSpace(want.Bytes())) {
		t.Error("docs/import.md is not what files.go says: UPDATE_DOCS=1 go test -run TestImportDocs ./sql/importcsv")
	}
}

// Another spreadsheet, another country: byte order mark, CRLF, semicolons,
// decimals after a comma, a quoted separator and a line break in a cell.
func TestImportDialects(t *testing.T) {
	t.Parallel()
	db := newBooks(t)
	dir := sampleDir(t, map[string]string{
		"customers.csv": "\ufeffName;CUSTOMER_NO;credit_limit;;\r\n\"Müller; " +
			"Söhne\";C2001;2500,75;;\r\nBirch;C2002;100.5;;\r\n\r\n;;;;\r\nZürich;C2003;;;\r\n",
		"items.csv": "item_no;description;details;price_a;category\nOLIVE5;Olive;\"two\nlines\";1,2345;Oils\n'=RICE;Rice;;0,5;Dry goods\nRICE25;Rice;;20;Dry goods\nSALT1;Salt;;0.4;Dry goods\n",
		"stock.csv": "item_no\ton_hand\nOLIVE5\t12\n",
	})
	mustLoad(t, db, dir)
	for query, want := range map[string]string{
		"select string_agg(name || ' ' || coalesce(credit_limit::text, '–'), ', ' order by customer_no) from erp.customer": "Müller; Söhne 2500.75, Birch 100.50, Zürich –",
		"select details || ' ' || price_a from erp.item where item_no = 'OLIVE5'":                                          "two\nlines 1.2345",
		"select price_a::text from erp.item where item_no = '=RICE'":                                                       "0.5000",
	} {
		if got := pgtest.Value[string](t, db, query); got != want {
			t.Errorf("%s\n got  %s\n want %s", query, got, want)
		}
	}
}

// One of every kind of slip, each told by file, line, column, value and reason.
func TestImportProblems(t *testing.T) {
	t.Parallel()
	db := newBooks(t)
	pgtest.Exec(t, db, "insert into erp.customer (customer_no, name) values ('OLD', 'Old customer')")
	pgtest.Exec(t, db, "insert into erp.item (item_no, description, price_a) values ('OLDITEM', 'Old', 1)")
	pgtest.Exec(t, db, "insert into erp.price_contract (customer_id, item_id, value, valid) select customer_id, "+
		"item_id, 3, '[2026-02-01,2026-04-01)' from erp.customer, erp.item")
	pgtest.Exec(t, db, "insert into erp.invoice (invoice_no, customer_id) select '60000', customer_id from erp.customer")
	before := everything(t, db)
	const history = "invoice_no,kind,customer_no,invoice_date,due_date,item_no,description,uom,qty,unit_price,line_total,tax\n"
	const open = "invoice_no,kind,customer_no,invoice_date,total,open_amount,paid_on\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string // each somewhere in the report
	}{
		"cells": {map[string]string{"customers.csv": "customer_no,name,price_level,terms_days,credit_limit,credit_hold\n" +
			"C2001,,F,30 days,\"1,500\",maybe\nC2002,M\xfcller,A,1,-1,no\nC2003,X,a,1,1.234,no,more\nC2004,\"X\"y,,,,\n"},
			[]string{"customers.csv, line 2, name: This is empty.",
				"customers.csv, line 2, price_level “F”: This is none of: A, B, C, D, E.",
				"customers.csv, line 2, terms_days “30 days”: This is not a whole number",
				"customers.csv, line 2, credit_limit “1,500”: This has a comma",
				"customers.csv, line 2, credit_hold “maybe”: This is neither yes nor no.",
				"customers.csv, line 3, name “M�ller”: This is not UTF-8; Windows-1252",
				"customers.csv, line 3, credit_limit “-1”: This cannot be negative.",
				"customers.csv, line 4 “more”: There are 7 cells, but the first line names 6",
				"customers.csv, line 5: This line cannot be read: a quotation mark"}},
		"columns": {map[string]string{"items.csv": "item_no,descr\nA,B\n"},
			[]string{"items.csv, descr “descr”: There is no such column. The columns are: item_no, description,",
				"items.csv          1 problem in 0 rows"}},
		"missing": {map[string]string{"items.csv": "item_no\nA\n"},
			[]string{"items.csv, description: This column is missing."}},
		"workbook": {map[string]string{"items.csv": "PK\x03\x04..."},
			[]string{"items.csv: This is an Excel workbook.", "because items.csv cannot be read"}},
		"utf16":    {map[string]string{"items.csv": "\xff\xfei\x00"}, []string{"items.csv: This is UTF-16"}},
		"stranger": {map[string]string{"kunden.csv": "a,b\n"}, []string{"kunden.csv: No such file is known."}},
		"no open": {map[string]string{"open_invoices.csv": ""},
			[]string{"history.csv: With history.csv, open_invoices.csv has to be there"}},
		"twice": {map[string]string{"customers.csv": "customer_no,name\nC2001,A\nC2002,B\nC2001,C\nC2003,D\n",
			"stock.csv": "item_no,warehouse,on_hand\nSALT1,,1\nSALT1,MAIN,1\n"},
			[]string{"customers.csv, line 4, customer_no “C2001”: This is in line 2 already.",
				"stock.csv, line 3, item_no “SALT1”: This is in line 2 already."}},
		"references": {map[string]string{"ship_tos.csv": "customer_no,code,name,route\nC9,1,X,\nC2002,MAIN,X,NORTH\n",
			"units.csv":     "item_no,uom,factor\nNOPE,CS,2\nOLIVE5,CS,4\n",
			"contracts.csv": "customer_no,item_no,uom,kind,value\nC2001,OLIVE5,PAL,fixed,1\n",
			"groups.csv":    "customer_no,category,kind,value\nC2001,Wine,percent_off,1\n"},
			[]string{"ship_tos.csv, line 2, customer_no “C9”: Customer C9 is neither in customers.csv nor in the database.",
				"ship_tos.csv, line 3, route “NORTH”: There is no route NORTH",
				"units.csv, line 2, item_no “NOPE”: Item NOPE is neither in items.csv nor in the database.",
				"contracts.csv, line 2, uom “PAL”: The item has no unit PAL",
				"groups.csv, line 2, category “Wine”: There is no category Wine",
				"history.csv, line 2, ship_to “1”: The customer has no delivery address 1."}},
		"masters": {map[string]string{"categories.csv": "category,parent\nA,B\nB,A\n",
			"units.csv":  "item_no,uom,factor\nOLIVE5,CS,0\nOLIVE5,EA,2\nSALT1,CS,24\n",
			"breaks.csv": "item_no,min_qty,price,use_level,valid_from,valid_to\nSALT1,10,1,B,,\nSALT1,0,1,,2026-03-01,2026-02-01\n", "groups.csv": "customer_no,category,kind,value\nC2001,Oils,percent_off,101\n"},
			[]string{"categories.csv, line 2, parent “A”: This category would stand under itself.",
				"units.csv, line 2, factor “0”: A factor is above 0.", "units.csv, line 3, factor “2”: EA is the item's base unit",
				"breaks.csv, line 2, price: Give either price or use_level.",
				"breaks.csv, line 3, min_qty “0”: A quantity break begins above 0.",
				"breaks.csv, line 3, valid_to “2026-02-01”: The last day is before the first.",
				"groups.csv, line 2, value “101”: More than 100 percent off"}},
		"rules": {map[string]string{"contracts.csv": "customer_no,item_no,kind,value,valid_from,valid_to\nOLD,OLDITEM,fixed,1,2026-03-15,\nC2001,SALT1,fixed,1,,2026-05-01\nC2001,SALT1,fixed,2,2026-05-01,\n"},
			[]string{"contracts.csv, line 2, valid_from “2026-03-15”: This holds on days of a price that is in the database " +
				"already, for [2026-02-01,2026-04-01).",
				"contracts.csv, line 4, valid_from “2026-05-01”: This holds on days of line 3 as well."}},
		"lines": {map[string]string{"history.csv": history +
			"1,,C2001,2026-03-02,,SALT1,,,3,1.5,4.49,\n1,,C2002,2026-03-03,,,,,1,1,,5\n2,,C2001,3/2/2026,,SALT1,,BOX,1.5.5,1,,\n3,,C2001,2026-08-01,,SALT1,,,1,1,,\n" +
			"4,,C2001,2026-03-02,2026-03-01,SALT1,,,-1,1,,\n5,credit,C2001,2026-03-02,,SALT1,,,1,1,1.005,2\n",
			"open_invoices.csv": open},
			[]string{"history.csv, line 2, line_total “4.49”: 3 × 1.5 makes 4.50.",
				"history.csv, line 3, customer_no “C2002”: Line 2 of the same document is of customer C2001.",
				"history.csv, line 3, invoice_date “2026-03-03”: Line 2 of the same document says 2026-03-02.",
				"history.csv, line 3, item_no: A line has an item, or a description",
				"history.csv, line 3, tax “5”: Tax is of the whole document: line 2 says 0.",
				"history.csv, line 4, invoice_date “3/2/2026”: This is not a date: write 2026-06-30.",
				"history.csv, line 4, qty “1.5.5”: This is not a number",
				"history.csv, line 4, uom “BOX”: The item has no unit BOX",
				"history.csv, line 5, invoice_date “2026-08-01”: This date has not come yet.",
				"history.csv, line 6, due_date “2026-03-01”: It would be due before it was written.",
				"history.csv, line 6, qty “-1.00”: This adds up to less than nothing",
				"history.csv, line 7, tax “2”: A credit memo has no tax",
				"history.csv, line 7, line_total “1.005”: A line is in cents"}},
		"open": {map[string]string{"open_invoices.csv": open +
			"70003,,C2002,2026-05-05,236,236.01,2026-07-02\n70001,credit,C2001,2026-03-02,267.39,1,\n1,,C2001,2026-03-02,5,6,\n1,,C2001,2026-03-02,5,5,\n2,payment,C2001,2026-03-02,5,4,\n3,,C2001,2026-03-02,5,0,\n60000,,OLD,2026-03-02,5,1,\n"},
			[]string{"open_invoices.csv, line 2, customer_no “C2002”: history.csv, line 5, has it for customer C2001.",
				"open_invoices.csv, line 2, invoice_date “2026-05-05”: history.csv, line 5, says 2026-05-04.",
				"open_invoices.csv, line 2, open_amount “236.01”: More is open than the total of 236",
				"open_invoices.csv, line 2, paid_on “2026-07-02”: This date has not come yet.",
				"open_invoices.csv, line 3, kind “credit”: history.csv, line 2, has it as invoice.",
				"open_invoices.csv, line 3, total “267.39”: The lines from history.csv, line 2, make 267.38.",
				"open_invoices.csv, line 4, open_amount “6”: More is open than the total of 5.",
				"open_invoices.csv, line 5, invoice_no “1”: This is in line 4 already.",
				"open_invoices.csv, line 6, open_amount “4”: Of a payment",
				"open_invoices.csv, line 7, open_amount “0”: Nothing of it is open",
				"open_invoices.csv, line 8, invoice_no “60000”: This invoice is in the database already, of customer OLD"}},
		"used up": {map[string]string{"history.csv": history +
			"1,,C2001,2026-03-02,,SALT1,,,1,1,,\n2,credit,C2001,2026-03-02,,SALT1,,,1,1.01,,\n", "open_invoices.csv": open},
			[]string{"history.csv, line 3, customer_no “C2001”: Credits of 1.01 are used up, but only 1.00 of the customer's " +
				"invoices is paid."}},
	} {
		r := load(t, db, sampleDir(t, c.files), importcsv.Options{Shown: 100})
		var out strings.Builder
		if err := r.Print(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range append(c.want, "Nothing was imported.") {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, out.String())
			}
		}
		if n := strings.Count(out.String(), "\n\n"); r.Found != len(r.Problems) || n != 1 {
			t.Errorf("%s: %d found, %d listed", name, r.Found, len(r.Problems))
		}
	}
	if everything(t, db) != before {
		t.Error("something was imported all the same")
	}
	pgtest.Exec(t, db, "update erp.company set closed_through = '2026-03-10'")
	if got := problems(load(t, db, sampleDir(t, nil), importcsv.Options{})); !strings.Contains(got,
		"history.csv, line 4, invoice_date “2026-03-10”: The books are closed through 2026-03-10.") ||
		strings.Contains(got, "line 5") {
		t.Errorf("a closed period: %s", got)
	}
}

// A list of problems is bounded, the file of all of them is not; an error in the
// last row of the last file leaves nothing.
func TestImportAllOrNothing(t *testing.T) {
	t.Parallel()
	db := newBooks(t)
	before := everything(t, db)
	good, err := os.ReadFile(filepath.Join(sampleDir(t, nil), "open_invoices.csv"))
	if err != nil {
		t.Fatal(err)
	}
	r := load(t, db, sampleDir(t, map[string]string{"open_invoices.csv": string(good) + "9,,C2001,2026-03-02,,,,5,6\n"}),
		importcsv.Options{})
	if r.Found != 1 || everything(t, db) != before {
		t.Errorf("%d problems; something was imported: %v", r.Found, everything(t, db) != before)
	}

	stock := "item_no,on_hand\n" + strings.Repeat("NOPE,1,\n", 500) // a cell too many is none if it is empty
	var all bytes.Buffer
	r = load(t, db, sampleDir(t, map[string]string{"stock.csv": stock, "units.csv": "item_no,uom,factor\nGONE,CS,2\n"}),
		importcsv.Options{Shown: 7, Errors: &all})
	rows, err := csv.NewReader(&all).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	// 500 unknown items, 499 of them twice; one unit; the unit that history.csv uses
	if r.Found != 1001 || len(rows) != 1+r.Found || len(r.Problems) != 9 {
		t.Errorf("found %d, listed %d, in the file %d", r.Found, len(r.Problems), len(rows))
	}
	if want := []string{"units.csv", "2", "item_no", "GONE",
		"Item GONE is neither in items.csv nor in the database."}; !slices.Equal(rows[1], want) {
		t.Errorf("first row: %q", rows[1])
	}
}

// The same directory again: documents are refused; without them, what is there
// already is changed to what the files say, as far as they have the column.
func TestImportAgain(t *testing.T) {
	t.Parallel()
	db := newBooks(t)
	dir := sampleDir(t, nil)
	mustLoad(t, db, dir)
	before := everything(t, db)
	r := load(t, db, dir, importcsv.Options{})
	if r.Found != 7 || !strings.Contains(problems(r),
		"history.csv, line 2, invoice_no “70001”: This invoice is in the database already, of customer C2001, total "+
			"267.38. Documents are imported once: leave it out.") {
		t.Errorf("again: %d\n%s", r.Found, problems(r))
	}
	noDocuments := map[string]string{"history.csv": "", "open_invoices.csv": ""}
	mustLoad(t, db, sampleDir(t, noDocuments))
	if everything(t, db) != before {
		t.Error("the same again changed something")
	}
	noDocuments["customers.csv"] = "customer_no,name,terms_days\nC2001,Alder Street Cafe,\nC2002,Birch & Daughter,60\n"
	noDocuments["contracts.csv"] = "customer_no,item_no,kind,value,valid_from,valid_to\nC2002,OLIVE5,percent_off,10,2026-01-01,2026-12-31\nC2002,OLIVE5,fixed,24,2027-01-01,\n"
	noDocuments["stock.csv"] = "item_no,on_hand\nSALT1,7\n"
	r = mustLoad(t, db, sampleDir(t, noDocuments))
	if f := r.Files[0]; f.New != 0 || f.Changed != 1 {
		t.Errorf("%+v", f)
	}
	for query, want := range map[string]string{
		"select name || ' ' || terms_days || ' ' || credit_limit || ' ' || price_level from erp.customer where " +
			"customer_no = 'C2002'": "Birch & Daughter 60 5000.00 C",
		"select string_agg(kind || ' ' || trim_scale(value) || ' ' || valid, ' / ' order by valid) from " +
			"erp.price_contract join erp.customer using (customer_id) where customer_no = 'C2002'": "percent_off 10 " +
			"[2026-01-01,2027-01-01) / fixed 24 [2027-01-01,)",
		"select trim_scale(on_hand)::text from erp.stock join erp.item using (item_id) where item_no = 'SALT1'": "7",
	} {
		if got := pgtest.Value[string](t, db, query); got != want {
			t.Errorf("%s\n got  %s\n want %s", query, got, want)
		}
	}
}

// Random books of 5,000 lines: every customer's balance, and what was open of
// it on a day in between, are those that an independent sum over the files
// makes of them.
func TestImportBalances(t *testing.T) {
	t.Parallel()
	db := newBooks(t)
	rng := rand.New(rand.NewPCG(20260701, 5))
	cents := func(n int64) decimal.Decimal { return decimal.New(n, -2) }
	history := []string{"invoice_no,kind,customer_no,invoice_date,paid_on,tax,description,qty,unit_price"}
	open := []string{"invoice_no,kind,customer_no,invoice_date,total,open_amount"}
	customers := []string{"customer_no,name,terms_days"}
	today := map[string]decimal.Decimal{}   // what each customer owes
	between := map[string]decimal.Decimal{} // on 1 April
	day := func(n int) string { return fmt.Sprintf("2026-%02d-%02d", 1+n/28, 1+n%28) }
	for c := range 40 {
		customers = append(customers, fmt.Sprintf("R%d,Random %d,%d", c, c, 30))
	}
	lines := 0
	credit := map[string]decimal.Decimal{}
	paid := map[string]decimal.Decimal{}
	for doc := 0; lines < 5000; doc++ {
		customer := fmt.Sprintf("R%d", rng.IntN(40))
		kind, no, n := "invoice", fmt.Sprint(80000+doc), rng.IntN(150)
		total := decimal.Zero
		var rows []string
		tax := cents(rng.Int64N(500))
		if rng.IntN(10) == 0 {
			kind, tax = "credit", decimal.Zero
		}
		total = total.Add(tax)
		for l := range 1 + rng.IntN(12) {
			qty, price := decimal.New(1+rng.Int64N(4000), -int32(rng.IntN(3))),
				decimal.New(rng.Int64N(90000), -int32(2+rng.IntN(3)))
			total = total.Add(qty.Mul(price).Round(2))
			written := ""
			if l == 0 {
				written = tax.String()
			}
			rows = append(rows, fmt.Sprintf("%s,%s,%s,%s,%s,%s,Thing,%s,%s", no, kind, customer, day(n), "%s",
				written, qty, price))
		}
		left := decimal.Zero
		if kind == "credit" {
			// a credit may be used up as far as the customer has paid anything
			if used := credit[customer].Add(total); used.LessThanOrEqual(paid[customer]) && rng.IntN(2) == 0 {
				credit[customer] = used
			} else {
				left = total
			}
			today[customer] = today[customer].Sub(left)
		} else {
			switch rng.IntN(4) {
			case 0:
				left = total
			case 1:
				left = cents(rng.Int64N(total.Shift(2).IntPart() + 1))
			}
			paid[customer] = paid[customer].Add(total.Sub(left))
			today[customer] = today[customer].Add(left)
		}
		if left.IsPositive() {
			open = append(open, fmt.Sprintf("%s,%s,%s,%s,%s,%s", no, kind, customer, day(n), total, left))
		}
		paidOn := n + rng.IntN(20)
		for _, row := range rows {
			history = append(history, fmt.Sprintf(row, day(paidOn)))
			lines++
		}
		// invoices of the past are known as they were, whatever became of them;
		// credits used up count against money paid, of any day
		if const1April := 84; n <= const1April && kind == "invoice" {
			between[customer] = between[customer].Add(total)
			if paidOn <= const1April {
				between[customer] = between[customer].Sub(total.Sub(left))
			}
		}
	}
	dir := t.TempDir()
	for name, rows := range map[string][]string{"customers": customers, "history": history, "open_invoices": open} {
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), []byte(strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustLoad(t, db, dir)
	for c, want := range today {
		got := pgtest.Value[string](t, db,
			"select balance::text || ' ' || (current_due + days_30 + days_60 + days_90) from erp.customer c, "+
				"erp.aging(c.customer_id) where customer_no = $1", c)
		if exact := want.StringFixed(2); got != exact+" "+exact {
			t.Errorf("%s owes %s, the files say %s", c, got, exact)
		}
		// without credits, the past day is known to the cent as well
		if pgtest.Value[int](t, db, "select count(*)::int from erp.credit_memo m join erp.customer c using (customer_id) "+
			"where customer_no = $1", c) > 0 {
			continue
		}
		if got, want := pgtest.Value[string](t, db,
			"select balance::text from erp.customer c, erp.aging(c.customer_id, '2026-04-01') where customer_no = $1", c),
			between[c].StringFixed(2); got != want {
			t.Errorf("%s owed %s on 1 April, the files say %s", c, got, want)
		}
	}
}
