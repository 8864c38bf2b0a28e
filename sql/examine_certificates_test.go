package sql_test

import (
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/certtest"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// The doctor names each certificate in the database that has ended or ends soon, and no key leaves it.
func TestExamineCertificates(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	now := time.Now()
	for host, days := range map[string]int{"good.example": 60, "soon.example": 20, "over.example": -1} {
		chain, key := certtest.New(t, host, now.AddDate(0, 0, days-90), now.AddDate(0, 0, days))
		pgtest.Exec(t, db, "insert into portal.certificate_cache (name, data) values ($1, $2)", host, append(key, chain...))
	}
	pgtest.Exec(t, db, "insert into portal.certificate_cache (name, data) values ('acme_account+key', $1)",
		[]byte("-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----\n"))
	if n := pgtest.Value[int](t, db,
		"select count(*)::int from portal.certificate_chains() where chain like '%KEY%' or name like 'acme%'"); n != 0 {
		t.Errorf("%d keys are handed out", n)
	}
	found, err := sql.Examine(t.Context(), sql.Examination{URL: db.URL})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]sql.Checkup{}
	for _, f := range found {
		if host, _, ok := strings.Cut(strings.TrimPrefix(f.What, "the certificate of "), ":"); ok {
			got[host] = f
		}
	}
	for host, want := range map[string]struct{ ok, note bool }{
		"good.example": {true, false}, "soon.example": {true, true}, "over.example": {false, false},
	} {
		f := got[host]
		if f.OK != want.ok || (f.Note != "") != want.note || f.OK == (f.Advice != "") {
			t.Errorf("%s: %+v", host, f)
		}
		if day := now.UTC().Format("2006"); !strings.Contains(f.What, day) && host == "over.example" {
			t.Errorf("%s: no date in %q", host, f.What)
		}
	}
}
