package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed assets
var assetFiles embed.FS

// assetTypes are the kinds of file that are served, and nothing else is.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

// Assets serves the style sheets, scripts and pictures of the pages, and the
// brand's, from memory. Each has the hash of its content in its address, so a
// browser may keep it for ever and still gets a new one the moment it changes.
//
// An Assets never changes after NewAssets and is safe for concurrent use.
type Assets struct {
	urls map[string]string // by name, "app.css"
	byID map[string]asset  // by address below /assets/, "app.1f0c….css"
}

type asset struct {
	contentType string
	etag        string
	plain       []byte
	gzip        func() []byte // nil where it would not be smaller; compressed when first asked for
}

// NewAssets loads what is embedded, adds the brand's logo as logo.svg and
// favicon.svg and its colours as brand.css. Each is compressed once.
func NewAssets(brand Brand) (*Assets, error) {
	a := &Assets{urls: make(map[string]string), byID: make(map[string]asset)}
	err := fs.WalkDir(assetFiles, "assets", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := assetFiles.ReadFile(p)
		if err != nil {
			return err
		}
		return a.add(path.Base(p), body)
	})
	if err != nil {
		return nil, fmt.Errorf("assets load: %w", err)
	}
	if err := a.add("brand.css", brand.stylesheet()); err != nil {
		return nil, fmt.Errorf("assets brand: %w", err)
	}
	for _, name := range []string{"logo.svg", "favicon.svg"} {
		if err := a.add(name, brand.Logo); err != nil {
			return nil, fmt.Errorf("assets brand: %w", err)
		}
	}
	return a, nil
}

func (a *Assets) add(name string, body []byte) error {
	ext := path.Ext(name)
	contentType, ok := assetTypes[ext]
	if !ok {
		return fmt.Errorf("%s: files of this kind are not served", name)
	}
	if _, twice := a.urls[name]; twice {
		return fmt.Errorf("%s: two files of this name", name)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:6])
	id := strings.TrimSuffix(name, ext) + "." + hash + ext
	a.urls[name] = "/assets/" + id
	a.byID[id] = asset{contentType: contentType, etag: strconv.Quote(hash), plain: body,
		gzip: sync.OnceValue(func() []byte { return compress(body) })}
	return nil
}

func compress(body []byte) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil || buf.Len() >= len(body) {
		return nil // then it goes out plain
	}
	return buf.Bytes()
}

// URL is the address of an asset by its file name, without the folder it lies
// in: URL("app.css") is "/assets/app.1f0c9a3e77b2.css". It is empty for a name
// that does not exist.
func (a *Assets) URL(name string) string { return a.urls[name] }

// ServeHTTP answers GET and HEAD below /assets/.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/assets/")
	f, ok := a.byID[id]
	caching := "public, max-age=31536000, immutable"
	if !ok {
		// While nodes are being upgraded, a page of one version asks a node of
		// another: ours is nearer to what it wants than nothing, for this once.
		f, ok = a.byID[a.present(id)]
		caching = "no-store"
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", caching)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Etag", f.etag)
	body := f.plain
	if packed := f.gzip(); packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body = packed
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// present is the address that a file of some other version has in this one:
// "app.1f0c9a3e77b2.css" is whatever app.css is now.
func (a *Assets) present(id string) string {
	ext := path.Ext(id)
	name, hash, ok := cutLast(strings.TrimSuffix(id, ext), ".")
	if !ok || len(hash) != 12 {
		return ""
	}
	return strings.TrimPrefix(a.urls[name+ext], "/assets/")
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// acceptsGzip reads an Accept-Encoding header: gzip or * named, not with q=0.
func acceptsGzip(header string) bool {
	any := false
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip":
			return q > 0
		case "*":
			any = q > 0
		}
	}
	return any
}
