// Package page is the kit of every page: who asks and what they may see, what a
// form held, how an answer is written, the frame and the pieces around it, and
// the files that a browser loads with it.
//
// The counters (packages shop, desk and ops) build their pages with it. It knows
// none of them and none of their services.
package page

import (
	"fmt"
	"log/slog"
	"time"

	"portal.example/portal"
)

// Config is what a Kit needs. All services must be set.
type Config struct {
	Sessions portal.SessionService
	Frames   portal.FrameService
	Factors  portal.FactorService
	SignOn   *SignOn     // nil: there is no single sign-on
	Duties   DutyService // nil: refusals name nobody and are not kept
	Acts     portal.ActRecorder
	Brand    Brand
	Logger   *slog.Logger

	// PlainHTTP is for a server that is reached without TLS, as the demo is
	// on the loopback address: its cookie is not Secure and there is no HSTS.
	PlainHTTP bool

	// TrustedProxies may say who the client is, in X-Forwarded-For.
	TrustedProxies portal.Networks
	// UnknownProxy, if set, is called once for each source of which
	// X-Forwarded-For came and that is no trusted proxy.
	UnknownProxy func(source string)

	// PublicURL is where the portal is reached, without a slash at its end: the
	// beginning of links that are handed on. Empty: they are paths.
	PublicURL string

	// Limits of time for requests and answers.
	Limits Limits

	// Observed, if set, is called after each answered request.
	Observed func(path string, status int, took time.Duration)
}

// SignOn is single sign-on of staff: the provider, and whose log-in an account there is.
type SignOn struct {
	portal.IdentityProvider
	portal.SignOnService
}

// Kit is what all pages share. Safe for concurrent use.
type Kit struct {
	Config
	Assets    *Assets
	pages     *pages
	strangers strangers

	// IsPage tells the paths that a browser may be sent to; whoever makes the
	// routes sets it.
	IsPage func(path string) bool
}

// New makes the kit with the templates of the counters. An error is a slip in
// what is embedded, or in the brand.
func New(config Config, counters ...Templates) (*Kit, error) {
	k := &Kit{Config: config}
	if k.Logger == nil {
		k.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if k.Assets, err = NewAssets(config.Brand); err != nil {
		return nil, fmt.Errorf("page: assets: %w", err)
	}
	if k.pages, err = parsePages(k.Assets, counters...); err != nil {
		return nil, fmt.Errorf("page: templates: %w", err)
	}
	return k, nil
}
