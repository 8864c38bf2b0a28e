package main

import (
	"context"
	"time"

	"portal.example/portal/sql"
)

// sealEvery is how long a row of the audit log may wait for its seal: so long
// somebody who owns the tables could change it unseen.
const sealEvery = 5 * time.Second

// startSealing begins to seal the audit log, and returns what ends it.
func (a *app) startSealing(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.sealAudit(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// sealAudit seals what comes into the audit log until ctx ends. Of several nodes
// that ask at once, one does it.
func (a *app) sealAudit(ctx context.Context) {
	proof, house := sql.NewProof(a.db.Work), sql.NewHousekeeper(a.db.Work)
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	for {
		if err := house.TellLogInFailures(ctx); err != nil && ctx.Err() == nil {
			a.logger.Warn("wrong passwords are not in the audit log", "error", err)
		}
		if _, err := proof.SealAudit(ctx); err != nil && ctx.Err() == nil {
			a.logger.Warn("audit log not sealed", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
