package sql_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// newPriceDesk is newDesk on 1 March 2026, with units and categories.
func newPriceDesk(t *testing.T) desk {
	t.Helper()
	d := newDesk(t)
	pgtest.Exec(t, d.DB, `select erp.set_clock('2026-03-01 12:00-05');
		insert into erp.category (category_id, parent_id, name) values (1, null, 'Food'), (2, 1, 'Oils');
		update erp.item set category_id = 2 where item_no = 'OIL5';
		insert into erp.item_uom (item_id, uom, factor) select item_id, 'CS', 4 from erp.item where item_no = 'OIL5'`)
	return d
}

func (d desk) save(t *testing.T, edit portal.ContractEdit) {
	t.Helper()
	if err := d.SaveContract(t.Context(), d.who, "C1001", edit); err != nil {
		t.Fatal(err)
	}
}

// contracts is a customer's contracts in a line each.
func (d desk) contracts(t *testing.T, all bool) (out []string, list []portal.PriceContract) {
	t.Helper()
	p, err := d.CustomerPrices(t.Context(), d.who, "C1001", portal.RuleFilter{All: all})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Contracts {
		out = append(out, strings.Join([]string{c.ItemNo, c.Says(), c.Words(), c.State}, ", "))
	}
	return out, p.Contracts
}

