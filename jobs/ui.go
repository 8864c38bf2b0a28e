package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"riverqueue.com/riverui"
)

// UICSP is the least Content-Security-Policy under which the pages work as they
// are meant. They have no inline script; the pictures in their style sheet are
// data addresses, and their notices put a style element into the page, which
// is why inline style elements (not attributes) are allowed. A browser reports
// one blocked eval: a library asks whether it may, and goes without.
const UICSP = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-elem 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// UI serves River's pages, with which operators see, retry and cancel jobs and
// pause queues. It does not ask who is there: mount it behind the operators'
// log-in and a cross-origin check, with UICSP. Safe for concurrent use. What
// jobs were asked to do is hidden in lists until it is opened.
type UI struct {
	handler *riverui.Handler

	mu   sync.Mutex
	stop context.CancelFunc // nil before Start
}

// NewUI serves the pages of a client, which may be insert-only, under prefix
// ("/ops/jobs"); requests come with the prefix in their path.
func NewUI(client *Client, logger *slog.Logger, prefix string) (*UI, error) {
	handler, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints:                riverui.NewEndpoints(client.river, nil),
		JobListHideArgsByDefault: true,
		Logger:                   logger,
		Prefix:                   prefix,
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: pages: %w", err)
	}
	return &UI{handler: handler}, nil
}

// Start begins to count jobs in the background, until ctx ends or Stop; the
// pages need it. To start twice is no error, to start after Stop does nothing.
func (ui *UI) Start(ctx context.Context) error {
	ui.mu.Lock()
	defer ui.mu.Unlock()
	if ui.stop != nil {
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	if err := ui.handler.Start(ctx); err != nil {
		stop()
		return fmt.Errorf("jobs: start pages: %w", err)
	}
	ui.stop = stop
	return nil
}

// Stop ends the counting; it does not wait. To stop twice is no error.
func (ui *UI) Stop() {
	ui.mu.Lock()
	defer ui.mu.Unlock()
	if ui.stop != nil {
		ui.stop()
	}
}

// ServeHTTP implements http.Handler.
func (ui *UI) ServeHTTP(w http.ResponseWriter, r *http.Request) { ui.handler.ServeHTTP(w, r) }
