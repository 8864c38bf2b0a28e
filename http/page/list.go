package page

import (
	"net/url"
	"strings"
)

// SearchText is what was typed into a list's search box.
func SearchText(q *Request) string {
	search := strings.TrimSpace(q.URL.Query().Get("q"))
	if len(search) > 200 {
		search = search[:200]
	}
	return strings.ToValidUTF8(search, "")
}

// Pill is one choice of a filter.
type Pill struct {
	Label   string
	Link    string
	Count   int // 0: not shown
	Current bool
}

// Option is one choice of a select.
type Option struct{ Value, Label string }

// ListLink is a path with those of the name and value pairs that have a value.
func ListLink(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}
