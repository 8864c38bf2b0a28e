package sql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
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
	q = strings.Map(func(r rune) rune {
		if r == 0 || r == utf8.RuneError {
			return ' '
		}
		return r
	}, q)
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

// searchArgs are the arguments of portal.find_items that come from what was
// typed.
func searchArgs(q string) args {
	words := terms(q)
	return args{"query": q, "prefix": likePrefix(q), "words": beginnings(words), "whole": wholeWords(words), "similar": []int64{}, "corrected": false}
}

// searchMeant runs find, and where that finds nothing again with what was
// probably meant: words one slip away from those typed; then descriptions with
// a part that looks alike. It changes a, the arguments that find goes by.
func searchMeant(ctx context.Context, tx pgx.Tx, q string, a args, find func() (int, error)) error {
	n, err := find()
	if n > 0 || err != nil || len(terms(q)) == 0 {
		return err
	}
	corrected, err := respell(ctx, tx, terms(q))
	if err != nil {
		return fmt.Errorf("spellings: %w", err)
	}
	if len(corrected) > 0 {
		a["words"], a["whole"], a["corrected"] = strings.Join(corrected, " & "), strings.ReplaceAll(strings.Join(corrected, " & "), ":*", ""), true
		if n, err = find(); n > 0 || err != nil {
			return err
		}
	}
	if len([]rune(q)) < minRespell {
		return nil
	}
	// the usual mark asks for more than two slips in a word leave alike
	if _, err := tx.Exec(ctx, "set local pg_trgm.word_similarity_threshold = 0.45"); err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, query("item_similar"), pgx.QueryExecModeCacheDescribe, a)
	similar, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("similar: %w", err)
	}
	if len(similar) == 0 {
		return nil
	}
	a["words"], a["similar"] = "", similar
	_, err = find()
	return err
}

// respell returns a tsquery for each word, with those that no item has replaced
// by what some item has one slip away; nothing where that does not help.
func respell(ctx context.Context, tx pgx.Tx, words []string) ([]string, error) {
	near := make([][]string, len(words))
	var all []string
	for i, w := range words {
		near[i] = spellings(w)
		all = append(append(all, beginning(w)), near[i]...)
	}
	rows, _ := tx.Query(ctx, query("item_spellings"), pgx.QueryExecModeCacheDescribe, args{"spellings": all})
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(found))
	for _, v := range found {
		known[v] = true
	}
	out := make([]string, len(words))
	changed := false
	for i, w := range words {
		if out[i] = beginnings(words[i : i+1]); known[beginning(w)] || strings.ContainsFunc(w, unicode.IsDigit) {
			continue
		}
		near := slices.DeleteFunc(near[i], func(v string) bool { return !known[v] })
		if len(near) == 0 {
			return nil, nil
		}
		out[i], changed = "("+strings.Join(near, " | ")+")", true
	}
	if !changed {
		return nil, nil
	}
	return out, nil
}

// spellings are tsqueries for the words one slip away from w: a letter too
// many, too few or wrong, or two swapped. A code's neighbour is another item
// and no slip, so there are none for words with digits.
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
		if utf8.RuneCountInString(v) < minRespell { // too many words begin so
			out = append(out, "'"+v+"'")
			return
		}
		out = append(out, beginning(v))
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
