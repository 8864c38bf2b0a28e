// Package health is what operators watch of a running portal: samples of a
// node, of its database and of its jobs, the signs that are judged from them,
// and the thresholds they are judged by.
//
// It is no part of the trade and imports the standard library only. Package
// cmd/portal takes the samples, http/ops shows them.
package health

import (
	"time"
)

// Node is what one node knows of itself and of its database: what operators
// look at.
type Node struct {
	Name    string
	Version string // of the program
	Since   time.Time
	Now     time.Time
	Every   time.Duration // between two samples
	Samples []Sample      // the oldest first; none in the first moments
}

// Last is the newest sample, nil where there is none yet.
func (n Node) Last() *Sample {
	if len(n.Samples) == 0 {
		return nil
	}
	return &n.Samples[len(n.Samples)-1]
}

// Sample is a node at one moment. Its counts are since the node started.
type Sample struct {
	At time.Time

	Sockets    int64
	QueueBytes int64 // waiting for all sockets
	Resyncs    int64
	SlowCloses int64
	Lag        Distribution // from a change to its frame

	Connected  bool          // the event source's connection stands
	WokenUp    bool          // the last self-test's notification arrived
	ReadAge    time.Duration // since the event log was last read
	Reconnects int64
	Events     int64

	Pages    Distribution // times to answer, files of the pages' own aside
	Failures int64        // answers with 500 and above

	Pools []Pool

	Database *Database // read every few samples; nil: could not be read
	Jobs     *Jobs     // likewise
}

// Pool is a pool of database connections at one moment.
type Pool struct {
	Name  string `json:"name"`
	Used  int    `json:"used"`
	Idle  int    `json:"idle"`
	Max   int    `json:"max"`
	Waits int64  `json:"waits"` // requests that had to wait for a connection
}

// Database holds figures of the whole database, whichever node asks.
type Database struct {
	At             time.Time `json:"at"`
	Bytes          int64     `json:"bytes"`
	Connections    int       `json:"connections"` // to the whole server
	MaxConnections int       `json:"max_connections"`

	// OldestTransactionSeconds is how long the longest transaction has run, of
	// those that the log-in may see: its own, or all (SeesAll).
	OldestTransactionSeconds float64 `json:"oldest_transaction_seconds"`
	SeesAll                  bool    `json:"sees_all"`

	LogRows          int64   `json:"log_rows"` // estimated
	LogBytes         int64   `json:"log_bytes"`
	LogOldestSeconds float64 `json:"log_oldest_seconds"` // 0: the log is empty

	NotifyUsage float64           `json:"notify_usage"` // share of PostgreSQL's NOTIFY queue in use
	Slots       []ReplicationSlot `json:"slots"`

	MailsQueued       int     `json:"mails_queued"`
	MailOldestSeconds float64 `json:"mail_oldest_seconds"` // how long the first has waited
	MailsFailed       int     `json:"mails_failed"`        // of the last 24 hours

	StatementsFailed int `json:"statements_failed"` // not made, and not begun again

	ProofAt   *time.Time `json:"proof_at"` // nil: never
	ProofOpen int        `json:"proof_open"`
}

// ReplicationSlot is a slot of the server.
type ReplicationSlot struct {
	Name          string `json:"name"`
	Active        bool   `json:"active"`
	Ours          bool   `json:"ours"`           // of a node's event source
	RetainedBytes int64  `json:"retained_bytes"` // of WAL that the server keeps for it
	LagBytes      int64  `json:"lag_bytes"`      // of WAL that its reader has not confirmed
}

// Retained is the WAL kept for the slot that holds most.
func (f Database) Retained() (most int64) {
	for _, s := range f.Slots {
		most = max(most, s.RetainedBytes)
	}
	return most
}

// Jobs says how the jobs of the whole database stand.
type Jobs struct {
	Queues     []Queue    `json:"queues"`
	CheckedAt  *time.Time `json:"checked_at"` // when the invariants were last checked
	Violations int        `json:"violations"`
}

// Queue counts a queue's jobs.
type Queue struct {
	Queue         string  `json:"queue"`
	Available     int     `json:"available"`
	Running       int     `json:"running"`
	Retrying      int     `json:"retrying"`
	Discarded     int     `json:"discarded"`
	OldestSeconds float64 `json:"oldest_seconds"`
}
