package shop

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// factorPage asks for a second factor at log-in, or to set one up.
type factorPage struct {
	page.FormErrors
	State          portal.FactorState `json:"state"`
	OffersPasskeys bool               `json:"-"`
	OffersApps     bool               `json:"-"`
	Email          string             `json:"email"`
	Next           string             `json:"next"`
}

// appPage sets up an authenticator app.
type appPage struct {
	page.FormErrors
	Secret string       `json:"secret"`
	QR     template.URL `json:"-"`
	Name   string       `json:"-"`
	Back   string       `json:"-"`
}

// passkeyPage makes a passkey.
type passkeyPage struct {
	page.FormErrors
	Name string `json:"-"`
	Back string `json:"-"`
}

// codesPage shows recovery codes, once.
type codesPage struct {
	Codes []string `json:"recovery_codes"`
	Back  string   `json:"-"`
}

// ShowFactor asks for what a session waits for.
func (c *Counter) ShowFactor(q *page.Request) error {
	return c.factorPage(q, c.Next(q.URL.Query().Get("next")), nil)
}

func (c *Counter) factorPage(q *page.Request, next string, refused error) error {
	all, err := c.Factors.Factors(q.Context(), q.Who)
	if err != nil {
		return err
	}
	if all.Stage == portal.StageFull {
		return c.toNext(q, q.Who, next)
	}
	return c.PlainPage(q, page.Status(refused), "shop/factor", "Second factor",
		factorPage{FormErrors: page.FormErrorsOf(refused),
			State: all.FactorState, OffersPasskeys: all.OffersPasskeys, OffersApps: all.OffersApps,
			Email: q.Who.Email, Next: next})
}

