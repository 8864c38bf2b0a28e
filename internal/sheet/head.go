package sheet

import (
	"strings"
)

// headRows is how far down the row with the columns' names is looked for: titles,
// addresses and empty rows may stand above it.
const headRows = 25

// findHead is the index of the row that names the columns; -1 is none. known says
// that its words are in the vocabulary; else it only looks like one, since words
// stand above numbers.
func (s *Study) findHead() (at int, known bool) {
	best, most := -1, 0
	for i, row := range s.Rows[:min(len(s.Rows), headRows)] {
		if score := s.headScore(row); score > most {
			best, most = i, score
		}
	}
	if best >= 0 {
		return best, true
	}
	first := s.firstData()
	if first > 0 && s.looksLikeHead(s.Rows[first-1], s.Rows[first]) {
		return first - 1, false
	}
	return -1, false
}

// headScore is above zero for a row that may name columns: twice for each name
// that is in the vocabulary as it stands, once for one that holds some.
func (s *Study) headScore(row Row) int {
	filled, named, score, telling := 0, 0, 0, false
	for _, c := range row.Cells {
		if c.Text == "" {
			continue
		}
		filled++
		if _, number := numberOf(c); number || c.Kind != Text || s.found[c.Text].Item != "" {
			return 0
		}
		list, exact := means(c.Text)
		if len(list) == 0 {
			continue
		}
		named++
		score++
		if exact {
			score++
			telling = telling || has(list, item) || has(list, barcode) || has(list, quantity) || has(list, count)
		}
	}
	// most columns, or a few of many that are telling
	if !telling || named < 2 && filled > 2 || named*4 < filled {
		return 0
	}
	return score
}

// firstData is the first row with an item in it, or else with a number.
func (s *Study) firstData() int {
	for _, is := range []func(Cell) bool{
		func(c Cell) bool { return s.found[c.Text].Item != "" },
		func(c Cell) bool { _, number := numberOf(c); return number },
	} {
		for i, row := range s.Rows[:min(len(s.Rows), headRows)] {
			for _, c := range row.Cells {
				if c.Text != "" && is(c) {
					return i
				}
			}
		}
	}
	return -1
}

// looksLikeHead reports whether words stand in a row above what is numbers in the
// next one.
func (s *Study) looksLikeHead(row, next Row) bool {
	above := false
	for i, c := range row.Cells {
		if c.Text == "" {
			continue
		}
		if _, number := numberOf(c); number || c.Kind != Text {
			return false
		}
		_, number := numberOf(next.Cell(i))
		above = above || number
	}
	return above
}

// isTitle reports whether a row is a line of text above a table without names of
// columns, as "Order for Friday".
func (s *Study) isTitle(row Row) bool {
	filled := 0
	for _, c := range row.Cells {
		if c.Text != "" {
			filled++
		}
	}
	first := row.Cells[0].Text
	return s.width > 1 && filled == 1 && first != "" && strings.ContainsAny(first, " :") && s.found[first].Item == ""
}

// repeatsHead reports whether a row is the head again, as on each printed page.
func (s *Study) repeatsHead(row Row) bool {
	if s.Head < 0 {
		return false
	}
	head := s.Rows[s.Head]
	if len(row.Cells) != len(head.Cells) {
		return false
	}
	for i, c := range row.Cells {
		if c.Text != head.Cells[i].Text {
			return false
		}
	}
	return true
}

// totals are what a row of sums begins with.
var totals = " total totals sum subtotal sub_total grand_total total_qty total_quantity summe gesamt gesamtsumme " +
	"zwischensumme endsumme insgesamt" +
	" totaal subtotaal somme sous_total total_general total_ht suma subtotal totale subtotale soma i_alt sum_total " +
	"summa totalt yhteensa razem suma_razem ogolem" +
	" celkem celkom spolu osszesen osszeg mindosszesen total_general общо итого всего разом всього ukupno skupaj " +
	"укупно συνολο συνολα kokku kopa is_viso toplam genel_toplam samtals "

// isTotal reports whether a row sums the others up: no item in it, and a word for
// a sum at its beginning.
func (s *Study) isTotal(row Row, itemColumn int) bool {
	ref := row.Cell(itemColumn).Text
	if ref != "" && s.found[ref].Item != "" {
		return false
	}
	for i, c := range row.Cells {
		if c.Text == "" {
			continue
		}
		word := strings.ReplaceAll(plainWords(c.Text), " ", "_")
		return (ref == "" || i == itemColumn) && word != "" && strings.Contains(totals, " "+word+" ")
	}
	return false
}
