// Package pgtest gives each test a PostgreSQL database of its own, on one
// private server per test process. A machine without PostgreSQL server programs
// fails the tests and says what to install.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestOrder(t *testing.T) {
//		db := pgtest.New(t)
//		… db.Pool, db.URL …
//	}
//
// New copies a migrated template, Empty makes a database without a schema, and
// Private one on a server that the test may stop, kill and start again. Tests
// that use them can all run in parallel.
//
// The server itself is run by internal/localpg; what the template holds is
// said in template.go, and how processes share it in seed.go.
package pgtest

import (
	"fmt"
	"os"
	"testing"
)

// shared is the server of this test process. It is the one piece of state of
// the package: the testing package offers no other way from TestMain to the
// tests.
var shared cluster

// Main runs the tests of a package, then what after says, and stops the server they used, if any. Call
// it from TestMain; it does not return. Without it the server ends with the
// process all the same (on Linux), but its files stay until the next run.
func Main(m *testing.M, after ...func()) {
	code := m.Run()
	for _, f := range after {
		f()
	}
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}
