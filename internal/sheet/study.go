package sheet

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Found is what a code stands for in a customer's catalogue.
type Found struct {
	Item       string   // its number, "" where the code is no item
	Unit       string   // that it would be ordered in where no unit is said
	Units      []string // that it is sold in
	Fractional bool     // sold in parts of a unit, too
}

// Lookup says what codes stand for, one for each, in their order.
type Lookup func(codes []string) ([]Found, error)

// Limits of what is asked of a Lookup for one table.
const (
	mostProbes   = 4000
	longestProbe = 48
)

// Study is a table with what was found out about its columns. Safe for reading
// by many.
type Study struct {
	Table
	Head  int    // index in Rows of the row that names the columns, -1: none
	Shape string // the same for tables that are read alike: by the head, else by what columns hold

	headKnown bool // by the vocabulary
	start     int  // index of the first row of the body
	width     int
	found     map[string]Found
	items     []rowItems // of each row
	profiles  []profile
}

// profile is what stands in a column below the head.
type profile struct {
	meanings  []meaning
	exact     bool // the head is in the vocabulary as it stands
	filled    int
	sampled   int // of filled, those that were looked up
	hits      int // of sampled, those that are items
	countable int // may be a quantity by its looks
	numbers   int // any number: money, barcodes, too
	money     int // with a currency sign
	twoPlaces int // numbers with two decimals
	odd       int // of countable, not whole though the row's item is sold in whole units
	fractions int // of countable, not whole
	days      int
	units     int  // unit words, or units of the row's item
	ownUnits  int  // of units, those of the row's item
	running   bool // counts the rows
}

func (p profile) means(m meaning) bool { return has(p.meanings, m) }

// most reports whether n of the cells that are filled are at least a share of
// them, in percent.
func (p profile) most(n, percent int) bool { return p.filled > 0 && n*100 >= p.filled*percent }

// NewStudy looks at a table's columns.
func NewStudy(t Table, lookup Lookup) (*Study, error) {
	s := &Study{Table: t, Head: -1, found: map[string]Found{}}
	for _, row := range t.Rows {
		s.width = max(s.width, len(row.Cells))
	}
	if err := s.probe(lookup); err != nil {
		return nil, err
	}
	s.findItems()
	s.Head, s.headKnown = s.findHead()
	s.start = s.Head + 1
	for s.Head < 0 && s.start < len(s.Rows)-1 && s.isTitle(s.Rows[s.start]) {
		s.start++
	}
	s.profiles = make([]profile, s.width)
	for i := range s.profiles {
		if s.headKnown {
			s.profiles[i].meanings, s.profiles[i].exact = means(s.Rows[s.Head].Cell(i).Text)
		}
		s.look(i)
	}
	s.Shape = s.shape()
	return s, nil
}

