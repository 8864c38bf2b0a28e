package portal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// SwitchKind is what a switch of Web Access holds.
type SwitchKind string

const (
	SwitchOnOff  SwitchKind = "on_off"
	SwitchChoice SwitchKind = "choice" // one of Switch.Choices
	SwitchAmount SwitchKind = "amount" // of money; null: no limit
	SwitchDays   SwitchKind = "days"   // how many; null: no limit
)

// Switch is one switch of a customer's Web Access: where it stands, and its row of
// erp.web_access_switch, which documents the fields.
type Switch struct {
	Column    string // of erp.web_access; the name in forms and in JSON
	No        int    // its place in JSON
	Section   string
	Beside    bool
	Kind      SwitchKind
	Label     string
	FormLabel string
	Help      string
	LogLabel  string
	LogSort   int
	Choices   []AccessChoice
	Value     *string // as PostgreSQL writes it: "true", "2500.00"; nil is null
}

// AccessChoice is what a switch of kind SwitchChoice may be set to.
type AccessChoice struct {
	Value    string `json:"value"`
	Label    string `json:"label"`     // the option of the form
	LogLabel string `json:"log_label"` // the word in the list of changes
}

// WebAccess is a customer's Web Access: all switches, in the order of the form. In JSON it is an
// object of the switches' values by column, amounts as strings with two decimals.
type WebAccess []Switch

// AccessEdit is the Web Access form as somebody typed it.
type AccessEdit struct {
	// Values are the fields by column. A limit that is empty is none, a choice that is empty
	// stays as it is, and a box that was not ticked is not here.
	Values map[string]string
	Shown  string // Figures of the form as it was opened; empty: not compared
}

// MarshalJSON writes {"enabled":true, …}.
func (a WebAccess) MarshalJSON() ([]byte, error) {
	inTurn := slices.SortedFunc(slices.Values(a), func(x, y Switch) int { return cmp.Compare(x.No, y.No) })
	var out bytes.Buffer
	for i, s := range inTurn {
		pair, err := json.Marshal(map[string]any{s.Column: s.value()})
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(pair[1 : len(pair)-1])
	}
	return slices.Concat([]byte("{"), out.Bytes(), []byte("}")), nil
}

// value is where the switch stands, for JSON.
func (s Switch) value() any {
	switch {
	case s.Value == nil:
		return nil
	case s.Kind == SwitchOnOff:
		return *s.Value == "true"
	case s.Kind == SwitchDays:
		return json.Number(*s.Value)
	}
	return *s.Value
}

// IsLimit reports whether null is no limit.
func (s Switch) IsLimit() bool { return s.Kind == SwitchAmount || s.Kind == SwitchDays }

// Typed is the form as it stands.
func (a WebAccess) Typed() AccessEdit {
	e := AccessEdit{Values: make(map[string]string, len(a))}
	for _, s := range a {
		if s.Value != nil {
			e.Values[s.Column] = *s.Value
		}
	}
	e.Shown = a.Figures(e).Shown()
	return e
}

// Figures are what the form shows when it holds an edit.
func (a WebAccess) Figures(e AccessEdit) Figures {
	out := make(Figures, len(a))
	for i, s := range a {
		out[i] = Figure{Field: s.Column, Label: s.Label, Value: e.Values[s.Column]}
		if s.Kind == SwitchOnOff {
			out[i].Value = onOff(e.IsOn(s.Column))
		}
	}
	return out
}

// IsOn reports whether the box of a switch is ticked.
func (e AccessEdit) IsOn(column string) bool {
	on, _ := readOnOff(e.Values[column])
	return on
}

// Read reads the form: the values to save, by column. A switch that the form does not have is
// left out, and so stays as it is: the form may have been opened before a migration made the
// switch. An error names every field that cannot be read.
func (a WebAccess) Read(e AccessEdit) (map[string]any, error) {
	var t typed
	out := make(map[string]any, len(a))
	shown := ShownFields(e.Shown)
	for _, s := range a {
		text, sent := e.Values[s.Column]
		if !sent && len(shown) > 0 && !slices.Contains(shown, s.Column) {
			continue
		}
		if value, ok := s.read(&t, text); ok {
			out[s.Column] = value
		}
	}
	return out, t.err()
}

// read reads one field; ok is false where the switch stays as it is.
func (s Switch) read(t *typed, text string) (value any, ok bool) {
	switch s.Kind {
	case SwitchOnOff:
		on, ok := readOnOff(text)
		if !ok {
			t.wrong(s.Column, s.Label+": choose on or off.")
		}
		return on, ok
	case SwitchChoice:
		values := make([]string, len(s.Choices))
		for i, c := range s.Choices {
			values[i] = c.Value
		}
		chosen := t.choice(s.Column, text, values...)
		return chosen, chosen != ""
	case SwitchAmount:
		return t.money(s.Column, "The "+strings.ToLower(s.Label[:1])+s.Label[1:], text), true
	case SwitchDays:
		return s.readDays(t, text), true
	}
	return nil, false // a kind that a later version knows
}

// maxDays is a hundred years.
const maxDays = 36500

func (s Switch) readDays(t *typed, text string) *int64 {
	d := t.number(s.Column, "The number of days", text, 0, "30, or leave it empty for no limit")
	if d == nil {
		return nil
	}
	days := d.IntPart()
	if days > maxDays {
		t.wrong(s.Column, "That is more than a hundred years: leave it empty for no limit.")
	}
	return &days
}

// readOnOff reads a box of a form; empty is off.
func readOnOff(text string) (on, ok bool) {
	switch strings.ToLower(text) {
	case "true", "on", "yes", "1":
		return true, true
	case "", "false", "off", "no", "0":
		return false, true
	}
	return false, false
}
