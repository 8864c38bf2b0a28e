package health

import (
	"fmt"
	"math"
)

func (n Node) databaseSigns() []Sign {
	db := n.Last().Database
	if db == nil {
		return []Sign{{
			Key:       "database",
			Group:     GroupDatabase,
			Title:     "Database",
			State:     Bad,
			Text:      "Cannot be read",
			Threshold: "Bad when it does not answer within 2 s",
			Advice: "Is PostgreSQL up, and are connections free? portal doctor tells more. What is said of it " +
				"below is missing, not good.",
		}}
	}
	return []Sign{n.eventLogSign(db), n.notifySign(db), n.slotSign(db), n.connectionSign(db), n.transactionSign(db),
		n.sizeSign(db)}
}

// ofDatabase is the plot of a figure of the database; a gap where it could not
// be read.
func (n Node) ofDatabase(of func(*Database) float64) Series {
	return n.series(func(s *Sample) float64 {
		if s.Database == nil {
			return math.NaN()
		}
		return of(s.Database)
	})
}

func (n Node) eventLogSign(db *Database) Sign {
	sign := Sign{
		Key:       "event-log",
		Group:     GroupDatabase,
		Title:     "Event log",
		Value:     float64(db.LogBytes),
		Unit:      "bytes",
		Text:      fmt.Sprintf("%s events, %s", count(db.LogRows), Bytes(db.LogBytes)),
		Note:      "empty",
		Threshold: "Look from 84 hours or 1 GB, bad from 120 hours or 8 GB",
		Series:    n.ofDatabase(func(f *Database) float64 { return float64(f.LogBytes) }),
		Advice: "Housekeeping should prune events after 72 hours, but not past the oldest running " +
			"transaction. Look at the job housekeeping, and for transactions that stay open.",
	}
	if db.LogOldestSeconds > 0 {
		sign.Note = "the oldest from " + inWords(db.LogOldestSeconds) + " ago"
	}
	if limitLogAge.of(db.LogOldestSeconds) != Good {
		sign.Text += ", the oldest " + inWords(db.LogOldestSeconds)
	}
	sign.State = worse(limitLogAge.of(db.LogOldestSeconds), limitLogBytes.of(float64(db.LogBytes)))
	return sign
}

func (n Node) notifySign(db *Database) Sign {
	return Sign{
		Key:       "notify-queue",
		Group:     GroupDatabase,
		Title:     "NOTIFY queue",
		Value:     db.NotifyUsage,
		Text:      fmt.Sprintf("%.1f %% used", 100*db.NotifyUsage),
		State:     limitNotify.of(db.NotifyUsage),
		Threshold: "Look from 1 %, bad from 25 %",
		Series:    n.ofDatabase(func(f *Database) float64 { return f.NotifyUsage }),
		Advice: "A session that listens does not come to its end: it is busy in a transaction, or hangs. When " +
			"the queue is full every NOTIFY fails. portal doctor names ours; for others: select * from " +
			"pg_stat_activity where query ilike 'listen%'.",
	}
}

func (n Node) slotSign(db *Database) Sign {
	sign := Sign{
		Key:       "slots",
		Group:     GroupDatabase,
		Title:     "Replication slots",
		Value:     float64(db.Retained()),
		Unit:      "bytes",
		Text:      "None",
		State:     limitRetained.of(float64(db.Retained())),
		Threshold: "Look from 1 GB of WAL kept or when one is not in use, bad from 10 GB",
		Advice: "A slot keeps WAL until its reader has taken it. One that nobody reads fills the disk: select " +
			"pg_drop_replication_slot('…'), if its reader does not come back.",
		Series: n.ofDatabase(func(f *Database) float64 { return float64(f.Retained()) }),
	}
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
		sign.Text = fmt.Sprintf("%d, %s of WAL kept", all, Bytes(db.Retained()))
		sign.Note = fmt.Sprintf("%d of the portal's, %s behind", ours, Bytes(lag))
		if idle > 0 {
			sign.Text = fmt.Sprintf("%d of %d not in use, %s of WAL kept", idle, all, Bytes(db.Retained()))
			sign.State = worse(sign.State, Look)
		}
	}
	return sign
}

func (n Node) connectionSign(db *Database) Sign {
	share := float64(db.Connections) / float64(max(db.MaxConnections, 1))
	return Sign{
		Key:       "connections",
		Group:     GroupDatabase,
		Title:     "Connections to the server",
		Value:     float64(db.Connections),
		Text:      fmt.Sprintf("%d of %d", db.Connections, db.MaxConnections),
		State:     limitConnections.of(share),
		Threshold: "Look from 80 %, bad from 95 %",
		Advice: "When none is free, requests and the ERP are refused. Put a pooler in between " +
			"(PORTAL_DIRECT_URL then leads past it), or raise max_connections.",
		Series: n.ofDatabase(func(f *Database) float64 { return float64(f.Connections) }),
	}
}

func (n Node) transactionSign(db *Database) Sign {
	sign := Sign{
		Key:       "transactions",
		Group:     GroupDatabase,
		Title:     "Longest transaction",
		Value:     db.OldestTransactionSeconds,
		Unit:      "seconds",
		Text:      inWords(db.OldestTransactionSeconds),
		State:     limitTransaction.of(db.OldestTransactionSeconds),
		Threshold: "Look from 5 minutes, bad from an hour",
		Advice: "Events of others pass it by, but it holds back pruning and vacuum, and makes cursors longer. " +
			"Find it: select pid, application_name, xact_start, query from pg_stat_activity order by xact_start " +
			"limit 5.",
		Series: n.ofDatabase(func(f *Database) float64 { return f.OldestTransactionSeconds }),
	}
	if !db.SeesAll {
		sign.Note = "of the portal's own; grant pg_monitor to the log-in to see all"
	}
	return sign
}

func (n Node) sizeSign(db *Database) Sign {
	return Sign{
		Key:    "size",
		Group:  GroupDatabase,
		Title:  "Size",
		State:  Good,
		Value:  float64(db.Bytes),
		Unit:   "bytes",
		Text:   Bytes(db.Bytes),
		Series: n.ofDatabase(func(f *Database) float64 { return float64(f.Bytes) }),
	}
}