// probe looks the cells of the first rows up.
func (s *Study) probe(lookup Lookup) error {
	var codes []string
	for _, row := range s.Rows[:min(len(s.Rows), sampleRows)] {
		for _, c := range row.Cells {
			if _, asked := s.found[c.Text]; asked || c.Text == "" || len(c.Text) > longestProbe || c.Kind > Number ||
				len(codes) == mostProbes {
				continue
			}
			s.found[c.Text] = Found{}
			codes = append(codes, c.Text)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	list, err := lookup(codes)
	if err != nil {
		return err
	}
	for i, f := range list {
		s.found[codes[i]] = f
	}
	return nil
}

// look fills the profile of a column.
func (s *Study) look(column int) {
	p := &s.profiles[column]
	var run running
	for n, row := range s.Rows[s.start:] {
		c := row.Cell(column)
		if c.Text == "" && c.Kind != Uncached || s.repeatsHead(row) {
			continue
		}
		p.filled++
		mine := s.itemOf(s.start+n, column)
		if s.start+n < sampleRows {
			p.sampled++
			if s.found[c.Text].Item != "" {
				p.hits++
			}
		}
		if c.Kind == Day {
			p.days++
		}
		a, number := numberOf(c)
		if own := isUnitOf(c.Text, mine); own || !number && isUnitWord(c.Text) {
			p.units++
			if own {
				p.ownUnits++
			}
		}
		if number {
			p.number(a, mine)
		}
		run.next(a, number)
	}
	p.running = !run.broken && run.n > 1
}

// running tells numbers that count rows: 1, 2, 3, or 10, 20, 30.
type running struct {
	n          int
	last, step int
	broken     bool
}

func (r *running) next(a amount, number bool) {
	v, err := strconv.Atoi(a.point)
	switch r.n++; {
	case !number || err != nil || a.point != a.comma || a.places > 0 || a.unit != "":
		r.broken = true
	case r.n == 2:
		r.step = v - r.last
		r.broken = r.broken || r.step != 1 && (r.step != 10 || r.last != 10)
	case r.n > 2:
		r.broken = r.broken || v-r.last != r.step
	}
	r.last = v
}

func (p *profile) number(a amount, mine Found) {
	p.numbers++
	if a.money {
		p.money++
	}
	if a.places == 2 {
		p.twoPlaces++
	}
	if !countable(a) {
		return
	}
	p.countable++
	if a.point == "" || a.comma == "" || strings.Contains(a.point, ".") || strings.Contains(a.comma, ".") {
		p.fractions++
		if mine.Item != "" && !mine.Fractional {
			p.odd++
		}
	}
}

// rowItems are the items that the first two codes of a row stand for.
type rowItems struct {
	column int // of the first
	first  Found
	second Found
}

func (s *Study) findItems() {
	s.items = make([]rowItems, len(s.Rows))
	for n, row := range s.Rows {
		at := &s.items[n]
		for i, c := range row.Cells {
			f := s.found[c.Text]
			if f.Item == "" {
				continue
			}
			if at.first.Item != "" {
				at.second = f
				break
			}
			at.column, at.first = i, f
		}
	}
}

// itemOf is the item that another cell of a row stands for.
func (s *Study) itemOf(row, but int) Found {
	at := &s.items[row]
	if at.first.Item != "" && at.column == but {
		return at.second
	}
	return at.first
}

func isUnitOf(text string, f Found) bool {
	for _, u := range f.Units {
		if strings.EqualFold(u, text) {
			return true
		}
	}
	return false
}

// unitWords are what a column of units holds, beside the units that its items
// are really sold in.
var unitWords = wordSet(" EA EACH PC PCS PCE PIECE PIECES CS CASE CASES CT CTN CARTON CARTONS BX BOX BOXES PK PKT " +
	"PACK PACKS BAG BAGS DZ DOZ DOZEN KG G GR LB LBS OZ L LT LTR ML M CM" +
	" ROLL ROLLS RL PAL PLT PALLET PALLETS TIN CAN BTL BOT BOTTLE BOTTLES JAR SET PR PAIR TRAY CRATE UNIT UNITS STK ST " +
	"STCK STÜCK STÜCKE KAR KTN KARTON KARTONS KISTE KISTEN FL" +
	" FLASCHE SACK BEUTEL PAKET PALETTE PIÈCE PIÈCES COLIS BOITE CAISSE UN UD UDS UNIDAD CAJA CAJAS PIEZA PZ PZA CF " +
	"CONF SCATOLA CARTONE STUK STUKS DOOS DOZEN KPL LTK PSS SZT OPAK KART" +
	" KS KRT DB BUC BAX CUTIE ADET KOLI KUTU KOM PAK TK KAST GAB KASTE VNT DĖŽĖ ШТ УП КОР БР КГ КОМ ΤΕΜ ΚΙΒ ΚΟΥΤΙ ")

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

func isUnitWord(text string) bool {
	return len(text) <= 20 && unitWords[strings.ToUpper(strings.TrimSuffix(text, "."))]
}

// shape tells tables that are to be read alike: by their head, else by what each
// column holds.
func (s *Study) shape() string {
	var b strings.Builder
	if s.Head >= 0 {
		b.WriteString("head")
		for _, c := range s.Rows[s.Head].Cells {
			b.WriteString("|" + plainWords(c.Text))
		}
	} else {
		b.WriteString("cells")
		for _, p := range s.profiles {
			b.WriteString("|" + p.kind())
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// kind is a word for what a column holds.
func (p profile) kind() string {
	switch {
	case p.filled == 0:
		return "empty"
	case p.hits > 0 && p.hits*2 >= p.sampled:
		return "item"
	case p.most(p.days, 50):
		return "day"
	case p.most(p.money, 50) || p.most(p.twoPlaces, 50):
		return "money"
	case p.most(p.countable, 50) && p.running && p.filled > 2:
		return "running"
	case p.most(p.countable, 50) && p.fractions > 0:
		return "fraction"
	case p.most(p.countable, 50):
		return "number"
	case p.most(p.numbers, 50):
		return "code"
	case p.most(p.units, 50):
		return "unit"
	}
	return "text"
}
