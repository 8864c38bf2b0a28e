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

	"portal.example/portal"
)

// SessionConfig sets how log-ins work. The zero value takes the defaults.
type SessionConfig struct {
	Cost   int           // bcrypt cost of new passwords; default 12
	Hashes int           // most password hashes computed at a time; default: half of the processors
	Slow   time.Duration // how long a second of slowness after wrong passwords lasts; default 1 s. Tests lower it
}

// SessionStore implements portal.SessionService. Safe for concurrent use.
type SessionStore struct {
	db    *DB
	cost  int
	turns *turns // bounds concurrent bcrypt work: it costs a third of a second of a core
	slow  time.Duration
}

// errLogIn is the one answer to a log-in that fails, whatever the reason.
var errLogIn = portal.Errorf(portal.CodeUnauthorized,
	"E-mail or password is not right, or the log-in is locked for a while after several failed tries.")

// NewSessionStore prepares log-ins on db.
func NewSessionStore(db *DB, config SessionConfig) *SessionStore {
	s := &SessionStore{db: db, cost: config.Cost}
	if s.cost == 0 {
		s.cost = 12
	}
	if s.slow = config.Slow; s.slow == 0 {
		s.slow = time.Second
	}
	s.turns = newTurns(cmp.Or(config.Hashes, max(1, runtime.NumCPU()/2)))
	return s
}

