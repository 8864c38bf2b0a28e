package sql

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

const (
	maxQuery   = 200 // characters of what was typed that count
	maxTerms   = 12  // words of it
	maxTerm    = 60  // characters of a word, as erp.search_words cuts them
	minRespell = 4   // letters of a word that may be a typing mistake; of shorter ones too many are near
	maxRespell = 20
)

// cleanQuery is what was typed with single blanks, and nothing that PostgreSQL
// could not store.
func cleanQuery(q string) string {
	q = portal.PlainCode(strings.ToValidUTF8(q, " "))
	if r := []rune(q); len(r) > maxQuery {
		q = string(r[:maxQuery])
	}
	return strings.Join(strings.Fields(q), " ")
}

// accents pairs letters with those that erp.search_words takes them for.
var accents = func() map[rune]rune {
	from, to := []rune("àáâãäåçèéêëìíîïñòóôõöøùúûüýÿ"), []rune("aaaaaaceeeeiiiinoooooouuuuyy")
	m := make(map[rune]rune, len(from))
	for i, r := range from {
		m[r] = to[i]
	}
	return m
}()

// terms cuts what was typed into words, as erp.search_words does with items.
func terms(q string) []string {
	q = strings.Map(func(r rune) rune {
		if plain, ok := accents[r]; ok {
			return plain
		}
		return r
	}, strings.ToLower(q))
	words := strings.FieldsFunc(q, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	words = words[:min(len(words), maxTerms)]
	for i, w := range words {
		if r := []rune(w); len(r) > maxTerm {
			words[i] = string(r[:maxTerm])
		}
	}
	return words
}

// searchWords makes a tsquery of what was typed: every word must occur, as a
// word or its beginning.
func searchWords(q string) string { return beginnings(terms(q)) }

func beginnings(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = beginning(w)
		if parts := measure(w); len(parts) > 1 {
			out[i] = "(" + out[i] + " | " + beginnings(parts) + ")"
		}
	}
	return strings.Join(out, " & ")
}

// beginning is a tsquery for the words that begin so. Words are quoted letters
// and digits, so that no operator of tsquery can be typed.
func beginning(w string) string { return "'" + w + "':*" }

// measure takes a number from its unit: 25lb is 25 lb.
func measure(w string) []string {
	for i := 1; i < len(w); i++ {
		if before := w[i-1]; before >= '0' && before <= '9' && (w[i] < '0' || w[i] > '9') {
			return append([]string{w[:i]}, measure(w[i:])...)
		}
	}
	return []string{w}
}

// wholeWords makes the tsquery of items to show before others: a number is
// meant as it stands, 5 before 50; without a number, all words are.
func wholeWords(words []string) string {
	var all, numbers []string
	for _, w := range words {
		for _, part := range measure(w) {
			all = append(all, "'"+part+"'")
			if strings.ContainsFunc(part, unicode.IsDigit) {
				numbers = append(numbers, "'"+part+"'")
			}
		}
	}
	if len(numbers) > 0 {
		all = numbers
	}
	return strings.Join(all, " & ")
}

// likePrefix makes a LIKE pattern of a code's beginning.
func likePrefix(q string) string { return likePart(strings.ToLower(q)) + "%" }

// likePart escapes what was typed for use inside a LIKE pattern.
func likePart(q string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q)
}

// leadWord is the tsquery of descriptions that begin with one of the words.
func leadWord(words ...string) string {
	return strings.Join(each(words, func(w string) string { return beginning("^" + w) }), " | ")
}

// itemHit is an item that a search found, and why; see portal.LookupItem.
type itemHit struct {
	ItemID portal.ItemID
	Place  int
	match  string
	uom    *string
}

func itemIDs(hits []itemHit) []portal.ItemID {
	out := make([]portal.ItemID, len(hits))
	for i, h := range hits {
		out[i] = h.ItemID
	}
	return out
}

