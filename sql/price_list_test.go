package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// load imports a list; the outcome is a line, then a line for each problem.
func (d desk) load(t *testing.T, list portal.PriceList, o portal.ImportOptions, file string) string {
	t.Helper()
	r, err := d.ImportPrices(t.Context(), d.who, list, strings.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%d rows: %d new, %d changed, %d unchanged, %d bad, applied %v", r.Rows, r.New, r.Changed,
		r.Unchanged, r.Bad, r.Applied)
	if r.Found != len(r.Problems) {
		t.Errorf("%d problems found, %d listed", r.Found, len(r.Problems))
	}
	for _, p := range r.Problems {
		out += fmt.Sprintf("\n%d %s: %s", p.Line, p.Column, p.Message)
	}
	return out
}

func (d desk) export(t *testing.T, list portal.PriceList) string {
	t.Helper()
	var out strings.Builder
	if err := d.ExportPrices(t.Context(), d.who, list, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var (
	check   = portal.ImportOptions{}
	apply   = portal.ImportOptions{Apply: true}
	leave   = portal.ImportOptions{Apply: true, LeaveOut: true}
	nothing = "select count(*)::int from portal.audit where action ~ '^price' and action <> 'price_basis'"
)

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func TestPriceListLevels(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	same(t, "export", d.export(t, portal.ListLevels),
		"item_no,price_a,price_b,price_c,price_d,price_e\nOIL5,30,28.5,,,\nRICE25,22.1,,,,\n")
	file := "item_no;price_a;price_b\nOIL5;30.00;27\nRICE25;22.1;\nNONE;1;1\nOIL5;1;1\nSALT1;x;1\n"
	bad := "\n4 item_no: There is no item NONE.\n5 item_no: Item OIL5 is on line 2 already.\n6 price_a: “x” is not a " +
		"number: write 27.50."
	same(t, "check", d.load(t, portal.ListLevels, check, file),
		"5 rows: 0 new, 1 changed, 1 unchanged, 3 bad, applied false"+bad)
	same(t, "bad rows", d.load(t, portal.ListLevels, apply, file),
		"5 rows: 0 new, 1 changed, 1 unchanged, 3 bad, applied false"+bad)
	if n := pgtest.Value[int](t, d.DB, nothing); n != 0 {
		t.Errorf("%d changes by lists that were not loaded", n)
	}
	same(t, "leave out", d.load(t, portal.ListLevels, leave, file),
		"5 rows: 0 new, 1 changed, 1 unchanged, 3 bad, applied true"+bad)
	same(t, "after", d.export(t, portal.ListLevels),
		"item_no,price_a,price_b,price_c,price_d,price_e\nOIL5,30,27,,,\nRICE25,22.1,,,,\n")
	// an empty cell empties, a missing column leaves alone
	same(t, "empty", d.load(t, portal.ListLevels, apply, "item_no,price_b\nOIL5,\n"),
		"1 rows: 0 new, 1 changed, 0 unchanged, 0 bad, applied true")
	same(t, "emptied", pgtest.Value[string](t, d.DB,
		"select concat_ws(' ', price_a, price_b, cost) from erp.item where item_no = 'OIL5'"), "30.0000 20.0000")
	same(t, "audit", pgtest.Value[string](t, d.DB,
		"select string_agg(subject || ' ' || actor || ' ' || data::text, '; ' order by audit_id) from portal.audit where "+
			"action ~ '^price' and action <> 'price_basis'"),
		`OIL5 desk@demo.example {"price_b": [28.5000, 27.0000]}; OIL5 desk@demo.example {"price_b": [27.0000, null]}`)
}

func TestPriceListContracts(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	d.save(t, portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed", Value: "22.75", ValidFrom: "2026-01-01"})
	d.save(t, portal.ContractEdit{ItemNo: "RICE25", Kind: "fixed", Value: "20"})
	head := "customer_no,item_no,uom,kind,value,min_qty,valid_from,valid_to\n"
	// the old one is shortened and the new one begins the day after, in one file
	file := head + "C1001,OIL5,,fixed,22.75,,2026-01-01,2026-06-30\n" + "C1001,OIL5,,fixed,21,,2026-07-01,\n" +
		"C1001,RICE25,,fixed,20.00,0,,\n" + "C1002,OIL5,CS,percent_off,5,2,,\n"
	same(t, "check", d.load(t, portal.ListContracts, check, file),
		"4 rows: 2 new, 1 changed, 1 unchanged, 0 bad, applied false")
	same(t, "load", d.load(t, portal.ListContracts, apply, file),
		"4 rows: 2 new, 1 changed, 1 unchanged, 0 bad, applied true")
	same(t, "again", d.load(t, portal.ListContracts, apply, file),
		"4 rows: 0 new, 0 changed, 4 unchanged, 0 bad, applied true")
	exported := d.export(t, portal.ListContracts)
	same(t, "export", exported,
		head+
			"C1001,OIL5,,fixed,22.75,0,2026-01-01,2026-06-30\nC1001,OIL5,,fixed,21,0,2026-07-01,\nC1001,RICE25,,fixed,20,0,,\nC1002,OIL5,CS,percent_off,5,2,,\n")
	audits := pgtest.Value[int](t, d.DB, nothing)
	same(t, "back", d.load(t, portal.ListContracts, apply, exported),
		"4 rows: 0 new, 0 changed, 4 unchanged, 0 bad, applied true")
	if n := pgtest.Value[int](t, d.DB, nothing); n != audits {
		t.Errorf("%d changes by a list that changes nothing", n-audits)
	}

	// the first gets longer while the second moves away: in no order of rows do they meet
	same(t, "longer", d.load(t, portal.ListContracts, apply,
		head+
			"C1001,OIL5,,fixed,22,,2026-01-01,2026-06-30\nC1001,OIL5,,fixed,21,,2026-07-01,2026-07-31\nC1001,OIL5,,fixed,20,,2026-08-01,\n"),
		"3 rows: 1 new, 2 changed, 0 unchanged, 0 bad, applied true")

	same(t, "bad", d.load(t, portal.ListContracts, leave, head+
		"C1001,OIL5,,fixed,1,,2026-06-30,2026-06-30\n"+ // line 2: in the way of what is there
		"C1002,OIL5,,fixed,1,,2026-01-01,2026-03-31\n"+
		"C1002,OIL5,,fixed,1,,2026-03-31,\n"+ // line 4: of line 3
		"C9,NONE,,fixed,1,,,\n"+
		"C1002,OIL5,BX,fixed,1,,,\n"+
		"C1001,OIL5,,fixed,22,,2026-01-01,2026-07-15\n"+ // line 7: of the one from 1 July, so that
		"C1001,OIL5,,fixed,5,,2026-05-01,2026-06-15\n"), // line 8: meets what line 7 would have been
		"7 rows: 1 new, 0 changed, 0 unchanged, 6 bad, applied true"+
			"\n2 valid_from: This overlaps the rule at fixed 22 from 1 Jan 2026 until 30 Jun 2026, which is there already."+
			"\n4 valid_from: This overlaps line 3."+
			"\n5 customer_no: There is no customer C9.\n5 item_no: There is no item NONE."+
			"\n6 uom: OIL5 is not sold by BX."+
			"\n7 valid_from: This overlaps the rule at fixed 21 from 1 Jul 2026 until 31 Jul 2026, which is there already."+
			"\n8 valid_from: This overlaps line 7.")

	// a unit that is no more keeps its rule, and the file can come back
	pgtest.Exec(t, d.DB, "delete from erp.item_uom")
	exported = d.export(t, portal.ListContracts)
	if got := d.load(t, portal.ListContracts, apply, exported); !strings.Contains(got, "0 new, 0 changed") ||
		!strings.Contains(got, "0 bad") {
		t.Errorf("after the unit's end: %s", got)
	}
}

func TestPriceListGroupsAndBreaks(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	pgtest.Exec(t, d.DB, `insert into erp.category (category_id, name) values (3, '=Oils, "fats"')`)
	groups := "customer_no,category,kind,value,valid_from,valid_to\nC1001,\"'=Oils, " +
		"\"\"fats\"\"\",percent_off,10,,\nC1001,Food,cost_plus,12.5,2026-01-01,2026-12-31\n"
	same(t, "groups", d.load(t, portal.ListGroups, apply, groups+"C1001,Drink,percent_off,1,,\n"),
		"3 rows: 2 new, 0 changed, 0 unchanged, 1 bad, applied false\n4 category: There is no category Drink.")
	same(t, "groups", d.load(t, portal.ListGroups, apply, groups),
		"2 rows: 2 new, 0 changed, 0 unchanged, 0 bad, applied true")
	same(t, "groups out", d.export(t, portal.ListGroups), groups)
	same(t, "groups back", d.load(t, portal.ListGroups, apply, d.export(t, portal.ListGroups)),
		"2 rows: 0 new, 0 changed, 2 unchanged, 0 bad, applied true")

	breaks := "item_no,min_qty,price,use_level,levels,valid_from,valid_to\nOIL5,12,23.4,,,,\nOIL5,12,23,,A " +
		"C,,2026-06-30\nOIL5,24,,E,B,2026-04-01,\n"
	same(t, "breaks", d.load(t, portal.ListBreaks, apply, breaks),
		"3 rows: 3 new, 0 changed, 0 unchanged, 0 bad, applied true")
	same(t, "breaks out", d.export(t, portal.ListBreaks), breaks)
	same(t, "breaks back", d.load(t, portal.ListBreaks, apply, breaks),
		"3 rows: 0 new, 0 changed, 3 unchanged, 0 bad, applied true")
	same(t, "breaks changed",
		d.load(t, portal.ListBreaks, apply,
			"item_no,min_qty,price,use_level,levels,valid_from,valid_to\nOIL5,12,,D,\"C,A\",,\nOIL5,12,1,,BC,,\nOIL5,0,1,,,,\n"),
		"3 rows: 0 new, 1 changed, 0 unchanged, 2 bad, applied false\n3 valid_from: This overlaps line 2.\n4 min_qty: The "+
			"quantity must be above zero.")
	// breaks alike, which another program made, come back as they are
	pgtest.Exec(t, d.DB, "insert into erp.price_break (item_id, min_qty, price, levels) select item_id, 12, 22, "+
		"'{C,A}'::char(1)[] from erp.item where item_no = 'OIL5' union all select item_id, 12, 22, '{A,C}'::char(1)[] "+
		"from erp.item where item_no = 'OIL5'")
	same(t, "breaks alike", d.load(t, portal.ListBreaks, apply, d.export(t, portal.ListBreaks)),
		"5 rows: 0 new, 0 changed, 5 unchanged, 0 bad, applied true")
	wantCode(t, d.ExportPrices(t.Context(), d.who, "wishes", nil), portal.CodeNotFound, "no such price list")
}

// One statement is one event, however many customers it concerns; and a plan
// made for one row does not compare a thousand with one another.
func TestPriceListIsOneEvent(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	pgtest.Exec(t, d.DB,
		`insert into erp.item (item_no, description, price_a) select 'N' || g, 'Thing', 5 from generate_series(1, 1000) g;
		insert into erp.customer (customer_no, name) select 'K' || g, 'Customer' from generate_series(1, 40) g;
		update erp.item set price_a = 6 where item_no = 'N1';
		truncate portal.event`)
	var levels, contracts strings.Builder
	levels.WriteString("item_no,price_a\n")
	contracts.WriteString("customer_no,item_no,kind,value\n")
	for i := range 1000 {
		fmt.Fprintf(&levels, "N%d,7.5\n", i+1)
		fmt.Fprintf(&contracts, "K%d,N%d,fixed,4\n", i%40+1, i+1)
	}
	same(t, "levels", d.load(t, portal.ListLevels, apply, levels.String()),
		"1000 rows: 0 new, 1000 changed, 0 unchanged, 0 bad, applied true")
	same(t, "contracts", d.load(t, portal.ListContracts, apply, contracts.String()),
		"1000 rows: 1000 new, 0 changed, 0 unchanged, 0 bad, applied true")
	same(t, "events", pgtest.Value[string](t, d.DB, "select string_agg(kind || coalesce(' ' || customer_id, '') || "+
		"ref, ', ' order by event_id) from portal.event"), "catalog, catalog")
	if n := pgtest.Value[int](t, d.DB,
		"select count(*)::int from portal.audit where action ~ '^price' and action <> 'price_basis'"); n != 2001 {
		t.Errorf("%d rows of audit", n)
	}
	// a few customers are told each for itself
	pgtest.Exec(t, d.DB, "truncate portal.event")
	d.load(t, portal.ListContracts, apply, "customer_no,item_no,kind,value\nK1,N1,fixed,3\nK2,N2,fixed,3\n")
	same(t, "events", pgtest.Value[string](t, d.DB, "select string_agg(kind || ' ' || customer_no, ', ' order by "+
		"event_id) from portal.event join erp.customer using (customer_id)"), "catalog K1, catalog K2")
}
