package sheet

import (
	"slices"
	"strings"
	"unicode"
)

// Columns says which column is what, counted from 0; -1 is none.
type Columns struct {
	Head     bool   // the row that looks like one names the columns; else it is one of the rows
	Item     int    // the item's code
	Quantity int    // how much of it
	Unit     int    // what the quantity counts
	AllUnits string // the unit of all rows, where no column says it; "" is each item's own
	Sign     byte   // the decimal sign of quantities, '.' or ','; 0 where it is of no matter
}

// Doubt is what somebody has to say before rows can be taken.
type Doubt string

const (
	DoubtItem     Doubt = "item"
	DoubtQuantity Doubt = "quantity"
	DoubtUnit     Doubt = "unit"
	DoubtSign     Doubt = "sign" // 1,250 may be 1250 or 1.25
	DoubtSheet    Doubt = "sheet"
)

// Reading is how a table is read. With doubts it is a proposal: nothing may be
// ordered by it.
type Reading struct {
	Columns
	Doubts []Doubt
}

// Sure reports whether nothing has to be asked.
func (r Reading) Sure() bool { return len(r.Doubts) == 0 }

// Read says which columns are what, by head and content.
func (s *Study) Read() Reading {
	r := Reading{Columns: Columns{Head: s.Head >= 0, Item: -1, Quantity: -1, Unit: -1}}
	if len(s.Rows) <= s.start {
		return r
	}
	doubt := func(d Doubt, really bool) {
		if really {
			r.Doubts = append(r.Doubts, d)
		}
	}
	units := s.unitColumns(-1, -1)
	column, sure := s.chooseItem(len(units) > 0)
	r.Item = column
	doubt(DoubtItem, !sure)
	r.Quantity, sure = s.chooseQuantity(column)
	doubt(DoubtQuantity, !sure)
	units = s.unitColumns(r.Item, r.Quantity)
	if len(units) > 0 {
		r.Unit = units[0]
	} else if r.Quantity >= 0 {
		r.AllUnits, sure = s.headUnit(r.Quantity)
		doubt(DoubtUnit, !sure)
	}
	doubt(DoubtUnit, len(units) > 1 && !s.sameCells(units) || len(units) == 1 && !s.allUnits(units[0]))
	r.Sign, sure = s.sign(r.Columns)
	doubt(DoubtSign, !sure)
	return r
}

// With is the reading that somebody has answered, now or before: what they said
// of the columns, and doubts that the answer leaves. ok is false where it does
// not fit the table.
func (s *Study) With(c Columns) (r Reading, ok bool) {
	in := func(i int) bool { return i >= -1 && i < s.width }
	if !in(c.Item) || !in(c.Quantity) || !in(c.Unit) || c.Item < 0 || c.Item == c.Quantity || c.Unit >= 0 &&
		(c.Unit == c.Item || c.Unit == c.Quantity) {
		return Reading{}, false
	}
	c.Head = c.Head && s.Head >= 0
	r = Reading{Columns: c}
	sign, sure := s.sign(c)
	switch {
	case sure:
		r.Sign = sign // what the column itself says is above what was said of it
	case c.Sign != '.' && c.Sign != ',':
		r.Doubts = append(r.Doubts, DoubtSign)
	}
	return r, true
}

// chooseItem finds the column of codes. hasUnit says that a column has units, so
// that a barcode's own unit is of no matter.
func (s *Study) chooseItem(hasUnit bool) (column int, sure bool) {
	var list []int
	for i, p := range s.profiles {
		if p.hits > 0 && (len(p.meanings) == 0 || p.means(item) || p.means(barcode) || p.means(count) && !p.means(quantity) ||
			p.means(line) || p.means(name)) {
			list = append(list, i)
		}
	}
	// numbers that happen to be codes as well, beside codes that are no numbers
	number := func(i int) bool { return s.profiles[i].most(s.profiles[i].countable, 50) && !s.profiles[i].means(item) }
	if slices.ContainsFunc(list, func(i int) bool { return !number(i) }) {
		list = slices.DeleteFunc(list, number)
	}
	// names that happen to be codes as well, beside a column of codes
	share := func(i int) int { return s.profiles[i].hits * 100 / max(1, s.profiles[i].sampled) }
	if slices.ContainsFunc(list, func(i int) bool { return share(i) >= 80 && !s.profiles[i].means(name) }) {
		list = slices.DeleteFunc(list,
			func(i int) bool { return s.profiles[i].means(name) || share(i) <= 30 && !s.profiles[i].means(item) })
	}
	switch len(list) {
	case 0:
		return s.itemUnseen()
	case 1:
		return list[0], s.itemAlone(list[0])
	}
	best := slices.MaxFunc(list, func(a, b int) int {
		x, y := s.itemRank(a), s.itemRank(b)
		if x == y {
			return b - a // the left one
		}
		return x - y
	})
	sure = true
	for _, other := range list {
		if other != best && s.disagree(best, other, hasUnit) {
			// what is called an item is above what is called nothing
			sure = sure && s.profiles[best].means(item) && s.profiles[best].exact && s.headKnown &&
				len(s.profiles[other].meanings) == 0
		}
	}
	return best, sure
}

