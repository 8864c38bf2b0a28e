package health

import (
	"fmt"
	"math"
	"time"
)

func (n Node) databaseSigns() []Sign {
	db := n.Last().Database
	if db == nil {
		return []Sign{{Key: "database", Group: GroupDatabase, Title: "Database", State: Bad, Text: "Cannot be read", Threshold: "Bad when it does not answer within 2 s",
			Advice: "Is PostgreSQL up, and are connections free? portal doctor tells more. What is said of it below is missing, not good."}}
	}
	series := func(of func(*Database) float64) Series {
		return n.series(func(s *Sample) float64 {
			if s.Database == nil {
				return math.NaN()
			}
			return of(s.Database)
		})
	}
	log := Sign{Key: "event-log", Group: GroupDatabase, Title: "Event log", Value: float64(db.LogBytes), Unit: "bytes", Text: fmt.Sprintf("%s events, %s", count(db.LogRows), Bytes(db.LogBytes)),
		Note: "empty", Threshold: "Look from 84 hours or 1 GB, bad from 120 hours or 8 GB", Series: series(func(f *Database) float64 { return float64(f.LogBytes) }),
		Advice: "Housekeeping should prune events after 72 hours, but not past the oldest running transaction. Look at the job housekeeping, and for transactions that stay open."}
	if db.LogOldestSeconds > 0 {
		log.Note = "the oldest from " + inWords(db.LogOldestSeconds) + " ago"
	}
	if limitLogAge.of(db.LogOldestSeconds) != Good {
		log.Text += ", the oldest " + inWords(db.LogOldestSeconds)
	}
	log.State = worse(limitLogAge.of(db.LogOldestSeconds), limitLogBytes.of(float64(db.LogBytes)))

	notify := Sign{Key: "notify-queue", Group: GroupDatabase, Title: "NOTIFY queue", Value: db.NotifyUsage, Text: fmt.Sprintf("%.1f %% used", 100*db.NotifyUsage), State: limitNotify.of(db.NotifyUsage),
		Threshold: "Look from 1 %, bad from 25 %", Series: series(func(f *Database) float64 { return f.NotifyUsage }),
		Advice: "A session that listens does not come to its end: it is busy in a transaction, or hangs. When the queue is full every NOTIFY fails. portal doctor names ours; for others: select * from pg_stat_activity where query ilike 'listen%'."}

	slots := Sign{Key: "slots", Group: GroupDatabase, Title: "Replication slots", Value: float64(db.Retained()), Unit: "bytes", Text: "None", State: limitRetained.of(float64(db.Retained())),
		Threshold: "Look from 1 GB of WAL kept or when one is not in use, bad from 10 GB", Advice: "A slot keeps WAL until its reader has taken it. One that nobody reads fills the disk: select pg_drop_replication_slot('…'), if its reader does not come back.",
		Series: series(func(f *Database) float64 { return float64(f.Retained()) })}
	if all := len(db.Slots); all > 0 {
		ours, idle, lag := 0, 0, int64(0)
		for _, slot := range db.Slots {
			if slot.Ours {
				ours++
				lag = max(lag, slot.LagBytes)
			}
			if !slot.Active {
				idle++
			}
		}
		slots.Text = fmt.Sprintf("%d, %s of WAL kept", all, Bytes(db.Retained()))
		slots.Note = fmt.Sprintf("%d of the portal's, %s behind", ours, Bytes(lag))
		if idle > 0 {
			slots.Text = fmt.Sprintf("%d of %d not in use, %s of WAL kept", idle, all, Bytes(db.Retained()))
			slots.State = worse(slots.State, Look)
		}
	}

	share := float64(db.Connections) / float64(max(db.MaxConnections, 1))
	connections := Sign{Key: "connections", Group: GroupDatabase, Title: "Connections to the server", Value: float64(db.Connections), Text: fmt.Sprintf("%d of %d", db.Connections, db.MaxConnections), State: limitConnections.of(share),
		Threshold: "Look from 80 %, bad from 95 %", Advice: "When none is free, requests and the ERP are refused. Put a pooler in between (PORTAL_DIRECT_URL then leads past it), or raise max_connections.",
		Series: series(func(f *Database) float64 { return float64(f.Connections) })}

	transaction := Sign{Key: "transactions", Group: GroupDatabase, Title: "Longest transaction", Value: db.OldestTransactionSeconds, Unit: "seconds", Text: inWords(db.OldestTransactionSeconds), State: limitTransaction.of(db.OldestTransactionSeconds),
		Threshold: "Look from 5 minutes, bad from an hour", Advice: "Events of others pass it by, but it holds back pruning and vacuum, and makes cursors longer. Find it: select pid, application_name, xact_start, query from pg_stat_activity order by xact_start limit 5.",
		Series: series(func(f *Database) float64 { return f.OldestTransactionSeconds })}
	if !db.SeesAll {
		transaction.Note = "of the portal's own; grant pg_monitor to the log-in to see all"
	}
	size := Sign{Key: "size", Group: GroupDatabase, Title: "Size", State: Good, Value: float64(db.Bytes), Unit: "bytes", Text: Bytes(db.Bytes), Series: series(func(f *Database) float64 { return float64(f.Bytes) })}
	return []Sign{log, notify, slots, connections, transaction, size}
}

