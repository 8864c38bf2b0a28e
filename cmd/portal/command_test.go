package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// portal runs the program with arguments, on a database, as a shell would.
func portal(t *testing.T, db *pgtest.DB, arguments ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if db != nil {
		arguments = append(arguments, "--database-url", db.URL)
	}
	code = run(t.Context(), arguments, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// A ledger is imported, a log-in made for one of its customers, and it sees its
// own invoices and no other's.
func TestImportThenLogIn(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	file := filepath.Join(t.TempDir(), "ledger.csv")
	err := os.WriteFile(file, []byte(`Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country
489434,85048,15CM CHRISTMAS GLASS BALL 20 LIGHTS,12,2009-12-01 07:45:00,6.95,13085,United Kingdom
489434,79323P,PINK CHERRY LIGHTS,12,2009-12-01 07:45:00,6.75,13085,United Kingdom
489435,22195,LARGE HEART MEASURING SPOONS,24,2009-12-01 07:46:00,1.65,13078,United Kingdom
C489449,22087,PAPER BUNTING WHITE LACE,-12,2009-12-01 10:33:00,2.95,13085,United Kingdom
489436,22195,no quantity,,2009-12-01 07:46:00,1.65,13078,United Kingdom
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs := portal(t, db, "import", "online-retail", file)
	if code != 0 || !strings.Contains(out, "2 customers, 4 items, 2 invoices, 1 credit memos") ||
		!strings.Contains(out, `line 6: quantity "" is not a whole number`) {
		t.Fatalf("import: %d\n%s\n%s", code, out, errs)
	}
	if code, _, errs := portal(t, db, "import", "online-retail", file+".gone"); code == 0 ||
		!strings.Contains(errs, "ledger.csv.gone") {
		t.Errorf("a file that is not there: %d %s", code, errs)
	}
	if code, out, errs := portal(t, db, "user", "add", "anna@gifts.example", "--customer", "13085", "--password",
		setPassword); code != 0 {
		t.Fatalf("user add: %d %s%s", code, out, errs)
	}
	if code, _, errs := portal(t, db, "user", "add", "otto@gifts.example", "--customer", "99999"); code == 0 ||
		!strings.Contains(errs, "99999") {
		t.Errorf("a customer that is not there: %d %s", code, errs)
	}
	if code, out, _ := portal(t, db, "user", "list"); code != 0 || !strings.Contains(out, "anna@gifts.example") ||
		!strings.Contains(out, "13085") {
		t.Errorf("user list: %d\n%s", code, out)
	}

	s := startSite(t, db, "127.0.0.1:0", "")
	v := s.logInWith("anna@gifts.example", setPassword)
	if a := v.page("/invoices"); !strings.Contains(a.body, "489434") || !strings.Contains(a.body, "164.40") ||
		strings.Contains(a.body, "489435") {
		t.Error("the invoices are not the customer's own")
	}
	if a := v.page("/invoices/489434"); !strings.Contains(a.body, "PINK CHERRY LIGHTS") ||
		!strings.Contains(a.body, "81.00") {
		t.Errorf("the invoice: %d", a.status)
	}
	if a := v.page("/invoices/489435"); a.status != http.StatusNotFound {
		t.Errorf("another customer's invoice: %d", a.status)
	}
	if a := v.page("/"); !strings.Contains(a.body, "129.00") {
		t.Error("the balance is not 164.40 less the credit of 35.40")
	}
	if code, _, errs := portal(t, db, "user", "reset", "anna@gifts.example", "--password", "another-one-9"); code != 0 {
		t.Errorf("user reset: %s", errs)
	}
	if a := v.read("/orders"); a.status != http.StatusUnauthorized {
		t.Errorf("the session outlived the reset: %d", a.status)
	}
}
