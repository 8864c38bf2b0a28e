package page

import (
	"net/http"
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
