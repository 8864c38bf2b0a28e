package page

import (
	"portal.example/portal"
)

// Paper answers with a document, shown in the browser.
func (q *Request) Paper(p portal.Paper) error {
	h := q.W.Header()
	h.Set("Content-Type", p.MediaType)
	h.Set("Content-Disposition", Disposition("inline", p.Name))
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = q.W.Write(p.Data) // the visitor may be gone
	return nil
}
