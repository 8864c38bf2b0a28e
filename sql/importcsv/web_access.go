package importcsv

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// webAccess is the file whose columns are the switches of Web Access.
const webAccess = "web_access"

// switchKinds are what the cells of a switch's column hold.
var switchKinds = map[portal.SwitchKind]kind{
	portal.SwitchOnOff: yesNo, portal.SwitchChoice: choice, portal.SwitchAmount: money, portal.SwitchDays: count,
}

// fileKinds are the files with the columns that this database has.
func (i *importer) fileKinds(ctx context.Context) ([]fileKind, error) {
	switches, err := i.switchColumns(ctx)
	if err != nil {
		return nil, fmt.Errorf("switches of web access: %w", err)
	}
	out := slices.Clone(fileKinds)
	for k, f := range out {
		if f.name == webAccess {
			out[k].columns = slices.Concat(f.columns, switches)
		}
	}
	return out, nil
}

// switchColumns reads erp.web_access_switch, so that a new switch can be imported as it is.
func (i *importer) switchColumns(ctx context.Context) ([]column, error) {
	rows, _ := i.tx.Query(ctx, steps["switches"])
	var out []column
	var c column
	var is portal.SwitchKind
	_, err := pgx.ForEachRow(rows, []any{&c.name, &is, &c.of}, func() error {
		var known bool
		if c.kind, known = switchKinds[is]; known {
			out = append(out, c)
		}
		c = column{}
		return nil
	})
	return out, err
}
