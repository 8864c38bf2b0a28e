// Package listener turns the commits of PostgreSQL into one ordered stream of
// events. A source reads the log that triggers write (portal.event) and hands
// over every committed event exactly once, in batches, each with the position
// after it.
//
// Who hears what is realtime's affair; the rows are the triggers'.
package listener