// LogIn implements portal.SessionService. An unknown e-mail costs the same
// comparisons as a wrong password.
func (s *SessionStore) LogIn(ctx context.Context, email, password string,
	from portal.Browser) (string, portal.Session, error) {
	try := tryFrom(email, from)
	if err := s.begin(ctx, try); err != nil {
		return "", portal.Session{}, err
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

	hash, err := s.matches(ctx, try.turn(), login.LoginID, login.PasswordSalt, password)
	if err != nil {
		return "", portal.Session{}, err
	}
	if unknown || hash == "" || login.Disabled || !login.Enabled {
		return "", portal.Session{}, errLogIn
	}
	if login.StaffRole != nil && s.db.Desk == nil {
		return "", portal.Session{}, errStaffElsewhere
	}
	if err := s.raise(ctx, login.LoginID, hash, password); err != nil {
		return "", portal.Session{}, err
	}
	return s.open(ctx, login.LoginID, portal.ByPassword, try, from)
}

// errStaffElsewhere is for staff with the right password, where only customers'
// pages are served.
var errStaffElsewhere = portal.Errorf(portal.CodeForbidden, "Staff log in at the desk's own address.")

func (s *SessionStore) hashWith(ctx context.Context, who, salt, password string) (string, error) {
	if err := s.turns.take(ctx, who); err != nil {
		return "", err
	}
	defer s.turns.give()
	return bcryptHash(salt, password)
}

func (s *SessionStore) open(ctx context.Context, login portal.LoginID, by portal.LogInKind,
	try try, from portal.Browser) (string, portal.Session, error) {
	token, opening := newSession(from, by)
	err := pgx.BeginFunc(ctx, s.db.Auth, func(tx pgx.Tx) error {
		if err := try.succeeded(ctx, tx, login); err != nil {
			return err
		}
		return opening.open(ctx, tx, login)
	})
	if err != nil {
		return "", portal.Session{}, fmt.Errorf("open session of login %d: %w", login, refusal(err))
	}
	session, err := s.AnySession(ctx, token)
	return token, session, err
}

// opening is a session to be opened.
type opening args

// newSession makes the secret of a session that a browser is to have.
func newSession(from portal.Browser, by portal.LogInKind) (token string, _ opening) {
	token, hash := newToken()
	userAgent := from.UserAgent
	if len(userAgent) > 300 {
		userAgent = userAgent[:300]
	}
	var replaces []byte
	if from.Token != "" {
		replaces = hashToken(from.Token)
	}
	return token, opening{"token_hash": hash, "browser_hash": hashToken(from.Known), "replaces": replaces,
		"user_agent": userAgent, "source": from.Source, "login_kind": string(by),
		"multi_factor": false, "age": time.Duration(0)}
}

// open opens it for a log-in.
func (o opening) open(ctx context.Context, tx pgx.Tx, login portal.LoginID) error {
	o["login_id"] = login
	_, err := tx.Exec(ctx, query("session_open"), args(o))
	return err
}

// newToken makes a session's secret and what the database keeps of it.
func newToken() (token string, hash []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, hashToken(token)
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
	LastsUntil   time.Time
	Stage        portal.Stage
	UserAgent    string
	Source       string
	LoginKind    portal.LogInKind
	Idle         bool // not marked as seen for a minute
	Duties       []portal.Duty
}

func (r sessionRow) session() portal.Session {
	return portal.Session{ID: r.SessionID, LoginID: r.LoginID, CustomerID: r.CustomerID, CustomerNo: r.CustomerNo,
		CustomerName: r.CustomerName, Email: r.Email, Role: r.Role, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt,
		ExpiresAt: r.ExpiresAt, LastsUntil: r.LastsUntil, Stage: r.Stage, UserAgent: r.UserAgent, Source: r.Source,
		By: r.LoginKind, Duties: r.Duties}
}

// Session implements portal.SessionService.
func (s *SessionStore) Session(ctx context.Context, token string) (portal.Session, error) {
	who, err := s.AnySession(ctx, token)
	if err == nil && who.Stage != portal.StageFull {
		return portal.Session{}, portal.Errorf(portal.CodeFactor, "Prove first that it is you.")
	}
	return who, err
}

// AnySession is Session, whether it has proved its second factor or not.
func (s *SessionStore) AnySession(ctx context.Context, token string) (portal.Session, error) {
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
	if row.Idle {
		if _, err := s.db.Auth.Exec(ctx, query("session_seen"), args{"session_id": row.SessionID}); err != nil {
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
	var ended bool
	err := s.db.Auth.QueryRow(ctx, query("session_revoke"), args{"session_id": id, "login_id": who.LoginID}).Scan(&ended)
	if err != nil {
		return fmt.Errorf("revoke session %d: %w", id, err)
	}
	if !ended {
		return portal.Errorf(portal.CodeNotFound, "That session has ended already.")
	}
	return nil
}

// EndOthers implements portal.SessionService.
func (s *SessionStore) EndOthers(ctx context.Context, who portal.Session) (n int, err error) {
	if who.Acting != portal.ActingNot {
		return 0, errOwnAffair
	}
	if err := s.db.Auth.QueryRow(ctx, query("session_end_others"), args{"session_id": who.ID}).Scan(&n); err != nil {
		return 0, fmt.Errorf("end other sessions of login %d: %w", who.LoginID, err)
	}
	return n, nil
}

// ChangePassword implements portal.SessionService. The trigger on portal.login
// ends the other sessions.
func (s *SessionStore) ChangePassword(ctx context.Context, who portal.Session, current, next string) error {
	if who.Acting != portal.ActingNot {
		return errOwnAffair
	}
	if err := CheckPassword(next, who.Email, who.CustomerName); err != nil {
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
	hash, err := s.matches(ctx, "login "+who.Email, who.LoginID, salt, current)
	if err != nil {
		return err
	}
	if hash == "" {
		return portal.Invalid("current_password", "That is not your present password.")
	}
	if err := try.end(ctx, s.db.Auth); err != nil {
		return err
	}
	fresh, err := s.hash(ctx, next)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return pgx.BeginFunc(ctx, s.db.Auth, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select set_config('portal.keep_session', $1, true)", fmt.Sprint(who.ID)); err != nil {
			return err
		}
		if err := markedWith(ctx, tx, who.Email, who.Source); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("login_set_password"), args{"login_id": who.LoginID, "password_hash": fresh})
		return err
	})
}
