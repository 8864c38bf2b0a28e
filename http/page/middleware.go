package page

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/httprate"
	"github.com/julienschmidt/httprouter"

	"portal.example/portal"
)

// pageCSP lets a page load only what the portal itself serves, and run no
// inline script or style.
const pageCSP = "default-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

type requestIDKey struct{}

// RequestID is the id under which the log speaks of this request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Observe gives each request an id, logs how it ended, and turns a panic into
// an error page.
func (k *Kit) Observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:12]
		r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
		w.Header().Set("X-Request-Id", id)
		k.noteStranger(r)
		rec := &recorder{ResponseWriter: w}
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares the panic's value itself
					panic(p)
				}
				k.Logger.Error("panic", "request", id, "path", loggedPath(r.URL.Path), "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					k.Fail(rec, r, fmt.Errorf("panic: %v", p))
				}
			}
			level := slog.LevelDebug
			if rec.status >= 500 {
				level = slog.LevelError
			}
			k.Logger.Log(r.Context(), level, "request", "request", id, "method", r.Method, "path", loggedPath(r.URL.Path),
				"status", rec.status, "took", time.Since(start))
			if k.Observed != nil {
				k.Observed(r.URL.Path, cmp.Or(rec.status, http.StatusOK), time.Since(start))
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// loggedPath is a path as the log may hold it: without the secret of a link.
func loggedPath(path string) string {
	if strings.HasPrefix(path, ResetPath) {
		return ResetPath + "…"
	}
	return path
}

// Secure sets the headers that every answer carries.
func (k *Kit) Secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pageCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		if !k.PlainHTTP {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		if !strings.HasPrefix(r.URL.Path, "/assets/") {
			h.Set("Cache-Control", "private, no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// loginsAMinute is how many log-ins one address may try. An office behind one
// address stays below it; each try costs us a bcrypt.
const loginsAMinute = 120

// RateLimited limits how often one address may ask. The lockout of accounts is the
// database's; this one keeps a flood from the processor.
func (k *Kit) RateLimited(h httprouter.Handle) httprouter.Handle {
	limit := httprate.LimitBy(loginsAMinute, time.Minute,
		func(r *http.Request) (string, error) { return k.Source(r), nil },
		httprate.WithLimitHandler(func(w http.ResponseWriter, r *http.Request) {
			k.Fail(w, r, portal.Errorf(portal.CodeTooMany, "Too many tries from your address. Please wait a minute."))
		}))
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(w, r, p) })).ServeHTTP(w, r)
	}
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Hijack hands the connection to the websocket.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.status = http.StatusSwitchingProtocols
	return http.NewResponseController(r.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController reach what it wraps.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Readable refuses addresses that are not text: PostgreSQL stores neither bytes
// that are not UTF-8 nor the zero byte, and no document of ours is named so. What
// is asked for behind the question mark, searches above all, is cleaned like the
// fields of a form.
func (k *Kit) Readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isText(r.URL.Path) || slices.ContainsFunc(strings.Split(r.URL.Path, "/"),
			func(part string) bool { return !isText(portal.FromAddress(part)) }) {
			k.Fail(w, r, portal.Errorf(portal.CodeNotFound, "There is no such page."))
			return
		}
		query, dirty := r.URL.Query(), false
		for name, values := range query {
			if slices.ContainsFunc(values, func(v string) bool { return !isText(v) }) {
				k.Fail(w, r, portal.Errorf(portal.CodeInvalid, "This address holds characters that are not text."))
				return
			}
			query[name] = cleanField(name, values)
			dirty = dirty || !slices.Equal(values, query[name])
		}
		if dirty {
			r.URL.RawQuery = query.Encode()
		}
		next.ServeHTTP(w, r)
	})
}

// isText reports whether PostgreSQL can store s.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// ResetPath begins the addresses that end with the secret of a link: what
// writes down an address leaves that out (see loggedPath), and so do browsers.
const ResetPath = "/reset/"
