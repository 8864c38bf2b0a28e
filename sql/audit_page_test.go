package sql_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// What is older than the company keeps goes, the proof goes on from there, and whoever cuts more is found.
func TestForgetAudit(t *testing.T) {
	t.Parallel()
	db, _, _ := proofWorld(t)
	stores := openWork(t, db)
	proof, house := sql.NewProof(stores.Work), sql.NewHousekeeper(stores.Work)
	seal := func() {
		t.Helper()
		if _, err := proof.SealAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	forget := func() int64 {
		t.Helper()
		seal()
		n, err := house.ForgetAudit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	wrong := func(before string) string {
		t.Helper()
		tx, err := db.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(t.Context()) }()
		if _, err := tx.Conn().PgConn().Exec(t.Context(), "set local session_replication_role = replica; "+before+"; set local session_replication_role = origin; select portal.prove_prices(true)").ReadAll(); err != nil {
			t.Fatalf("%s: %v", before, err)
		}
		var got string
		if err := tx.QueryRow(t.Context(), "select coalesce(string_agg(kind || ' ' || subject, ', '), '') from portal.proof_difference where resolved_at is null").Scan(&got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	seal()
	if n := forget(); n != 0 {
		t.Errorf("%d rows went without a setting", n)
	}
	rows := pgtest.Value[int64](t, db, "select count(*) from portal.audit")
	steps := pgtest.Value[int64](t, db, "select count(*) from erp.order_status_history")
	// all that is there now was sealed two years ago; the history is as old
	pgtest.Exec(t, db, `set local session_replication_role = replica;
		update portal.audit_chain set sealed_at = sealed_at - interval '2 years'; set local session_replication_role = origin`)
	pgtest.Exec(t, db, "update erp.customer set terms_days = 5 where customer_id = 1")
	seal()
	pgtest.Exec(t, db, "update erp.company set audit_keep = '1 year'")
	if n := forget(); n != rows {
		t.Errorf("%d rows went, want %d", n, rows)
	}
	if n := forget(); n != 0 {
		t.Errorf("%d rows went again", n)
	}
	seal()
	if got := pgtest.Value[int64](t, db, "select (data #>> '{rows,1}')::bigint from portal.audit where action = 'order_status' and data ? 'history'"); got != steps {
		t.Errorf("the digest of %d steps stays, want %d", got, steps)
	}
	first := pgtest.Value[string](t, db, "select audit_id::text from portal.audit_chain order by chain_no limit 1")
	step := pgtest.Value[string](t, db, "select min(history_id)::text from erp.order_status_history")
	told := pgtest.Value[string](t, db, "select audit_id::text from portal.audit where action = 'order_status' and data ? 'history'")
	cut := pgtest.Value[string](t, db, "select audit_id::text from portal.audit where action = 'audit_forgotten'")
	for _, c := range []struct{ what, statement, want string }{
		{"nothing", "select 1", ""},
		{"the first that stayed", "delete from portal.audit where audit_id = " + first, "audit_cut audit " + first},
		{"the first that stayed, and its link", "delete from portal.audit where audit_id = " + first + "; delete from portal.audit_chain where audit_id = " + first, "audit_chain chain"},
		{"the first that stayed is another", "update portal.audit set actor = 'x' where audit_id = " + first, "audit_forged audit " + first},
		{"more is said to be forgotten", "update portal.audit_head set base_no = base_no + 1, base_hash = (select hash from portal.audit_chain order by chain_no limit 1)", "audit_chain the beginning"},
		{"a step of the history from before", "update erp.order_status_history set actor = 'x' where history_id = " + step, "history_forged audit " + told},
		{"the row that says so", "delete from portal.audit where audit_id = " + cut, "audit_chain the beginning"},
	} {
		if got := wrong(c.statement); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: found %q, want %q", c.what, got, c.want)
		}
	}

	// log-ins go earlier, out of the midst
	pgtest.Exec(t, db, "insert into portal.session (login_id, token_hash, expires_at) select login_id, sha256('a'), erp.now() + interval '1 day' from portal.login limit 1")
	pgtest.Exec(t, db, "update erp.customer set terms_days = 6 where customer_id = 1")
	seal()
	pgtest.Exec(t, db, `set local session_replication_role = replica; update portal.audit set at = at - interval '2 months' where action = 'logged_in';
		update portal.audit_chain set sealed_at = sealed_at - interval '2 months';
		set local session_replication_role = origin;
		update erp.company set sign_in_keep = '1 month'`)
	if n := forget(); n != 1 {
		t.Errorf("%d log-ins went, want 1", n)
	}
	seal()
	if got := wrong("select 1"); got != "" {
		t.Errorf("log-ins went: found %q", got)
	}
	changed := pgtest.Value[string](t, db, "select max(audit_id)::text from portal.audit where action = 'customer'")
	if got := wrong("delete from portal.audit where audit_id = " + changed); got != "audit_cut audit "+changed {
		t.Errorf("found %q", got)
	}
	// what is said to have been forgotten too early is no excuse
	forged := fmt.Sprintf("insert into portal.audit (action, data) values ('audit_forgotten', '{\"rows_of\": \"{[%[1]s,%[1]s]}\"}'); delete from portal.audit where audit_id = %[1]s", changed)
	pgtest.Exec(t, db, "set local session_replication_role = replica; update portal.audit_chain set sealed_at = clock_timestamp() where audit_id = "+changed)
	if got := wrong(forged); !strings.Contains(got, "audit_cut audit "+changed) {
		t.Errorf("found %q", got)
	}
	for _, c := range []string{"audit_keep = '11 months'", "sign_in_keep = '3 days'"} {
		if got := refused(t, db, "update erp.company set "+c); !strings.HasPrefix(got, "company_") {
			t.Errorf("%s: %s", c, got)
		}
	}
}

func mustInt(t testing.TB, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// manyActs fills the log as a distributor's is in years: most rows are orders and prices, few are log-ins, very few
// exports; customers and people are used unevenly.
func manyActs(t testing.TB, db *pgtest.DB, rows int) {
	t.Helper()
	pgtest.Exec(t, db, "insert into erp.customer (customer_no, name) select 'K' || n, 'Customer ' || n from generate_series(1, 2000) n")
	const batch = 250_000
	for from := 1; from <= rows; from += batch {
		pgtest.Exec(t, db, fmt.Sprintf(`set local session_replication_role = replica;
			insert into portal.audit (at, actor, action, customer_id, subject, data, source)
			select now() - make_interval(secs => (%d - n) * 30.0),
				case when n %% 3 = 0 then 'portal' when n %% 1009 = 0 then 'rare@demo.example'
					else 'person' || (n * 7919 %% 3000) || '@demo.example' end,
				case when n %% 50021 = 0 then 'export' when n %% 20 = 0 then 'logged_in' when n %% 7 = 0 then 'price_level'
					when n %% 2 = 0 then 'order_status' else 'order_line' end,
				case when n %% 7 <> 0 then 1 + (n * 104729 %% 2000) end, 'SO' || (n / 6), '{"qty": [1, 2]}', '192.0.2.1'
			from generate_series(%d::bigint, %d) n`, rows, from, min(rows, from+batch-1)))
	}
	pgtest.Exec(t, db, "analyze portal.audit; analyze erp.customer")
}

// auditQuestions are the filters of the page, alone and together.
func auditQuestions(rows int) []portal.AuditFilter {
	day := time.Now().AddDate(0, 0, -max(1, rows*30/86400/2)).Truncate(24 * time.Hour)
	next := day.AddDate(0, 0, 1)
	no := "SO" + strconv.Itoa(rows/12)
	return []portal.AuditFilter{
		{}, {CustomerNo: "K77"}, {Person: "rare@demo.example"}, {Person: "portal"}, {Subject: no}, {Group: "export"}, {Group: "order"}, {Noun: "item"},
		{From: &day, To: &next}, {Group: "export", CustomerNo: "K77"}, {Group: "sign_in", From: &day, To: &next}, {Person: "portal", Group: "export"},
		{Person: "rare@demo.example", CustomerNo: "K77"}, {Person: "nobody@demo.example"}, {Subject: no, Group: "sign_in"},
	}
}

func filterName(f portal.AuditFilter) string {
	var parts []string
	for _, s := range []string{f.CustomerNo, f.Person, f.Subject, string(f.Group), f.Noun} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if f.From != nil {
		parts = append(parts, "a day")
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, "+")
}

// No filter reads the whole log. AUDIT_PLANS=1 prints the plans.
func TestAuditPlans(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	const rows = 60_000
	manyActs(t, db, rows)
	store := sql.NewAuditStore(openWork(t, db))
	staff := portal.Session{ID: 1, Role: portal.RoleOps, Email: "ops@demo.example"}
	plans := auditPlans(t, db)
	for _, f := range auditQuestions(rows) {
		page, err := store.Audit(t.Context(), staff, f)
		if err != nil {
			t.Fatalf("%s: %v", filterName(f), err)
		}
		plan := plans(f)
		if os.Getenv("AUDIT_PLANS") != "" {
			t.Logf("%s\n%s", filterName(f), plan)
		}
		if !strings.Contains(plan, "on audit") || strings.Contains(plan, "Seq Scan on audit") {
			t.Errorf("%s:\n%s", filterName(f), plan)
		}
		// what is read and not shown
		for _, m := range regexp.MustCompile(`Rows Removed by Filter: (\d+)`).FindAllStringSubmatch(plan, -1) {
			if mustInt(t, m[1]) > rows/10 {
				t.Errorf("%s: %s\n%s", filterName(f), m[0], plan)
			}
		}
		// the second page follows the first without a gap
		if page.Next != "" {
			f.Before = page.Next
			more, err := store.Audit(t.Context(), staff, f)
			if err != nil {
				t.Fatal(err)
			}
			if len(more.Rows) == 0 || !before(more.Rows[0], page.Rows[len(page.Rows)-1]) {
				t.Errorf("%s: the second page does not follow", filterName(f))
			}
		}
	}
}

// auditPlans tells how PostgreSQL finds a page: the plans of what the function runs, from auto_explain.
func auditPlans(t testing.TB, db *pgtest.DB) func(portal.AuditFilter) string {
	t.Helper()
	config, err := pgx.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { told.WriteString(n.Message + "\n") }
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	if _, err := conn.Exec(t.Context(), `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
		set auto_explain.log_analyze = on; set auto_explain.log_level = notice`); err != nil {
		t.Fatal(err)
	}
	return func(f portal.AuditFilter) string {
		var codes []string
		if f.Group != "" || f.Noun != "" {
			codes = strings.Fields(pgtest.Value[string](t, db, "select string_agg(code, ' ') from portal.act_kind where $1 in ('', act_group) and $2 in ('', noun)", string(f.Group), f.Noun))
		}
		told.Reset()
		if _, err := conn.Exec(t.Context(), `select count(*) from portal.audit_page((select customer_id from erp.customer where customer_no = $1), nullif($2, ''), nullif($3, ''),
			$4, $5, $6, null, null, 51)`, f.CustomerNo, f.Person, f.Subject, codes, f.From, f.To); err != nil {
			t.Fatal(err)
		}
		return told.String()
	}
}

func before(a, b portal.AuditRow) bool {
	return a.At.Before(b.At) || a.At.Equal(b.At) && a.ID < b.ID
}

// longLog is a log of AUDIT_ROWS rows, by default 200,000.
func longLog(b *testing.B) (store *sql.AuditStore, rows int) {
	rows = 200_000
	if s := os.Getenv("AUDIT_ROWS"); s != "" {
		rows = int(mustInt(b, s))
	}
	db := pgtest.New(b)
	manyActs(b, db, rows)
	return sql.NewAuditStore(openWork(b, db)), rows
}

// BenchmarkAuditPage tells how long the first page of each filter takes on a long log:
//
//	AUDIT_ROWS=5000000 go test ./sql -run '^$' -bench AuditPage -benchtime 20x
func BenchmarkAuditPage(b *testing.B) {
	store, rows := longLog(b)
	staff := portal.Session{ID: 1, Role: portal.RoleOps, Email: "ops@demo.example"}
	for _, f := range auditQuestions(rows) {
		b.Run(filterName(f), func(b *testing.B) {
			var took []time.Duration
			var n int
			for b.Loop() {
				begun := time.Now()
				page, err := store.Audit(b.Context(), staff, f)
				if err != nil {
					b.Fatal(err)
				}
				n = len(page.Rows)
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "slowest-ms")
			b.ReportMetric(float64(n), "rows")
		})
	}
}

// BenchmarkAuditExport tells how many rows a second an export reads, and the most memory that is in use meanwhile:
//
//	AUDIT_ROWS=1000000 go test ./sql -run '^$' -bench AuditExport -benchtime 1x
func BenchmarkAuditExport(b *testing.B) {
	store, rows := longLog(b)
	staff := portal.Session{ID: 1, Role: portal.RoleOps, Email: "ops@demo.example"}
	for b.Loop() {
		var most uint64
		begun, n := time.Now(), 0
		err := store.EachAudit(b.Context(), staff, portal.AuditFilter{}, func(portal.AuditRow) error {
			if n++; n%50_000 == 0 {
				var memory runtime.MemStats
				runtime.ReadMemStats(&memory)
				most = max(most, memory.HeapInuse)
			}
			return nil
		})
		if err != nil || n < rows {
			b.Fatal(n, err)
		}
		b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "rows/s")
		b.ReportMetric(float64(most>>20), "MB")
	}
}
