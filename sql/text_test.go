package sql_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// What Go calls clean, the database does: over every character that either
// treats in its own way, and random mixtures of them.
func TestCleanTextIsTheSameInBoth(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var texts []string
	for r := rune(1); r <= 0xffff; r++ {
		if r < 0xd800 || r > 0xdfff {
			texts = append(texts, string(r), "a"+string(r)+"b", string(r)+"a")
		}
	}
	for r := rune(0xe0000); r <= 0xe01ff; r++ {
		texts = append(texts, string(r), "a"+string(r))
	}
	odd := []rune(
		"a é\u0301\u0323\t\n\r\u0085\u00a0\u00ad\u061c\u115f\u200b\u200d\u200e\u2028\u202e\u2066\u2800\u3000\u3164\ufeff🍋漢\u1100\u1161")
	random := rand.New(rand.NewPCG(11, 24))
	for range 20000 {
		word := make([]rune, random.IntN(8))
		for i := range word {
			word[i] = odd[random.IntN(len(odd))]
		}
		texts = append(texts, string(word))
	}
	for _, lines := range []bool{false, true} {
		rows, _ := db.Pool.Query(t.Context(),
			"select erp.clean_text(x, $2) from unnest($1::text[]) with ordinality as u(x, n) order by n", texts, lines)
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(got) != len(texts) {
			t.Fatalf("%d of %d: %v", len(got), len(texts), err)
		}
		clean, wrong := portal.CleanText, 0
		if lines {
			clean = portal.CleanLines
		}
		for i, text := range texts {
			if want := clean(text); got[i] != want {
				if wrong++; wrong < 20 {
					t.Errorf("lines %t: %+q is %+q in Go and %+q in the database", lines, text, want, got[i])
				}
			}
		}
		if wrong > 0 {
			t.Errorf("lines %t: %d differ", lines, wrong)
		}
	}
}

// One list in Go, and what the database holds: each length is a constraint, each
// column is cleaned by a trigger, and there is none that Go does not know.
func TestTextColumns(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rows, _ := db.Pool.Query(t.Context(), `
		select c.conrelid::regclass || ' ' || c.conname || ' ' || substring(pg_get_constraintdef(c.oid) from '<= (\d+)')
			from pg_constraint c
		where pg_get_constraintdef(c.oid) like 'CHECK ((length(%) <= %' and c.conname like '%\_length' and c.contype = 'c'
		and c.convalidated order by 1`)
	held, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	rows, _ = db.Pool.Query(t.Context(), `
		select tg.tgrelid::regclass || ' ' || a.arg from pg_trigger tg cross join lateral
			unnest(string_to_array(rtrim(replace(encode(tg.tgargs, 'escape'), '\000', ','), ','), ',')) as a(arg)
		where tg.tgfoid = 'erp.clean_columns'::regproc order by 1`)
	cleaned, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var wantHeld, wantCleaned []string
	for _, c := range portal.TextColumns {
		wantHeld = append(wantHeld, fmt.Sprintf("%s %s %d", c.Table, c.Constraint(), c.Max))
		name := c.Table + " " + c.Column
		if c.Lines {
			name += ":lines"
		}
		wantCleaned = append(wantCleaned, name)
	}
	for i := range cleaned {
		cleaned[i] = strings.TrimSuffix(cleaned[i], ":null")
	}
	for _, list := range [][]string{held, cleaned, wantHeld, wantCleaned} {
		slices.Sort(list)
	}
	if !slices.Equal(held, wantHeld) {
		t.Errorf("the database holds\n%s\nGo lists\n%s", strings.Join(held, "\n"), strings.Join(wantHeld, "\n"))
	}
	if !slices.Equal(cleaned, wantCleaned) {
		t.Errorf("the database cleans\n%s\nGo lists\n%s", strings.Join(cleaned, "\n"), strings.Join(wantCleaned, "\n"))
	}
}

// A PO number of which nothing is seen is none, in every program, and one that
// nobody can read is refused.
func TestBlankIsBlank(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, "update erp.web_access set require_po = true")
	for _, blank := range []string{"\t\u00a0", "\u200b", "\u3000", "\ufeff \u2060", "\u3164"} {
		if got := pgtest.Value[*string](t, db,
			`insert into erp.sales_order (customer_id, source, po_no) select customer_id, 'PHONE', $1 from erp.customer
				where customer_no = 'C1' returning po_no`, blank); got != nil {
			t.Errorf("%+q is kept as PO number %+q", blank, *got)
		}
		if n := pgtest.Value[int](t, db,
			`select count(*)::int from erp.customer c cross join lateral erp.order_findings(c.customer_id,
				array[(select item_id from erp.item where item_no = 'OIL5')],
			array['EA'], array[1], array[50], $1, null, null, null) f where c.customer_no = 'C1' and f.code = 'po_required'
			and f.action = 'refuse'`, blank); n != 1 {
			t.Errorf("%+q passes as a PO number", blank)
		}
		if _, err := db.Pool.Exec(t.Context(), "insert into erp.customer (customer_no, name) values ($1, 'Nobody')",
			blank); err == nil {
			t.Errorf("%+q is taken as a customer number", blank)
		}
	}
	if got := pgtest.Value[string](t, db,
		`update erp.sales_order set po_no = E' \tCafe\u0301\u00a0', note = E'a\r\nb\u0007'
			where order_id = (select min(order_id) from erp.sales_order) returning po_no || '|' || note`); got != "Café|a\nb" {
		t.Errorf("kept as %+q", got)
	}
	for statement, constraint := range map[string]string{
		"update erp.sales_order set po_no = repeat('9', 9000)":     "sales_order_po_no_length",
		"update erp.item set description = repeat('x', 301)":       "item_description_length",
		"update erp.sales_order set requested_date = '9999-12-31'": "sales_order_requested_date_within_reason",
		"update erp.sales_order set requested_date = '0001-01-01'": "sales_order_requested_date_within_reason",
		"insert into portal.statement (customer_id, period_from, period_to) select customer_id, '0001-01-01', " +
			"'2026-01-01' from erp.customer": "statement_period_from_within_reason",
	} {
		_, err := db.Pool.Exec(t.Context(), statement)
		if err == nil || !strings.Contains(err.Error(), constraint) {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
