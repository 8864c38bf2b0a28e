package importretail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/gzip"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql/importretail"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const head = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"

// ledger is a small file with everything that a big one has. The first six data
// rows are its first half: document 500002 comes again in the second.
const ledger = head + `500001,84077,WORLD WAR 2 GLIDERS,48,2010-12-01 09:00:00,0.29,13085,United Kingdom
500001,84077,WORLD WAR 2 GLIDERS,48,2010-12-01 09:00:00,0.29,13085,United Kingdom
500002,85123A,OLD NAME,6,2010-12-02 10:00:00,2.55,13085,United Kingdom
500002,pads,PADS,1,2010-12-02 10:00:00,0.001,13085,United Kingdom
C500003,85123A,OLD NAME,-2,2010-12-03 10:00:00,2.55,13085,France
500004,85123A,damages,-3,2010-12-03 11:00:00,0,,United Kingdom
500002,PADS,PADS,1,2010-12-02 10:00:00,0.001,13085,United Kingdom
500002,85123a,,6,2010-12-02 10:00:00,2.55,13085,United Kingdom
A500005,B,Adjust bad debt,1,2011-08-12 14:50:00,-11062.06,13086,United Kingdom
500006,SALT,"SALT, FINE ",7,2011-08-13 10:00:00,0.335,13086.0,Germany
500006,85123A, NEW NAME ,1,2011-08-13 10:00:00,2.95,13086,Germany
500006,POST,POSTAGE,1,2011-08-13 10:00:00,18,,Germany
500007,SALT,SALT,1,2011-08-14 10:00:00,0,13086,Germany
`

var small = importretail.Options{FirstHalf: 6}

func load(t *testing.T, db *pgtest.DB, file string, o importretail.Options) (importretail.Report, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	return importretail.Run(t.Context(), conn, strings.NewReader(file), o)
}

func mustLoad(t *testing.T, db *pgtest.DB, file string, o importretail.Options) importretail.Report {
	t.Helper()
	r, err := load(t, db, file, o)
	if err != nil {
		t.Fatal(err)
	}
	if bad := pgtest.Value[[]string](t, db,
		"select coalesce(array_agg(invariant || ' ' || subject || ' ' || detail), '{}') from erp.check_invariants()"); len(
		bad) > 0 {
		t.Errorf("invariants: %v", bad)
	}
	return r
}

// everything is a digest of all that an import could change.
func everything(t *testing.T, db *pgtest.DB) string {
	t.Helper()
	return pgtest.Value[string](t, db, `select md5(string_agg(x, '|' order by x)) from (
		select 'c' || c::text from erp.customer c union all select 'w' || w::text from erp.web_access w
		union all select 't' || t::text from erp.item t union all select 'i' || i::text from erp.invoice i
		union all select 'l' || l::text from erp.invoice_line l union all select 'm' || m::text from erp.credit_memo m
		union all select 'n' || n::text from erp.credit_memo_line n union all select 'e' || e::text from portal.event e
		union all select 'a' || a::text from portal.audit a union all select 's' || s.next_no
		from erp.document_series s) all_rows(x)`)
}

func TestRun(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	r := mustLoad(t, db, ledger, small)
	want := importretail.Report{Rows: 13, Overlapping: 2, Customers: 2, Items: 6, Invoices: 5, Credits: 1, Adjustments: 1,
		Lines: 11, Amount: "-11000.724"}
	if r.RejectedN != 0 || r.Rows != want.Rows || r.Overlapping != want.Overlapping || r.Customers != want.Customers ||
		r.Items != want.Items ||
		r.Invoices != want.Invoices || r.Credits != want.Credits || r.Adjustments != want.Adjustments ||
		r.Lines != want.Lines || r.Amount != want.Amount {
		t.Errorf("report %+v\nwant   %+v", r, want)
	}
	for query, want := range map[string]string{
		// repeated lines are two lines
		"select string_agg(line_no || ':' || line_total::text, ' ' order by line_no) from erp.invoice_line join " +
			"erp.invoice using (invoice_id) where invoice_no = '500001'": "1:13.920000 2:13.920000",
		// the second half's order and words; the exact amount on the line, rounded once on the document
		"select string_agg(description || ' ' || trim_scale(line_total), ' / ' order by line_no) from erp.invoice_line " +
			"join erp.invoice using (invoice_id) where invoice_no = '500002'": "PADS 0.001 / NEW NAME 15.3",
		"select total::text from erp.invoice where invoice_no = '500002'": "15.30",
		// 7 × 0.335 = 2.345, and 2.95, and 18.00 of the same document without a customer
		"select total || ' ' || open_amount from erp.invoice where invoice_no = '500006'":                       "23.30 23.30",
		"select customer_no from erp.invoice join erp.customer using (customer_id) where invoice_no = '500006'": "13086",
		"select customer_no || ' ' || total || ' ' || trim_scale(qty) from erp.credit_memo join erp.credit_memo_line " +
			"using (credit_memo_id) join erp.customer using (customer_id)": "13085 5.10 2",
		"select customer_no || ' ' || kind || ' ' || total from erp.invoice join erp.customer using (customer_id) where " +
			"invoice_no = 'A500005'": "HOUSE adjustment -11062.06",
		"select customer_no from erp.invoice join erp.customer using (customer_id) where invoice_no = '500004'":                "HOUSE",
		"select house || ' ' || enabled from erp.customer join erp.web_access using (customer_id) where customer_no = 'HOUSE'": "true false",
		"select description || ' ' || price_a from erp.item where item_no = '85123A'":                                          "NEW NAME 2.9500",
		"select description || ' ' || price_a from erp.item where item_no = 'SALT'":                                            "SALT 0.3350",
		"select string_agg(item_no, ' ' order by item_no) from erp.item where not active":                                      "B POST",
		"select country || ' ' || name from erp.customer where customer_no = '13085'":                                          "France Customer 13085",
		"select invoice_date || ' ' || due_date || ' ' || (issued_at at time zone 'America/New_York') from erp.invoice " +
			"where invoice_no = '500001'": "2010-12-01 2010-12-31 2010-12-01 09:00:00",
		"select next_no::text from erp.document_series where series = 'invoice'": "500008",
	} {
		if got := pgtest.Value[string](t, db, query); got != want {
			t.Errorf("%s\n got  %s\n want %s", query, got, want)
		}
	}
}

