package ops

import (
	"portal.example/portal/http/page"
)

func (c *Counter) Jobs(q *page.Request) error {
	if c.JobsCSP != "" {
		q.W.Header().Set("Content-Security-Policy", c.JobsCSP)
	}
	c.JobsUI.ServeHTTP(q.W, q.Request)
	return nil
}
