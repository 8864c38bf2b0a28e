package portal_test

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"portal.example/portal"
)

func TestInAddress(t *testing.T) {
	for number, want := range map[string]string{
		"OIL5": "OIL5", "SO-100023": "SO-100023", "a_b.c": "a_b.c", ".5": ".5", "A/B 1": "~A~2FB~201",
		`1/2"PIPE #3`: "~1~2F2~22PIPE~20~233", "..": "~~2E~2E", ".": "~~2E", "": "~", "A%2FB": "~A~252FB", "new": "~new",
		"~": "~~7E", "~new": "~~7Enew", "NEW": "NEW", "Zoë": "~Zo~C3~AB",
	} {
		if got := portal.InAddress(number); got != want {
			t.Errorf("InAddress(%q) = %q, want %q", number, got, want)
		}
	}
	// what InAddress never writes is a number as it stands
	for _, part := range []string{"~7", "~A~2fB", "~A~2", "~A~2G", "A~2FB", "~A", "~A~41"} {
		if got := portal.FromAddress(part); got != part {
			t.Errorf("FromAddress(%q) = %q", part, got)
		}
	}
}

// Any number comes back from its address, which is one part of a path that
// neither a browser nor a proxy changes.
func FuzzInAddress(f *testing.F) {
	for _, s := range []string{"OIL5", "A/B 1", `1/2"PIPE #3`, "A#1", "A?x=1", "A%2FB", "..", ".", "", "new", "~", "~~2E",
		"~new", "a\\b", "\x00\xff", "日本", " lead", ";,&=+$:@", strings.Repeat("é", 64)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, number string) {
		part := portal.InAddress(number)
		if got := portal.FromAddress(part); got != number {
			t.Fatalf("%q is %q in an address, which reads %q", number, part, got)
		}
		if escaped := url.PathEscape(part); escaped != part {
			t.Errorf("%q needs encoding: %q", part, escaped)
		}
		if p := "/items/" + part; path.Clean(p) != p || strings.Count(p, "/") != 2 {
			t.Errorf("%q is not one part of a path", part)
		}
		// what is read of any part leads back to a part that reads the same
		if again := portal.FromAddress(portal.InAddress(portal.FromAddress(number))); again != portal.FromAddress(number) {
			t.Errorf("%q reads %q, then %q", number, portal.FromAddress(number), again)
		}
	})
}
