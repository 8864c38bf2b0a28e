package page

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func testAssets(t *testing.T) *Assets {
	t.Helper()
	brand, err := DefaultBrand()
	if err != nil {
		t.Fatal(err)
	}
	assets, err := NewAssets(brand)
	if err != nil {
		t.Fatal(err)
	}
	return assets
}

func TestAssets(t *testing.T) {
	assets := testAssets(t)
	get := func(url, encoding string) *http.Response {
		r := httptest.NewRequest("GET", url, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		assets.ServeHTTP(w, r)
		return w.Result()
	}
	body := func(r io.Reader) string {
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}

	for name, contentType := range map[string]string{
		"ui.css": "text/css; charset=utf-8", "app.css": "text/css; charset=utf-8", "brand.css": "text/css; charset=utf-8",
		"theme.js": "text/javascript; charset=utf-8", "live.js": "text/javascript; charset=utf-8",
		"socket.js": "text/javascript; charset=utf-8", "htmx.js": "text/javascript; charset=utf-8",
		"icons.svg": "image/svg+xml", "logo.svg": "image/svg+xml", "favicon.svg": "image/svg+xml",
		"licenses.txt": "text/plain; charset=utf-8",
	} {
		url := assets.URL(name)
		if !regexp.MustCompile(`^/assets/[a-z]+\.[0-9a-f]{12}\.[a-z]+$`).MatchString(url) {
			t.Errorf("%s: address %q", name, url)
			continue
		}
		plain, packed := get(url, ""), get(url, "br, gzip;q=0.8")
		if plain.StatusCode != 200 || plain.Header.Get("Content-Type") != contentType ||
			plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d %v", name, plain.StatusCode, plain.Header)
		}
		if got := plain.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
		if packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: not packed: %v", name, packed.Header)
			continue
		}
		unpacked, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body(unpacked) != body(plain.Body) {
			t.Errorf("%s: packed and plain differ", name)
		}
	}

	for _, url := range []string{"/assets/", "/assets/app.css", "/assets/none.000000000000.css", "/assets/app.0.css",
		"/assets/../brand.go", "/assets/vendor/ui.css"} {
		if got := get(url, "").StatusCode; got != 404 {
			t.Errorf("%s: status %d", url, got)
		}
	}
	// the page of another version, of a node that is not upgraded yet or already
	other := get("/assets/app.000000000000.css", "")
	if other.StatusCode != 200 || other.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("another version's: %d %v", other.StatusCode, other.Header)
	}
	if url := assets.URL("none.css"); url != "" {
		t.Errorf("an unknown name has the address %q", url)
	}
}

func TestAssetsMethodsAndValidators(t *testing.T) {
	assets := testAssets(t)
	url := assets.URL("app.css")

	w := httptest.NewRecorder()
	assets.ServeHTTP(w, httptest.NewRequest("POST", url, nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	w = httptest.NewRecorder()
	assets.ServeHTTP(w, httptest.NewRequest("HEAD", url, nil))
	if w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d, %d bytes", w.Code, w.Body.Len())
	}
	r := httptest.NewRequest("GET", url, nil)
	r.Header.Set("If-None-Match", w.Header().Get("Etag"))
	w = httptest.NewRecorder()
	assets.ServeHTTP(w, r)
	if w.Code != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", w.Code)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br": false, "br, GZIP": true, "*": true, "gzip;q=0": false, "gzip; q=0.5": true,
		"*, gzip;q=0": false, "identity": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// The first visit weighs at most 150 KB compressed; pages themselves take some
// ten of them.
func TestAssetsWeight(t *testing.T) {
	assets := testAssets(t)
	total := 0
	for _, f := range assets.byID {
		if packed := f.gzip(); packed != nil {
			total += len(packed)
		} else {
			total += len(f.plain)
		}
	}
	if total > 120_000 { // all of them, the desk's too, which no first visit loads
		t.Errorf("assets weigh %d bytes compressed", total)
	}
}

// Whose components the pages are made of is nobody's business but the
// licences'.
func TestAssetsNameNoVendor(t *testing.T) {
	assets := testAssets(t)
	for id, f := range assets.byID {
		if !strings.HasPrefix(id, "licenses.") && strings.Contains(strings.ToLower(string(f.plain)), "tabler") {
			t.Errorf("%s names the maker of the components", id)
		}
	}
}
