package sql

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// PeopleStore implements portal.PeopleService. Who may do what is the
// database's to say (sql/functions/people.sql). Safe for concurrent use.
type PeopleStore struct {
	db   *DB
	cost int
}

// NewPeopleStore manages the log-ins of db's customers. Passwords are hashed at
// the bcrypt cost; 0 takes 12.
func NewPeopleStore(db *DB, cost int) *PeopleStore {
	if cost == 0 {
		cost = bcryptCost
	}
	return &PeopleStore{db, cost}
}

// run acts for an approver's own customer, or as staff for the one named.
func (s *PeopleStore) run(ctx context.Context, who portal.Session, customerNo string, a args,
	f func(tx pgx.Tx) error) error {
	if !who.Staff() {
		return s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
			a["customer_id"] = who.CustomerID
			return f(tx)
		})
	}
	return s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var id portal.CustomerID
		if err := tx.QueryRow(ctx, query("people_customer"), args{"customer_no": customerNo}).Scan(&id); err != nil {
			return notFound(refusal(err), "There is no such customer.")
		}
		a["customer_id"] = id
		return f(tx)
	})
}

// People implements portal.PeopleService.
func (s *PeopleStore) People(ctx context.Context, who portal.Session, customerNo string) ([]portal.Person, error) {
	var out []portal.Person
	a := args{}
	err := s.run(ctx, who, customerNo, a, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("people"), a)
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Person])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("people for login %d: %w", who.LoginID, err)
	}
	return out, nil
}

// Invite implements portal.PeopleService.
func (s *PeopleStore) Invite(ctx context.Context, who portal.Session, customerNo string,
	edit portal.PersonEdit) (portal.Invitation, error) {
	p, err := edit.Person(true)
	if err != nil {
		return portal.Invitation{}, err
	}
	out := portal.Invitation{}
	token, tokenHash := newToken()
	out.Token = token
	a := args{"email": p.Email, "name": p.Name, "role": p.Role, "spend_limit": p.SpendLimit, "spend_period": p.SpendPeriod,
		"sign_off_all": p.SignOffAll, "token_hash": tokenHash}
	err = s.run(ctx, who, customerNo, a, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, query("person_invite"), a).Scan(&out.LoginID); err != nil {
			return err
		}
		return mailInvitation(ctx, tx, out)
	})
	if err != nil {
		return portal.Invitation{}, fmt.Errorf("invite by login %d: %w", who.LoginID, err)
	}
	return out, nil
}

// SavePerson implements portal.PeopleService.
func (s *PeopleStore) SavePerson(ctx context.Context, who portal.Session, customerNo string, id portal.LoginID,
	edit portal.PersonEdit) error {
	p, err := edit.Person(false)
	if err != nil {
		return err
	}
	a := args{"login_id": id, "name": p.Name, "role": p.Role, "spend_limit": p.SpendLimit, "spend_period": p.SpendPeriod,
		"sign_off_all": p.SignOffAll}
	err = s.run(ctx, who, customerNo, a, func(tx pgx.Tx) error {
		if err := samePerson(ctx, tx, a, id, edit); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("person_save"), a)
		return err
	})
	if err != nil {
		return fmt.Errorf("person_save for login %d: %w", who.LoginID, err)
	}
	return nil
}

// samePerson holds a log-in and refuses where it is not the one that the page of
// the form showed.
func samePerson(ctx context.Context, tx pgx.Tx, a args, id portal.LoginID, edit portal.PersonEdit) error {
	if edit.Shown == "" {
		return nil
	}
	if _, err := tx.Exec(ctx, query("person_hold"), a); err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, query("people"), a)
	people, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.Person])
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.ID == id {
			return p.Typed().Figures().Compare(edit.Shown, edit.Figures(), portal.SaveOver)
		}
	}
	return nil // the database has the words
}

// DisablePerson implements portal.PeopleService.
func (s *PeopleStore) DisablePerson(ctx context.Context, who portal.Session, customerNo string, id portal.LoginID,
	disabled bool) error {
	return s.change(ctx, who, customerNo, "person_disable", args{"login_id": id, "disabled": disabled})
}

// RenewInvitation implements portal.PeopleService.
func (s *PeopleStore) RenewInvitation(ctx context.Context, who portal.Session, customerNo string,
	id portal.LoginID) (portal.Invitation, error) {
	token, hash := newToken()
	out := portal.Invitation{LoginID: id, Token: token}
	a := args{"login_id": id, "token_hash": hash}
	err := s.run(ctx, who, customerNo, a, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, query("invitation_renew"), a); err != nil {
			return err
		}
		return mailInvitation(ctx, tx, out)
	})
	if err != nil {
		return portal.Invitation{}, fmt.Errorf("renew invitation %d by login %d: %w", id, who.LoginID, err)
	}
	return out, nil
}

// mailInvitation queues the link by mail.
func mailInvitation(ctx context.Context, tx pgx.Tx, i portal.Invitation) error {
	_, err := tx.Exec(ctx, query("mail_invitation"), args{"login_id": i.LoginID, "token": i.Token})
	return err
}

func (s *PeopleStore) change(ctx context.Context, who portal.Session, customerNo, name string, a args) error {
	err := s.run(ctx, who, customerNo, a, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query(name), a)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s %d by login %d: %w", name, a["login_id"], who.LoginID, err)
	}
	return nil
}

var errInvitation = portal.Errorf(portal.CodeNotFound,
	"This link has been used or is no longer good. Ask whoever gave it to you for a new one.")

// errHasLogin is for whoever has the link: nobody else learns of it.
var errHasLogin = portal.Errorf(portal.CodeConflict,
	"This e-mail has a log-in with us already, and a log-in serves one account. "+
		"Have another address of yours invited, or ask us.")

// Invited implements portal.PeopleService.
func (s *PeopleStore) Invited(ctx context.Context, token string) (string, error) {
	var email string
	var hasLogin bool
	a := args{"token_hash": hashToken(token)}
	err := s.db.Auth.QueryRow(ctx, query("invitation_of_token"), a).Scan(&email, &hasLogin)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", errInvitation
	case err != nil:
		return "", fmt.Errorf("invitation: %w", err)
	case hasLogin:
		return "", errHasLogin
	}
	return email, nil
}

// AcceptInvitation implements portal.PeopleService. A password that will not do
// leaves the link as it is.
func (s *PeopleStore) AcceptInvitation(ctx context.Context, token, password string) (string, error) {
	email, err := s.Invited(ctx, token) // before the hash, which is work
	if err != nil {
		return "", err
	}
	if err := CheckPassword(password, email); err != nil {
		return "", err
	}
	hash, err := hashPassword(password, s.cost)
	if err != nil {
		return "", fmt.Errorf("accept invitation: %w", err)
	}
	var accepted *string
	a := args{"token_hash": hashToken(token), "password_hash": hash}
	err = s.db.Auth.QueryRow(ctx, query("invitation_accept"), a).Scan(&accepted)
	if err != nil {
		return "", fmt.Errorf("accept invitation: %w", refusal(err))
	}
	if accepted == nil {
		return "", errInvitation
	}
	return *accepted, nil
}
