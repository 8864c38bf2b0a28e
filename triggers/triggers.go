// Package triggers holds the triggers on the ERP's tables: the rules that
// protect stock, status and money whatever program writes, and the events that
// tell open pages what changed. One subject a file, each safe to install again;
// the event contract is in docs/architecture.md.
//
// It only carries the files; package sql installs them when it migrates.
package triggers

import "embed"

// FS holds the trigger files, *.sql, in no particular order: none needs
// another at the time it is installed.
//
//go:embed *.sql
var FS embed.FS