func TestDeskContracts(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	ctx := t.Context()
	d.save(t, portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed", Value: "22.75", ValidFrom: "2026-01-01",
		ValidTo: "2026-06-30"})
	d.save(t, portal.ContractEdit{ItemNo: " OIL5 ", UOM: "CS", Kind: "percent_off", Value: "12.5"})
	d.save(t, portal.ContractEdit{ItemNo: "OIL5", Kind: "cost_plus", Value: "20", ValidFrom: "2026-07-01"})
	d.save(t, portal.ContractEdit{ItemNo: "RICE25", Kind: "fixed", Value: "1,000.5", MinQty: "10", ValidTo: "2025-12-31"})

	lines, list := d.contracts(t, false)
	want := []string{"OIL5, 22.75, 1 Jan – 30 Jun 2026, current", "OIL5, 12.5 % off, always, current",
		"OIL5, cost plus 20 %, from 1 Jul 2026, coming"}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("contracts:\n%s", strings.Join(lines, "\n"))
	}
	if all, _ := d.contracts(t, true); len(all) != 4 || all[3] != "RICE25, 1000.50, until 31 Dec 2025, ended" {
		t.Errorf("with those that ended: %q", all)
	}

	// the constraint's refusal in words, at the field
	err := d.SaveContract(ctx, d.who, "C1001",
		portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed", Value: "21", ValidFrom: "2026-06-30"})
	wantCode(t, err, portal.CodeInvalid, "This overlaps the contract of 1 Jan – 30 Jun 2026 at 22.75.")
	wantField(t, err, "valid_from", 0)
	edit := list[2].Typed()
	edit.ValidFrom = "2026-06-01"
	wantCode(t, d.SaveContract(ctx, d.who, "C1001", edit), portal.CodeInvalid, "at 22.75")
	edit.ValidFrom, edit.Value = "2026-08-01", "25"
	d.save(t, edit)
	if lines, _ := d.contracts(t, false); lines[2] != "OIL5, cost plus 25 %, from 1 Aug 2026, coming" {
		t.Errorf("changed: %q", lines)
	}

	for _, c := range []struct {
		edit         portal.ContractEdit
		field, words string
	}{
		{portal.ContractEdit{ItemNo: "NONE", Kind: "fixed", Value: "1"}, "item_no", "There is no item NONE."},
		{portal.ContractEdit{ItemNo: "OIL5", UOM: "BX", Kind: "fixed", Value: "1"}, "uom", "OIL5 is sold by EA, CS."},
		{portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed"}, "value", "missing"},
		{portal.ContractEdit{ItemNo: "OIL5", Kind: "percent_off", Value: "101"}, "value", "More than 100"},
		{portal.ContractEdit{ItemNo: "OIL5", Value: "1"}, "kind", "Choose"},
		{portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed", Value: "1", ValidFrom: "tomorrow"},
			"valid_from", "write the date as"},
		{portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed", Value: "1", ValidFrom: "2026-02-01", ValidTo: "2026-01-31"},
			"valid_to", "before the first"},
		{portal.ContractEdit{ItemNo: "", Kind: "fixed", Value: "1", MinQty: "-1"}, "min_qty", ""},
	} {
		err := d.SaveContract(ctx, d.who, "C1001", c.edit)
		wantCode(t, err, portal.CodeInvalid, c.words)
		wantField(t, err, c.field, 0)
	}
	wantCode(t, d.SaveContract(ctx, d.who, "C9", portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed", Value: "1"}),
		portal.CodeNotFound, "no such customer")
	edit.ID = 999
	edit.ValidFrom, edit.ValidTo = "2030-01-01", ""
	wantCode(t, d.SaveContract(ctx, d.who, "C1001", edit), portal.CodeConflict, "gone")
	// a number of another customer's rule is nobody's here
	wantCode(t, d.DeleteRule(ctx, d.who, portal.RuleContract, "C1002", list[0].ID, ""), portal.CodeConflict, "gone")

	gone, err := d.EndRule(ctx, d.who, portal.RuleContract, "C1001", list[0].ID, "")
	if err != nil || gone {
		t.Fatalf("end: %v, %v", gone, err)
	}
	if gone, err = d.EndRule(ctx, d.who, portal.RuleContract, "C1001", list[2].ID, ""); err != nil || !gone {
		t.Fatalf("end what has not begun: %v, %v", gone, err)
	}
	_, err = d.EndRule(ctx, d.who, portal.RuleContract, "C1001", list[0].ID, "")
	wantCode(t, err, portal.CodeConflict, "ended already")
	if err := d.DeleteRule(ctx, d.who, portal.RuleContract, "C1001", list[1].ID, ""); err != nil {
		t.Fatal(err)
	}
	if lines, _ := d.contracts(t, true); len(lines) != 2 || lines[0] != "OIL5, 22.75, 1 Jan – 28 Feb 2026, ended" {
		t.Errorf("at the end: %q", lines)
	}
	got := pgtest.Value[string](t, d.DB,
		`select string_agg(concat_ws(' ', action, subject, actor, data -> 'contract_id', data -> 'value', data -> 'valid'),
			'; ' order by audit_id)
		from portal.audit where subject = 'OIL5' and action ~ '^price' and action <> 'price_basis'`)
	if want := `price_contract OIL5 desk@demo.example [null, 1] [null, 22.7500] [null, "[2026-01-01,2026-07-01)"]; ` +
		`price_contract OIL5 desk@demo.example [null, 2] [null, 12.5000] [null, "(,)"]; price_contract OIL5 desk@demo.example [null, 3] [null, 20.0000] [null, "[2026-07-01,)"]; `; !strings.HasPrefix(got, want) ||
		!strings.Contains(got, `[20.0000, 25.0000] ["[2026-07-01,)", "[2026-08-01,)"]; `) ||
		!strings.HasSuffix(got, `[12.5000, null] ["(,)", null]`) {
		t.Errorf("audit: %s", got)
	}
}

func TestDeskGroupsAndBreaks(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	ctx := t.Context()
	group := portal.GroupEdit{CategoryID: 1, Kind: "percent_off", Value: "10", ValidTo: "2026-12-31"}
	if err := d.SaveGroup(ctx, d.who, "C1001", group); err != nil {
		t.Fatal(err)
	}
	group.ValidTo = ""
	wantCode(t, d.SaveGroup(ctx, d.who, "C1001", group), portal.CodeInvalid,
		"overlaps the rule of until 31 Dec 2026 at 10 % off")
	wantCode(t, d.SaveGroup(ctx, d.who, "C1001", portal.GroupEdit{CategoryID: 77, Kind: "percent_off", Value: "1"}),
		portal.CodeInvalid, "Choose a category")
	wantCode(t, d.SaveGroup(ctx, d.who, "C1001", portal.GroupEdit{CategoryID: 1, Kind: "fixed", Value: "1"}),
		portal.CodeInvalid, "Choose one")
	p, err := d.CustomerPrices(ctx, d.who, "C1001", portal.RuleFilter{})
	if err != nil || len(p.Groups) != 1 || p.Groups[0].Category != "Food" || len(p.Categories) != 2 ||
		p.Categories[1].Name != "Food › Oils" || len(p.Audit) != 1 {
		t.Errorf("%+v, %v", p, err)
	}

	save := func(edit portal.BreakEdit) error { return d.SaveBreak(ctx, d.who, "OIL5", edit) }
	for _, edit := range []portal.BreakEdit{{MinQty: "12", Price: "23.40"},
		{MinQty: "12", Price: "23", Levels: []string{"C", "A", "C"}},
		{MinQty: "24", UseLevel: "E", ValidFrom: "2026-04-01"}} {
		if err := save(edit); err != nil {
			t.Fatal(err)
		}
	}
	err = save(portal.BreakEdit{MinQty: "12.0", Price: "20"})
	wantCode(t, err, portal.CodeInvalid, "overlaps the break of always at 23.4")
	wantField(t, err, "valid_from", 0)
	wantCode(t, save(portal.BreakEdit{MinQty: "12", Price: "20", Levels: []string{"A"}}), portal.CodeInvalid, "at 23")
	wantCode(t, save(portal.BreakEdit{MinQty: "24", Price: "20"}), portal.CodeInvalid,
		"overlaps the break of from 1 Apr 2026 at level E")
	wantCode(t, save(portal.BreakEdit{MinQty: "0", Price: "20"}), portal.CodeInvalid, "above zero")
	wantCode(t, save(portal.BreakEdit{MinQty: "5", Price: "20", UseLevel: "A"}), portal.CodeInvalid, "either")
	wantCode(t, save(portal.BreakEdit{MinQty: "5", Price: "20", Levels: []string{"F"}}), portal.CodeInvalid, "Choose one")
	if err := save(portal.BreakEdit{MinQty: "12", Price: "20", Levels: []string{"B"}}); err != nil {
		t.Error(err)
	}
	items, err := d.ItemPrices(ctx, d.who, "OIL5", portal.RuleFilter{})
	if err != nil || len(items.Breaks) != 4 || strings.Join(items.Breaks[1].Levels, "") != "AC" ||
		items.Breaks[3].Says() != "price of level E" || len(items.Audit) != 4 {
		t.Errorf("%+v, %v", items, err)
	}
	if gone, err := d.EndRule(ctx, d.who, portal.RuleBreak, "OIL5", items.Breaks[3].ID, ""); err != nil || !gone {
		t.Errorf("end: %v %v", gone, err)
	}
	if _, err := d.SaveItem(ctx, d.who, "OIL5", portal.DeskItemEdit{Description: "Olive oil 5 L", PriceA: "31",
		PriceB: "28.5", Cost: "20", Active: true}); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Value[string](t, d.DB,
		"select data::text from portal.audit where action = 'price_level'"); got != `{"price_a": [30.0000, 31.0000]}` {
		t.Errorf("audit of the level: %s", got)
	}
}

// A list of 120 contracts is read in pages, whatever ends in between.
func TestDeskContractsPaged(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	pgtest.Exec(t, d.DB,
		`insert into erp.item (item_no, description) select 'N' || lpad(g::text, 4, '0'), 'Thing ' || g
			from generate_series(1, 120) g;
		insert into erp.price_contract (customer_id, item_id, value) select c.customer_id, i.item_id, 5 from erp.customer c,
			erp.item i where c.customer_no = 'C1001' and i.item_no like 'N%';
		insert into erp.price_contract (customer_id, item_id, value) select c.customer_id, i.item_id, 6 from erp.customer c,
			erp.item i where i.item_no = 'RICE25'`)
	seen := map[string]bool{}
	f := portal.RuleFilter{}
	for {
		p, err := d.CustomerPrices(t.Context(), d.who, "C1001", f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Contracts {
			seen[c.ItemNo] = true
		}
		if f.After = p.Next; f.After == "" {
			break
		}
	}
	if len(seen) != 121 {
		t.Errorf("%d contracts", len(seen))
	}
	p, err := d.CustomerPrices(t.Context(), d.who, "C1001", portal.RuleFilter{Query: "thing 11"})
	if err != nil || len(p.Contracts) != 11 { // 11, 110 to 119
		t.Errorf("search: %d, %v", len(p.Contracts), err)
	}
	items, err := d.ItemPrices(t.Context(), d.who, "RICE25", portal.RuleFilter{})
	if err != nil || len(items.Contracts) != 2 || items.Contracts[1].CustomerNo != "C1002" {
		t.Errorf("of an item: %+v, %v", items.Contracts, err)
	}
	_, err = d.CustomerPrices(t.Context(), d.who, "C1001", portal.RuleFilter{After: "bad"})
	wantCode(t, err, portal.CodeInvalid, "damaged")
}

func TestDeskWhy(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	ctx := t.Context()
	d.save(t, portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed", Value: "22.75", ValidFrom: "2026-01-01",
		ValidTo: "2026-06-30"})
	if err := d.SaveBreak(ctx, d.who, "OIL5", portal.BreakEdit{MinQty: "12", Price: "23.40"}); err != nil {
		t.Fatal(err)
	}
	said := func(ask portal.WhyAsk) string {
		w, err := d.Why(ctx, d.who, ask)
		if err != nil {
			t.Fatal(err)
		}
		out := []string{w.Step, w.UOM, w.Date.Format("2006-01-02")}
		if w.UnitPrice != nil {
			out = append(out, w.UnitPrice.Text())
		}
		for _, r := range w.Reasons {
			out = append(out, r.Step+" "+r.Reason)
		}
		return strings.Join(out, ", ")
	}
	if got := said(portal.WhyAsk{CustomerNo: "C1001", ItemNo: "OIL5"}); got != "contract, EA, 2026-03-01, 22.75, "+
		"contract wins, break quantity_not_reached, level lost_to_earlier_step, list lost_to_earlier_step" {
		t.Error(got)
	}
	if got := said(portal.WhyAsk{CustomerNo: "C1001", ItemNo: "OIL5", UOM: "CS", Qty: "3",
		Date: "2026-07-01"}); got != "break, CS, 2026-07-01, 93.60, contract expired, break wins, level "+
		"lost_to_earlier_step, list lost_to_earlier_step" {
		t.Error(got)
	}
	for field, ask := range map[string]portal.WhyAsk{
		"customer": {CustomerNo: "C9", ItemNo: "OIL5"}, "item": {CustomerNo: "C1001", ItemNo: "NONE"},
		"uom": {CustomerNo: "C1001", ItemNo: "OIL5", UOM: "BX"}, "qty": {CustomerNo: "C1001", ItemNo: "OIL5", Qty: "many"},
		"date": {CustomerNo: "C1001", ItemNo: "OIL5", Date: "yesterday"},
	} {
		_, err := d.Why(ctx, d.who, ask)
		wantCode(t, err, portal.CodeInvalid, "")
		wantField(t, err, field, 0)
	}
}

// Who is not staff is refused before the database is asked.
func TestDeskPricesAreForStaff(t *testing.T) {
	t.Parallel()
	d := newPriceDesk(t)
	who := portal.Session{ID: 1, LoginID: 1, CustomerID: 1, CustomerNo: "C1001", Role: portal.RoleBuyer}
	for name, call := range map[string]func(context.Context) error{
		"customer": func(ctx context.Context) error {
			_, err := d.CustomerPrices(ctx, who, "C1001", portal.RuleFilter{})
			return err
		},
		"item": func(ctx context.Context) error {
			_, err := d.ItemPrices(ctx, who, "OIL5", portal.RuleFilter{})
			return err
		},
		"contract": func(ctx context.Context) error { _, err := d.Contract(ctx, who, "C1001", 1); return err },
		"save contract": func(ctx context.Context) error {
			return d.SaveContract(ctx, who, "C1001", portal.ContractEdit{ItemNo: "OIL5", Kind: "fixed", Value: "1"})
		},
		"save group": func(ctx context.Context) error {
			return d.SaveGroup(ctx, who, "C1001", portal.GroupEdit{CategoryID: 1, Kind: "percent_off", Value: "1"})
		},
		"save break": func(ctx context.Context) error {
			return d.SaveBreak(ctx, who, "OIL5", portal.BreakEdit{MinQty: "1", Price: "1"})
		},
		"end": func(ctx context.Context) error {
			_, err := d.EndRule(ctx, who, portal.RuleBreak, "OIL5", 1, "")
			return err
		},
		"delete": func(ctx context.Context) error { return d.DeleteRule(ctx, who, portal.RuleBreak, "OIL5", 1, "") },
		"why": func(ctx context.Context) error {
			_, err := d.Why(ctx, who, portal.WhyAsk{CustomerNo: "C1001", ItemNo: "OIL5"})
			return err
		},
		"export": func(ctx context.Context) error { return d.ExportPrices(ctx, who, portal.ListLevels, io.Discard) },
		"import": func(ctx context.Context) error {
			_, err := d.ImportPrices(ctx, who, portal.ListLevels, strings.NewReader("item_no,price_a\n"), portal.ImportOptions{})
			return err
		},
	} {
		if err := call(t.Context()); portal.ErrorCode(err) != portal.CodeForbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	var refused string
	conn, err := d.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "set role portal_web"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "select * from erp.price_why(1, 1, null, 1)"); err != nil {
		refused = err.Error()
	}
	if _, err := conn.Exec(t.Context(), "reset role"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(refused, "permission denied") {
		t.Errorf("the role of customers' requests may ask why: %s", fmt.Sprint(refused))
	}
}