func TestRunTwice(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	mustLoad(t, db, ledger, small)
	pgtest.Exec(t, db, "update erp.item set price_a = 3.10 where item_no = '85123A'")
	before := everything(t, db)
	r := mustLoad(t, db, ledger, small)
	if r.Known != 7 || r.Lines != 0 || r.Items != 0 || r.Customers != 0 {
		t.Errorf("second run: %+v", r)
	}
	if everything(t, db) != before {
		t.Error("the second run changed something")
	}
	// a longer file adds what is new and nothing else
	r = mustLoad(t, db, ledger+"500008,SALT,SALT,2,2011-08-15 10:00:00,0.40,13087,Spain\n", small)
	if r.Known != 7 || r.Lines != 1 || r.Customers != 1 || r.Invoices != 1 || r.Items != 0 {
		t.Errorf("longer file: %+v", r)
	}
}

func TestRunOlderFile(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	older := strings.Replace(ledger, head,
		"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n", 1)
	// one sheet only: nothing overlaps
	if r := mustLoad(t, db, older, importretail.Options{}); r.Overlapping != 0 || r.Lines != 13 {
		t.Errorf("%+v", r)
	}
}

func TestRunLeavesOutBadRows(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	r := mustLoad(t, db, ledger+`500009,SALT,"SALT,1,2011-08-15 10:00:00,0.40,13087,Spain
500009,SALT,SALT,one,2011-08-15 10:00:00,0.40,13087,Spain

500009,SALT,SALT,2,2011-08-15 10:00:00,0.40,13087,Spain
500009,SALT,SALT,2,2011-08-15 10:00:00,0.40,13099,Spain
`, small)
	want := []importretail.Rejected{
		{15, "a quote is left open or stands inside a field"},
		{16, `quantity "one" is not a whole number`},
		{19, "document 500009 belongs to customer 13087, not 13099"},
	}
	if !slices.Equal(r.Rejected, want) || r.RejectedN != 3 {
		t.Errorf("rejected %v", r.Rejected)
	}
	if total := pgtest.Value[string](t, db,
		"select total::text from erp.invoice where invoice_no = '500009'"); total != "0.80" {
		t.Errorf("total %s", total)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "Left out: 3.\n  line 15: a quote") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestRunLeavesTakenNumbers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, "insert into erp.customer (customer_no, name) values ('X1', 'Somebody else')")
	pgtest.Exec(t, db, "insert into erp.invoice (invoice_no, customer_id) select '500001', customer_id from "+
		"erp.customer where customer_no = 'X1'")
	r := mustLoad(t, db, ledger, small)
	if !slices.Equal(r.Rejected,
		[]importretail.Rejected{{2, "document 500001 is there already with another customer or total"}}) {
		t.Errorf("rejected %v", r.Rejected)
	}
	if n := pgtest.Value[int](t, db, "select count(*)::int from erp.invoice_line join erp.invoice using (invoice_id) "+
		"where invoice_no = '500001'"); n != 0 {
		t.Errorf("%d lines written on somebody else's invoice", n)
	}
}

// brokenReader fails in the middle of the file.
type brokenReader struct{ io.Reader }

func (b brokenReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("the disk is gone")
	}
	return n, err
}

func TestRunAllOrNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	before := everything(t, db)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(ledger))
	z.Close()
	whole := packed.Bytes()
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())

	for name, file := range map[string]io.Reader{
		"empty":             strings.NewReader(""),
		"no header":         strings.NewReader("500001,84077,GLIDERS,48,2010-12-01 09:00:00,0.29,13085,United Kingdom\n"),
		"nothing readable":  strings.NewReader(head + "a,b,c\nd,e,f\n"),
		"broken":            brokenReader{strings.NewReader(ledger)},
		"truncated archive": bytes.NewReader(whole[:len(whole)-20]),
		"a long line":       strings.NewReader(head + strings.Repeat("x", 2<<20)),
	} {
		if _, err := importretail.Run(t.Context(), conn, file, small); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
		if everything(t, db) != before {
			t.Fatalf("%s: something was imported", name)
		}
	}
	// interrupted while it writes the lines
	ctx, cancel := context.WithCancel(t.Context())
	interrupted := small
	interrupted.Progress = func(stage string, _, _ int64) {
		if stage == "Writing lines" {
			cancel()
		}
	}
	other, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := importretail.Run(ctx, other, bytes.NewReader(whole), interrupted); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if everything(t, db) != before {
		t.Fatal("interrupted: something was imported")
	}
	if r, err := importretail.Run(t.Context(), conn, bytes.NewReader(whole), small); err != nil || r.Lines != 11 {
		t.Errorf("after all that: %+v %v", r, err)
	}
}
