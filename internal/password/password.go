// Package password says whether a new password will do, by NIST SP 800-63B: long
// enough, none that is common or was breached, and no rule about which characters
// it must have.
//
// What is common is held by a Bloom filter within the program, so nobody outside
// is asked. See common.go.
package password

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MinRunes is how many characters a new password has at least.
	MinRunes = 12
	// MaxBytes is how much of a password bcrypt reads. A longer one is refused,
	// when it is set and when it is used: it would be cut.
	MaxBytes = 72
)

// Normal is how a password is hashed: in Unicode's form NFC, so that an accent
// typed on one keyboard is the accent typed on another.
func Normal(typed string) string { return norm.NFC.String(typed) }

// Check says what is wrong with a new password, in words for who sets it; "" if it
// will do. Names are what somebody would try first: the e-mail address, the name of
// the person and of the company.
func Check(typed string, names ...string) string {
	p := Normal(typed)
	switch {
	case utf8.RuneCountInString(p) < MinRunes:
		return fmt.Sprintf("Use at least %d characters. Several words in a row are good and easy to keep.", MinRunes)
	case len(p) > MaxBytes:
		return fmt.Sprintf("That is too long: use at most %d characters, fewer where they have accents or are not Latin.",
			MaxBytes)
	case guessable(p):
		return "This password is on the lists that attackers try first. Choose another."
	case named(p, names):
		return "This is hardly more than your name or ours. Choose another."
	}
	return ""
}

// guessable reports a password that is common, or is made of a common one in a way
// that every attacker tries: repeated, or with some digits or signs around it.
func guessable(p string) bool {
	p = strings.ToLower(p)
	if common(p) || sequence(p) {
		return true
	}
	if unit := repeated(p); unit != p && (utf8.RuneCountInString(unit) < MinRunes/2 || common(unit)) {
		return true
	}
	core := strings.TrimFunc(p, func(r rune) bool { return !unicode.IsLetter(r) })
	return len(p)-len(core) <= 6 && core != p && common(core)
}

// repeated is the shortest text that p is a repetition of; p itself if it is none.
func repeated(p string) string {
	for n := 1; n <= len(p)/2; n++ {
		if strings.Repeat(p[:n], len(p)/n) == p[:len(p)/n*n] && strings.HasPrefix(p[:n], p[len(p)/n*n:]) {
			return p[:n]
		}
	}
	return p
}

// rows are what fingers or the alphabet give without thinking.
var rows = []string{"0123456789012345678901234567890", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
	"qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
	"azertyuiopqsdfghjklmwxcvbn", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"}

// sequence reports a piece of one of the rows, forwards or backwards.
func sequence(p string) bool {
	for _, row := range rows {
		if strings.Contains(row, p) || strings.Contains(reversed(row), p) {
			return true
		}
	}
	return false
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// named reports a password that adds fewer than six characters to a name.
func named(p string, names []string) bool {
	p = strings.ToLower(p)
	for _, name := range names {
		words := append(strings.FieldsFunc(strings.ToLower(Normal(name)), func(r rune) bool {
			return r == '@' || unicode.IsSpace(r)
		}),
			strings.ToLower(Normal(name)))
		for _, word := range words {
			if utf8.RuneCountInString(word) >= 4 && strings.Contains(p, word) &&
				utf8.RuneCountInString(p)-utf8.RuneCountInString(word) < 6 {
				return true
			}
		}
	}
	return false
}
