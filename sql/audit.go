package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// ActStore implements portal.ActRecorder. Safe for concurrent use.
type ActStore struct{ db *DB }

// NewActStore records acts through the role of the log-in path, which every
// process that serves pages has.
func NewActStore(db *DB) *ActStore { return &ActStore{db} }

// maxActText is how much of an address the log keeps.
const maxActText = 500

// Record implements portal.ActRecorder.
func (s *ActStore) Record(ctx context.Context, who portal.Session, act portal.Act) error {
	data := map[string]string{}
	for name, text := range map[string]string{"what": act.What, "asked": act.Asked} {
		if text != "" {
			data[name] = firstBytes(text, maxActText)
		}
	}
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("record %s: %w", act.Kind, err)
	}
	_, err = s.db.Auth.Exec(ctx, query("act_record"), args{
		"session_id": who.ID, "kind": act.Kind, "customer_no": act.CustomerNo,
		"subject": firstBytes(act.Subject, maxActText), "data": string(text), "source": who.Source})
	if err != nil {
		return fmt.Errorf("record %s: %w", act.Kind, refusal(err))
	}
	return nil
}

// firstBytes is text cut to at most n bytes, between characters.
func firstBytes(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	return strings.ToValidUTF8(text, "")
}

// TellLogInFailures writes the wrong passwords of minutes that are over into the
// audit log.
func (h *Housekeeper) TellLogInFailures(ctx context.Context) error {
	if _, err := h.pool.Exec(ctx, query("login_failures_tell")); err != nil {
		return fmt.Errorf("tell failed log-ins: %w", err)
	}
	return nil
}

// ForgetAudit implements portal.Housekeeper.
func (h *Housekeeper) ForgetAudit(ctx context.Context) (int64, error) {
	n, err := inBatches(func() (n int64, err error) {
		err = h.pool.QueryRow(ctx, query("audit_forget"), args{"batch": forgetBatch}).Scan(&n)
		return n, err
	})
	if err != nil {
		return n, fmt.Errorf("forget old rows of the audit log: %w", err)
	}
	return n, nil
}

// forgetBatch is how many rows of the audit log one transaction forgets: each
// leaves a row that says so, so not too few.
const forgetBatch = 10_000

// AuditStore implements portal.AuditService. Safe for concurrent use.
type AuditStore struct{ db *DB }

// NewAuditStore shows the audit log to staff.
func NewAuditStore(db *DB) *AuditStore { return &AuditStore{db} }

var errAudit = portal.Errorf(portal.CodeForbidden, "The audit log is for whoever answers for the portal.")

// auditExport is how many rows an export reads at a time.
const auditExport = 5000

// Audit implements portal.AuditService.
func (s *AuditStore) Audit(ctx context.Context, who portal.Session, f portal.AuditFilter) (portal.AuditPage, error) {
	var out portal.AuditPage
	if !who.MayAudit() {
		return out, errAudit
	}
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a, err := auditArgs(ctx, tx, f)
		if err != nil {
			return err
		}
		if out.Rows, err = auditRows(ctx, tx, a, portal.PageSize+1); err != nil {
			return err
		}
		var labels []byte
		if err := tx.QueryRow(ctx, query("audit_begins")).Scan(&out.Begins, &labels); err != nil {
			return err
		}
		return json.Unmarshal(labels, &out.Labels)
	})
	if err != nil {
		return portal.AuditPage{}, fmt.Errorf("audit log: %w", err)
	}
	out.Rows, out.Next = cutPage(out.Rows, auditCursor)
	return out, nil
}

// EachAudit implements portal.AuditService. Each page has a transaction of its
// own: the log only grows, so what lies before a row stays as it is.
func (s *AuditStore) EachAudit(ctx context.Context, who portal.Session, filter portal.AuditFilter,
	f func(portal.AuditRow) error,
) error {
	if !who.MayAudit() {
		return errAudit
	}
	for {
		var rows []portal.AuditRow
		err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
			a, err := auditArgs(ctx, tx, filter)
			if err == nil {
				rows, err = auditRows(ctx, tx, a, auditExport)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("export audit log: %w", err)
		}
		for _, row := range rows {
			if err := f(row); err != nil {
				return err
			}
		}
		if len(rows) < auditExport {
			return nil
		}
		filter.Before = auditCursor(rows[len(rows)-1])
	}
}

func auditRows(ctx context.Context, tx pgx.Tx, a args, limit int) ([]portal.AuditRow, error) {
	a["row_limit"] = limit
	rows, _ := tx.Query(ctx, query("audit_page"), a)
	return pgx.CollectRows(rows, pgx.RowToStructByName[portal.AuditRow])
}

// auditCursor is where a page ends: the time in microseconds, as exact as
// PostgreSQL keeps it, and the row.
func auditCursor(last portal.AuditRow) string {
	return strconv.FormatInt(last.At.UnixMicro(), 10) + "-" + strconv.FormatInt(last.ID, 10)
}

// auditArgs is a filter as the query takes it.
func auditArgs(ctx context.Context, tx pgx.Tx, f portal.AuditFilter) (args, error) {
	a := args{"customer_id": nil, "person": orNil(f.Person), "subject": orNil(f.Subject), "codes": nil,
		"from": nil, "to": nil, "before_at": nil, "before_id": nil}
	if f.CustomerNo != "" {
		var id int64
		if err := tx.QueryRow(ctx, query("price_customer_id"), args{"customer_no": f.CustomerNo}).Scan(&id); err != nil {
			return nil, notFoundAt(err, "customer", "There is no customer "+f.CustomerNo+".")
		}
		a["customer_id"] = id
	}
	if f.Group != "" || f.Noun != "" {
		var codes []string
		row := tx.QueryRow(ctx, query("audit_codes"), args{"act_group": f.Group, "noun": f.Noun})
		if err := row.Scan(&codes); err != nil {
			return nil, err
		}
		a["codes"] = append([]string{}, codes...) // none: nothing, rather than everything
	}
	if f.From != nil || f.To != nil {
		var from, to *time.Time
		if err := tx.QueryRow(ctx, query("audit_days"), args{"from": f.From, "to": f.To}).Scan(&from, &to); err != nil {
			return nil, err
		}
		a["from"], a["to"] = from, to
	}
	if f.Before != "" {
		at, id, _ := strings.Cut(f.Before, "-")
		micros, err := strconv.ParseInt(at, 10, 64)
		row, err2 := strconv.ParseInt(id, 10, 64)
		if err != nil || err2 != nil {
			return nil, portal.Errorf(portal.CodeNotFound, "There is no such page.")
		}
		a["before_at"], a["before_id"] = time.UnixMicro(micros), row
	}
	return a, nil
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// notFoundAt says at a field of the form that there is no such thing.
func notFoundAt(err error, field, words string) error {
	if found := notFound(refusal(err), words); portal.ErrorCode(found) == portal.CodeNotFound {
		return portal.Invalid(field, "%s", words)
	}
	return err
}
