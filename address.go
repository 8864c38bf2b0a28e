package portal

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// InAddress writes a number of the ERP as one part of an address. Ordinary
// numbers stand as they are: letters A to Z, digits, dot, dash and underscore.
// Any other is "~", then its bytes with each that is not one of those as "~" and
// two hexadecimal digits: "A/B 1" is "~A~2FB~201".
//
// That is not percent-encoding, since browsers take "%2e%2e" for a step up, and
// proxies like to turn "%2F" into a slash. What InAddress writes needs no
// encoding in a path, a query, an id of HTML or a file name. A number of dots
// alone, and "new", which is a page of its own, are written in the long way too.
func InAddress(number string) string {
	if isOrdinary(number) && number != "new" && strings.Trim(number, ".") != "" {
		return number
	}
	dots := strings.Trim(number, ".") == ""
	var b strings.Builder
	b.WriteByte('~')
	for _, c := range []byte(number) {
		if plainByte(c) && !dots {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "~%02X", c)
		}
	}
	return b.String()
}

// FromAddress reads what InAddress has written. Anything else is the number
// itself, so that an address made by hand finds its document too.
func FromAddress(part string) string {
	rest, long := strings.CutPrefix(part, "~")
	if !long {
		return part
	}
	pieces := strings.Split(rest, "~")
	number := []byte(pieces[0])
	for _, piece := range pieces[1:] {
		if len(piece) < 2 {
			return part
		}
		c, err := hex.DecodeString(piece[:2])
		if err != nil {
			return part
		}
		number = append(append(number, c...), piece[2:]...)
	}
	if InAddress(string(number)) != part {
		return part
	}
	return string(number)
}

// FileName is a name with numbers of the ERP in it as a file may bear it on any
// system: what separates folders, or is a sign of a system's own, is "_".
func FileName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`/\:*?"<>|%`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
}

func isOrdinary(s string) bool {
	for _, c := range []byte(s) {
		if !plainByte(c) {
			return false
		}
	}
	return true
}

func plainByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}
