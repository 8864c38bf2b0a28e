package sheet_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"portal.example/portal/internal/sheet"
)

// Whatever comes in, a row that may be ordered has the quantity that a person
// reads in its cell, by the decimal sign of its column.
func FuzzRows(f *testing.F) {
	f.Add("Line,SKU,Qty\n1,OIL5,6\n", false)
	f.Add("OIL5\t4\tOlive\t6", true)
	f.Add("Item;Qty\nBEEF;1,250\nBEEF;2,5\nOIL5;1 CS\n", true)
	f.Add("Item;Qty\nBEEF;1.250,5\nBEEF;1.250\nOIL5;1 000\n", false)
	f.Add("Item;Qty\nOIL5;1,250\nRICE25;3\n", false)
	f.Add("Item\tQty\nBEEF\t1’250.5\nBEEF\t,5\nOIL5\tx 3\nOIL5\t3,000 EA", false)
	f.Add("sep=;\nItem;Qty\n'-10X;\"12\nEA\"\n", false)
	f.Add("OIL5 12\n3 x BEEF\n=\"12\" OIL5", true)
	f.Add("Artikel;Menge\nOIL5;31.03.2026\nBEEF;-3\nRICE25;€ 4\nOIL5;4006381333931", false)
	f.Add("\"\x00,\xff\n\"OIL5,2", true)
	for seed := range uint64(20) {
		f.Add(generate(rand.New(rand.NewPCG(seed, 5))).text, seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, text string, answered bool) {
		b, err := file([]byte(text))
		if err != nil {
			return
		}
		c, err := sheet.Choose(b, 200, lookup)
		if err != nil {
			return
		}
		for _, s := range c.Studies {
			r := s.Read()
			if answered { // as the form might
				var ok bool
				if r, ok = s.With(sheet.Columns{Head: true, Item: 0, Quantity: 1, Unit: -1, Sign: ','}); !ok {
					return
				}
			}
			if why := misread(s, r, answered); why != "" {
				t.Fatalf("%s\nin %q read as %+v", why, text, r)
			}
		}
		tables := []sheet.Table{c.Studies[0].Table}
		if back, err := sheet.Carried(sheet.Carry(tables)); err != nil || fmt.Sprint(back) != fmt.Sprint(tables) {
			t.Fatalf("carried otherwise: %v", err)
		}
	})
}

