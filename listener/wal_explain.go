package listener

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// explain adds to an error of the server what an operator is to do about it.
func explain(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	var advice string
	switch {
	case pg.Code == "55000" && strings.Contains(pg.Message, "wal_level"):
		advice = "set wal_level = logical in postgresql.conf and restart PostgreSQL, or use the event source notify"
	case strings.Contains(pg.Message, "startup parameter"):
		advice = "a pooler is in between: set PORTAL_DIRECT_URL to the server itself"
	case pg.Code == "42501":
		advice = "the log-in of the direct URL needs a right that the event source notify does not: alter role … replication"
	case pg.Code == "53400":
		advice = "no replication slot is free: raise max_replication_slots, by one for each node of the portal, and " +
			"restart PostgreSQL"
	case pg.Code == "53300" && strings.Contains(pg.Message, "wal_senders"):
		advice = "no WAL sender is free: raise max_wal_senders, by one for each node of the portal, and restart PostgreSQL"
	case pg.Code == "42704" && strings.Contains(pg.Message, "publication"):
		advice = "run portal migrate"
	default:
		return err
	}
	return fmt.Errorf("%w (%s)", err, advice)
}