// search finds the items of a page. Where enough says that nothing is found,
// it looks for what was probably meant: words one slip away from those typed,
// then descriptions with a part that looks alike. words are the terms of q, or
// none to look for codes only. It completes a, the arguments of item_find and
// item_counts, which enough may use.
func search(ctx context.Context, tx pgx.Tx, q string, words []string, a args,
	enough func([]itemHit) (bool, error)) ([]itemHit, error) {
	maps.Copy(a, args{"query": q, "exact": []portal.ItemID{}, "prefix": likePrefix(q), "words": beginnings(words),
		"whole": wholeWords(words), "lead": leadWord(words[:min(1, len(words))]...), "part": false, "similar": []int64{}})
	exact, codes, err := exactHits(ctx, tx, q, a)
	if err != nil {
		return nil, fmt.Errorf("exact: %w", err)
	}
	a["exact"] = slices.Collect(maps.Keys(exact))
	find := func(words string) ([]itemHit, bool, error) {
		hits, err := findItems(ctx, tx, a, codes)
		if err != nil {
			return nil, false, fmt.Errorf("find: %w", err)
		}
		for i, h := range hits {
			hits[i].match = [...]string{"code", "barcode", "prefix", words, "similar"}[h.Place]
			if h.Place == 1 {
				hits[i].match, hits[i].uom = exact[h.ItemID].Match, exact[h.ItemID].UOM
			}
		}
		ok, err := enough(hits)
		return hits, ok, err
	}
	hits, ok, err := find("words")
	if ok || err != nil || len(words) == 0 {
		return hits, err
	}
	near, err := respell(ctx, tx, words)
	if err != nil {
		return nil, fmt.Errorf("spellings: %w", err)
	}
	if near != nil {
		a["words"], a["whole"], a["lead"] = near.words, near.whole, near.lead
		if hits, ok, err = find("similar"); ok || err != nil {
			return hits, err
		}
	}
	if utf8.RuneCountInString(q) < minRespell ||
		!slices.ContainsFunc(words, func(w string) bool { return !strings.ContainsFunc(w, unicode.IsDigit) }) {
		return hits, nil // a code, or too little to be like anything
	}
	if a["similar"], err = similarItems(ctx, tx, a); err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	a["words"] = ""
	hits, _, err = find("similar")
	return hits, err
}

// exactHit is an item that a scanner's code or a customer's own number means.
type exactHit struct {
	ItemID portal.ItemID
	Match  string
	UOM    *string // the unit whose barcode it is
}

// exactHits returns them, and whether codes find anything at all: these, or
// codes that begin so.
func exactHits(ctx context.Context, tx pgx.Tx, q string,
	a args) (out map[portal.ItemID]exactHit, codes bool, err error) {
	out = map[portal.ItemID]exactHit{}
	if q == "" {
		return out, false, nil
	}
	rows, _ := tx.Query(ctx, query("item_exact"),
		args{"query": q, "customer_id": a["customer_id"], "code": strings.ToLower(q)})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[exactHit])
	for _, h := range list {
		if _, twice := out[h.ItemID]; !twice && h.Match != "prefix" {
			out[h.ItemID] = h
		}
	}
	return out, len(list) > 0, err
}

// findItems runs item_find, unprepared, so that the planner knows the
// arguments. The first page of a search is put together from what codes find,
// if they do, and what words find; see portal.find_items.
func findItems(ctx context.Context, tx pgx.Tx, a args, codes bool) ([]itemHit, error) {
	hits := func(a args) ([]itemHit, error) {
		rows, _ := tx.Query(ctx, query("item_find"), pgx.QueryExecModeCacheDescribe, a)
		return pgx.CollectRows(rows, pgx.RowToStructByName[itemHit])
	}
	size := a["page_size"].(int)
	if a["words"] == "" || a["skip"] != 0 || a["sort"] != "" {
		return hits(a)
	}
	part := maps.Clone(a)
	var out []itemHit
	if codes {
		part["words"] = ""
		var err error
		if out, err = hits(part); err != nil || len(out) == size {
			return out, err
		}
	}
	// words may find again what codes have found
	part["words"], part["part"], part["page_size"] = a["words"], true, size+len(out)
	more, err := hits(part)
	more = slices.DeleteFunc(more, func(h itemHit) bool {
		return slices.ContainsFunc(out, func(had itemHit) bool { return had.ItemID == h.ItemID })
	})
	return append(out, more[:min(len(more), size-len(out))]...), err
}

