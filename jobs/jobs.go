// Package jobs does the work that no request waits for: approving orders,
// making statements, sending mail. It holds River's client and a worker for each
// kind of job. What a job does to the data is behind the interfaces of package
// portal; this package says when it runs, how often, and what a failure leads to.
//
// Jobs are enqueued in the transaction that causes them, most by triggers, so
// that plain SQL has the same effect as a click. Every worker may run twice
// and act once. A job that fails is tried again after 1, 2, 4 … seconds, from
// the tenth time on every 10 minutes, until its kind's limit; then it is kept
// as discarded, logged as an error, and waits for an operator:
//
//	kind            queue      limit            when
//	order_approval  approval   25 tries, 3 h    an order of source WEB is inserted
//	order_settle    approval   25 tries, 3 h    stock came in for an order that somebody held, or its line changed
//	standing_orders default    3 tries          at start and every minute
//	housekeeping    default    3 tries          at start and every 10 minutes
//	invariants      default    3 tries          at 03:00, local time of the process
package jobs