// A check that lets everything through would find nothing: these are readings
// that it must not let pass.
func TestMisread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		sign byte
		ok   bool
	}{
		{"Item;Qty\nBEEF;1,250\nBEEF;2,5\n", ',', true},
		{"Item;Qty\nBEEF;1,250\nBEEF;2,5\n", '.', false}, // the column says comma
		{"Item;Qty\nBEEF;1,250\nBEEF;2.5\n", '.', true},
		{"Item;Qty\nBEEF;1,250\nBEEF;2.5\n", ',', false},
		{"Item;Qty\nBEEF;1,250\n", '.', false}, // nobody said which
		{"Item;Qty\nBEEF;1,250\n", ',', false},
		{"Item;Qty\nOIL5;1,250\n", '.', true}, // sold whole
		{"Item;Qty\nOIL5;1,250\n", ',', false},
		{"Item;Qty\nOIL5;1,000\n", '.', false},
		{"Item;Qty\nOIL5;12\n", 0, true},
	} {
		b, err := file([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		choice, err := sheet.Choose(b, 200, lookup)
		if err != nil {
			t.Fatal(err)
		}
		r := choice.Studies[0].Read()
		r.Sign, r.Doubts = c.sign, nil
		if why := misread(choice.Studies[0], r, false); (why == "") != c.ok {
			t.Errorf("%q with sign %q: %q", c.text, c.sign, why)
		}
	}
}

// misread names the first row that may be ordered and whose quantity is not what
// a person reads in its cell. answered says that somebody has told the sign.
func misread(s *sheet.Study, r sheet.Reading, answered bool) string {
	if !r.Sure() || r.Quantity < 0 {
		return ""
	}
	rows := map[int]sheet.Row{}
	for _, row := range s.Rows {
		rows[row.No] = row
	}
	list := s.Entries(r.Columns).Rows
	differ := false // a quantity of the column can be read in two ways
	for _, e := range list {
		cell := rows[e.No].Cell(r.Quantity)
		if e.Problem != "" || e.Qty == "" {
			continue
		}
		if cell.Unlike || cell.Money || cell.Kind > sheet.Number {
			return fmt.Sprintf("row %d: %q is no quantity to a person", e.No, cell.Text)
		}
		point, comma := readings(cell.Text)
		meant := point
		switch {
		case cell.Kind == sheet.Number:
			number, _, _ := strings.Cut(cell.Text, " ") // from what its format shows beside it
			meant, _ = new(big.Rat).SetString(number)
		case r.Sign == ',':
			meant = comma
		case r.Sign == 0 && !same(point, comma):
			return fmt.Sprintf("row %d: %q has two readings, and none was decided for its column", e.No, cell.Text)
		}
		if qty, ok := new(big.Rat).SetString(e.Qty); !ok || !near(qty, meant, cell.Text) {
			return fmt.Sprintf("row %d: %q is taken as %s", e.No, cell.Text, e.Qty)
		}
		differ = differ || cell.Kind == sheet.Text && !same(point, comma) && point != nil && comma != nil
	}
	if differ && !answered && !decided(s, r, rows, list) {
		return fmt.Sprintf("nothing in the column says that its decimal sign is %q", r.Sign)
	}
	return ""
}

// decided reports whether the column itself says its decimal sign: a number that can be
// read with this one alone and none with the other alone; or items that are sold whole.
func decided(s *sheet.Study, r sheet.Reading, rows map[int]sheet.Row, list []sheet.Entry) bool {
	says, wholes := false, true
	for _, row := range s.Rows {
		if point, comma := readings(strings.Trim(row.Cell(r.Quantity).Text, "-−–%€$£ ")); (point == nil) != (comma == nil) {
			says = says || (comma == nil) == (r.Sign == '.')
		}
	}
	for _, e := range list {
		point, comma := readings(rows[e.No].Cell(r.Quantity).Text)
		mine, others := point, comma
		if r.Sign == ',' {
			mine, others = comma, point
		}
		if mine == nil && others != nil {
			return false
		}
		if mine == nil || same(mine, others) || others == nil {
			continue
		}
		found, _ := lookup([]string{e.Ref})
		wholes = wholes && found[0].Item != "" && !found[0].Fractional && mine.IsInt() && !others.IsInt()
	}
	return says || wholes
}

// written is a quantity as people write one: a number, "x" or "+" before it, "x"
// or a unit behind it. The number is any run of digits and what may part them.
var written = regexp.MustCompile(`^(?:\+|[xX]{1,2} ?|× ?)?([0-9.,'’\p{Zs}]*[0-9])\p{Zs}*(?:[xX×]|\pL[\pL\p{N}.]*)?$`)

// With a decimal point; the pattern for a comma is the same with the signs exchanged.
var withPoint = regexp.MustCompile(`^(?:\d+|[1-9]\d{0,2}(?:(?:,\d{3})+|(?: \d{3})+|(?:'\d{3})+))?(?:\.\d+)?$`)

var spaces = regexp.MustCompile(`\p{Zs}`)

// readings are what a cell says with a decimal point and with a decimal comma; nil
// where it says nothing so. It is written apart from the code that it judges.
func readings(text string) (point, comma *big.Rat) {
	m := written.FindStringSubmatch(text)
	if m == nil {
		return nil, nil
	}
	number := spaces.ReplaceAllString(strings.ReplaceAll(m[1], "’", "'"), " ")
	value := func(n string) *big.Rat {
		if !withPoint.MatchString(n) {
			return nil
		}
		v, _ := new(big.Rat).SetString("0" + strings.NewReplacer(",", "", " ", "", "'", "").Replace(n))
		return v
	}
	return value(number), value(strings.NewReplacer(".", ",", ",", ".").Replace(number))
}

func same(a, b *big.Rat) bool { return a == nil && b == nil || a != nil && b != nil && a.Cmp(b) == 0 }

// near allows what is beyond the fifteen digits that a spreadsheet is sure of, and
// nothing else: a number that has fifteen digits or fewer is taken exactly.
func near(got, meant *big.Rat, typed string) bool {
	if meant == nil {
		return false
	}
	off := new(big.Rat).Sub(got, meant)
	if off.Sign() == 0 {
		return true
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, typed)
	return len(digits) > 15 && off.Abs(off).Cmp(new(big.Rat).Mul(meant, big.NewRat(1, 100_000_000_000_000))) <= 0
}

func FuzzXLSX(f *testing.F) {
	f.Add(
		[]byte(
			`<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>OIL5</t></is></c><c r="B1"><v>6</v></c></row></sheetData></worksheet>`))
	f.Add(
		[]byte(
			`<x:worksheet><x:sheetData><x:row><x:c t="d"><x:v>2026-01-01T00</x:v></x:c><x:c><x:f>1+1</x:f></x:c></x:row><!-- -- --><![CDATA[<c>]]>&#x41;&amp;`))
	for seed := range uint64(20) {
		f.Add([]byte(generateXLSX(rand.New(rand.NewPCG(seed, 6))).text))
	}
	f.Fuzz(func(t *testing.T, xml []byte) {
		data := rawXLSX(t, part{"xl/styles.xml", text(stylesXML)}, part{"xl/worksheets/sheet1.xml", text(string(xml))})
		if got := reading(file(data)); strings.ContainsRune(got, 0) {
			t.Error("a NUL gets through")
		}
		b, err := file(data)
		if err != nil {
			return
		}
		c, err := sheet.Choose(b, 200, lookup)
		if err != nil {
			return
		}
		if why := misread(c.Studies[0], c.Studies[0].Read(), false); why != "" {
			t.Fatal(why)
		}
	})
}
