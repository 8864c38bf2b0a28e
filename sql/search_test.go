package sql_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

func TestSearchTerms(t *testing.T) {
	t.Parallel()
	for q, want := range map[string][3]string{ // terms, beginnings, whole words
		"oliv 5":       {"oliv|5", "'oliv':* & '5':*", "'5'"},
		"Olive  OIL":   {"olive|oil", "'olive':* & 'oil':*", "'olive' & 'oil'"},
		"16/20 shrimp": {"16|20|shrimp", "'16':* & '20':* & 'shrimp':*", "'16' & '20'"},
		"25lb":         {"25lb", "('25lb':* | '25':* & 'lb':*)", "'25'"},
		"OIL-5":        {"oil|5", "'oil':* & '5':*", "'5'"},
		"Crème":        {"creme", "'creme':*", "'creme'"},
		"a & b':* | !": {"a|b", "'a':* & 'b':*", "'a' & 'b'"},
		"'":            {"", "", ""},
		"":             {"", "", ""},
	} {
		words := sql.Terms(q)
		if got := [3]string{strings.Join(words, "|"), sql.Beginnings(words), sql.WholeWords(words)}; got != want {
			t.Errorf("%q is %q, want %q", q, got, want)
		}
	}
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	for typed, meant := range map[string]string{"olvie": "olive", "olve": "olive", "ollive": "olive", "olove": "olive",
		"alive": "olive", "olivr": "olive"} {
		if !slices.Contains(sql.Spellings(typed), meant) {
			t.Errorf("%q is not one slip away from %q", typed, meant)
		}
	}
	for _, w := range []string{"oil", "oil5", "", strings.Repeat("x", 40)} {
		if got := sql.Spellings(w); len(got) > 0 {
			t.Errorf("%q is respelled as %v", w, got)
		}
	}
}

// The few first of a search are the same in a list and in suggestions, at
// store level too, and a code that looks like nothing finds nothing.
func TestSearchOrder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pools, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 1, DeskConns: 1, WorkConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_no, name) values ('C1', 'One');
		insert into erp.item (item_no, description, barcode) values
			('SALT', 'Rock, for roads', null), ('SALT10', 'Grit', null), ('SALT9', 'Sand', null),
			('A1', 'Sea salt 5 lb', null), ('A2', 'Salt, fine', null), ('A3', 'Salted butter', null),
			('A4', 'Salt, fine, iodised, 50 lb', null),
			('A5', 'Salt, fine, 5 lb', null), ('A6', 'Pepper', '4006381333931'), ('A7', 'Cinnamon', null);
		insert into erp.customer_item (customer_id, item_id, their_item_no) select c.customer_id, i.item_id, 'salt'
			from erp.customer c, erp.item i where i.item_no = 'A7';
		update erp.item set active = false where item_no = 'SALT10'`)
	store := sql.NewCatalogStore(pools)
	who := portal.Session{ID: 1, LoginID: 1, Role: portal.RoleBuyer,
		CustomerID: pgtest.Value[portal.CustomerID](t, db, "select customer_id from erp.customer")}

	for q, want := range map[string]string{
		// the code, the barcode and the own number, the code's beginning; whole
		// words before beginnings, descriptions that begin so, the shorter
		"salt":          "SALT A7 SALT9 A2 A5 A4 A1 A3",
		"salt 5":        "A5 A1 A4",
		"5 salt":        "A5 A1 A4",
		"salt 50":       "A4",
		"fine salt":     "A2 A5 A4",
		"slat":          "A2 A5 A4 SALT A1 A3 SALT9",
		"buttre":        "A3",
		"SALT9":         "SALT9",
		"SALT10":        "",
		"zzz":           "",
		"pepper":        "A6",
		"salt zzzzz":    "A2 A5 A1 A4",
		"4006381333931": "A6",
	} {
		list, err := store.Catalog(t.Context(), who, portal.ItemFilter{Query: q})
		if err != nil {
			t.Fatal(err)
		}
		hits, err := store.Lookup(t.Context(), who, q, 20)
		if err != nil {
			t.Fatal(err)
		}
		var listed, suggested []string
		for _, i := range list.Items {
			listed = append(listed, i.ItemNo)
		}
		for _, i := range hits {
			suggested = append(suggested, i.ItemNo)
		}
		if got := strings.Join(listed, " "); got != want {
			t.Errorf("%q lists %s, want %s", q, got, want)
		}
		if got := strings.Join(suggested, " "); got != want {
			t.Errorf("%q suggests %s, want %s", q, got, want)
		}
		if list.Total != len(listed) {
			t.Errorf("%q counts %d", q, list.Total)
		}
	}
}

// FuzzSearch: whatever is typed makes queries and patterns that PostgreSQL can
// read, and what a description says finds it.
func FuzzSearch(f *testing.F) {
	db := pgtest.New(f)
	for _, q := range []string{"oliv 5", "OIL-5", "25lb", "a & b | !c", "':*", `\'`, "%_", "Crème brûlée", "\x00", "\xff",
		"ﬀ İ ß", "0x1F 1e9 1.5", "^olive", "5:A", "🥑 avocado", "ⅷ", "𝒳"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		q := sql.CleanQuery(typed)
		words := sql.Terms(q)
		if len(words) > 12 || utf8.RuneCountInString(q) > 200 {
			t.Fatalf("%d words, %d characters", len(words), utf8.RuneCountInString(q))
		}
		queries := []string{sql.Beginnings(words), sql.WholeWords(words), sql.LeadWord(words...)}
		for _, w := range words[:min(2, len(words))] {
			for _, s := range sql.Spellings(w) {
				queries = append(queries, sql.SpellingFor(s))
			}
		}
		var found bool
		err := db.Pool.QueryRow(t.Context(),
			`select bool_and(erp.search_words('X1', $1) @@ x::tsquery is not null) and 'x' like $3 is not null and $4 like $3
			and (not $5 or erp.search_words('X1', $1) @@ ($2::text[])[1]::tsquery) from unnest($2::text[]) x`,
			q, queries, sql.LikePrefix(q), strings.ToLower(q), len(words) > 0 && isASCII(q)).Scan(&found)
		if err != nil {
			t.Fatalf("%q: %v", q, err)
		}
		if !found {
			t.Errorf("%q does not find itself: %q", q, queries[0])
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}
