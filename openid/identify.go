package openid

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"portal.example/portal"
)

func failed(format string, args ...any) error {
	return &portal.SignOnError{Refusal: portal.SignOnFailed, Err: fmt.Errorf(format, args...)}
}

// Identify implements portal.IdentityProvider.
func (p *Provider) Identify(ctx context.Context, s portal.SignOn, answer url.Values) (portal.Identity, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return portal.Identity{}, err
	}
	// an answer of another provider, which this one's code would be handed to (RFC 9207)
	if iss := answer.Get("iss"); iss != p.config.Issuer && (iss != "" || d.SaysIssuer) {
		return portal.Identity{}, failed("the answer is of issuer %q, not of %q", iss, p.config.Issuer)
	}
	if code := answer.Get("error"); code != "" {
		return portal.Identity{}, &portal.SignOnError{Refusal: saidNo(code),
			Err: fmt.Errorf("the provider said %.100q: %.300q", code, answer.Get("error_description"))}
	}
	if answer.Get("code") == "" {
		return portal.Identity{}, failed("neither code nor error came back")
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.oauth(d).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return portal.Identity{}, &portal.SignOnError{Refusal: refusalOf(err),
			Err: fmt.Errorf("exchange of the code: %w", err)}
	}
	claims, id, err := p.verify(ctx, d, s, token)
	if err != nil {
		return portal.Identity{}, err
	}
	if err := p.complete(ctx, d, token, id.Subject, claims); err != nil {
		return portal.Identity{}, err
	}
	return p.identity(id, claims, s)
}

// saidNo tells a refusal, by the person or for them, from a fault in how both are set up.
func saidNo(code string) portal.SignOnRefusal {
	switch code {
	case "access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required":
		return portal.SignOnDenied
	case "temporarily_unavailable", "server_error":
		return portal.SignOnSilent
	}
	return portal.SignOnFailed
}

// claims are what the provider says of somebody, still as JSON.
type claims map[string]json.RawMessage

// verify checks the token that says who it is: who issued and signed it, for whom, when,
// and that it answers what this browser was sent with.
func (p *Provider) verify(ctx context.Context, d *discovered, s portal.SignOn,
	token *oauth2.Token) (claims, *oidc.IDToken, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, nil, failed("no id_token came back: is openid among the scopes?")
	}
	// go-oidc is exact about the end and lenient about the beginning
	config := &oidc.Config{ClientID: p.config.ClientID, Now: func() time.Time { return time.Now().Add(-leeway) }}
	id, err := d.provider.Verifier(config).Verify(ctx, raw)
	if err != nil {
		return nil, nil, &portal.SignOnError{Refusal: portal.SignOnFailed, Err: fmt.Errorf("id token: %w", err)}
	}
	c := claims{}
	if err := id.Claims(&c); err != nil {
		return nil, nil, failed("claims of the id token: %w", err)
	}
	ahead := time.Until(id.IssuedAt)
	switch azp := c.text("azp"); {
	case id.Subject == "":
		return nil, nil, failed("the id token names no subject")
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(s.Nonce)) != 1:
		return nil, nil, failed("the id token answers another request: its nonce is not ours")
	case azp != "" && azp != p.config.ClientID, azp == "" && len(id.Audience) > 1:
		return nil, nil, failed("the id token is for %q, among %q", azp, id.Audience)
	case ahead > leeway:
		return nil, nil, failed("the id token was issued %v in the future: compare the clocks", ahead.Round(time.Second))
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, nil, failed("the access token is not the id token's: %w", err)
		}
	}
	return c, id, nil
}

