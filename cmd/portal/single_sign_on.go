package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"portal.example/portal/http/page"
	"portal.example/portal/openid"
	"portal.example/portal/sql"
)

// ssoSettings say where staff log in by single sign-on; doctor takes them as well.
type ssoSettings struct {
	SSOIssuer   string   `name:"sso-issuer" help:"OpenID Connect provider of the staff, as it calls itself: https://login.example.com/realms/staff. Without one there is no single sign-on." env:"PORTAL_SSO_ISSUER" placeholder:"URL"`
	SSOClientID string   `name:"sso-client-id" help:"The portal's name at the provider." env:"PORTAL_SSO_CLIENT_ID" placeholder:"ID"`
	SSOSecret   string   `name:"sso-client-secret" help:"Its secret there." env:"PORTAL_SSO_CLIENT_SECRET" placeholder:"SECRET"`
	SSOName     string   `name:"sso-name" help:"How your people call the provider, for the button. Default: its host." env:"PORTAL_SSO_NAME" placeholder:"NAME"`
	SSOScopes   []string `name:"sso-scopes" help:"What the provider is asked for." default:"openid,profile,email" env:"PORTAL_SSO_SCOPES" placeholder:"SCOPE,…"`
	SSOGroups   string   `name:"sso-groups-claim" help:"Where its answer has the groups: a claim, or a path like realm_access.roles." default:"groups" env:"PORTAL_SSO_GROUPS_CLAIM" placeholder:"CLAIM"`
	SSODuties   []string `name:"sso-duties" help:"What groups give: GROUP=DUTY, several with semicolons. The duties are those of the portal, and operator." sep:";" env:"PORTAL_SSO_DUTIES" placeholder:"GROUP=DUTY;…"`
	SSOCreate   bool     `name:"sso-create" help:"Make a log-in for whoever has a group with a duty and none yet." env:"PORTAL_SSO_CREATE"`
	SSOFactor   []string `name:"sso-multi-factor" help:"Values of amr or acr by which the provider says that it took a second factor: mfa. The portal then asks for none of its own." env:"PORTAL_SSO_MULTI_FACTOR" placeholder:"VALUE,…"`
	SSOVerified string   `name:"sso-verified-claim" help:"Claim that is true where the provider has verified the e-mail." default:"email_verified" env:"PORTAL_SSO_VERIFIED_CLAIM" placeholder:"CLAIM"`
}

// provider is nil where none is set.
func (c ssoSettings) provider(publicURL string, logger *slog.Logger) (*openid.Provider, error) {
	if c.SSOIssuer == "" {
		return nil, nil
	}
	grants, err := c.grants()
	if err != nil {
		return nil, err
	}
	return openid.New(openid.Config{Issuer: c.SSOIssuer, ClientID: c.SSOClientID, ClientSecret: c.SSOSecret,
		Name: c.SSOName, Scopes: c.SSOScopes,
		GroupsClaim: c.SSOGroups, VerifiedClaim: c.SSOVerified, Duties: grants, MultiFactor: c.SSOFactor,
		PublicURL: publicURL, Logger: logger})
}

// grants reads GROUP=DUTY. Groups may have an equals sign in their names, duties have none.
func (c ssoSettings) grants() (out []openid.Grant, err error) {
	for _, s := range c.SSODuties {
		i := strings.LastIndex(s, "=")
		if i < 0 || strings.TrimSpace(s[:i]) == "" || strings.TrimSpace(s[i+1:]) == "" {
			return nil, fmt.Errorf("--sso-duties %q: write GROUP=DUTY, several with semicolons", s)
		}
		out = append(out, openid.Grant{Group: strings.TrimSpace(s[:i]), Duty: strings.TrimSpace(s[i+1:])})
	}
	return out, nil
}

// singleSignOn is the pages', where a provider is set and staff are served; else nil.
func (a *app) singleSignOn(sessions *sql.SessionStore) (*page.SignOn, error) {
	provider, err := a.provider(a.PublicURL, a.logger)
	if err != nil || provider == nil || a.db.Desk == nil {
		return nil, err
	}
	return &page.SignOn{IdentityProvider: provider, SignOnService: sql.NewSignOnStore(sessions, a.SSOCreate)}, nil
}

// examineSSO looks at the provider with the settings that serve has.
func (c ssoSettings) examineSSO(ctx context.Context, publicURL string) []sql.Checkup {
	if c.SSOIssuer == "" {
		return []sql.Checkup{{OK: true, What: "no provider of single sign-on is set"}}
	}
	provider, err := c.provider(publicURL, nil)
	if err != nil {
		return []sql.Checkup{{What: "settings of single sign-on", Advice: err.Error()}}
	}
	var out []sql.Checkup
	for _, f := range provider.Examine(ctx) {
		out = append(out, sql.Checkup{OK: f.OK, What: f.What, Advice: f.Advice})
	}
	return out
}

// dutyCodes are the duties that groups give, operators aside.
func (c ssoSettings) dutyCodes() []string {
	out := []string{}
	grants, _ := c.grants() // examineSSO says what is wrong with them
	for _, g := range grants {
		if g.Duty != openid.Operator {
			out = append(out, g.Duty)
		}
	}
	return out
}

type userLetInCommand struct {
	database
	Email    string        `arg:"" help:"E-mail address of the log-in."`
	For      time.Duration `help:"For how long they may log in; the session then lasts as any other." default:"1h"`
	Password string        `help:"The new password; without it one is made and printed." env:"PORTAL_NEW_PASSWORD"`
}

func (c userLetInCommand) Run(ctx context.Context, out io.Writer) error {
	if c.For <= 0 || c.For > 7*24*time.Hour {
		return errors.New("--for: choose up to seven days (168h)")
	}
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		password, err := logins.LetIn(ctx, c.Email, c.For, c.Password)
		if err != nil {
			return err
		}
		tell(out, c.Email, c.Password, password)
		fmt.Fprintf(out, "They may log in by password until %s. Their second factor is asked as ever; the audit has it.\n",
			time.Now().Add(c.For).Format("2006-01-02 15:04"))
		return nil
	})
}

type userUnlinkCommand struct {
	database
	Email string `arg:"" help:"E-mail address of the log-in."`
}

func (c userUnlinkCommand) Run(ctx context.Context, out io.Writer) error {
	return withLogins(ctx, c.URL, func(logins *sql.Logins) error {
		if err := logins.Unlink(ctx, c.Email); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is linked to no account any more. The next one with that e-mail is linked.\n", c.Email)
		return nil
	})
}
