package importcsv_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql/importcsv"
)

// Any switch can be imported, one that came with a migration as well. What the file does not name
// stays; an empty cell is no limit, and leaves a switch of another kind as it is.
func TestImportWebAccess(t *testing.T) {
	t.Parallel()
	db := newBooks(t)
	pgtest.Exec(t, db, `alter table erp.web_access add column x_box boolean not null default true;
		insert into erp.web_access_switch (column_name, section, sort, kind, label) values ('x_box', 'New', 900, 'on_off',
			'Box');
		insert into erp.customer (customer_no, name) values ('C1', 'Harbor'), ('C2', 'Mill');
		update erp.web_access set max_order = 50, return_days = 9, see_stock = 'hidden', require_po = true`)
	file := func(text string) string {
		t.Helper()
		dir := t.TempDir()
		for name, text := range map[string]string{"customers.csv": "customer_no,name\nC2001,Alder\n",
			"web_access.csv": text} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	dir := file("customer_no,x_box,max_order,return_days,see_stock,require_po\nC1,no,70.5,,,\nC2001,,,3,in_low_out,yes\n")
	for _, changed := range []int64{2, 0} {
		r := load(t, db, dir, importcsv.Options{})
		at := slices.IndexFunc(r.Files, func(f importcsv.FileReport) bool { return f.Name == "web_access.csv" })
		if at < 0 || r.Found > 0 || r.Files[at].Changed != changed || r.Files[at].New != 0 {
			t.Fatalf("want %d changed: %+v\n%s", changed, r.Files, problems(r))
		}
	}
	got := pgtest.Value[string](t, db,
		`select string_agg(concat_ws(' ', customer_no, x_box, coalesce(max_order::text, '-'),
			coalesce(return_days::text, '-'), see_stock, require_po, can_order), ', ' order by customer_no)
		from erp.web_access join erp.customer using (customer_id) where customer_no in ('C1', 'C2', 'C2001')`)
	if want := "C1 f 70.50 - hidden t t, C2 t 50.00 9 hidden t t, C2001 t - 3 in_low_out t t"; got != want {
		t.Errorf("imported\n%s\nwant\n%s", got, want)
	}

	pgtest.Exec(t, db, "delete from erp.web_access where customer_id = (select customer_id from erp.customer where "+
		"customer_no = 'C2')")
	text := problems(load(t, db, file("customer_no,max_order,return_days,see_stock,can_order\n"+
		"C1,-1,1.5,all,perhaps\nC1,,,,\nC9,,,,\nC2,,,,\n"), importcsv.Options{}))
	for _, want := range []string{
		"web_access.csv, line 2, max_order “-1”: This cannot be negative.",
		"web_access.csv, line 2, return_days “1.5”: This is not a whole number",
		"web_access.csv, line 2, see_stock “all”: This is none of: number, in_low_out, hidden.",
		"web_access.csv, line 2, can_order “perhaps”: This is neither yes nor no.",
		"web_access.csv, line 3, customer_no “C1”: This is in line 2 already.",
		"web_access.csv, line 4, customer_no “C9”: Customer C9 is neither in customers.csv nor in the database.",
		"web_access.csv, line 5, customer_no “C2”: Customer C2 has no row in erp.web_access: insert it first.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if text := problems(load(t, db, file("customer_no,nonsense\nC1,1\n"), importcsv.Options{})); !strings.Contains(text,
		"nonsense") {
		t.Errorf("a column that is no switch: %s", text)
	}
}
