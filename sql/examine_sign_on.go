package sql

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// signOn looks at single sign-on of staff as the database has it.
func (e Examination) signOn(ctx context.Context, conn *pgx.Conn, found *findings) error {
	rows, _ := conn.Query(ctx, query("examine_sign_on"), args{"duties": append([]string{}, e.SignOnDuties...)})
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
		Closed  bool
		Unknown []string
	}])
	if err != nil {
		return err
	}
	if e.SignOn {
		found.add(len(s.Unknown) == 0, "Change PORTAL_SSO_DUTIES: nobody with such a group can log in.",
			"the duties that groups give are there (unknown: %s)", orNothing(strings.Join(s.Unknown, ", ")))
	}
	if s.Closed {
		found.add(e.SignOn,
			"Nobody of the staff can log in: set PORTAL_SSO_ISSUER, or erp.company.staff_local_login, "+
				"or let somebody in by portal user let-in.",
			"staff log in by single sign-on only")
	}
	return nil
}
