package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// MailStore implements portal.MailQueue and portal.MailService. Safe for
// concurrent use.
type MailStore struct{ db *DB }

// NewMailStore keeps the mails of db.
func NewMailStore(db *DB) *MailStore { return &MailStore{db} }

// recordTime is how long what became of a mail may take to be written down,
// once the server has it: longer than any job is given to stop.
const recordTime = 2 * time.Minute

// mailClaim is a mail as mail_claim reads it.
type mailClaim struct {
	MailID     portal.MailID
	MessageID  string
	Kind       portal.NotificationKind
	Recipient  string
	Ref        string
	Data       json.RawMessage
	Secret     string
	Status     string
	LoginID    *portal.LoginID
	Name       string
	Customer   string
	HasLogin   bool
	SeePrices  bool
	CustomerID *portal.CustomerID
	DocumentID *int64
	TimeZone   string
	Currency   string
	Forbidden  string
}

// Deliver implements portal.MailQueue. Who is killed between the sending and
// the record leaves the mail queued: it goes out once more, under the same
// Message-ID.
func (s *MailStore) Deliver(ctx context.Context, id portal.MailID, last bool,
	by portal.Postman) (outcome string, err error) {
	// what the server has taken is recorded, even while the program stops
	hold, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	var failed error
	err = pgx.BeginFunc(hold, s.db.Work, func(tx pgx.Tx) error {
		m, row, err := claim(ctx, tx, id)
		if errors.Is(err, pgx.ErrNoRows) {
			var there bool
			outcome = portal.MailBusy
			if err := tx.QueryRow(ctx, query("mail_there"), args{"mail_id": id}).Scan(&there); err != nil || there {
				return err
			}
			outcome = portal.MailSettled
			return nil
		}
		if err != nil {
			return err
		}
		if row.Status != portal.MailQueued {
			outcome = portal.MailSettled
			return nil
		}
		var words string
		if outcome, words, failed, err = send(ctx, tx, m, row, by); err != nil {
			return err
		}
		if outcome == portal.MailQueued && last {
			outcome = portal.MailFailed
		}
		_, err = tx.Exec(hold, query("mail_done"), args{"mail_id": id, "status": outcome, "error": words})
		return err
	})
	if err != nil && last {
		// a fault of ours or of the database, and no try is left
		_, noted := s.db.Work.Exec(hold, query("mail_done"),
			args{"mail_id": id, "status": portal.MailFailed, "error": "Not sent: a fault of the portal's own, see its log."})
		err = errors.Join(err, noted)
	}
	if err == nil {
		err = failed
	}
	if err != nil {
		return outcome, fmt.Errorf("deliver mail %d: %w", id, err)
	}
	return outcome, nil
}

// send writes and sends a mail that is claimed, and says what became of it and
// why. failed is what is worth another try.
func send(ctx context.Context, tx pgx.Tx, m portal.Mail, row mailClaim,
	by portal.Postman) (outcome, words string, failed, err error) {
	if row.Forbidden != "" {
		return portal.MailFailed, "Not sent: " + row.Forbidden + ".", nil, nil
	}
	letter, err := by.Write(m)
	if err != nil {
		return portal.MailQueued, "", nil, err
	}
	if _, err := tx.Exec(ctx, query("mail_written"),
		args{"mail_id": m.ID, "subject": letter.Subject, "body_text": letter.Text, "body_html": letter.HTML}); err != nil {
		return portal.MailQueued, "", nil, err
	}
	if by.Keeps() {
		return portal.MailKept, "", nil, nil
	}
	err = by.Send(ctx, m, letter)
	if refused, ok := errors.AsType[*portal.MailRefusal](err); ok {
		return portal.MailFailed, refused.Words, nil, nil
	}
	if err != nil {
		return portal.MailQueued, rootWords(err), err, nil
	}
	return portal.MailSent, "", nil, nil
}

// rootWords are the words of the error at the bottom of a chain.
func rootWords(err error) string {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

// claim locks a mail and reads what is to be written in it.
func claim(ctx context.Context, tx pgx.Tx, id portal.MailID) (portal.Mail, mailClaim, error) {
	rows, _ := tx.Query(ctx, query("mail_claim"), args{"mail_id": id})
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[mailClaim])
	if err != nil {
		return portal.Mail{}, row, err
	}
	m := portal.Mail{ID: row.MailID, MessageID: row.MessageID, To: row.Recipient, ToName: row.Name, Customer: row.Customer,
		HasLogin: row.HasLogin, Secret: row.Secret, Currency: row.Currency, SeePrices: row.SeePrices,
		NotificationContent: portal.NotificationContent{Kind: row.Kind, Ref: row.Ref}}
	if row.Status != portal.MailQueued || row.Forbidden != "" {
		return m, row, nil
	}
	m.Facts = notificationFacts(row.Data)
	if m.Zone, err = time.LoadLocation(row.TimeZone); err != nil {
		return m, row, err
	}
	if m.Order, err = mailOrder(ctx, tx, m, row.CustomerID); err != nil {
		return m, row, err
	}
	if row.DocumentID != nil {
		m.Document = &portal.MailDocument{}
		err = tx.QueryRow(ctx, query("mail_document"), args{"document_id": row.DocumentID, "customer_id": row.CustomerID}).
			Scan(&m.Document.Name, &m.Document.MediaType, &m.Document.Data)
	}
	return m, row, err
}

