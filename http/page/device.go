package page

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
)

// A browser that has logged in keeps a secret of its own, beside the session and
// longer than it: with it the browser is known to the accounts that were used in
// it, and passes where wrong passwords of others make strangers wait. It opens
// nothing. The database keeps its SHA-256, so there is no key to sign it with,
// and one that is made up is a stranger's.

func (k *Kit) deviceCookie() string {
	if k.PlainHTTP {
		return "portal_device"
	}
	return "__Host-portal_device"
}

// Device is the secret of the browser, or a new one for KeepDevice.
func (k *Kit) Device(r *http.Request) string {
	c, err := r.Cookie(k.deviceCookie())
	if err == nil {
		if raw, err := base64.RawURLEncoding.DecodeString(c.Value); err == nil && len(raw) == 32 {
			return c.Value
		}
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// KeepDevice has the browser keep its secret for a year from now, after a log-in
// with it has succeeded.
func (k *Kit) KeepDevice(w http.ResponseWriter, device string) {
	http.SetCookie(w, &http.Cookie{Name: k.deviceCookie(), Value: device, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: !k.PlainHTTP, SameSite: http.SameSiteLaxMode})
}