// complete asks the provider for what its token left out: e-mail and groups often come
// from its page about the person alone.
func (p *Provider) complete(ctx context.Context, d *discovered, token *oauth2.Token, subject string, c claims) error {
	if d.provider.UserInfoEndpoint() == "" || c["email"] != nil && c.at(p.config.GroupsClaim) != nil {
		return nil
	}
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return &portal.SignOnError{Refusal: refusalOf(err), Err: fmt.Errorf("user info: %w", err)}
	}
	if info.Subject != subject {
		return failed("user info is of subject %q, the id token of %q", info.Subject, subject)
	}
	more := claims{}
	if err := info.Claims(&more); err != nil {
		return failed("claims of user info: %w", err)
	}
	if c["email"] != nil { // whether it is verified belongs to the e-mail that it came with
		delete(more, p.config.VerifiedClaim)
	} else if more["email"] != nil {
		delete(c, p.config.VerifiedClaim)
	}
	for name, value := range more {
		if c[name] == nil {
			c[name] = value
		}
	}
	return nil
}

// identity reads the claims.
func (p *Provider) identity(id *oidc.IDToken, c claims, s portal.SignOn) (portal.Identity, error) {
	out := portal.Identity{Issuer: id.Issuer, Subject: id.Subject, Email: c.text("email"),
		Name:          cmp.Or(c.text("name"), c.text("preferred_username")),
		EmailVerified: c.yes(p.config.VerifiedClaim)}
	if id.Issuer != p.config.Issuer { // Google's other spelling: one account is one row
		out.Issuer = p.config.Issuer
	}
	var at float64
	if raw := c["auth_time"]; raw != nil {
		if err := json.Unmarshal(raw, &at); err != nil {
			return out, failed("auth_time is no time: %w", err)
		}
		out.AuthTime = time.Unix(int64(at), 0)
	}
	if s.Session != 0 && out.AuthTime.Before(s.Begun.Add(-leeway)) {
		return out, &portal.SignOnError{Refusal: portal.SignOnNotConfirmed,
			Err: errors.New("the provider did not ask anew: auth_time is missing or too old")}
	}
	groups := c.list(p.config.GroupsClaim)
	if len(groups) == 0 && strings.Contains(string(c["_claim_names"]), p.config.GroupsClaim) {
		p.config.Logger.Warn("the provider left the groups out, since they are too many: have it send those of the portal",
			"subject", id.Subject)
	}
	out.Duties, out.Operator = p.granted(groups)
	proved := append(c.list("amr"), c.text("acr"))
	out.MultiFactor = slices.ContainsFunc(p.config.MultiFactor, func(v string) bool {
		return v != "" && slices.Contains(proved, v)
	})
	return out, nil
}

// granted is what groups give.
func (p *Provider) granted(groups []string) (duties []string, operator *bool) {
	given := map[string]bool{}
	for _, g := range p.config.Duties {
		has := slices.Contains(groups, g.Group)
		switch {
		case g.Duty == Operator:
			yes := has || operator != nil && *operator
			operator = &yes
		case has:
			given[g.Duty] = true
		}
	}
	return slices.Sorted(maps.Keys(given)), operator
}

// at is a claim by its name, or by a path through objects: realm_access.roles.
func (c claims) at(path string) json.RawMessage {
	if raw := c[path]; raw != nil {
		return raw
	}
	first, rest, ok := strings.Cut(path, ".")
	if !ok || c[first] == nil {
		return nil
	}
	inner := claims{}
	if json.Unmarshal(c[first], &inner) != nil {
		return nil
	}
	return inner.at(rest)
}

// text is a claim that is text; empty for any other.
func (c claims) text(name string) (s string) {
	_ = json.Unmarshal(c.at(name), &s)
	return strings.TrimSpace(s)
}

// list is a claim that is a list of texts, or one.
func (c claims) list(name string) (list []string) {
	if json.Unmarshal(c.at(name), &list) == nil {
		return list
	}
	if s := c.text(name); s != "" {
		return []string{s}
	}
	return nil
}

// yes is a claim that is true, as providers write it.
func (c claims) yes(name string) bool {
	switch strings.Trim(string(c.at(name)), `"`) {
	case "true", "1":
		return true
	}
	return false
}
