package page

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/julienschmidt/httprouter"

	"portal.example/portal"
)

// The fields by which any form proves anew who sends it.
const (
	proofCode     = "proof_code"
	proofPassword = "proof_password"
	proofPasskey  = "proof_passkey"
	proofProvider = "proof_sso" // it was to be proved at the provider
)

// confirmPage asks who they are, and carries the form that was sent: nothing typed is
// lost, and the answer sends it once more.
type confirmPage struct {
	FormErrors
	State    portal.FactorState
	Provider string // that confirms who has a session of single sign-on
	Email    string
	Action   string
	Fields   []formField // of the form that was sent
}

// formField is a value of a form.
type formField struct{ Name, Value string }

// Confirmed is a handler of a form that people, money, or what lets somebody in hangs
// on: who sends it has proved who they are within the company's confirm_within, or does
// now. Staff who act as a customer prove who they are themselves.
func (k *Kit) Confirmed(h Handler) Handler {
	return func(q *Request) error {
		who := q.Who
		if who.Acting != portal.ActingNot {
			var err error
			if who, err = k.Factors.AnySession(q.Context(), k.Token(q.Request)); err != nil {
				return err
			}
		}
		state, err := k.Factors.FactorState(q.Context(), who)
		if err != nil {
			return err
		}
		if state.Confirmed || state.Stage == portal.StageEnrol {
			// the database asks as well, and perhaps a moment too late
			if err := h(q); portal.ErrorCode(err) != portal.CodeConfirm {
				return err
			}
		}
		if state.Stage != portal.StageFull {
			return portal.Errorf(portal.CodeFactor, "Prove first that it is you.")
		}
		q.Body = http.MaxBytesReader(q.W, q.Body, MaxForm)
		if err := q.ParseForm(); err != nil {
			return &portal.Error{Code: portal.CodeInvalid, Message: "The form could not be read. Please try again.", Err: err}
		}
		p := portal.FactorProof{Code: q.PostForm.Get(proofCode), Password: q.PostForm.Get(proofPassword),
			Passkey: q.PostForm.Get(proofPasskey)}
		provider := k.confirmedBy(who, state)
		refused := error(portal.Errorf(portal.CodeConfirm, "Prove once more that it is you, then this goes on: %s.",
			howToProve(state, provider)))
		asked := p == (portal.FactorProof{}) && !q.PostForm.Has(proofProvider)
		if provider != "" && !asked {
			refused = portal.Errorf(portal.CodeConfirm, "%s has not confirmed it yet.", provider)
		} else if !asked {
			if refused = k.Factors.Confirm(q.Context(), who, p); refused == nil {
				return h(q)
			}
		}
		if WantsJSON(q.Request) || IsPart(q.Request) || !shownAtForm(refused) {
			return refused
		}
		view := confirmPage{State: state, Provider: provider, Email: who.Email, Action: q.URL.RequestURI(),
			Fields: carried(q.PostForm)}
		if !asked {
			view.FormErrors = formErrorsAs(refused, "proof_")
		}
		return k.PlainPage(q, Status(refused), "page/confirm", "Is it you?", view)
	}
}

// shownAtForm reports a refusal that the form itself can tell.
func shownAtForm(err error) bool {
	switch portal.ErrorCode(err) {
	case portal.CodeConfirm, portal.CodeInvalid, portal.CodeTooMany:
		return true
	}
	return false
}

// formErrorsAs is FormErrorsOf with the fields under another form's names.
func formErrorsAs(err error, prefix string) FormErrors {
	f := FormErrorsOf(err)
	f.Fields = slices.Clone(f.Fields)
	for i := range f.Fields {
		f.Fields[i].Field = prefix + f.Fields[i].Field
	}
	return f
}

// confirmedBy is the provider that confirms who has a session; empty where they prove it
// here.
func (k *Kit) confirmedBy(who portal.Session, state portal.FactorState) string {
	if who.By != portal.ByProvider || state.Any() || k.SignOn == nil {
		return ""
	}
	return k.SignOn.Name()
}

// howToProve tells a program what to do.
func howToProve(state portal.FactorState, provider string) string {
	switch {
	case provider != "":
		return "open /login/sso/confirm in the browser"
	case state.Any():
		return "send " + proofCode + " with the form"
	}
	return "send " + proofPassword + " with the form"
}

// carried are the fields of a form but those that prove.
func carried(form url.Values) (fields []formField) {
	for name, values := range form {
		if strings.HasPrefix(name, "proof_") {
			continue
		}
		for _, v := range values {
			fields = append(fields, formField{name, v})
		}
	}
	slices.SortStableFunc(fields, func(a, b formField) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// AnyStage serves who has a session, whether it has proved its second factor or not:
// what proves it and what sets one up. The database decides what such a session may.
func (k *Kit) AnyStage(h Handler) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		q := k.request(w, r, p)
		k.finish(q, func() (err error) {
			if q.Who, err = k.Factors.AnySession(r.Context(), k.Token(r)); err != nil {
				return err
			}
			q.Who.Source = k.Source(r)
			if err := k.OwnAffairs(q); err != nil {
				return err
			}
			return h(q)
		}())
	}
}
