package sql

import "maps"

// Queries returns a copy of the named statements, for the test that has
// PostgreSQL check each of them.
func Queries() map[string]string { return maps.Clone(queries) }
