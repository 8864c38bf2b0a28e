package portal

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// quotedCell is how spreadsheets keep a code from becoming a number.
var quotedCell = regexp.MustCompile(`^="([^"]*)"$`)

var shortenedNumber = regexp.MustCompile(`^[0-9](?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})$`)

// unseen are the characters that take no room: soft hyphens, joiners, marks of
// direction, byte order marks.
var unseen = &unicode.RangeTable{
	R16: []unicode.Range16{{0x00AD, 0x00AD, 1}, {0x061C, 0x061C, 1}, {0x180E, 0x180E, 1}, {0x200B, 0x200F, 1},
		{0x202A, 0x202E, 1}, {0x2060, 0x2064, 1}, {0x2066, 0x206F, 1}, {0xFEFF, 0xFEFF, 1}},
	LatinOffset: 1,
}

// ShortenedNumber reports whether s is a long number that a spreadsheet wrote
// with fewer digits than it had, like 4.00638E+12.
func ShortenedNumber(s string) bool {
	m := shortenedNumber.FindStringSubmatch(PlainCode(s))
	if m == nil {
		return false
	}
	power, err := strconv.Atoi(m[2])
	return err == nil && power >= 6 && len(m[1]) < power
}

// WholeNumber writes a number of which a spreadsheet kept all digits, like
// 8.41200014073E+11, as digits; anything else comes back as it is.
func WholeNumber(s string) string {
	m := shortenedNumber.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	power, err := strconv.Atoi(m[2])
	if err != nil || power < 6 || len(m[1]) < power || strings.Trim(m[1][power:], "0") != "" {
		return s
	}
	return s[:1] + m[1][:power]
}

// PlainCode is a code without what programs put into and around it unseen:
// zero-width characters and byte order marks, control characters, blanks around
// it, a spreadsheet's ="…" and its leading '. Other blanks become plain ones,
// and letters are composed (NFC).
// The database does the same in erp.plain_code.
func PlainCode(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unseen, r):
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(norm.NFC.String(s))
	if m := quotedCell.FindStringSubmatch(s); m != nil {
		s = strings.TrimSpace(m[1])
	}
	return strings.TrimSpace(strings.TrimPrefix(s, "'"))
}