// ProveFactor lets a session through.
func (c *Counter) ProveFactor(q *page.Request) error {
	var in struct {
		Code     string `form:"code"`
		Passkey  string `form:"passkey"`
		Remember bool   `form:"remember"`
		Next     string `form:"next"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	err := c.Factors.Prove(q.Context(), q.Who, portal.FactorProof{Code: in.Code, Passkey: in.Passkey}, in.Remember)
	if err != nil {
		c.Logger.Warn("second factor refused", "request", page.RequestID(q.Context()), "login", int64(q.Who.LoginID),
			"source", c.Source(q.Request), "error", err)
	}
	switch code := portal.ErrorCode(err); {
	case page.WantsJSON(q.Request) && err == nil:
		return page.WriteJSON(q.W, http.StatusOK, map[string]bool{"ok": true})
	case err == nil:
		return c.toNext(q, q.Who, c.Next(in.Next))
	case (code == portal.CodeInvalid || code == portal.CodeTooMany) && !page.WantsJSON(q.Request):
		return c.factorPage(q, c.Next(in.Next), err)
	}
	return err
}

// toNext goes on after a log-in.
func (c *Counter) toNext(q *page.Request, who portal.Session, to string) error {
	if who.Staff() && !strings.HasPrefix(to, "/desk") && !strings.HasPrefix(to, "/ops") {
		to = "/desk/orders"
	}
	http.Redirect(q.W, q.Request, to, http.StatusSeeOther)
	return nil
}

// LogInOptions is what a browser needs to log in by a passkey.
func (c *Counter) LogInOptions(q *page.Request) error {
	options, err := c.Factors.LogInOptions(q.Context())
	if err != nil {
		return err
	}
	return page.WriteJSON(q.W, http.StatusOK, options)
}

// LogInWithPasskey logs in without a password.
func (c *Counter) LogInWithPasskey(q *page.Request) error {
	var in struct {
		Passkey string `form:"passkey"`
		Next    string `form:"next"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	token, who, err := c.Factors.LogInWithPasskey(q.Context(), in.Passkey, c.Browser(q.W, q.Request))
	if portal.ErrorCode(err) == portal.CodeInvalid && !page.WantsJSON(q.Request) {
		c.Logger.Warn("log-in refused", "request", page.RequestID(q.Context()), "source", c.Source(q.Request), "error", err)
		return c.PlainPage(q, page.Status(err), "shop/login", "Log in",
			loginPage{Next: c.Next(in.Next), Error: portal.ErrorMessage(err), Passkeys: c.Factors.OffersPasskeys()})
	}
	if err != nil {
		return err
	}
	c.LoggedIn(q.W, token, who)
	if page.WantsJSON(q.Request) {
		return page.WriteJSON(q.W, http.StatusOK,
			map[string]string{"email": who.Email, "role": string(who.Role), "customer_no": who.CustomerNo})
	}
	return c.toNext(q, who, c.Next(in.Next))
}

// PasskeyOptions is what a browser needs to sign with a passkey, or with ?new to
// make one.
func (c *Counter) PasskeyOptions(q *page.Request) error {
	ask := c.Factors.PasskeyOptions
	if q.URL.Query().Has("new") {
		ask = c.Factors.NewPasskeyOptions
	}
	options, err := ask(q.Context(), q.Who)
	if err != nil {
		return err
	}
	return page.WriteJSON(q.W, http.StatusOK, options)
}

// back is where a page about factors leads to.
func back(who portal.Session) string {
	if who.Stage == portal.StageEnrol {
		return "/login/factor"
	}
	return profilePath(who) + "#security"
}

// BeginPasskey shows the page on which a passkey is made.
func (c *Counter) BeginPasskey(q *page.Request) error {
	return c.PlainPage(q, http.StatusOK, "shop/passkey", "Add a passkey",
		passkeyPage{Name: portal.Device(q.UserAgent()), Back: back(q.Who)})
}

// AddPasskey keeps a passkey that the browser has made.
func (c *Counter) AddPasskey(q *page.Request) error {
	var in struct {
		Name    string `form:"name"`
		Passkey string `form:"passkey"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	codes, err := c.Factors.AddPasskey(q.Context(), q.Who, in.Name, in.Passkey)
	if portal.ErrorCode(err) == portal.CodeInvalid && !page.WantsJSON(q.Request) {
		return c.PlainPage(q, page.Status(err), "shop/passkey", "Add a passkey",
			passkeyPage{FormErrors: page.FormErrorsOf(err), Name: in.Name, Back: back(q.Who)})
	}
	if err != nil {
		return err
	}
	return c.added(q, codes, "Passkey added. Your other sessions have ended.")
}

// BeginApp shows what an authenticator app is set up with.
func (c *Counter) BeginApp(q *page.Request) error { return c.appPage(q, "Phone", nil) }

func (c *Counter) appPage(q *page.Request, name string, refused error) error {
	app, err := c.Factors.BeginApp(q.Context(), q.Who)
	if err != nil {
		return err
	}
	var groups []string
	for s := app.Secret; s != ""; s = s[min(4, len(s)):] {
		groups = append(groups, s[:min(4, len(s))])
	}
	//nolint:gosec // an address of our own making
	picture := template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(app.QR))
	return c.PlainPage(q, page.Status(refused), "shop/app", "Set up an app",
		appPage{FormErrors: page.FormErrorsOf(refused),
			Secret: strings.Join(groups, " "), QR: picture, Name: name, Back: back(q.Who)})
}

// AddApp keeps the app once it shows a right code.
func (c *Counter) AddApp(q *page.Request) error {
	var in struct {
		Name string `form:"name"`
		Code string `form:"code"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	codes, err := c.Factors.AddApp(q.Context(), q.Who, in.Name, in.Code)
	if portal.ErrorCode(err) == portal.CodeInvalid && !page.WantsJSON(q.Request) {
		return c.appPage(q, in.Name, err)
	}
	if err != nil {
		return err
	}
	return c.added(q, codes, "App added. Your other sessions have ended.")
}

// added answers with the recovery codes, if there are any.
func (c *Counter) added(q *page.Request, codes []string, words string) error {
	if len(codes) == 0 {
		return q.Done(profilePath(q.Who), words)
	}
	return c.PlainPage(q, http.StatusOK, "shop/codes", "Recovery codes",
		codesPage{codes, profilePath(q.Who) + "#security"})
}

// NewCodes makes recovery codes anew.
func (c *Counter) NewCodes(q *page.Request) error {
	codes, err := c.Factors.NewRecoveryCodes(q.Context(), q.Who)
	if err != nil {
		return err
	}
	return c.added(q, codes, "")
}

func (c *Counter) RemoveFactor(q *page.Request) error {
	id, err := strconv.ParseInt(q.Param("factor_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such factor.")
	}
	if err := c.Factors.RemoveFactor(q.Context(), q.Who, portal.FactorID(id)); err != nil {
		return err
	}
	return q.Done(profilePath(q.Who), "Removed. Your other sessions have ended.")
}

func (c *Counter) ForgetBrowser(q *page.Request) error {
	id, err := strconv.ParseInt(q.Param("browser_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such browser.")
	}
	if err := c.Factors.ForgetBrowser(q.Context(), q.Who, portal.BrowserID(id)); err != nil {
		return err
	}
	return q.Done(profilePath(q.Who), "That browser is asked again.")
}

// RequireFactor says whether the people of a customer must have a second factor.
func (c *Counter) RequireFactor(q *page.Request) error {
	var in struct {
		Required bool `form:"required"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	if err := c.Factors.RequireFactor(q.Context(), q.Who, q.Param("customer_no"), in.Required); err != nil {
		return err
	}
	words := "A second factor is optional for them now."
	if in.Required {
		words = "A second factor is obligatory for them now. Who has none sets one up at once."
	}
	return q.Done(peopleBase(q), words)
}