func (n Node) workSigns() []Sign {
	var out []Sign
	if jobs := n.Last().Jobs; jobs == nil {
		out = append(out, Sign{Key: "jobs", Group: GroupWork, Title: "Jobs", State: Bad, Text: "Cannot be read", Threshold: "Bad when they cannot be read", Advice: "Is PostgreSQL up? Orders wait for their approval while jobs stand still."})
	} else {
		out = append(out, n.jobSign(*jobs), n.invariantSign(*jobs))
	}
	db := n.Last().Database
	if db == nil {
		return out
	}
	mails := Sign{Key: "mails", Group: GroupWork, Title: "Mails", Value: float64(db.MailsQueued), Text: fmt.Sprintf("%s waiting", count(int64(db.MailsQueued))), Note: fmt.Sprintf("%d failed in 24 hours", db.MailsFailed), State: limitMailWait.of(db.MailOldestSeconds),
		Threshold: "Look when one failed or waits for 15 minutes, bad for 2 hours", Advice: "Mail lists them with the server's words, and sends them again. portal doctor logs in at the mail server.",
		Series: n.series(func(s *Sample) float64 {
			if s.Database == nil {
				return math.NaN()
			}
			return float64(s.Database.MailsQueued)
		})}
	if db.MailsFailed > 0 {
		mails.State = worse(mails.State, Look)
		mails.Text, mails.Note = fmt.Sprintf("%d failed, %s", db.MailsFailed, mails.Text), "failed in 24 hours"
	}
	proof := Sign{Key: "proof", Group: GroupWork, Title: "Price proof", State: Unknown, Text: "None yet", Note: "it runs every night", Value: float64(db.ProofOpen), Threshold: "Look when something differs or the last is older than 36 hours",
		Advice: "Price proof says what differs, and takes a note of what it is; its button runs one at once."}
	if db.ProofAt != nil {
		age := n.Now.Sub(*db.ProofAt)
		proof.State, proof.Text, proof.Note = Good, "Everything agrees", "proved "+inWords(age.Seconds())+" ago"
		if db.ProofOpen > 0 {
			proof.State, proof.Text = Look, fmt.Sprintf("%d open differences", db.ProofOpen)
		} else if age > checkEvery {
			proof.State, proof.Text = Look, "Not proved lately"
		}
	}
	return append(out, mails, statementSign(*db), proof)
}

func (n Node) jobSign(jobs Jobs) Sign {
	waiting, discarded, oldest := 0, 0, 0.0
	for _, q := range jobs.Queues {
		waiting += q.Available + q.Retrying
		discarded += q.Discarded
		oldest = max(oldest, q.OldestSeconds)
	}
	sign := Sign{Key: "jobs", Group: GroupWork, Title: "Jobs", Value: float64(waiting), Text: fmt.Sprintf("%s waiting", count(int64(waiting))), State: limitJobWait.of(oldest),
		Threshold: "Look when one was given up or waits for a minute, bad for 15 minutes", Advice: "Jobs shows what they failed with, and runs them again. If they only wait: is a node running that works jobs?",
		Series: n.series(func(s *Sample) float64 {
			if s.Jobs == nil {
				return math.NaN()
			}
			v := 0
			for _, q := range s.Jobs.Queues {
				v += q.Available + q.Retrying
			}
			return float64(v)
		})}
	if oldest > 0 {
		sign.Note = "the first for " + inWords(oldest)
	}
	if discarded > 0 {
		sign.State = worse(sign.State, Look)
		sign.Text = fmt.Sprintf("%d given up, %s", discarded, sign.Text)
	}
	return sign
}

