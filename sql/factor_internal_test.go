package sql

import "testing"

const (
	oldKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	newKey = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
)

// A secret opens with its key, also behind a newer one, and for its own log-in only.
func TestFactorKeys(t *testing.T) {
	t.Parallel()
	keys := func(setting string) FactorKeys {
		k, err := ParseFactorKeys(setting)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	sealed, err := keys(oldKey).seal(7, "JBSWY3DPEHPK3PXP")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keys(newKey+", "+oldKey).open(7, sealed); err != nil || got != "JBSWY3DPEHPK3PXP" {
		t.Errorf("behind a newer key: %q %v", got, err)
	}
	for what, open := range map[string]func() (string, error){
		"another key":    func() (string, error) { return keys(newKey).open(7, sealed) },
		"another log-in": func() (string, error) { return keys(oldKey).open(8, sealed) },
		"no key":         func() (string, error) { return keys("").open(7, sealed) },
		"a piece":        func() (string, error) { return keys(oldKey).open(7, sealed[:5]) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s opens it: %q", what, got)
		}
	}
	if _, err := keys("").seal(7, "x"); err == nil {
		t.Error("sealed without a key")
	}
	for _, wrong := range []string{"short", "MDEyMzQ1", oldKey + "," + "x"} {
		if _, err := ParseFactorKeys(wrong); err == nil {
			t.Errorf("%q is taken for a key", wrong)
		}
	}
}
