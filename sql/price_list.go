package sql

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

//go:embed staging/*.sql
var stagingFiles embed.FS

// staging are the statements on temporary tables, by name.
var staging = mustReadQueries(stagingFiles, "staging")

func stagingQuery(name string) string {
	text, ok := staging[name]
	if !ok {
		panic("sql: no staging query named " + name)
	}
	return text
}

// ExportPrices implements portal.PriceDesk.
func (s *PriceDesk) ExportPrices(ctx context.Context, who portal.Session, list portal.PriceList, w io.Writer) error {
	if list.Columns() == nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such price list.")
	}
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		_, err := tx.Conn().PgConn().CopyTo(ctx, w, stagingQuery(string(list)+"_export"))
		return err
	})
	if err != nil {
		return fmt.Errorf("export %s: %w", list, err)
	}
	return nil
}

// errDryRun ends the transaction of a list that is only checked.
var errDryRun = errors.New("dry run")

// ImportPrices implements portal.PriceDesk.
func (s *PriceDesk) ImportPrices(ctx context.Context, who portal.Session, list portal.PriceList, file io.Reader,
	o portal.ImportOptions) (portal.PriceImport, error) {
	out := portal.PriceImport{List: list}
	rows, err := portal.NewPriceListReader(file, list)
	if err != nil {
		return out, err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := stagePrices(ctx, tx, rows, &out); err != nil {
			return err
		}
		if !o.Apply || out.Bad > 0 && !o.LeaveOut {
			return errDryRun
		}
		out.Applied = true
		return applyPrices(ctx, tx, list)
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return portal.PriceImport{List: list}, fmt.Errorf("import %s: %w", list, err)
	}
	return out, nil
}

// stagePrices brings the rows into the database and finds out what they would
// change and what is wrong with them.
func stagePrices(ctx context.Context, tx pgx.Tx, rows *portal.PriceListReader, out *portal.PriceImport) error {
	var alone bool
	if err := tx.QueryRow(ctx, stagingQuery("begin")).Scan(&alone); err != nil {
		return err
	}
	if !alone {
		return portal.Errorf(portal.CodeConflict,
			"Another price list is being loaded just now. Please try again in a minute.")
	}
	list := string(out.List)
	if _, err := tx.Exec(ctx, stagingQuery("bad")); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, stagingQuery(list+"_rows")); err != nil {
		return err
	}
	columns := []string{"line"}
	for _, c := range out.List.Columns() {
		columns = append(columns, c.Name)
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"pg_temp", "price_row"}, columns,
		&priceRows{rows: rows, out: out}); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, stagingQuery(list+"_resolve")); err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	if out.List != portal.ListLevels {
		if err := matchRules(ctx, tx, out.List); err != nil {
			return err
		}
	}
	var bad, found int
	if err := tx.QueryRow(ctx, stagingQuery("counts")).Scan(&out.New, &out.Changed, &out.Unchanged, &bad,
		&found); err != nil {
		return err
	}
	listed, _ := tx.Query(ctx, stagingQuery("problems"), args{"row_limit": portal.MaxProblems})
	problems, err := pgx.CollectRows(listed, pgx.RowToStructByName[portal.PriceProblem])
	if err != nil {
		return err
	}
	out.Add(problems...)
	out.Sort()
	out.Bad += bad
	out.Found += found - len(problems)
	return nil
}

func matchRules(ctx context.Context, tx pgx.Tx, list portal.PriceList) error {
	if _, err := tx.Exec(ctx, stagingQuery("match")); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	if list == portal.ListContracts {
		if _, err := tx.Exec(ctx, stagingQuery("contracts_units")); err != nil {
			return fmt.Errorf("units: %w", err)
		}
	}
	for {
		var found int
		if err := tx.QueryRow(ctx, stagingQuery("overlaps")).Scan(&found); err != nil {
			return fmt.Errorf("overlaps: %w", err)
		}
		if found == 0 {
			return nil
		}
	}
}

// applyPrices writes what was staged.
func applyPrices(ctx context.Context, tx pgx.Tx, list portal.PriceList) error {
	if list == portal.ListLevels {
		_, err := tx.Exec(ctx, stagingQuery("levels_apply"))
		return err
	}
	for _, shorter := range []bool{true, false} {
		if _, err := tx.Exec(ctx, stagingQuery(string(list)+"_change"), args{"shorter": shorter}); err != nil {
			return fmt.Errorf("change: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, stagingQuery(string(list)+"_add")); err != nil {
		return fmt.Errorf("add: %w", err)
	}
	return nil
}

// priceRows feeds the good rows of a file to COPY, and notes the bad ones.
type priceRows struct {
	rows *portal.PriceListReader
	out  *portal.PriceImport
	row  portal.PriceRow
	err  error
}

// Next implements pgx.CopyFromSource.
func (p *priceRows) Next() bool {
	for {
		p.row, p.err = p.rows.Read()
		if p.err != nil {
			return false
		}
		p.out.Rows++
		if len(p.row.Problems) == 0 {
			return true
		}
		p.out.Bad++
		p.out.Add(p.row.Problems...)
	}
}

// Values implements pgx.CopyFromSource.
func (p *priceRows) Values() ([]any, error) {
	values := make([]any, 0, len(p.row.Cells)+1)
	values = append(values, int32(p.row.Line))
	for _, cell := range p.row.Cells {
		values = append(values, cell)
	}
	return values, nil
}

// Err implements pgx.CopyFromSource.
func (p *priceRows) Err() error {
	if errors.Is(p.err, io.EOF) {
		return nil
	}
	return p.err
}