func (s *Study) itemRank(i int) int {
	p := s.profiles[i]
	rank := p.hits * 100 / max(1, p.sampled)
	switch {
	case rank < 50:
	case p.means(item) && p.exact:
		rank += 300
	case p.means(item):
		rank += 200
	case p.means(barcode):
		rank += 100
	}
	return rank
}

// disagree reports whether two columns of codes stand for different things in
// some row.
func (s *Study) disagree(a, b int, hasUnit bool) bool {
	for _, row := range s.Rows[s.start:min(len(s.Rows), max(s.start, sampleRows))] {
		x, y := s.found[row.Cell(a).Text], s.found[row.Cell(b).Text]
		if x.Item != "" && y.Item != "" && (x.Item != y.Item || x.Unit != y.Unit && !hasUnit) {
			return true
		}
	}
	return false
}

// itemAlone judges the only column in which items were found.
func (s *Study) itemAlone(i int) bool {
	p := s.profiles[i]
	if p.means(item) || p.means(barcode) {
		return true
	}
	for other, q := range s.profiles {
		if other != i && q.means(item) && q.filled > 0 && s.headKnown &&
			(q.exact && !q.means(name) && p.means(name) || len(p.meanings) == 0) {
			return false // called so, but another holds them: heads may stand above the wrong columns
		}
	}
	return p.hits*4 >= p.sampled
}

// itemUnseen finds the column of codes where none is known.
func (s *Study) itemUnseen() (column int, sure bool) {
	best, most := -1, 0
	for i, p := range s.profiles {
		rank := 0
		switch {
		case p.filled == 0 && !p.means(item):
		case p.means(item) && p.exact:
			rank = 4
		case p.means(item):
			rank = 3
		case p.means(barcode):
			rank = 2
		}
		if rank > most {
			best, most = i, rank
		}
	}
	if best >= 0 {
		return best, true
	}
	texts := []int{}
	for i, p := range s.profiles {
		if p.filled > 0 && !p.most(p.countable, 50) && !p.most(p.units, 50) {
			texts = append(texts, i)
		}
	}
	switch {
	case s.Head >= 0 && len(texts) > 0:
		return texts[0], false
	case len(texts) > 0:
		return texts[0], len(texts) == 1
	}
	return 0, s.width == 1
}

// chooseQuantity finds the column of quantities. -1 and sure: there is none, a
// list of codes.
func (s *Study) chooseQuantity(itemColumn int) (column int, sure bool) {
	if s.headKnown {
		strong := s.columns(func(i int, p profile) bool {
			return i != itemColumn && p.means(quantity) && len(p.meanings) == 1
		})
		if len(strong) == 1 {
			return strong[0], s.holdsQuantities(strong[0], itemColumn)
		}
		if len(strong) > 1 {
			return -1, false
		}
	}
	numbers := s.columns(func(i int, p profile) bool {
		return i != itemColumn && (p.most(p.countable, 20) || p.most(p.money, 20) || p.most(p.twoPlaces, 20)) &&
			!(p.means(line) && !p.means(count) && !p.means(quantity)) && !p.means(barcode) && !p.means(date) &&
			!(p.means(other) && len(p.meanings) == 1)
	})
	numbers = slices.DeleteFunc(numbers, func(i int) bool { return s.countsRows(i, itemColumn) })
	switch {
	case len(numbers) == 0:
		return -1, true
	case len(numbers) > 1 || s.Head >= 0 && !s.headKnown:
		return -1, false
	}
	q := numbers[0]
	p := s.profiles[q]
	if s.headKnown && !p.means(count) && !p.means(quantity) {
		return -1, false // called something that is not known, or known not to be one
	}
	return q, p.most(p.countable, 50) && p.money == 0 && !p.likePrices() &&
		!(p.twoPlaces > 0 && p.twoPlaces == p.numbers) && !s.mayCountRows(q, itemColumn)
}

// likePrices reports whether many numbers, and not all, are no quantities of their
// rows' items, which are sold in whole units.
func (p profile) likePrices() bool { return p.odd > 0 && p.odd < p.countable && p.odd*2 >= p.countable }

func (s *Study) columns(is func(int, profile) bool) (list []int) {
	for i, p := range s.profiles {
		if is(i, p) {
			list = append(list, i)
		}
	}
	return list
}

