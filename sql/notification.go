package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// NotificationStore implements portal.NotificationService. Safe for concurrent
// use.
type NotificationStore struct{ db *DB }

// NewNotificationStore keeps the notifications of db's customers.
func NewNotificationStore(db *DB) *NotificationStore { return &NotificationStore{db} }

// notificationPage is how many a page shows.
const notificationPage = 50

// notificationRow is a notification, or a notice to the whole customer, as the
// queries name its columns.
type notificationRow struct {
	ID     string
	At     time.Time
	Kind   portal.NotificationKind
	Ref    string
	Data   json.RawMessage
	ReadAt *time.Time
}

func (r notificationRow) notification(zone *time.Location) portal.Notification {
	facts := notificationFacts(r.Data)
	if r.Kind == "" { // a notice: its words are made, its status is its tone
		title, rest, _ := strings.Cut(facts.Text, ". ")
		if rest != "" {
			title += "."
		}
		return portal.Notification{ID: r.ID, At: r.At, Tone: facts.Status, Title: title, Text: rest,
			Link: facts.Link, ReadAt: r.ReadAt}
	}
	return portal.NotificationContent{Kind: r.Kind, Ref: r.Ref, Facts: facts}.Notification(r.ID, r.At, r.ReadAt, zone)
}

// Notifications implements portal.NotificationService.
func (s *NotificationStore) Notifications(ctx context.Context, who portal.Session,
	before string) (portal.Notifications, error) {
	out := portal.Notifications{List: []portal.Notification{}}
	a := args{"login_id": who.LoginID, "customer_id": who.CustomerID, "before_at": nil, "before_id": "",
		"row_limit": notificationPage + 1}
	if at, id, ok := strings.Cut(before, "_"); ok {
		micros, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return out, portal.Errorf(portal.CodeNotFound, "There is no such page.")
		}
		a["before_at"], a["before_id"] = time.UnixMicro(micros), id
	}
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		zone, err := zoneOf(ctx, tx)
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, query("notification_list"), a)
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[notificationRow])
		if err != nil {
			return err
		}
		out.Next = ""
		if len(list) > notificationPage {
			list = list[:notificationPage]
			out.Next = fmt.Sprintf("%d_%s", list[notificationPage-1].At.UnixMicro(), list[notificationPage-1].ID)
		}
		out.List = make([]portal.Notification, len(list))
		for i, r := range list {
			out.List[i] = r.notification(zone)
		}
		return tx.QueryRow(ctx, query("notification_unread"), a).Scan(&out.Unread)
	})
	if err != nil {
		return out, fmt.Errorf("notifications of login %d: %w", who.LoginID, err)
	}
	return out, nil
}

// zoneOf is the company's time zone.
func zoneOf(ctx context.Context, tx pgx.Tx) (*time.Location, error) {
	var name string
	if err := tx.QueryRow(ctx, query("company_zone")).Scan(&name); err != nil {
		return nil, err
	}
	return time.LoadLocation(name)
}

// OpenNotification implements portal.NotificationService.
func (s *NotificationStore) OpenNotification(ctx context.Context, who portal.Session, id string) (string, error) {
	const none = "There is no such notification."
	if len(id) < 2 {
		return "", portal.Errorf(portal.CodeNotFound, none)
	}
	n, err := strconv.ParseInt(id[1:], 10, 64)
	if err != nil || id[0] != 'n' && id[0] != 'c' {
		return "", portal.Errorf(portal.CodeNotFound, none)
	}
	link := ""
	a := args{"id": n, "login_id": who.LoginID, "customer_id": who.CustomerID}
	err = s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		if id[0] == 'c' {
			return notFound(refusal(tx.QueryRow(ctx, query("notice_open"), a).Scan(&link)), none)
		}
		var news portal.NotificationContent
		var data json.RawMessage
		if err := tx.QueryRow(ctx, query("notification_open"), a).Scan(&news.Kind, &news.Ref, &data); err != nil {
			return notFound(refusal(err), none)
		}
		news.Facts = notificationFacts(data)
		link = news.Link()
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("open notification %s: %w", id, err)
	}
	return link, nil
}