// notificationFacts reads facts that any program may have written: what cannot be read
// is left out, and the rest told.
func notificationFacts(data json.RawMessage) portal.NotificationFacts {
	var f portal.NotificationFacts
	if json.Unmarshal(data, &f) != nil {
		var members map[string]json.RawMessage
		_ = json.Unmarshal(data, &members)
		for name, value := range members {
			one, err := json.Marshal(map[string]json.RawMessage{name: value})
			if err == nil {
				_ = json.Unmarshal(one, &f)
			}
		}
	}
	return f
}

// mailOrder reads the document that a mail is about; nil where it is about none,
// or about one that is gone.
func mailOrder(ctx context.Context, tx pgx.Tx, m portal.Mail, customer *portal.CustomerID) (*portal.MailOrder, error) {
	a := args{"ref": m.Ref, "customer_id": customer, "see_prices": m.SeePrices, "shipment_id": int64(0),
		"change_id": int64(0), "carrier": m.Facts.Carrier, "tracking_no": m.Facts.TrackingNo}
	name := "mail_order"
	switch m.Kind {
	case portal.NotifyOrderShipped:
		a["shipment_id"] = m.Facts.ShipmentID
	case portal.NotifyOrderChanged:
		a["change_id"] = m.Facts.ChangeID
	case portal.NotifySignOffWaiting, portal.NotifySignOffDecided:
		name = "mail_sign_off"
	default:
		if !strings.HasPrefix(string(m.Kind), "order_") {
			return nil, nil
		}
	}
	rows, _ := tx.Query(ctx, query(name), a)
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[portal.MailOrder])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return o, err
}

// MailReset implements portal.MailQueue.
func (s *MailStore) MailReset(ctx context.Context, email string) (sent bool, err error) {
	token, _ := newToken()
	if err := s.db.Work.QueryRow(ctx, query("mail_reset"), args{"email": email, "token": token}).Scan(&sent); err != nil {
		return false, fmt.Errorf("mail password reset: %w", err)
	}
	return sent, nil
}

// RemindCutoffs implements portal.MailQueue.
func (s *MailStore) RemindCutoffs(ctx context.Context) (customers int, err error) {
	if err := s.db.Work.QueryRow(ctx, query("remind_cutoffs")).Scan(&customers); err != nil {
		return 0, fmt.Errorf("remind of cutoffs: %w", err)
	}
	return customers, nil
}

// mailPage is how many mails a page shows.
const mailPage = 50

var errOperators = portal.Errorf(portal.CodeForbidden, "This page is for operators.")

// Mails implements portal.MailService.
func (s *MailStore) Mails(ctx context.Context, who portal.Session, f portal.MailFilter) (portal.MailList, error) {
	if who.Role != portal.RoleOps {
		return portal.MailList{}, errOperators
	}
	out := portal.MailList{}
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("mail_list"), args{"status": f.Status, "kind": f.Kind, "query": f.Query,
			"pattern": likePart(f.Query), "before": f.Before, "row_limit": mailPage + 1})
		var err error
		if out.Mails, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.MailRow]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("mail_counts"))
		out.Counts = map[string]int{}
		var status string
		var n int
		_, err = pgx.ForEachRow(rows, []any{&status, &n}, func() error { out.Counts[status] = n; return nil })
		return err
	})
	if err != nil {
		return portal.MailList{}, fmt.Errorf("list mails: %w", err)
	}
	if len(out.Mails) > mailPage {
		out.Mails = out.Mails[:mailPage]
		out.Next = out.Mails[mailPage-1].ID
	}
	return out, nil
}

// Mail implements portal.MailService. The link of a reset or an invitation lets in
// whoever has it: portal.mail_shown has it not.
func (s *MailStore) Mail(ctx context.Context, who portal.Session, id portal.MailID) (m portal.MailDetail, err error) {
	if who.Role != portal.RoleOps {
		return portal.MailDetail{}, errOperators
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("mail_one"), args{"mail_id": id})
		m, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.MailDetail])
		return err
	})
	if err != nil {
		return portal.MailDetail{}, fmt.Errorf("mail %d: %w", id, notFound(refusal(err), "There is no such mail."))
	}
	m.Text, m.HTML = strings.ReplaceAll(m.Text, portal.SecretMark, "…"), strings.ReplaceAll(m.HTML, portal.SecretMark, "…")
	return m, nil
}

// RetryMail implements portal.MailService.
func (s *MailStore) RetryMail(ctx context.Context, who portal.Session, id portal.MailID) error {
	if who.Role != portal.RoleOps {
		return errOperators
	}
	var n int
	if err := s.db.Work.QueryRow(ctx, query("mail_retry"), args{"mail_id": id}).Scan(&n, nil); err != nil {
		return fmt.Errorf("retry mail %d: %w", id, err)
	}
	if n == 0 {
		return portal.Errorf(portal.CodeConflict, "Only a mail that failed or was kept can be tried again.")
	}
	return nil
}
