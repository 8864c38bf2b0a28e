package password

import (
	"crypto/rand"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed, want string // a part of the refusal; empty: it will do
		names       []string
	}{
		{typed: "short", want: "at least 12"},
		{typed: "elevenchars", want: "at least 12"},
		{typed: "correct horse battery"},
		{typed: "only lower case letters"}, // no rule about characters
		{typed: "ünïcödé pässwörd"},
		{typed: strings.Repeat("long words ", 6) + "!!!!!!", want: ""},
		{typed: strings.Repeat("x1y2z3", 13), want: "at most 72"},
		{typed: strings.Repeat("пароль ", 6), want: "at most 72"},
		{typed: "qwertyuiopzxcvbnm", want: "lists"}, // breached, as it is
		{typed: "QwertyUiopZxcvbnm", want: "lists"},
		{typed: "password1234", want: "lists"},
		{typed: "Password!2026", want: "lists"},
		{typed: "passwordpassword", want: "lists"},
		{typed: "aaaaaaaaaaaa", want: "lists"},
		{typed: "abcabcabcabca", want: "lists"},
		{typed: "123456789012", want: "lists"},
		{typed: "lkjhgfdsapoiuytrewq", want: "lists"},
		{typed: "pat.smith@example.com", want: "your name", names: []string{"pat.smith@example.com"}},
		{typed: "pat.smith2026", want: "your name", names: []string{"pat.smith@example.com"}},
		{typed: "Harbor Foods 1", want: "your name", names: []string{"", "Harbor Foods"}},
		{typed: "harbor lights over water", names: []string{"Harbor Foods"}},
	} {
		got := Check(c.typed, c.names...)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%q: %q, want %q", c.typed, got, c.want)
		}
	}
}

// What is typed with a composed accent is the password typed with two characters.
func TestNormal(t *testing.T) {
	t.Parallel()
	if Normal("cafe\u0301") != "café" {
		t.Error("not composed")
	}
}

// A password made at random is hardly ever taken for a common one.
func TestCommonIsRarelyWrong(t *testing.T) {
	t.Parallel()
	wrong := 0
	for range 20_000 {
		if common(strings.ToLower(rand.Text())) {
			wrong++
		}
	}
	if wrong > 20 { // 2 are expected
		t.Errorf("%d of 20,000 at random", wrong)
	}
}