// ReadNotifications implements portal.NotificationService.
func (s *NotificationStore) ReadNotifications(ctx context.Context, who portal.Session) error {
	a := args{"login_id": who.LoginID, "customer_id": who.CustomerID}
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		for _, name := range []string{"notification_read_all", "notice_read_all"} {
			if _, err := tx.Exec(ctx, query(name), a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read notifications of login %d: %w", who.LoginID, err)
	}
	return nil
}

// MailChoices implements portal.NotificationService.
func (s *NotificationStore) MailChoices(ctx context.Context, who portal.Session) ([]portal.MailChoice, error) {
	var out []portal.MailChoice
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var err error
		out, err = mailChoices(ctx, tx, who)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mail choices of login %d: %w", who.LoginID, err)
	}
	return out, nil
}

func mailChoices(ctx context.Context, tx pgx.Tx, who portal.Session) ([]portal.MailChoice, error) {
	rows, _ := tx.Query(ctx, query("mail_choices"), args{"login_id": who.LoginID, "customer_id": who.CustomerID})
	return pgx.CollectRows(rows, pgx.RowToStructByName[portal.MailChoice])
}

// ChooseMail implements portal.NotificationService. What the log-in's rights do
// not offer stays as it was chosen before.
func (s *NotificationStore) ChooseMail(ctx context.Context, who portal.Session, kinds []portal.NotificationKind) error {
	if who.Acting != portal.ActingNot {
		return errOwnAffair
	}
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		offered, err := mailChoices(ctx, tx, who)
		if err != nil {
			return err
		}
		names := make([]portal.NotificationKind, len(offered))
		for i, c := range offered {
			names[i] = c.Kind
		}
		_, err = tx.Exec(ctx, query("mail_choose"), args{"login_id": who.LoginID, "kinds": kinds, "offered": names})
		return err
	})
	if err != nil {
		return fmt.Errorf("choose mail of login %d: %w", who.LoginID, err)
	}
	return nil
}

// ResetStore implements portal.ResetService. Safe for concurrent use.
type ResetStore struct {
	db       *DB
	sessions *SessionStore
}

// NewResetStore resets passwords of db, hashed as sessions hashes them.
func NewResetStore(db *DB, sessions *SessionStore) *ResetStore { return &ResetStore{db, sessions} }

// ForgotPassword implements portal.ResetService: one row in the job queue,
// whatever was typed. Who it is, is looked up later.
func (s *ResetStore) ForgotPassword(ctx context.Context, email, source string) error {
	if email = strings.TrimSpace(email); email == "" || len(email) > 200 {
		return portal.Invalid("email", "Enter the e-mail address of your log-in.")
	}
	if _, err := s.db.Auth.Exec(ctx, query("login_forgot"), args{"email": email, "source": source}); err != nil {
		return fmt.Errorf("forgot password: %w", refusal(err))
	}
	return nil
}

var errReset = portal.Errorf(portal.CodeNotFound,
	"This link has been used or is no longer good. Ask for a new one where you log in.")

// ResetOf implements portal.ResetService.
func (s *ResetStore) ResetOf(ctx context.Context, token string) (email string, err error) {
	err = s.db.Auth.QueryRow(ctx, query("login_reset_of"), args{"token_hash": hashToken(token)}).Scan(&email)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errReset
	}
	if err != nil {
		return "", fmt.Errorf("password reset: %w", err)
	}
	return email, nil
}

// ResetPassword implements portal.ResetService. A password that will not do
// leaves the link as it is. The trigger on portal.login ends the sessions.
func (s *ResetStore) ResetPassword(ctx context.Context, token, password string) error {
	email, err := s.ResetOf(ctx, token) // before the hash, which is work
	if err != nil {
		return err
	}
	if err := CheckPassword(password, email); err != nil {
		return err
	}
	hash, err := s.sessions.hash(ctx, password)
	if err != nil {
		return fmt.Errorf("reset password: %w", err)
	}
	err = pgx.BeginFunc(ctx, s.db.Auth, func(tx pgx.Tx) error {
		var id portal.LoginID
		if err := tx.QueryRow(ctx, query("login_reset_use"), args{"token_hash": hashToken(token)}).Scan(&id); err != nil {
			return err
		}
		for _, name := range []string{"login_set_password", "login_invitation_gone"} {
			if _, err := tx.Exec(ctx, query(name), args{"login_id": id, "password_hash": hash}); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return errReset
	}
	if err != nil {
		return fmt.Errorf("reset password: %w", err)
	}
	return nil
}
