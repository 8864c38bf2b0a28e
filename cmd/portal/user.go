package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	domain "portal.example/portal"
	"portal.example/portal/sql"
)

type userCommand struct {
	Add    userAddCommand    `cmd:"" help:"Make a log-in for a customer, or for staff."`
	Reset  userResetCommand  `cmd:"" help:"Give a log-in a new password and end its sessions."`
	Unlock userUnlockCommand `cmd:"" help:"Lift a lock after failed log-ins."`
	LetIn  userLetInCommand  `cmd:"" name:"let-in" help:"Let somebody of the staff log in by password for a while, though only single sign-on is open: for when the provider is gone."`
	Unlink userUnlinkCommand `cmd:"" help:"Take away the link to an account of single sign-on."`
	List   userListCommand   `cmd:"" help:"List the log-ins."`

	Disable userDisableCommand `cmd:"" help:"Close a log-in. Its sessions end."`
	Enable  userEnableCommand  `cmd:"" help:"Open a closed log-in again."`
	Duties  userDutiesCommand  `cmd:"" help:"Show the duties of somebody of the staff, or set them."`
}

type userAddCommand struct {
	database
	Email    string `arg:"" help:"E-mail address, which is the log-in name."`
	Customer string `help:"Customer number the log-in belongs to." placeholder:"NO"`
	Role     string `help:"Of a customer's log-in: approver (all a customer may, the default), buyer, accounts or view. For staff: desk (order desk, warehouse) or ops (operator)." enum:"desk,ops,approver,buyer,accounts,view," default:"" placeholder:"ROLE"`
	Duties   string `help:"Of staff: duties, with commas, or none. Default: all." placeholder:"DUTY,…"`
	Name     string `help:"The person's name, shown to colleagues."`
	Password string `help:"Password; without it one is made and printed." env:"PORTAL_NEW_PASSWORD"`
}

func (c userAddCommand) Run(ctx context.Context, out io.Writer) error {
	n := sql.NewLogin{Email: c.Email, CustomerNo: c.Customer, Name: c.Name, Password: c.Password}
	staff := c.Role == "desk" || c.Role == "ops"
	switch {
	case c.Customer == "" && !staff:
		return errors.New("whose log-in is it? Give --customer, or for staff --role desk or --role ops")
	case c.Duties != "" && !staff:
		return errors.New("--duties are for staff")
	case c.Customer != "" && staff:
		return fmt.Errorf("--role %s is for staff, who belong to no customer", c.Role)
	case staff:
		n.StaffRole, n.Duties = c.Role, dutyList(cmp.Or(c.Duties, "all"))
	default:
		n.CustomerRole = c.Role
	}
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		password, err := logins.Add(ctx, n)
		if err != nil {
			return err
		}
		tell(out, c.Email, c.Password, password)
		return nil
	})
}

// dutyList reads duties as they are typed: with commas, all, or none.
func dutyList(typed string) []string {
	switch strings.TrimSpace(typed) {
	case "all":
		out := make([]string, len(domain.Duties))
		for i, d := range domain.Duties {
			out[i] = string(d)
		}
		return out
	case "none", "":
		return []string{}
	}
	out := strings.Split(typed, ",")
	for i := range out {
		out[i] = strings.ToLower(strings.TrimSpace(out[i]))
	}
	return out
}

type userDisableCommand struct {
	database
	Email string `arg:"" help:"E-mail address of the log-in."`
}

func (c userDisableCommand) Run(ctx context.Context, out io.Writer) error {
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		if err := logins.Disable(ctx, c.Email, true); err != nil {
			return err
		}
		fmt.Fprintln(out, c.Email, "is closed, its sessions have ended.")
		return nil
	})
}

type userEnableCommand struct {
	database
	Email string `arg:"" help:"E-mail address of the log-in."`
}

func (c userEnableCommand) Run(ctx context.Context, out io.Writer) error {
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		if err := logins.Disable(ctx, c.Email, false); err != nil {
			return err
		}
		fmt.Fprintln(out, c.Email, "is open.")
		return nil
	})
}

type userDutiesCommand struct {
	database
	Email string `arg:"" help:"E-mail address of the log-in."`
	Set   string `help:"The duties from now on, with commas: sales, warehouse, credit, prices, administrator; or all, or none." placeholder:"DUTY,…"`
}

func (c userDutiesCommand) Run(ctx context.Context, out io.Writer) error {
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		if c.Set != "" {
			if err := logins.SetDuties(ctx, c.Email, dutyList(c.Set)); err != nil {
				return err
			}
		}
		duties, err := logins.Duties(ctx, c.Email)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, c.Email+":", cmp.Or(strings.Join(duties, ", "), "none"))
		return nil
	})
}

type userResetCommand struct {
	database
	Email    string `arg:"" help:"E-mail address of the log-in."`
	Password string `help:"The new password; without it one is made and printed." env:"PORTAL_NEW_PASSWORD"`
	Factors  bool   `help:"Take away second factors and recovery codes instead, for somebody who has lost them. The password stays unless one is given."`
}

func (c userResetCommand) Run(ctx context.Context, out io.Writer) error {
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		if c.Factors {
			n, err := logins.ResetFactors(ctx, c.Email)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s: %d second factors were taken away, all sessions have ended\n", c.Email, n)
			if c.Password == "" {
				return nil
			}
		}
		password, err := logins.Reset(ctx, c.Email, c.Password)
		if err != nil {
			return err
		}
		tell(out, c.Email, c.Password, password)
		return nil
	})
}

// tell prints a password only if it is news to who asked.
func tell(out io.Writer, email, given, password string) {
	if given == "" {
		fmt.Fprintf(out, "%s  password: %s\n", email, password)
		return
	}
	fmt.Fprintln(out, email)
}

type userUnlockCommand struct {
	database
	Email string `arg:"" help:"E-mail address of the log-in."`
}

func (c userUnlockCommand) Run(ctx context.Context, out io.Writer) error {
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		if err := logins.Unlock(ctx, c.Email); err != nil {
			return err
		}
		fmt.Fprintln(out, c.Email, "is unlocked.")
		return nil
	})
}

type userListCommand struct {
	database
	Customer string `help:"Only log-ins of this customer number." placeholder:"NO"`
}

func (c userListCommand) Run(ctx context.Context, out io.Writer) error {
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		list, err := logins.List(ctx, c.Customer)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "E-MAIL\tBELONGS TO\tNAME\tSTATE\tLAST LOG-IN")
		for _, l := range list {
			last := "never"
			if l.LastLoginAt != nil {
				last = l.LastLoginAt.Local().Format("2006-01-02 15:04")
			}
			fmt.Fprintln(table, strings.Join([]string{l.Email, l.BelongsTo, l.Name, l.State, last}, "\t"))
		}
		return table.Flush()
	})
}

func withLogins(ctx context.Context, url string, f func(*sql.Logins) error) error {
	db, err := sql.Open(ctx, sql.Config{URL: url, Only: sql.OnlyWork})
	if err != nil {
		return err
	}
	defer db.Close()
	return f(sql.NewLogins(db))
}
