package http

import (
	"fmt"
	"net/http"
	"time"

	"github.com/julienschmidt/httprouter"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// changePassword sends password managers to the form that changes a password
// (W3C, A Well-Known URL for Changing Passwords).
func changePassword(q *page.Request) error {
	to := "/profile"
	if q.Who.Staff() {
		to = "/desk/profile"
	}
	http.Redirect(q.W, q.Request, to+"#f-current_password", http.StatusSeeOther)
	return nil
}

// securityTxtHolds is how long a copy of security.txt may be believed. The RFC
// advises less than a year.
const securityTxtHolds = 180 * 24 * time.Hour

// securityTxt tells whoever has found a hole whom to tell (RFC 9116).
func (s *Server) securityTxt(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	if s.config.SecurityContact == "" {
		s.Fail(w, r, portal.Errorf(portal.CodeNotFound, "There is no such page."))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "Contact: %s\nExpires: %s\nPreferred-Languages: en\n", s.config.SecurityContact,
		time.Now().UTC().Add(securityTxtHolds).Truncate(24*time.Hour).Format(time.RFC3339))
}
