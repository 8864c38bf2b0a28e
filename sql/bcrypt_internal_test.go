package sql

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Hashes are those of the library, for passwords of any length and script.
func TestBcryptHash(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"", "a", "demo-portal", "Größe und 漢字", "\x00zero",
		strings.Repeat("0123456789", 7) + "xy"} {
		for _, cost := range []int{4, 5} {
			want, err := bcrypt.GenerateFromPassword([]byte(password), cost)
			if err != nil {
				t.Fatal(err)
			}
			got, err := bcryptHash(string(want[:saltLength]), password)
			if err != nil || got != string(want) {
				t.Errorf("%q at cost %d: %s, %v; want %s", password, cost, got, err, want)
			}
		}
	}
	for _, salt := range []string{"", "$2a$04$", "$2a$03$" + strings.Repeat("a", 22), "$2a$xx$" + strings.Repeat("a", 22),
		"$2a$04$" + strings.Repeat("!", 22)} {
		if _, err := bcryptHash(salt, "x"); err == nil {
			t.Errorf("%q: hashed", salt)
		}
	}
}
