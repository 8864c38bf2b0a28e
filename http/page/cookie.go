package page

import (
	"crypto/rand"
	"net/http"
	"time"

	"portal.example/portal"
)

// cookieName: the __Host- prefix makes the browser insist on Secure, the root
// path and no domain. Without TLS it would refuse the cookie.
func (k *Kit) cookieName() string {
	if k.PlainHTTP {
		return "portal_session"
	}
	return "__Host-portal_session"
}

func (k *Kit) Token(r *http.Request) string {
	c, err := r.Cookie(k.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

func (k *Kit) SetCookie(w http.ResponseWriter, token string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: k.cookieName(), Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: !k.PlainHTTP, SameSite: http.SameSiteLaxMode})
}

func (k *Kit) ClearCookie(w http.ResponseWriter) { k.SetCookie(w, "", -1) }

// browserCookie names the browser beyond its sessions. It lets nobody in.
func (k *Kit) browserCookie() string {
	if k.PlainHTTP {
		return "portal_browser"
	}
	return "__Host-portal_browser"
}

// browserDays is how long a browser is known: as long as browsers keep a cookie.
const browserDays = 400

// Browser is where a log-in comes from. One that is not known yet gets its cookie.
func (k *Kit) Browser(w http.ResponseWriter, r *http.Request) portal.Browser {
	known := ""
	if c, err := r.Cookie(k.browserCookie()); err == nil {
		known = c.Value
	}
	if len(known) < 20 || len(known) > 100 {
		known = rand.Text()
	}
	http.SetCookie(w, &http.Cookie{Name: k.browserCookie(), Value: known, Path: "/", MaxAge: browserDays * 24 * 3600,
		HttpOnly: true, Secure: !k.PlainHTTP, SameSite: http.SameSiteLaxMode})
	return portal.Browser{Known: known, Token: k.Token(r), Source: k.Source(r), UserAgent: r.UserAgent()}
}

// LoggedIn hands the browser the token of its session, for as long as that can last.
func (k *Kit) LoggedIn(w http.ResponseWriter, token string, who portal.Session) {
	k.SetCookie(w, token, max(1, int(who.LastsUntil.Sub(who.CreatedAt)/time.Second)))
}
