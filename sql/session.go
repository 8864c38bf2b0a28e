package sql

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/bcrypt"

	"portal.example/portal"
)

// SessionConfig sets how log-ins work. The zero value takes the defaults.
type SessionConfig struct {
	Lifetime time.Duration // how long a session lives after it was last seen; default 30 days
	Cost     int           // bcrypt cost of new passwords; default 12
	Hashes   int           // most password hashes computed at a time; default: half of the processors
	Slow     time.Duration // how long a second of slowness after wrong passwords lasts; default 1 s. Tests lower it
}

// SessionStore implements portal.SessionService. Safe for concurrent use.
type SessionStore struct {
	db       *DB
	lifetime time.Duration
	cost     int
	decoy    string // the salt where there is no password to compare
	turns    *turns // bounds concurrent bcrypt work: it costs a third of a second of a core
	slow     time.Duration
}

// errLogIn is the one answer to a log-in that fails, whatever the reason.
var errLogIn = portal.Errorf(portal.CodeUnauthorized,
	"E-mail or password is not right, or the log-in is locked for a while after several failed tries.")

// NewSessionStore prepares log-ins on db.
func NewSessionStore(db *DB, config SessionConfig) (*SessionStore, error) {
	s := &SessionStore{db: db, lifetime: config.Lifetime, cost: config.Cost}
	if s.lifetime == 0 {
		s.lifetime = 30 * 24 * time.Hour
	}
	if s.cost == 0 {
		s.cost = 12
	}
	if s.slow = config.Slow; s.slow == 0 {
		s.slow = time.Second
	}
	s.turns = newTurns(cmp.Or(config.Hashes, max(1, runtime.NumCPU()/2)))
	decoy, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), s.cost)
	if err != nil {
		return nil, fmt.Errorf("session store: %w", err)
	}
	s.decoy = string(decoy[:saltLength])
	return s, nil
}

// LogIn implements portal.SessionService. An unknown e-mail costs the same
// comparison as a wrong password.
func (s *SessionStore) LogIn(ctx context.Context, email, password string, from portal.Browser) (string, portal.Session, error) {
	try := tryFrom(email, from)
	if err := s.begin(ctx, try); err != nil {
		return "", portal.Session{}, err
	}
	var login struct {
		LoginID      portal.LoginID
		CustomerID   *portal.CustomerID
		PasswordSalt string
		StaffRole    *string
		Disabled     bool
		Enabled      bool
	}
	rows, _ := s.db.Auth.Query(ctx, query("login_of_email"), args{"email": email})
	login, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
		LoginID      portal.LoginID
		CustomerID   *portal.CustomerID
		PasswordSalt string
		StaffRole    *string
		Disabled     bool
		Enabled      bool
	}])
	unknown := errors.Is(err, pgx.ErrNoRows)
	if err != nil && !unknown {
		return "", portal.Session{}, fmt.Errorf("log in: %w", err)
	}

	salt := s.decoy
	if !unknown {
		salt = login.PasswordSalt
	}
	right, err := s.compare(ctx, try.turn(), login.LoginID, salt, password)
	if err != nil {
		return "", portal.Session{}, err
	}
	if unknown || !right || login.Disabled || !login.Enabled {
		return "", portal.Session{}, errLogIn
	}
	if login.StaffRole != nil && s.db.Desk == nil {
		return "", portal.Session{}, errStaffElsewhere
	}
	return s.open(ctx, login.LoginID, try, from)
}

// errStaffElsewhere is for staff with the right password, where only customers'
// pages are served.
var errStaffElsewhere = portal.Errorf(portal.CodeForbidden, "Staff log in at the desk's own address.")

// compare computes the hash of what was typed, when it is the turn of who asks,
// and asks the database whether it is the log-in's: the stored hash is not for us
// to read.
func (s *SessionStore) compare(ctx context.Context, who string, login portal.LoginID, salt, password string) (right bool, err error) {
	hash, err := s.hashWith(ctx, who, salt, password)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	if err := s.db.Auth.QueryRow(ctx, query("login_password_is"), args{"login_id": login, "password_hash": hash}).Scan(&right); err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return right, nil
}

func (s *SessionStore) hashWith(ctx context.Context, who, salt, password string) (string, error) {
	if err := s.turns.take(ctx, who); err != nil {
		return "", err
	}
	defer s.turns.give()
	return bcryptHash(salt, password)
}

func (s *SessionStore) open(ctx context.Context, login portal.LoginID, try try, from portal.Browser) (string, portal.Session, error) {
	token, hash := newToken()
	userAgent := from.UserAgent
	if len(userAgent) > 300 {
		userAgent = userAgent[:300]
	}
	err := pgx.BeginFunc(ctx, s.db.Auth, func(tx pgx.Tx) error {
		if err := try.succeeded(ctx, tx, login); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("session_open"), args{"login_id": login, "token_hash": hash,
			"lifetime": s.lifetime, "user_agent": userAgent, "source": from.Source})
		return err
	})
	if err != nil {
		return "", portal.Session{}, fmt.Errorf("open session of login %d: %w", login, err)
	}
	session, err := s.Session(ctx, token)
	return token, session, err
}

