package sql

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// certificates tells until when those are good that lie in the database, for all nodes.
func (e Examination) certificates(ctx context.Context, conn *pgx.Conn, found *findings) error {
	rows, _ := conn.Query(ctx, query("examine_certificates"))
	chains, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct{ Name, Chain string }])
	if err != nil {
		return err
	}
	for _, c := range chains {
		held, err := portal.ReadCertificate([]byte(c.Chain))
		if err != nil {
			continue // an account, or a challenge under way
		}
		held.Host = c.Name
		found.list = append(found.list, CheckCertificate(held, time.Now()))
	}
	return nil
}

// CheckCertificate is what to say of a certificate: that it ended is wrong, that it ends soon a warning.
func CheckCertificate(c portal.Certificate, now time.Time) Checkup {
	found := Checkup{OK: c.Left(now) > 0, What: "the certificate of " + c.Words(now)}
	advice := "It should have been renewed by now. By ACME: are the name and ports 80 and 443 this machine's (see the " +
		"log of portal serve)? From files: put the new one in place, it is read at once."
	switch {
	case !found.OK:
		found.Advice = advice
	case c.EndsSoon(now):
		found.Note = "It ends soon. " + advice
	}
	if strings.HasSuffix(c.Host, "+rsa") && found.Note != "" {
		found.Note += " (+rsa: the one for old browsers; it is renewed when one comes.)"
	}
	return found
}
