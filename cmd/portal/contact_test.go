package main

import "testing"

func TestContactURI(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "it@acme.example": "mailto:it@acme.example",
		"mailto:it@acme.example":        "mailto:it@acme.example",
		"https://acme.example/security": "https://acme.example/security"} {
		if got, err := contactURI(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"http://acme.example", "call us", "Ann <it@acme.example>", "https:"} {
		if got, err := contactURI(in); err == nil {
			t.Errorf("%q is taken as %q", in, got)
		}
	}
}
