package health

import (
	"fmt"
	"math"
)

func (n Node) workSigns() []Sign {
	var out []Sign
	if jobs := n.Last().Jobs; jobs == nil {
		out = append(out, Sign{
			Key:       "jobs",
			Group:     GroupWork,
			Title:     "Jobs",
			State:     Bad,
			Text:      "Cannot be read",
			Threshold: "Bad when they cannot be read",
			Advice:    "Is PostgreSQL up? Orders wait for their approval while jobs stand still.",
		})
	} else {
		out = append(out, n.jobSign(*jobs), n.invariantSign(*jobs))
	}
	db := n.Last().Database
	if db == nil {
		return out
	}
	return append(out, n.mailSign(db), statementSign(db), n.proofSign(db))
}

func (n Node) jobSign(jobs Jobs) Sign {
	waiting, discarded, oldest := 0, 0, 0.0
	for _, q := range jobs.Queues {
		waiting += q.Available + q.Retrying
		discarded += q.Discarded
		oldest = max(oldest, q.OldestSeconds)
	}
	sign := Sign{
		Key:       "jobs",
		Group:     GroupWork,
		Title:     "Jobs",
		Value:     float64(waiting),
		Text:      fmt.Sprintf("%s waiting", count(int64(waiting))),
		State:     limitJobWait.of(oldest),
		Threshold: "Look when one was given up or waits for a minute, bad for 15 minutes",
		Advice: "Jobs shows what they failed with, and runs them again. If they only wait: is a node running " +
			"that works jobs?",
		Series: n.series(func(s *Sample) float64 {
			if s.Jobs == nil {
				return math.NaN()
			}
			v := 0
			for _, q := range s.Jobs.Queues {
				v += q.Available + q.Retrying
			}
			return float64(v)
		}),
	}
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
	sign := Sign{
		Key:       "invariants",
		Group:     GroupWork,
		Title:     "Invariants",
		State:     Unknown,
		Text:      "Not checked yet",
		Note:      "they are checked every night",
		Value:     float64(jobs.Violations),
		Threshold: "Bad when one is violated, look when the last check is older than 36 hours",
		Advice: "Something wrote figures past the rules: select * from erp.check_invariants() tells which. " +
			"portal.audit and the price proof help to find who.",
	}
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

// statementSign says whether statements could not be made: their customers wait
// for them, and nothing tries again by itself.
func statementSign(db *Database) Sign {
	sign := Sign{
		Key:       "statements",
		Group:     GroupWork,
		Title:     "Statements",
		State:     Good,
		Text:      "None failed",
		Value:     float64(db.StatementsFailed),
		Threshold: "Look when one failed",
		Advice:    "Statements says why each failed; when that is mended, its button makes them again.",
	}
	if db.StatementsFailed > 0 {
		sign.State, sign.Text = Look, fmt.Sprintf("%d failed", db.StatementsFailed)
	}
	return sign
}

func (n Node) mailSign(db *Database) Sign {
	sign := Sign{
		Key:       "mails",
		Group:     GroupWork,
		Title:     "Mails",
		Value:     float64(db.MailsQueued),
		Text:      fmt.Sprintf("%s waiting", count(int64(db.MailsQueued))),
		Note:      fmt.Sprintf("%d failed in 24 hours", db.MailsFailed),
		State:     limitMailWait.of(db.MailOldestSeconds),
		Threshold: "Look when one failed or waits for 15 minutes, bad for 2 hours",
		Advice: "Mail lists them with the server's words, and sends them again. portal doctor logs in at the " +
			"mail server.",
		Series: n.ofDatabase(func(f *Database) float64 { return float64(f.MailsQueued) }),
	}
	if db.MailsFailed > 0 {
		sign.State = worse(sign.State, Look)
		sign.Text, sign.Note = fmt.Sprintf("%d failed, %s", db.MailsFailed, sign.Text), "failed in 24 hours"
	}
	return sign
}

func (n Node) proofSign(db *Database) Sign {
	sign := Sign{
		Key:       "proof",
		Group:     GroupWork,
		Title:     "Price proof",
		State:     Unknown,
		Text:      "None yet",
		Note:      "it runs every night",
		Value:     float64(db.ProofOpen),
		Threshold: "Look when something differs or the last is older than 36 hours",
		Advice:    "Price proof says what differs, and takes a note of what it is; its button runs one at once.",
	}
	if db.ProofAt != nil {
		age := n.Now.Sub(*db.ProofAt)
		sign.State, sign.Text, sign.Note = Good, "Everything agrees", "proved "+inWords(age.Seconds())+" ago"
		if db.ProofOpen > 0 {
			sign.State, sign.Text = Look, fmt.Sprintf("%d open differences", db.ProofOpen)
		} else if age > checkEvery {
			sign.State, sign.Text = Look, "Not proved lately"
		}
	}
	return sign
}
