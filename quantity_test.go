package portal_test

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"portal.example/portal"
)

// What stands in the field, and what a whole item and an item by weight make of
// it; a text with blanks in it is part of what is said instead.
func TestTypedQuantities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typed, whole, weight string }{
		{"12", "12 EA", "12 EA"}, {" 12 ", "12 EA", "12 EA"}, {"012", "12 EA", "12 EA"}, {"+3", "3 EA", "3 EA"},
		{"12.", "12 EA", "12 EA"}, {"2,5", "2.5 EA", "2.5 EA"}, {"2.5", "2.5 EA", "2.5 EA"},
		{"0,125", "0.125 EA", "0.125 EA"}, {".5", "0.5 EA", "0.5 EA"}, {"1,2500", "1.25 EA", "1.25 EA"},
		{"1,250", "1250 EA", "Is that 1250 or 1.25? Write 1250 or 1.25."},
		{"1.250", "1250 EA", "Is that 1250 or 1.25? Write 1250 or 1.25."},
		{"1.000", "Is that 1000 or 1? Write 1000 or 1.", "Is that 1000 or 1?"},
		{"41.375", "41375 EA", "Write 41375 or 41.3750."}, {"41.3750", "41.375 EA", "41.375 EA"},
		{"1,234.5", "1234.5 EA", "1234.5 EA"}, {"1.234,5", "1234.5 EA", "1234.5 EA"},
		{"1.234.567", "1234567 EA", "1234567 EA"}, {"1,234.567", "1234.567 EA", "1234.567 EA"},
		{"1,2,3", "above zero", "above zero"}, {"12.34.5", "above zero", "above zero"},
		{"1,23.4", "above zero", "above zero"}, {"1 CS", "1 CS", "1 CS"}, {"12 EA", "12 EA", "12 EA"},
		{"12EA", "12 EA", "12 EA"}, {"12 ea", "12 EA", "12 EA"}, {"2 cs.", "2 CS", "2 CS"},
		{"2 BX", "it is sold by EA, CS", "it is sold by EA, CS"}, {"3 x 4", "above zero", "above zero"},
		{"EA 12", "above zero", "above zero"}, {"11.000000000000002", "11 EA", "11 EA"},
		{"10.999999999999998", "11 EA", "11 EA"}, {"0.30000000000000004", "0.3 EA", "0.3 EA"},
		{"123456789.1234567", "six decimals", "6 decimals"}, {"0.1234567", "6 decimals", "6 decimals"},
		{"1.2345678901234567", "6 decimals", "6 decimals"}, {"1e3", "Write 1e3 out", "Write 1e3 out"},
		{"1,5E+2", "Write 1,5E+2 out", "Write 1,5E+2 out"}, {"1e400", "Write 1e400 out", "Write 1e400 out"},
		{"٣", "digits 0 to 9", "digits 0 to 9"}, {"１２", "digits 0 to 9", "digits 0 to 9"},
		{"½", "digits 0 to 9", "digits 0 to 9"}, {"1½", "digits 0 to 9", "digits 0 to 9"}, {"-3", "above zero", "above zero"},
		{"−3", "above zero", "above zero"}, {"0", "above zero", "above zero"}, {"0,00", "above zero", "above zero"},
		{"NaN", "above zero", "above zero"}, {"Infinity", "above zero", "above zero"}, {"", "How many?", "How many?"},
		{" \u200b", "How many?", "How many?"}, {"1000000000", "more than can", "more than can"},
		{strings.Repeat("9", 60), "more than can", "more than can"}, {strings.Repeat("1", 80), "above zero", "above zero"},
		{"1 000", "1000 EA", "1000 EA"}, {"1\u202f000", "1000 EA", "1000 EA"}, {"12\u00a0345,5", "12345.5 EA", "12345.5 EA"},
		{"1 000,500", "1000.5 EA", "1000.5 EA"}, {"1'000", "1000 EA", "1000 EA"}, {"1’000 CS", "1000 CS", "1000 CS"},
		{"1 00", "above zero", "above zero"}, {"1 2", "above zero", "above zero"}, {"0 123", "above zero", "above zero"},
		{`="12"`, "12 EA", "12 EA"}, {"'12", "12 EA", "12 EA"}, {"\ufeff12", "12 EA", "12 EA"},
		{"1\u200b2", "12 EA", "12 EA"}, {"1\x002", "12 EA", "12 EA"}, {"12\xff", "above zero", "above zero"},
		{"$12", "above zero", "above zero"}, {"12%", "above zero", "above zero"}, {"..", "above zero", "above zero"},
		{",", "above zero", "above zero"},
	} {
		for fractional, want := range map[bool]string{false: c.whole, true: c.weight} {
			want = strings.ReplaceAll(want, "six", "6")
			qty, uom, field, problem := portal.ReadQty(c.typed).For("", "EA", []string{"EA", "CS"}, fractional)
			got := qty.Decimal.String() + " " + uom
			if problem != "" {
				got = problem
			}
			if problem == "" && got != want || problem != "" && (field != "qty" || !strings.Contains(got, want)) {
				t.Errorf("%q, fractional %v: %q, want %q", c.typed, fractional, got, want)
			}
		}
	}
}

