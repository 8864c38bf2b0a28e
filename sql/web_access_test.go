package sql_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// The rows of erp.web_access_switch are the columns of erp.web_access, of the type that their
// kind says; their choices are those of the columns' checks; and what Go knows of them by name
// is there.
func TestWebAccessSwitches(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	list := func(query string) []string {
		return pgtest.Value[[]string](t, db,
			"select coalesce(array_agg(x::text order by x::text collate \"C\"), '{}') from ("+query+") q(x)")
	}
	switches := list(`select column_name || ' ' || kind from erp.web_access_switch`)
	columns := list(`select c.column_name || ' ' || case c.data_type || ' ' || c.is_nullable
			when 'boolean NO' then 'on_off' when 'text NO' then 'choice' when 'integer YES' then 'days'
			when 'numeric YES' then case c.numeric_scale when 2 then 'amount' end end
		from information_schema.columns c
		where c.table_schema = 'erp' and c.table_name = 'web_access' and c.column_name <> 'customer_id'`)
	if !slices.Equal(switches, columns) || len(switches) < 20 {
		t.Errorf("erp.web_access_switch has\n%v\nerp.web_access\n%v", switches, columns)
	}
	if bare := list(`select c.column_name from information_schema.columns c
		where c.table_schema = 'erp' and c.table_name = 'web_access' and c.is_nullable = 'NO' and c.column_default is null
			and c.column_name <> 'customer_id'`); len(bare) > 0 {
		t.Errorf("no default: %v", bare)
	}

	choices := func(column string) []string {
		return list("select value from erp.web_access_choice where column_name = '" + column + "'")
	}
	checked := map[string][]string{}
	for _, def := range list(`select pg_get_constraintdef(oid) from pg_constraint
		where conrelid = 'erp.web_access'::regclass and contype = 'c'`) {
		if m := regexp.MustCompile(`^CHECK \(\(+(\w+) = ANY \(ARRAY\[(.+)\]\)+$`).FindStringSubmatch(def); m != nil {
			for _, value := range regexp.MustCompile(`'(\w+)'`).FindAllStringSubmatch(m[2], -1) {
				checked[m[1]] = append(checked[m[1]], value[1])
			}
		}
	}
	for _, s := range switches {
		column, kind, _ := strings.Cut(s, " ")
		slices.Sort(checked[column])
		if got := choices(column); !slices.Equal(got, checked[column]) || (len(got) > 0) != (kind == "choice") {
			t.Errorf("%s may be %v by erp.web_access_choice, %v by the check of erp.web_access", s, got, checked[column])
		}
	}

	wantChoices(t, "see_stock", []portal.StockShown{portal.StockHidden, portal.StockInLowOut, portal.StockNumber},
		choices("see_stock"))
	wantChoices(t, "may_change", []portal.MayChange{portal.ChangeCancel, portal.ChangeEdit, portal.ChangeNothing},
		choices("may_change"))
	for field := range reflect.TypeFor[portal.Access]().Fields() {
		kind := "choice"
		if field.Type.Kind() == reflect.Bool {
			kind = "on_off"
		}
		if s := field.Tag.Get("json") + " " + kind; !slices.Contains(switches, s) {
			t.Errorf("portal.Access.%s is no switch: %q", field.Name, s)
		}
	}
	if pgtest.Value[bool](t, db,
		`select has_table_privilege('portal_desk', 'erp.web_access_switch', 'insert, update, delete')
		or has_table_privilege('portal_desk', 'erp.web_access_choice', 'insert, update, delete')`) {
		t.Error("staff may write what the switches are")
	}
}

func wantChoices[T ~string](t *testing.T, column string, of []T, choices []string) {
	t.Helper()
	if !slices.EqualFunc(of, choices, func(a T, b string) bool { return string(a) == b }) {
		t.Errorf("%s: Go has %v, the database %v", column, of, choices)
	}
}

// newSwitches is all that a migration does for a switch of each kind.
const newSwitches = `
alter table erp.web_access add column x_box boolean not null default true, add column x_way text not null default 'air',
	add column x_most numeric(14,2), add column x_days int,
	add constraint web_access_x_way check (x_way in ('air', 'sea')), add constraint web_access_x_most check (x_most < 100);
insert into erp.web_access_switch (column_name, section, sort, kind, label) values ('x_box', 'Orders', 291, 'on_off',
	'Box'),
	('x_way', 'New', 900, 'choice', 'Way'), ('x_most', 'New', 901, 'amount', 'Most'),
	('x_days', 'New', 902, 'days', 'Days');
insert into erp.web_access_choice (column_name, value, sort, label, log_label) values
	('x_way', 'air', 1, 'By air', 'air'), ('x_way', 'sea', 2, 'By sea', 'sea')`

