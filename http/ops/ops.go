// Package ops is the operators' counter: how the portal is, its mail, the price
// proof, runs of statements and the jobs.
package ops

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"time"

	"portal.example/portal"
	"portal.example/portal/health"
	"portal.example/portal/http/page"
)

// Services are what the pages ask.
type Services struct {
	Mails      portal.MailService
	Proofs     portal.ProofService
	Statements portal.StatementDesk
	// Enqueue adds a job and reports whether it did: one that waits already is
	// not doubled.
	Enqueue func(ctx context.Context, args portal.JobArgs) (added bool, err error)
	// Ops is what the overview shows of this node.
	Ops func() health.Node
	// JobsUI is mounted under /ops/jobs; JobsCSP replaces the pages' content
	// security policy there.
	JobsUI  http.Handler
	JobsCSP string
}

// Counter serves the operators' pages. Safe for concurrent use.
type Counter struct {
	*page.Kit
	Services
}

// New serves with kit, which has Templates.
func New(kit *page.Kit, services Services) *Counter { return &Counter{kit, services} }

//go:embed html
var files embed.FS

// Templates are the pages' own.
var Templates = page.Templates{Counter: "ops", Files: files, Funcs: func(func() time.Time) template.FuncMap {
	return template.FuncMap{"mailStatus": mailStatus, "spark": sparkOf}
}}
