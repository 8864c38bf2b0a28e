package portal_test

import (
	"net/netip"
	"testing"

	"portal.example/portal"
)

func TestSourceOf(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"192.0.2.7":                     "192.0.2.7",
		"192.0.2.7:443":                 "192.0.2.7",
		"::ffff:192.0.2.7":              "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":          "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:443":    "2001:db8:1:2::/64",
		"[2001:db8:1:2::9]":             "2001:db8:1:2::/64",
		"fe80::1%eth0":                  "fe80::/64",
		"":                              "unknown",
		"<script>":                      "unknown",
		"192.0.2.7'; drop table x":      "unknown",
		"999.1.1.1":                     "unknown",
		"\u0661\u0662\u0663.0.0.1":      "unknown",
		"1.2.3.4, 5.6.7.8":              "unknown",
		"2001:db8::1%<img src=x>":       "2001:db8::/64",
		"[2001:db8::1%25zone-text]:443": "2001:db8::/64",
	} {
		if got := portal.SourceOf(portal.ParseAddress(written)); got != want {
			t.Errorf("%q counts as %q, want %q", written, got, want)
		}
	}
}

func TestParseNetworks(t *testing.T) {
	t.Parallel()
	networks, err := portal.ParseNetworks([]string{"10.1.2.3/8", " 2001:db8::/32", "::1", "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"10.200.0.1": true, "::ffff:10.0.0.1": true, "11.0.0.1": false, "2001:db8:ffff::1": true, "2001:db9::1": false,
		"::1": true, "::2": false, "192.0.2.1": true, "192.0.2.2": false,
	} {
		if got := networks.Contain(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	for _, wrong := range []string{"", "true", "10.0.0.0/33", "10.0.0", "localhost", "::/129"} {
		if got, err := portal.ParseNetworks([]string{wrong}); err == nil {
			t.Errorf("%q is %v", wrong, got)
		}
	}
}

// Only what trusted proxies wrote is believed, and of that the last address that
// is none of theirs.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	networks, err := portal.ParseNetworks([]string{"10.0.0.0/8", "2001:db8:f::/48"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"192.0.2.1", nil, "192.0.2.1"},
		{"192.0.2.1", []string{"198.51.100.9"}, "192.0.2.1"}, // not trusted: not believed
		// The proxy itself, a health check
		{"10.0.0.1", nil, "10.0.0.1"},
		{"10.0.0.1", []string{"198.51.100.9"}, "198.51.100.9"}, //
		// The client's own word before it
		{"10.0.0.1", []string{"1.1.1.1, 198.51.100.9"}, "198.51.100.9"},
		{"10.0.0.1", []string{"1.1.1.1", "198.51.100.9"}, "198.51.100.9"},                      // in two headers
		{"10.0.0.1", []string{"198.51.100.9, 10.0.0.2"}, "198.51.100.9"},                       // through two proxies
		{"10.0.0.1", []string{"10.9.9.9, 10.0.0.2"}, "10.9.9.9"},                               // somebody inside
		{"10.0.0.1", []string{"'; drop table login, 10.0.0.2"}, "10.0.0.2"},                    // rubbish is nobody
		{"10.0.0.1", []string{"unknown"}, "10.0.0.1"},                                          //
		{"10.0.0.1", []string{"198.51.100.9:1234"}, "198.51.100.9"},                            // with a port
		{"10.0.0.1", []string{"[2001:db8:1::7]:1234"}, "2001:db8:1::7"},                        //
		{"2001:db8:f::1", []string{"2001:db8:1::7, 2001:db8:f::2, 10.3.3.3"}, "2001:db8:1::7"}, //
	} {
		if got := networks.ClientAddress(netip.MustParseAddr(c.peer), c.forwarded).String(); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}
