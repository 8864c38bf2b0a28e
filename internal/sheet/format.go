package sheet

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// format is what a number format of a spreadsheet says about a number.
type format struct {
	day     bool
	money   bool
	percent bool
	scaled  bool   // shown in thousands: 1250 as 1
	places  int8   // decimals that are shown, -1: as many as there are
	digits  int    // that are shown at least: 00000 shows 42 as 00042
	before  string // words that are shown with each number: A of A042
	behind  string // CS of 12 CS
}

// builtIn are the formats that files name by number alone.
func builtIn(id int) format {
	switch {
	case id == 1 || id == 3 || id == 37 || id == 38 || id == 41:
		return format{places: 0}
	case id == 2 || id == 4 || id == 39 || id == 40 || id == 43:
		return format{places: 2}
	case id == 5 || id == 6 || id == 42:
		return format{money: true, places: 0}
	case id == 7 || id == 8 || id == 44:
		return format{money: true, places: 2}
	case id == 9 || id == 10:
		return format{percent: true, places: -1}
	case id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 || id >= 50 && id <= 58:
		return format{day: true}
	}
	return format{places: -1}
}

// formatOf reads a format's code, as #,##0.00 or dd.mm.yyyy or [$€-407] 0.00.
func formatOf(code string) format {
	f := format{places: -1}
	code, _, _ = strings.Cut(code, ";") // of numbers above zero
	plainCode := bareCode(code, &f)
	for _, text := range []string{plainCode, f.before, f.behind} {
		f.money = f.money || currencies[strings.ToUpper(strings.TrimSpace(text))] ||
			strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Sc, r) })
	}
	if f.money || !strings.ContainsFunc(f.before, unicode.IsLetter) {
		f.before = ""
	}
	if f.behind = strings.TrimSpace(f.behind); f.money || !strings.ContainsFunc(f.behind, unicode.IsLetter) {
		f.behind = ""
	}
	lower := strings.ToLower(plainCode)
	if lower == "general" || lower == "@" || lower == "" {
		return f
	}
	f.day = f.day || !strings.ContainsAny(lower, "0#?") && strings.ContainsAny(lower, "dmyhs") ||
		strings.ContainsAny(lower, "dmyh")
	f.percent = strings.Contains(lower, "%")
	whole, fraction, has := strings.Cut(lower, ".")
	f.scaled = strings.HasSuffix(strings.TrimSpace(whole), ",") || strings.HasSuffix(strings.TrimSpace(fraction), ",")
	switch {
	case strings.ContainsAny(lower, "/e"): // 2 1/2, or 1.25E+03
	case has:
		f.places = int8(min(100, strings.Count(fraction, "0")+strings.Count(fraction, "#")))
	case strings.ContainsAny(lower, "0#"):
		f.places = 0
	}
	if len(lower) > 1 && strings.Trim(lower, "0") == "" {
		f.digits = min(len(lower), 20)
	}
	return f
}

// bareCode is a format's code without texts in quotes, escaped signs, colours
// and countries. The texts are left in the format: those before the number, and
// those behind it.
func bareCode(code string, f *format) string {
	var b strings.Builder
	add := func(text string) {
		if strings.ContainsAny(b.String(), "0#?") {
			f.behind += text
		} else {
			f.before += text
		}
	}
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return b.String()
			}
			add(code[i+1 : i+1+end])
			i += end + 1
		case '\\':
			_, size := utf8.DecodeRuneInString(code[i+1:])
			add(code[i+1 : i+1+size])
			i += size
		case '_', '*':
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return b.String()
			}
			inside := code[i+1 : i+end]
			if currency, ok := strings.CutPrefix(inside, "$"); ok {
				currency, _, _ = strings.Cut(currency, "-")
				f.money = f.money || currency != ""
			} else if strings.Trim(strings.ToLower(inside), "hms") == "" { // hours that go on
				f.day = true
			}
			i += end
		default:
			b.WriteByte(code[i])
		}
	}
	return b.String()
}

// show writes a number as the cell's text.
func (f format) show(c *Cell, value string, from1904 bool) {
	if f.day {
		c.Text, c.Kind = dayOf(value, from1904), Day
		return
	}
	minus := ""
	digits := value
	if rest, ok := strings.CutPrefix(value, "-"); ok {
		minus, digits = "-", rest
	}
	text := canonical(digits)
	if text == "" || text[0] == '-' {
		c.Text = value // no number after all
		return
	}
	for len(text) < f.digits && placesOf(text) == 0 {
		text = strings.Repeat("0", f.digits-len(text)) + text
	}
	c.Text, c.Kind, c.Money, c.places = minus+text, Number, f.money, f.places
	c.Unlike = f.scaled || f.places >= 0 && placesOf(text) > int(f.places)
	switch {
	case f.percent:
		c.Text, c.Kind = c.Text+" (as %)", Text
	case f.before != "":
		c.Text, c.Kind = clean(f.before+c.Text+" "+f.behind), Text
	case f.behind != "":
		c.Text = clean(c.Text + " " + f.behind)
	}
}

// dayOf is a spreadsheet's day as 2026-03-31; a time of day where it is none.
func dayOf(value string, from1904 bool) string {
	n, err := strconv.ParseFloat(value, 64) // a day's number is no money
	if err != nil || n < 0 || n > 3e6 {
		return value
	}
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if from1904 {
		first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	days := int(n)
	at := first.AddDate(0, 0, days).Add(time.Duration((n - float64(days)) * float64(24*time.Hour)).Round(time.Second))
	if days == 0 {
		return at.Format("15:04")
	}
	return at.Format(time.DateOnly)
}

// readStyles keeps what the format of each style says.
func (w *workbook) readStyles() error {
	codes := map[string]format{}
	inside := false
	return w.scan("xl/styles.xml", false, func(x *xmlScanner) (bool, error) {
		switch {
		case x.is("numFmt") && x.open && len(codes) < mostStyles:
			codes[x.attr("numFmtId")] = formatOf(x.attr("formatCode"))
		case x.is("cellXfs"):
			inside = x.open && !x.shut
			return x.open, nil
		case inside && x.is("xf") && x.open:
			id := x.attr("numFmtId")
			f, own := codes[id]
			if !own {
				n, _ := strconv.Atoi(id)
				f = builtIn(n)
			}
			if w.styles = append(w.styles, f); len(w.styles) > mostStyles {
				return false, errTooMuch
			}
		}
		return true, nil
	})
}