// holdsQuantities judges a column that is called a quantity: where others hold
// numbers and it does not, heads may stand above the wrong columns.
func (s *Study) holdsQuantities(column, itemColumn int) bool {
	p := s.profiles[column]
	if p.filled == 0 || p.most(p.countable, 80) {
		return true
	}
	return !slices.ContainsFunc(s.columns(func(i int, o profile) bool {
		return i != column && i != itemColumn && (len(o.meanings) == 0 || o.means(count) || o.means(name) || o.means(unit))
	}), func(i int) bool { return s.profiles[i].most(s.profiles[i].countable, 50) })
}

// countsRows reports whether a column is surely the rows' own numbers: 1 to 5
// and more, left of the item.
func (s *Study) countsRows(i, itemColumn int) bool {
	p := s.profiles[i]
	return p.running && p.filled >= 5 && i < itemColumn && len(p.meanings) == 0
}

// mayCountRows reports whether a column may be the rows' own numbers: 1, 2, left
// of the item; or right of it where there is more than an item and a number.
func (s *Study) mayCountRows(i, itemColumn int) bool {
	p := s.profiles[i]
	if !p.running {
		return false
	}
	more := s.columns(func(k int, o profile) bool {
		return k != i && k != itemColumn && o.filled > 0 && !o.most(o.units, 50)
	})
	return i < itemColumn || p.filled >= 5 && len(more) > 0
}

// unitColumns are the columns that hold units, by their heads if they have any.
func (s *Study) unitColumns(itemColumn, quantityColumn int) []int {
	called := s.columns(func(i int, p profile) bool {
		return i != itemColumn && i != quantityColumn && p.means(unit) && p.filled > 0 && !p.most(p.numbers, 50)
	})
	if len(called) > 0 {
		own := slices.DeleteFunc(slices.Clone(called),
			func(i int) bool { return !s.profiles[i].most(s.profiles[i].ownUnits, 50) })
		if len(called) > 1 && len(own) == 1 {
			return own
		}
		return called
	}
	return s.columns(func(i int, p profile) bool {
		return i != itemColumn && i != quantityColumn && (p.most(p.units, 50) || p.ownUnits > 0) && !p.most(p.numbers, 50) &&
			!p.means(name) && !p.means(other)
	})
}

// allUnits reports whether a column holds units and little else.
func (s *Study) allUnits(i int) bool {
	p := s.profiles[i]
	return p.most(p.units, 50) || p.means(unit) && p.exact
}

// sameCells reports whether columns say the same in every row.
func (s *Study) sameCells(columns []int) bool {
	for _, row := range s.Rows[s.start:] {
		for _, i := range columns[1:] {
			if !strings.EqualFold(row.Cell(i).Text, row.Cell(columns[0]).Text) {
				return false
			}
		}
	}
	return true
}

// containers are what a head may count instead of items.
const containers = " CASE CASES BOX BOXES CARTON CARTONS PACK PACKS PALLET PALLETS BOTTLE BOTTLES PKGS KARTON " +
	"KARTONS KISTEN FLASCHEN COLIS CARTONS CAJA CAJAS COLLI CAIXAS DOZEN KASSER" +
	" KARTONGER LAATIKOT KARTONY KRABICE "

// pieces are words for single things, in heads and as units.
const pieces = " EA EACH EACHES PC PCS PIECE PIECES UNIT UNITS STK STÜCK STUCK ST STCK STUKS STUK STYCK PIÈCES " +
	"PIECES UDS UNIDADES PIEZAS PEZZI PZ PEÇAS KPL SZT SZTUK SZTUKI KS KUSY KUSŮ DB DARAB" +
	" BUC BUCATI ШТ ШТУК БР KOM KOMADA KOS ТЕМ TK GAB VNT ADET UN NOS PCE "

// headUnit is the unit that the head of the quantities names: CS of "Qty CS". It
// is not sure where the head counts what may be no unit of the items.
func (s *Study) headUnit(quantityColumn int) (unit string, sure bool) {
	if s.Head < 0 || !s.headKnown {
		return "", true
	}
	words := strings.FieldsFunc(strings.ToUpper(s.Rows[s.Head].Cell(quantityColumn).Text),
		func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	units, own := s.Units(), map[string]bool{}
	for _, f := range s.found {
		if f.Item != "" {
			own[strings.ToUpper(f.Unit)] = true
		}
	}
	for _, w := range words {
		if slices.ContainsFunc(units, func(u string) bool { return strings.EqualFold(u, w) }) {
			return w, true
		}
	}
	for _, w := range words {
		if strings.Contains(containers, " "+w+" ") {
			return "", false
		}
		if strings.Contains(pieces, " "+w+" ") {
			for u := range own {
				if !strings.Contains(pieces, " "+u+" ") {
					return "", false
				}
			}
		}
	}
	return "", true
}

// Units are the units that the items found are sold in.
func (s *Study) Units() []string {
	var out []string
	for _, f := range s.found {
		for _, u := range f.Units {
			if !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	slices.Sort(out)
	return out
}