// newToken makes a session's secret and what the database keeps of it.
func newToken() (token string, hash []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	token = base64.RawURLEncoding.EncodeToString(raw)
	sum := sha256.Sum256([]byte(token))
	return token, sum[:]
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// sessionRow is portal.Session as the queries name its columns.
type sessionRow struct {
	SessionID    portal.SessionID
	LoginID      portal.LoginID
	CustomerID   portal.CustomerID
	CustomerNo   string
	CustomerName string
	Email        string
	Role         portal.Role
	CreatedAt    time.Time
	SeenAt       time.Time
	ExpiresAt    time.Time
	UserAgent    string
	Source       string
}

func (r sessionRow) session() portal.Session {
	return portal.Session{ID: r.SessionID, LoginID: r.LoginID, CustomerID: r.CustomerID, CustomerNo: r.CustomerNo,
		CustomerName: r.CustomerName, Email: r.Email, Role: r.Role, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt,
		ExpiresAt: r.ExpiresAt, UserAgent: r.UserAgent, Source: r.Source}
}

// Session implements portal.SessionService.
func (s *SessionStore) Session(ctx context.Context, token string) (portal.Session, error) {
	rows, _ := s.db.Auth.Query(ctx, query("session_of_token"), args{"token_hash": hashToken(token)})
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[sessionRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return portal.Session{}, portal.Errorf(portal.CodeUnauthorized, "Please log in.")
	}
	if err != nil {
		return portal.Session{}, fmt.Errorf("find session: %w", err)
	}
	if who := row.session(); who.Staff() && s.db.Desk == nil { // whatever cookie a browser brings from another node
		return portal.Session{}, portal.Errorf(portal.CodeUnauthorized, "Please log in.")
	}
	if time.Since(row.SeenAt) > time.Minute {
		if _, err := s.db.Auth.Exec(ctx, query("session_seen"), args{"session_id": row.SessionID, "lifetime": s.lifetime}); err != nil {
			return portal.Session{}, fmt.Errorf("mark session %d seen: %w", row.SessionID, err)
		}
	}
	return row.session(), nil
}

// Alive returns those of the sessions that still live.
func (s *SessionStore) Alive(ctx context.Context, ids []portal.SessionID) ([]portal.SessionID, error) {
	rows, _ := s.db.Auth.Query(ctx, query("session_alive"), args{"session_ids": ids})
	alive, err := pgx.CollectRows(rows, pgx.RowTo[portal.SessionID])
	if err != nil {
		return nil, fmt.Errorf("which sessions live: %w", err)
	}
	return alive, nil
}

// LogOut implements portal.SessionService.
func (s *SessionStore) LogOut(ctx context.Context, token string) error {
	if _, err := s.db.Auth.Exec(ctx, query("session_close"), args{"token_hash": hashToken(token)}); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// Sessions implements portal.SessionService.
func (s *SessionStore) Sessions(ctx context.Context, who portal.Session) ([]portal.Session, error) {
	if who.Acting != portal.ActingNot {
		return nil, errOwnAffair
	}
	rows, _ := s.db.Auth.Query(ctx, query("session_list"), args{"login_id": who.LoginID})
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (portal.Session, error) {
		r, err := pgx.RowToStructByName[sessionRow](row)
		return r.session(), err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions of login %d: %w", who.LoginID, err)
	}
	return list, nil
}

// Revoke implements portal.SessionService.
func (s *SessionStore) Revoke(ctx context.Context, who portal.Session, id portal.SessionID) error {
	if who.Acting != portal.ActingNot {
		return errOwnAffair
	}
	tag, err := s.db.Auth.Exec(ctx, query("session_revoke"), args{"session_id": id, "login_id": who.LoginID})
	if err != nil {
		return fmt.Errorf("revoke session %d: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return portal.Errorf(portal.CodeNotFound, "That session has ended already.")
	}
	return nil
}

// ChangePassword implements portal.SessionService. The trigger on portal.login
// ends the other sessions.
func (s *SessionStore) ChangePassword(ctx context.Context, who portal.Session, current, next string) error {
	if who.Acting != portal.ActingNot {
		return errOwnAffair
	}
	if err := CheckPassword(next); err != nil {
		return err
	}
	try := try{email: who.Email, source: who.Source}
	if err := s.begin(ctx, try); err != nil {
		return atPassword(err)
	}
	var salt string
	if err := s.db.Auth.QueryRow(ctx, query("login_password"), args{"login_id": who.LoginID}).Scan(&salt); err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	right, err := s.compare(ctx, "login "+who.Email, who.LoginID, salt, current)
	if err != nil {
		return err
	}
	if !right {
		return portal.Invalid("current_password", "That is not your present password.")
	}
	if err := try.end(ctx, s.db.Auth); err != nil {
		return err
	}
	fresh, err := bcrypt.GenerateFromPassword([]byte(next), s.cost)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return pgx.BeginFunc(ctx, s.db.Auth, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select set_config('portal.keep_session', $1, true)", fmt.Sprint(who.ID)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("login_set_password"), args{"login_id": who.LoginID, "password_hash": string(fresh)})
		return err
	})
}

// hash hashes a new password, in its turn.
func (s *SessionStore) hash(ctx context.Context, password string) (string, error) {
	if err := s.turns.take(ctx, "new passwords"); err != nil {
		return "", err
	}
	defer s.turns.give()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), s.cost)
	return string(hash), err
}

// CheckPassword says what is wrong with a new password. bcrypt reads no more
// than 72 bytes, so longer ones are refused rather than cut.
func CheckPassword(password string) error {
	switch {
	case len([]rune(password)) < 10:
		return portal.Invalid("new_password", "Use at least 10 characters.")
	case len(password) > 72:
		return portal.Invalid("new_password", "Use at most 72 characters.")
	}
	return nil
}
