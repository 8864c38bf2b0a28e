package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"portal.example/portal/mail"
	"portal.example/portal/sql"
)

type doctorCommand struct {
	URL string `name:"database-url" help:"The ERP's database: postgres://user@host/name, or a libpq keyword string. Default: the log-in of migrations, then that of jobs." env:"DATABASE_URL,PORTAL_DATABASE_URL" placeholder:"URL"`
	loginSettings
	MigrateURL string `name:"migrate-database-url" help:"The same database, with the log-in of migrations." env:"PORTAL_MIGRATE_DATABASE_URL" placeholder:"URL"`
	DirectURL  string `help:"Connection that does not pass a pooler, as serve has it. Default: the database URL." env:"PORTAL_DIRECT_URL" placeholder:"URL"`
	WebConns   int32  `help:"Most database connections for customers' requests, as serve has it." default:"16" env:"PORTAL_WEB_CONNS"`
	certificateSettings
	mailSettings
	ssoSettings
}

// Help teaches what the flags do not.
func (doctorCommand) Help() string {
	return `Looks at the database as the portal needs it: version, migrations, and everything that keeps customers
apart or holds a rule, compared with what it must be (rights, policies, functions, triggers, constraints,
owners), the event path (LISTEN, the NOTIFY queue, the log and its pruning, listeners that hang, poolers in
between), WAL and replication slots, connections, long transactions, invariants, certificates (a warning three
weeks before one ends); and at the mail server and the provider of single sign-on, with the settings that serve
has. Each finding says what to do. Ends with 1 if anything is wrong.`
}

// examineMail looks at the settings of mail and reaches the mail server,
// without sending anything.
func (c mailSettings) examineMail(ctx context.Context) []sql.Checkup {
	if c.SMTPURL == "" {
		return []sql.Checkup{{OK: true, What: "no mail server is set: mails are kept at /ops/mail"}}
	}
	post, err := mail.New(mail.Config{URL: c.SMTPURL, From: c.MailFrom, PublicURL: c.PublicURL})
	if err != nil {
		return []sql.Checkup{{What: "settings of mail",
			Advice: "Set PORTAL_SMTP_URL, PORTAL_MAIL_FROM and PORTAL_PUBLIC_URL: " + err.Error()}}
	}
	out := []sql.Checkup{{OK: strings.HasPrefix(c.PublicURL, "https://"), What: "links in mails begin with " + c.PublicURL,
		Advice: "PORTAL_PUBLIC_URL is what customers open from elsewhere: it should begin with https://."}}
	reached := sql.Checkup{OK: true, What: "the mail server takes our log-in"}
	if err := post.Check(ctx); err != nil {
		reached.OK, reached.Advice = false, "Look at PORTAL_SMTP_URL. It said: "+err.Error()
	}
	return append(out, reached)
}

func (c doctorCommand) Run(ctx context.Context, out io.Writer) error {
	url := cmp.Or(c.URL, c.MigrateURL, c.WorkURL)
	if url == "" {
		return errors.New("no database is given: set --database-url (DATABASE_URL)")
	}
	findings, err := sql.Examine(ctx, sql.Examination{URL: url, Logins: c.loginURLs(), DirectURL: c.DirectURL,
		WebConns: c.WebConns, SignOn: c.SSOIssuer != "", SignOnDuties: c.dutyCodes()})
	if err != nil {
		return err
	}
	findings = append(findings, c.examineCertificates(ctx, time.Now())...)
	findings = append(findings, c.examineMail(ctx)...)
	findings = append(findings, c.examineSSO(ctx, c.PublicURL)...)
	bad := 0
	for _, f := range findings {
		mark := "ok  "
		if !f.OK {
			mark = "BAD "
			bad++
		}
		fmt.Fprintf(out, "%s %s\n", mark, f.What)
		if !f.OK && f.Advice != "" {
			fmt.Fprintf(out, "     %s\n", f.Advice)
		}
		if f.Note != "" {
			fmt.Fprintf(out, "     %s\n", f.Note)
		}
	}
	if bad > 0 {
		return errors.New("not all is well")
	}
	return nil
}
