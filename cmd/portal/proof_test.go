package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql/importcsv"
)

// Books come in by files, a price is proved, a tampered one is found by the
// command and by the job, shown to operators only, and acknowledged.
func TestImportAndProof(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	dir := filepath.Join(t.TempDir(), "books")
	if code, out, errs := portal(t, nil, "import", "csv", "--samples", dir); code != 0 || !strings.Contains(out, dir) {
		t.Fatalf("samples: %d %s%s", code, out, errs)
	}
	if err := importcsv.WriteSamples(dir); err == nil {
		t.Error("samples were written over")
	}
	if code, out, errs := portal(t, db, "import", "csv", dir, "--dry-run"); code != 0 ||
		!strings.Contains(out, "nothing was kept") {
		t.Fatalf("dry run: %d %s%s", code, out, errs)
	}
	broken := filepath.Join(t.TempDir(), "broken")
	if err := importcsv.WriteSamples(broken); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "stock.csv"), []byte("item_no,on_hand\nOLIVE5,many\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "problems.csv")
	code, out, errs := portal(t, db, "import", "csv", broken, "--errors", list)
	if code != 1 || !strings.Contains(out, "stock.csv, line 2, on_hand “many”: This is not a number: write 27.50.") ||
		!strings.Contains(errs, "1 problems") {
		t.Errorf("broken: %d %s%s", code, out, errs)
	}
	if got, err := os.ReadFile(list); err != nil ||
		string(got) != "file,line,column,value,reason\nstock.csv,2,on_hand,many,This is not a number: write 27.50.\n" {
		t.Errorf("problems.csv: %s %v", got, err)
	}
	if code, out, errs := portal(t, db, "import", "csv", dir); code != 0 ||
		!strings.Contains(out, "Totals, open amounts and aging agree.") {
		t.Fatalf("import: %d %s%s", code, out, errs)
	}
	for _, user := range [][]string{{"add", "anna@alder.example", "--customer", "C2001"},
		{"add", "ops@demo.example", "--role", "ops"}, {"add", "desk@demo.example", "--role", "desk"}} {
		if code, _, errs := portal(t, db,
			append([]string{"user"}, append(user, "--password", setPassword)...)...); code != 0 {
			t.Fatal(errs)
		}
	}
	s := startSite(t, db, "127.0.0.1:0", "")
	v := s.logInWith("anna@alder.example", setPassword)
	if a := v.page("/invoices"); !strings.Contains(a.body, "70003") || !strings.Contains(a.body, "136.00") ||
		strings.Contains(a.body, "70002") {
		t.Error("the invoices are not the customer's own")
	}
	if a := v.page("/invoices/70001"); !strings.Contains(a.body, "Olive oil 5 L") || !strings.Contains(a.body, "267.38") {
		t.Errorf("the invoice: %d", a.status)
	}

	ops := s.logInWith("ops@demo.example", setPassword)
	if a := ops.page("/ops/proof"); a.status != http.StatusOK || !strings.Contains(a.body, "No proof yet") {
		t.Fatalf("before: %d", a.status)
	}
	for _, who := range []*visitor{v, s.logInWith("desk@demo.example", setPassword)} {
		if a := who.page("/ops/proof"); a.status != http.StatusNotFound {
			t.Errorf("who is no operator: %d", a.status)
		}
		if a := who.post("/ops/proof/1/acknowledge", "note", "x"); a.status != http.StatusNotFound {
			t.Errorf("who is no operator acknowledges: %d", a.status)
		}
	}
	no := v.order("SALT1", "48") // a break of the files
	socket := ops.live("")
	socket.hello()
	if a := ops.post("/ops/proof", "whole", "true"); a.status != http.StatusOK || !strings.Contains(a.body, "has begun") {
		t.Fatalf("run now: %d %s", a.status, a.body)
	}
	socket.until(func(kind, _, _ string) bool { return kind == "proof" })
	a := ops.read("/ops/proof")
	if a.get("open") != 0.0 || a.get("runs.0.order_lines") != 1.0 || a.get("runs.0.repriced") != 1.0 ||
		a.get("runs.0.customers") != 3.0 {
		t.Errorf("proof %s", a.body)
	}

	// the rules of the files are older than two minutes: none was just being changed.
	// The head is held first, or the running portal seals a row between the statements.
	pgtest.Exec(t, db,
		`select from portal.audit_head for update; set local session_replication_role = replica; delete
			from portal.audit_chain; update portal.audit_head set chain_no = 0, hash = '\x', seen = '1:1:';
		update portal.audit set at = at - interval '1 hour'; set local session_replication_role = origin;
			update erp.sales_order_line set unit_price = 0.25`)
	code, out, errs = portal(t, db, "proof", "--json")
	var result struct {
		Run         struct{ Found int }
		Differences []struct {
			Kind, Subject string
			LineNo        int `json:"line_no"`
		}
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatalf("%v in %s: %s", err, out, errs)
	}
	if code != 1 || result.Run.Found != 1 || len(result.Differences) != 1 || result.Differences[0].Kind != "order_price" ||
		result.Differences[0].Subject != no || result.Differences[0].LineNo != 1 {
		t.Errorf("portal proof: %d %s", code, out)
	}
	a = ops.page("/ops/proof")
	for _, want := range []string{"1 difference", "Not the customer", `href="/desk/orders/` + no + `"`, "took 0.25 break",
		"gave 0.31 break"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	path := fmt.Sprintf("/ops/proof/%v/acknowledge", ops.read("/ops/proof").get("differences.0.difference_id"))
	if a := ops.send(path, "note", " "); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "Say what it is") {
		t.Errorf("without a note: %d", a.status)
	}
	if a := ops.send(path, "note", "agreed on the phone"); a.status != http.StatusSeeOther {
		t.Errorf("acknowledge: %d", a.status)
	}
	if code, out, errs := portal(t, db, "proof"); code != 0 || !strings.Contains(out, "Everything agrees.") {
		t.Errorf("acknowledged: %d %s%s", code, out, errs)
	}
	if a := ops.page("/ops/proof"); !strings.Contains(a.body, "agreed on the phone") ||
		!strings.Contains(a.body, "Everything agrees") {
		t.Error("the page does not say what it is")
	}
	pgtest.Exec(t, db, "update erp.sales_order_line set unit_price = 0.31")
}
