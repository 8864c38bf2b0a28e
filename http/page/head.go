package page

import "net/http"

// Headed answers HEAD wherever there is GET: the server leaves the body away.
func (k *Kit) Headed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && r.URL.Path != "/live" {
			again := *r
			again.Method = http.MethodGet
			r = &again
		}
		next.ServeHTTP(w, r)
	})
}