// State judges one queue as the sign of all does.
func (q Queue) State() State {
	state := limitJobWait.of(q.OldestSeconds)
	if q.Discarded > 0 {
		state = worse(state, Look)
	}
	return state
}

// Wait is how long the first has waited, in words.
func (q Queue) Wait() string { return inWords(q.OldestSeconds) }

func (n Node) invariantSign(jobs Jobs) Sign {
	sign := Sign{Key: "invariants", Group: GroupWork, Title: "Invariants", State: Unknown, Text: "Not checked yet", Note: "they are checked every night", Value: float64(jobs.Violations),
		Threshold: "Bad when one is violated, look when the last check is older than 36 hours", Advice: "Something wrote figures past the rules: select * from erp.check_invariants() tells which. portal.audit and the price proof help to find who."}
	if jobs.CheckedAt == nil {
		return sign
	}
	age := n.Now.Sub(*jobs.CheckedAt)
	sign.State, sign.Text, sign.Note = Good, "All hold", "checked "+inWords(age.Seconds())+" ago"
	switch {
	case jobs.Violations > 0:
		sign.State, sign.Text = Bad, fmt.Sprintf("%d violated", jobs.Violations)
	case age > checkEvery:
		sign.State, sign.Text, sign.Advice = Look, "Not checked lately", "The nightly job has not run: look at Jobs."
	}
	return sign
}

func worse(a, b State) State {
	if a == Bad || b == Bad {
		return Bad
	}
	if a == Look || b == Look {
		return Look
	}
	return a
}

// Bytes is an amount of data in words. Here and below figures and units do not
// part at a line's end.
func Bytes(n int64) string {
	v, unit := float64(n), ""
	for _, u := range []string{"KB", "MB", "GB", "TB"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, u
	}
	switch {
	case unit == "":
		return fmt.Sprintf("%d\u00a0B", n)
	case v < 10:
		return fmt.Sprintf("%.1f\u00a0%s", v, unit)
	}
	return fmt.Sprintf("%.0f\u00a0%s", v, unit)
}

// count writes a number with its thousands apart.
func count(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func perSecond(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f/s", v)
	}
	return count(int64(math.Round(v))) + "/s"
}

// short is a time as engineers write it: 0.8 ms, 42 ms, 1.2 s.
func short(d time.Duration) string {
	switch ms := d.Seconds() * 1000; {
	case ms < 10:
		return fmt.Sprintf("%.1f\u00a0ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f\u00a0ms", ms)
	}
	return fmt.Sprintf("%.1f\u00a0s", d.Seconds())
}

// inWords is a length of time as one says it: 12 s, 5 min, 3 hours.
func inWords(seconds float64) string {
	switch {
	case seconds < 90:
		return fmt.Sprintf("%.0f\u00a0s", math.Max(seconds, 0))
	case seconds < 90*60:
		return fmt.Sprintf("%.0f\u00a0min", seconds/60)
	case seconds < 48*3600:
		return fmt.Sprintf("%.0f\u00a0hours", seconds/3600)
	}
	return fmt.Sprintf("%.0f\u00a0days", seconds/86400)
}

// statementSign says whether statements could not be made: their customers wait
// for them, and nothing tries again by itself.
func statementSign(db Database) Sign {
	sign := Sign{Key: "statements", Group: GroupWork, Title: "Statements", State: Good, Text: "None failed", Value: float64(db.StatementsFailed), Threshold: "Look when one failed",
		Advice: "Statements says why each failed; when that is mended, its button makes them again."}
	if db.StatementsFailed > 0 {
		sign.State, sign.Text = Look, fmt.Sprintf("%d failed", db.StatementsFailed)
	}
	return sign
}
