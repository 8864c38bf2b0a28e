package sheet

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// meaning is what the head of a column says about it.
type meaning string

const (
	unknown  meaning = ""
	item     meaning = "item"
	barcode  meaning = "barcode"
	name     meaning = "name"
	quantity meaning = "quantity" // strong: called so and nothing else
	count    meaning = "count"    // weak: perhaps a quantity
	unit     meaning = "unit"
	pack     meaning = "pack"
	stock    meaning = "stock"
	money    meaning = "money"
	line     meaning = "line"
	date     meaning = "date"
	other    meaning = "other"
	plain    meaning = "plain"
)

//go:embed heads.txt
var headsText string

// vocabulary is heads.txt: what each phrase may mean, in the order of the file.
var vocabulary = sync.OnceValue(func() map[string][]meaning {
	out := map[string][]meaning{}
	for line := range strings.Lines(headsText) {
		what, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || what == "#" {
			continue
		}
		_, words, _ := strings.Cut(rest, " ")
		for word := range strings.SplitSeq(words, ",") {
			word = plainWords(word)
			if word != "" && !has(out[word], meaning(what)) {
				out[word] = append(out[word], meaning(what))
			}
		}
	}
	return out
})

func has(list []meaning, m meaning) bool {
	for _, x := range list {
		if x == m {
			return true
		}
	}
	return false
}

// letters that have no decomposition, but are often written without their mark.
var plainLetters = strings.NewReplacer("ß", "ss", "æ", "ae", "ø", "o", "œ", "oe", "ł", "l", "đ", "d", "ı", "i", "ð",
	"d", "þ", "th", "ς", "σ", "#", " no ", "№", " no ")

// plainWords is a text without case, accents and punctuation: words with one
// space between them.
func plainWords(s string) string {
	var b strings.Builder
	space := false
	for _, r := range plainLetters.Replace(strings.ToLower(norm.NFKD.String(plainLetters.Replace(s)))) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		default:
			space = true
		}
	}
	return b.String()
}

// longestHead is how long a text may be that names a column.
const longestHead = 60

// means is what a head may mean, and whether it stands in the vocabulary as it
// is. A head that does not is judged by the phrases that it holds.
func means(head string) (list []meaning, exact bool) {
	if head == "" || len(head) > 4*longestHead {
		return nil, false
	}
	words := plainWords(head)
	if list := vocabulary()[words]; len(list) > 0 {
		return list, !(len(list) == 1 && list[0] == plain)
	}
	tokens := strings.Fields(words)
	if len(tokens) < 2 || len(tokens) > 8 {
		return nil, false
	}
	found, rest := phrases(tokens)
	switch in := func(m meaning) bool { return found[m] }; {
	case in(quantity) && (in(stock) || in(pack) || in(money) || in(date) || in(line) || in(item)):
		return []meaning{stock}, false // a quantity of something else
	case in(quantity) && rest == 0 && !in(count) && !in(unit) && !in(other):
		return []meaning{quantity}, false
	case in(quantity):
		return []meaning{count}, false
	case in(money):
		return []meaning{money}, false
	case in(pack):
		return []meaning{pack}, false
	case in(stock):
		return []meaning{stock}, false
	case in(date):
		return []meaning{date}, false
	case in(name):
		return []meaning{name}, false
	case in(other):
		return []meaning{other}, false
	case in(barcode):
		return []meaning{barcode}, false
	case in(item):
		return []meaning{item}, false
	case in(unit):
		return []meaning{unit}, false
	}
	return nil, false
}

// phrases finds the longest phrases of the vocabulary in a head, from its left;
// rest counts the words that are none.
func phrases(tokens []string) (found map[meaning]bool, rest int) {
	found = map[meaning]bool{}
	for i := 0; i < len(tokens); {
		n := len(tokens) - i
		for ; n > 0; n-- {
			list := vocabulary()[strings.Join(tokens[i:i+n], " ")]
			if len(list) == 0 {
				continue
			}
			for _, m := range list {
				// what changes nothing beside a quantity counts as that alone
				if !has(list, plain) || m == plain {
					found[m] = true
				}
			}
			break
		}
		if n == 0 {
			rest, n = rest+1, 1
		}
		i += n
	}
	return found, rest
}