func TestUnitBesideTheNumber(t *testing.T) {
	t.Parallel()
	read := portal.ReadQty("2 cs")
	if qty, uom, _, problem := read.For("CS", "EA", []string{"EA", "CS"}, false); problem != "" || uom != "CS" ||
		qty.String() != "2" {
		t.Errorf("the same unit twice: %s %s %q", qty, uom, problem)
	}
	if _, _, field, problem := read.For("EA", "EA", []string{"EA", "CS"}, false); field != "qty" ||
		problem != "Is that CS or EA? Both are there." {
		t.Errorf("two units: %s %q", field, problem)
	}
	if _, problem := read.Number(); problem != "Write the number alone, without CS." {
		t.Errorf("a number alone: %q", problem)
	}
	for text, want := range map[string]bool{"0": true, "0.00": true, "0,0": true, "00": true, "": false, "1": false,
		"0x": false, ".": false, "0 EA": false} {
		if got := portal.ReadQty(text).Zero(); got != want {
			t.Errorf("%q is zero: %v", text, got)
		}
	}
}

// Whatever a text holds, a quantity read from it is one that a person reads
// there: its digits, with a sign of it before the decimals or none.
func FuzzReadQty(f *testing.F) {
	for _, s := range []string{"12", "1,250", "1.250,5 CS", "11.000000000000002", "1 000", "1e3", "٣", "½", "12EA", "0,5",
		"1'000.25 kg", "999999999.999999", "1\u202f000"} {
		f.Add(s)
	}
	signs := regexp.MustCompile(`[.,]`)
	f.Fuzz(func(t *testing.T, s string) {
		read := portal.ReadQty(s)
		if (read.Problem == "") != (len(read.Readings) > 0) || len(read.Readings) > 2 {
			t.Fatalf("%q: %d readings and %q", s, len(read.Readings), read.Problem)
		}
		body := strings.TrimLeft(portal.PlainCode(s), "+")
		end := strings.IndexFunc(body, func(r rune) bool { return !strings.ContainsRune("0123456789.,' ’", r) })
		if end >= 0 {
			body = body[:end]
		}
		digits := strings.NewReplacer(" ", "", "'", "", "’", "").Replace(body)
		said := map[string]bool{} // every way to take one of the signs for the decimal one
		all := signs.ReplaceAllString(digits, "")
		possible := []*big.Rat{}
		add := func(text string) {
			if r, ok := new(big.Rat).SetString("0" + text); ok && !said[text] {
				said[text] = true
				possible = append(possible, r)
			}
		}
		add(all)
		for _, at := range signs.FindAllStringIndex(digits, -1) {
			add(signs.ReplaceAllString(digits[:at[0]], "") + "." + signs.ReplaceAllString(digits[at[1]:], ""))
		}
		for _, q := range read.Readings {
			got := q.Decimal.Rat()
			near := false
			for _, p := range possible {
				diff := new(big.Rat).Sub(got, p)
				// a spreadsheet's noise behind fifteen digits
				near = near || diff.Sign() == 0 || len(strings.TrimLeft(all, "0")) > 15 &&
					diff.Abs(diff).Cmp(big.NewRat(1, 1_000_000_000)) < 0
			}
			if !near || got.Sign() <= 0 {
				t.Fatalf("%q is read as %s", s, q.Decimal)
			}
			if again := portal.ReadQty(q.Typed()); len(again.Readings) != 1 || !again.Readings[0].Equal(q.Decimal) {
				t.Fatalf("%q: %s is written %q and read as %v", s, q.Decimal, q.Typed(), again)
			}
		}
	})
}