// A switch that a migration adds is read, saved and in the audit log without a change of the
// program; a form that was opened before leaves it as it is.
func TestWebAccessNewSwitch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	read := func() portal.DeskCustomerDetail {
		t.Helper()
		c, err := d.Customer(t.Context(), d.who, "C1001")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	stands := func() string {
		t.Helper()
		text, err := json.Marshal(read().Access)
		if err != nil {
			t.Fatal(err)
		}
		_, end, _ := strings.Cut(string(text), `"x_box":`)
		return end
	}
	save := func(edit portal.AccessEdit, set ...string) error {
		for i := 0; i < len(set); i += 2 {
			edit.Values[set[i]] = set[i+1]
		}
		return d.SaveAccess(t.Context(), d.who, "C1001", edit)
	}
	before := read().Access.Typed()
	pgtest.Exec(t, d.DB, newSwitches)

	const defaults = `true,"x_way":"air","x_most":null,"x_days":null}`
	if got := stands(); got != defaults {
		t.Errorf("JSON ends with %s", got)
	}
	if err := save(before, "require_po", "true"); err != nil {
		t.Errorf("a form opened before the migration: %v", err)
	}
	if got := stands(); got != defaults || !read().Access.Typed().IsOn("require_po") {
		t.Errorf("a form opened before the migration left %s", got)
	}
	edit := read().Access.Typed()
	delete(edit.Values, "x_box") // not ticked
	if err := save(edit, "x_way", "sea", "x_most", "12.5", "x_days", "7"); err != nil {
		t.Fatal(err)
	}
	if got := stands(); got != `false,"x_way":"sea","x_most":"12.50","x_days":7}` {
		t.Errorf("saved: %s", got)
	}
	data, err := json.Marshal(read().Audit[0].Data)
	if want := `{"x_box":[true,false],"x_days":[null,7],"x_most":[null,12.50],"x_way":["air","sea"]}`; err != nil ||
		string(data) != want {
		t.Errorf("audit %s %v", data, err)
	}
	pgtest.Exec(t, d.DB, "update erp.web_access set x_days = 8")
	if err := save(edit, "x_days", "9"); portal.ErrorCode(err) != portal.CodeConflict ||
		!strings.Contains(portal.ErrorMessage(err), "Days was") {
		t.Errorf("out of date: %v", err)
	}

	for field, c := range map[string]struct{ value, words string }{
		"x_most": {"-1", "The most cannot be negative."},
		"x_days": {"36501", "That is more than a hundred years: leave it empty for no limit."},
		"x_way":  {"rail", "Choose one of the list."}, "x_box": {"perhaps", "Box: choose on or off."},
	} {
		err := save(read().Access.Typed(), field, c.value)
		wantCode(t, err, portal.CodeInvalid, c.words)
		wantField(t, err, field, 0)
	}
	err = save(read().Access.Typed(), "x_most", "100") // what the database alone refuses
	wantCode(t, err, portal.CodeInvalid, "does not take this value")
	wantField(t, err, "x_most", 0)
}

// erp.set_web_access leaves alone what it is not told, and says what is no switch.
func TestSetWebAccess(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	set := func(no, values string) bool {
		return pgtest.Value[bool](t, d.DB, "select erp.set_web_access($1, $2::jsonb)", no, values)
	}
	was := pgtest.Value[string](t, d.DB,
		"select to_jsonb(w) - 'max_order' from erp.web_access w join erp.customer using (customer_id) where customer_no = "+
			"'C1001'")
	if !set("C1001", `{"max_order": "12.30"}`) || !set("C1001", `{}`) || set("NOBODY", `{"max_order": 1}`) {
		t.Error("a customer's row was not found, or nobody's was")
	}
	now := pgtest.Value[string](t, d.DB, "select to_jsonb(w) - 'max_order' from erp.web_access w where max_order = 12.30")
	if now != was {
		t.Errorf("other switches moved:\n%s\n%s", was, now)
	}
	for _, column := range []string{"customer_id", "nonsense"} {
		_, err := d.Pool.Exec(t.Context(), "select erp.set_web_access('C1001', jsonb_build_object($1::text, 1))", column)
		if err == nil || !strings.Contains(err.Error(), "Web Access has no switch "+column) {
			t.Errorf("%s: %v", column, err)
		}
	}
}
