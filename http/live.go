package http

import (
	"net/http"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"portal.example/portal/http/page"
)

// live hands the socket to realtime. Who has no session is told before the
// upgrade.
func (s *Server) live(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	who, err := s.Sessions.Session(r.Context(), s.Token(r))
	if err != nil {
		http.Error(w, "log in first", page.Status(err))
		return
	}
	if s.config.Live == nil {
		http.NotFound(w, r)
		return
	}
	// the page says whose it is: staff have pages of both kinds open
	if who.Staff() && r.URL.Query().Has("acting") {
		customer, ok, err := s.AsCustomer(r, who)
		if err != nil || !ok {
			http.Error(w, "nobody's portal is open", http.StatusUnauthorized)
			return
		}
		who = customer
	}
	// and in which session it was made: a page that outlived its log-in, in the
	// browser's cache or another tab, hears nothing of who logged in since
	if of := r.URL.Query().Get("session"); of != "" && of != strconv.FormatInt(int64(who.ID), 10) {
		http.Error(w, "this page is of another session", http.StatusUnauthorized)
		return
	}
	s.config.Live(w, r, who)
}
