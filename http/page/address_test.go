package page

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/julienschmidt/httprouter"

	"portal.example/portal"
)

// echo answers with the number in an address, as a handler reads it.
func echo(t testing.TB) *httptest.Server {
	t.Helper()
	mux := httprouter.New()
	say := func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		q := &Request{Request: r, W: w, params: p}
		fmt.Fprintf(w, "%s|%v", q.Param("item_no"), q.IsNew("item_no"))
	}
	mux.GET("/items/:item_no", say)
	mux.GET("/items/:item_no/picture", say)
	server := httptest.NewServer((&Kit{}).Addressed(mux))
	t.Cleanup(server.Close)
	return server
}

// asked is what a server says to a path, sent as it stands.
func asked(t testing.TB, server *httptest.Server, path string) string {
	t.Helper()
	req, err := http.NewRequest("GET", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = "//" + req.URL.Host + path
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Whatever a number is, its address leads to it: straight, and through proxies
// that decode, encode and clean what they pass on.
func TestAddressesArrive(t *testing.T) {
	t.Parallel()
	server := echo(t)
	behind, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }})
	t.Cleanup(proxy.Close)

	numbers := []string{"OIL5", "A/B 1", `1/2"PIPE #3`, "A#1", "A?x=1", "A%2FB", "..", ".", "...", "new", "~", "~A~2FB",
		"//", "\\", "100%", "a+b", "%2e%2e", "é/日本"}
	alphabet := []rune("aB1~/%.?# +\\;&=2EFné日\t\"'<>|")
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		number := make([]rune, 1+random.IntN(12))
		for i := range number {
			number[i] = alphabet[random.IntN(len(alphabet))]
		}
		numbers = append(numbers, string(number))
	}
	for _, number := range numbers {
		part := portal.InAddress(number)
		for what, path := range map[string]string{
			"as it is":                  "/items/" + part,
			"a page below":              "/items/" + part + "/picture",
			"~ encoded":                 "/items/" + strings.ReplaceAll(part, "~", "%7E"),
			"~ encoded in small":        "/items/" + strings.ReplaceAll(part, "~", "%7e"),
			"all encoded that may be":   "/items/" + strings.NewReplacer("~", "%7E", ".", "%2E", "-", "%2D").Replace(part),
			"everything decoded before": "/items/" + must(url.PathUnescape(part)),
		} {
			for _, by := range []*httptest.Server{server, proxy} {
				if got := asked(t, by, path); got != number+"|false" {
					t.Errorf("seed %d: %q, %s: %s arrives as %q", seed, number, what, path, got)
				}
			}
		}
		// what others make with percent-encoding arrives too, but for what is
		// written like one of our own
		if !strings.HasPrefix(number, "~") && number != "new" {
			if got := asked(t, server, "/items/"+strings.ReplaceAll(url.PathEscape(number), ".", "%2E")); got != number+
				"|false" {
				t.Errorf("seed %d: %q, percent-encoded, arrives as %q", seed, number, got)
			}
		}
	}
	if got := asked(t, server, "/items/new"); got != "new|true" {
		t.Errorf("/items/new arrives as %q", got)
	}
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

// The names of a document's file are ones that every system takes, and the full
// one is there for those that can read it.
func TestFileNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"invoice-IN-1.pdf":           `filename="invoice-IN-1.pdf"`,
		"invoice-INV/2026/0042.pdf":  `filename="invoice-INV_2026_0042.pdf"`,
		"invoice-..\\..\"\r\nX:.pdf": `filename="invoice-.._..___X_.pdf"`,
		"invoice-A B é日.pdf":         `filename="invoice-A_B___.pdf"; filename*=UTF-8''invoice-A%20B%20%C3%A9%E6%97%A5.pdf`,
	} {
		if got := strings.TrimPrefix(Disposition("inline", name), "inline; "); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// A page that answered a form is fetched again where its route says, whatever the
// number in the address is.
func TestAt(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"SO-1", "reorder", "people", "A/B 1", "..", "~A"} {
		q := &Request{params: httprouter.Params{{Key: "order_no", Value: portal.InAddress(number)}}}
		var at string
		err := At("/orders/:order_no", func(q *Request) error { at = q.at; return nil })(q)
		if want := "/orders/" + portal.InAddress(number); err != nil || at != want {
			t.Errorf("%q: %s, want %s (%v)", number, at, want, err)
		}
	}
}
