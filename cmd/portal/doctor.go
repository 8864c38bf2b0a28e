package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"portal.example/portal/sql"
)

type doctorCommand struct {
	database
}

// Help teaches what the flags do not.
func (doctorCommand) Help() string {
	return `Looks at the database as the portal needs it: version, migrations, functions and triggers as this binary carries
them, rights of the roles, the event path, invariants. Each finding says what to do. Ends with 1 if anything is wrong.`
}

func (c doctorCommand) Run(ctx context.Context, out io.Writer) error {
	findings, err := sql.Examine(ctx, c.URL)
	if err != nil {
		return err
	}
	bad := 0
	for _, f := range findings {
		mark := "ok  "
		if !f.OK {
			mark = "BAD "
			bad++
		}
		fmt.Fprintf(out, "%s %s\n", mark, f.What)
		if !f.OK {
			fmt.Fprintf(out, "     %s\n", f.Advice)
		}
	}
	if bad > 0 {
		return errors.New("not all is well")
	}
	return nil
}