// similarItems are items with a part of their description that looks like what
// was typed.
func similarItems(ctx context.Context, tx pgx.Tx, a args) ([]int64, error) {
	// the usual mark asks for more than two slips in a word leave alike
	if _, err := tx.Exec(ctx, "set local pg_trgm.word_similarity_threshold = 0.45"); err != nil {
		return nil, err
	}
	rows, _ := tx.Query(ctx, query("item_similar"), pgx.QueryExecModeCacheDescribe, a)
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// respelling is a search with its mistyped words replaced.
type respelling struct {
	words, whole, lead string
}

// respell replaces words that no item has by what some item has one slip away;
// nil where that does not help.
func respell(ctx context.Context, tx pgx.Tx, words []string) (*respelling, error) {
	near := make([][]string, len(words))
	var all, queries []string
	for i, w := range words {
		near[i] = spellings(w)
		all, queries = append(all, w), append(queries, beginning(w))
		all, queries = append(all, near[i]...), append(queries, each(near[i], spelling)...)
	}
	rows, _ := tx.Query(ctx, query("item_spellings"), pgx.QueryExecModeCacheDescribe,
		args{"spellings": all, "queries": queries})
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(found))
	for _, v := range found {
		known[v] = true
	}
	var anyOf, whole []string
	lead := ""
	changed := false
	for i, w := range words {
		meant := slices.DeleteFunc(near[i], func(v string) bool { return !known[v] })
		switch {
		case known[w] || strings.ContainsFunc(w, unicode.IsDigit):
			meant = nil
			anyOf, whole = append(anyOf, beginnings([]string{w})), append(whole, "'"+w+"'")
		case len(meant) == 0:
			return nil, nil
		default:
			changed = true
			anyOf = append(anyOf, "("+strings.Join(each(meant, spelling), " | ")+")")
			whole = append(whole, "('"+strings.Join(meant, "' | '")+"')")
		}
		if i == 0 {
			lead = leadWord(append(meant, w)...)
		}
	}
	if !changed {
		return nil, nil
	}
	return &respelling{words: strings.Join(anyOf, " & "), whole: strings.Join(whole, " & "), lead: lead}, nil
}

func each(list []string, f func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

// spelling is the tsquery for a word that may be meant: as a beginning, unless
// it is so short that too many words begin so.
func spelling(w string) string {
	if utf8.RuneCountInString(w) < minRespell {
		return "'" + w + "'"
	}
	return beginning(w)
}

// spellings are the words one slip away from w: a letter too many, too few or
// wrong, or two swapped. A code's neighbour is another item and no slip, so
// there are none for words with digits.
func spellings(w string) []string {
	r := []rune(w)
	if len(r) < minRespell || len(r) > maxRespell || strings.ContainsFunc(w, unicode.IsDigit) {
		return nil
	}
	seen := map[string]bool{w: true}
	var out []string
	add := func(parts ...[]rune) {
		v := string(slices.Concat(parts...))
		if seen[v] {
			return
		}
		seen[v] = true
		out = append(out, v)
	}
	for i := range r {
		add(r[:i], r[i+1:])
		if i+1 < len(r) {
			add(r[:i], []rune{r[i+1], r[i]}, r[i+2:])
		}
		for c := 'a'; c <= 'z'; c++ {
			add(r[:i], []rune{c}, r[i+1:])
			add(r[:i], []rune{c}, r[i:])
		}
	}
	return out
}
