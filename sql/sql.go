// Package sql is the PostgreSQL side of the domain: migrations, functions,
// queries, and the stores that implement the interfaces of package portal on
// them.
//
// Rules that protect money, stock, status and privacy live in the database;
// this package gives them to Go and turns the database's refusals into
// portal.Error. Package triggers holds the triggers, listener reads the event
// log, jobs runs what is enqueued.
package sql
