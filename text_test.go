package portal_test

import (
	"testing"

	"portal.example/portal"
)

func TestCleanText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typed, line, lines string }{
		{"", "", ""},
		{"PO-77", "PO-77", "PO-77"},
		{"  PO 77 ", "PO 77", "PO 77"},
		{"\t\u00a0", "", ""},
		{"\u200b\ufeff\u2060", "", ""},
		{"\u3000\u2007\u202f", "", ""},
		{"\u200d\u200c\u200e", "", ""},
		{"\u3164\u2800", "", ""}, // letters by name, and nothing is seen
		{"a\u00a0b", "a b", "a b"},
		{"a\x00\x07b\x7f", "ab", "ab"},
		{"\u202eabc\u202c", "abc", "abc"},
		{"Cafe\u0301", "Café", "Café"},
		{"\u1112\u1161\u11ab", "한", "한"},
		{"one\r\ntwo\rthree\u2028four", "one  two three four", "one\ntwo\nthree\nfour"},
		{"\n\nx\n", "x", "x"},
		{"می\u200cخواهم", "می\u200cخواهم", "می\u200cخواهم"}, // the joiner is spelling
		{"👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"},
		{"❤\ufe0f", "❤\ufe0f", "❤\ufe0f"},
		{"a\xffb", "ab", "ab"},
	} {
		if got := portal.CleanText(c.typed); got != c.line {
			t.Errorf("%q as a line is %q, want %q", c.typed, got, c.line)
		}
		if got := portal.CleanLines(c.typed); got != c.lines {
			t.Errorf("%q in lines is %q, want %q", c.typed, got, c.lines)
		}
		if again := portal.CleanText(c.line); again != c.line {
			t.Errorf("%q cleaned again is %q", c.line, again)
		}
	}
}
