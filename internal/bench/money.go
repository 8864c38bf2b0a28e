package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed money.sql
var moneySQL string

// FillMoney gives the customers of Fill invoices with lines and payments over
// the last two years; one of them, BIG, gets many.
func FillMoney(ctx context.Context, conn *pgx.Conn, invoices, lines, big, monthly int) error {
	body := strings.NewReplacer("$1", fmt.Sprint(invoices), "$2", fmt.Sprint(lines), "$3", fmt.Sprint(big), "$4",
		fmt.Sprint(monthly)).Replace(moneySQL)
	for _, statement := range []string{body, "vacuum analyze"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("fill money: %w", err)
		}
	}
	return nil
}

// StatementsReport is what a run over all statements took.
type StatementsReport struct {
	Statements, Failed int
	Took               time.Duration
	Bytes              int64    // of all papers
	Memory             []string // of the portal's process, as the run went on
}

func (r StatementsReport) String() string {
	return fmt.Sprintf("%d statements in %.1f s: %.0f a second, %d failed, %d KB a paper\nmemory %s", r.Statements,
		r.Took.Seconds(), float64(r.Statements)/r.Took.Seconds(), r.Failed, r.Bytes/int64(max(r.Statements, 1))/1024,
		strings.Join(r.Memory, ", "))
}

// Statements begins a run over a period, which a running portal works, and
// waits for its end. The period must not have been run before.
func Statements(ctx context.Context, conn *pgx.Conn, from, to time.Time, pid int) (StatementsReport, error) {
	var out StatementsReport
	var run *int64
	start := time.Now()
	if err := conn.QueryRow(ctx, "select portal.begin_statement_run($1, $2)", from, to).Scan(&run); err != nil {
		return out, fmt.Errorf("begin the run: %w", err)
	}
	if run == nil {
		return out, errors.New("begin the run: there was one over this period already")
	}
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for n := 0; ; n++ {
		var wait int
		err := conn.QueryRow(ctx,
			"select count(*) filter (where status = 'QUEUED'), count(*) filter (where status = 'READY'), count(*) filter "+
				"(where status = 'FAILED') from portal.statement where run_id = $1", *run).Scan(&wait, &out.Statements, &out.Failed)
		if err != nil {
			return out, fmt.Errorf("look at the run: %w", err)
		}
		if n%10 == 0 || wait == 0 {
			out.Memory = append(out.Memory, fmt.Sprintf("%d MB at %d", resident(pid)>>20, out.Statements))
		}
		if wait == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-every.C:
		}
	}
	out.Took = time.Since(start)
	err := conn.QueryRow(ctx, "select coalesce(sum(length(d.data)), 0) from portal.statement s join portal.document d "+
		"using (document_id) where s.run_id = $1", *run).Scan(&out.Bytes)
	return out, err
}
