package portal_test

import (
	"testing"
	"time"

	"portal.example/portal"
	"portal.example/portal/internal/certtest"
)

// A certificate is warned of three weeks before its end, one of six days in the last two of them.
func TestCertificateEndsSoon(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		life, left int // days
		soon       bool
		words      string
	}{
		{90, 22, false, "x.example: good until 23 June 2026, 12:00 UTC, 22 days more"},
		{90, 20, true, "x.example: good until 21 June 2026, 12:00 UTC, 20 days more"},
		{90, -1, true, "x.example: ended 31 May 2026, 12:00 UTC"},
		{6, 3, false, "x.example: good until 4 June 2026, 12:00 UTC, 3 days more"},
		{6, 1, true, "x.example: good until 2 June 2026, 12:00 UTC, 1 days more"},
	} {
		ends := now.AddDate(0, 0, c.left)
		chain, key := certtest.New(t, "x.example", ends.AddDate(0, 0, -c.life), ends)
		got, err := portal.ReadCertificate(append(key, chain...)) // as the cache of ACME has it
		if err != nil || got.EndsSoon(now) != c.soon || got.Words(now) != c.words {
			t.Errorf("of %d days, %d left: soon %v, %q (%v)", c.life, c.left, got.EndsSoon(now), got.Words(now), err)
		}
		if _, err := portal.ReadCertificate(key); err == nil {
			t.Error("a key is read as a certificate")
		}
	}
}
