package portal

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Figure is one value that a page shows: a price, a total, a switch.
type Figure struct {
	Field string // of the form, where a refusal puts its words
	Label string // begins a sentence: "Level A", "The total"
	Value string // as the form has it; "" for none
	At    string // the field where a refusal puts its words; "" for Field, Nowhere for none
	// Needed is for a value that the page must have shown: others are compared only
	// where the form carries them.
	Needed bool
	// Unsaid is for a value that is no word for a reader, such as a number of
	// ours or a digest: a refusal says only that it is another one.
	Unsaid bool
}

// Nowhere is the place of a figure that the page shows and no form takes.
const Nowhere = "-"

// Figures are what a page shows of a row or a document. Its form carries them in
// the field "shown", and whoever acts on the form compares them, under the row's
// lock, with what is there by then. See
// docs/decisions/0008-forms-carry-what-was-shown.md.
type Figures []Figure

// Shown is the figures as a form carries them: a JSON object, the values by
// field.
func (f Figures) Shown() string {
	values := make(map[string]string, len(f))
	for _, v := range f {
		values[v.Field] = v.Value
	}
	return ASCIIJSON(values)
}

// readShown reads what a form carries; ok is false where it cannot be read.
func readShown(shown string) (values map[string]string, ok bool) {
	return values, json.Unmarshal([]byte(shown), &values) == nil && values != nil
}

// ShownFields are the fields whose values a form carries, sorted.
func ShownFields(shown string) []string {
	values, _ := readShown(shown)
	fields := make([]string, 0, len(values))
	for field := range values {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	return fields
}

// Compare is nil where a form's page showed the figures as they are now. Else it
// is CodeConflict with old and new at each field, and Shown is what the form
// carries to be taken as it is. What the sender typed is no difference where it
// is the same as what is there now. A form that carries nothing (a program's) is
// not compared; one that carries what nobody can read has shown nothing.
func (f Figures) Compare(shown string, typed Figures, then string) error {
	if shown == "" {
		return nil
	}
	was, readable := readShown(shown)
	e := &Error{Code: CodeConflict, Shown: f.Shown()}
	var unsaid *Figure
	for i, now := range f {
		before, onPage := was[now.Field]
		if !onPage && readable && !now.Needed || onPage && sameFigure(before, now.Value) || typed.has(now) {
			continue
		}
		if now.Unsaid {
			unsaid = &f[i]
			continue
		}
		e.Fields = append(e.Fields, FieldError{Field: now.at(), Message: now.changed(before, onPage)})
	}
	if len(e.Fields) == 0 && unsaid == nil {
		return nil
	}
	if len(e.Fields) == 0 {
		e.Fields = []FieldError{{Field: unsaid.at(), Message: unsaid.Label + " changed since this page was opened."}}
	}
	e.Message = strings.TrimSpace("Changed meanwhile. " + then)
	if len(e.Fields) == 1 { // a list of orders has room for one sentence
		e.Message = strings.TrimSpace(e.Fields[0].Message + " " + then)
		e.Fields[0].Message = e.Message
	}
	return e
}

func (f Figure) at() string {
	switch f.At {
	case Nowhere:
		return ""
	case "":
		return f.Field
	}
	return f.At
}

// changed is a sentence with old and new.
func (f Figure) changed(before string, onPage bool) string {
	if !onPage {
		return fmt.Sprintf("%s was not on this page when you opened it, and is %s now.", f.Label, figureWords(f.Value))
	}
	return fmt.Sprintf("%s was %s when you opened this page, and is %s now.", f.Label, figureWords(before),
		figureWords(f.Value))
}

// has reports whether the sender typed just this value.
func (f Figures) has(now Figure) bool {
	return slices.ContainsFunc(f, func(typed Figure) bool {
		return typed.Field == now.Field && sameFigure(typed.Value, now.Value)
	})
}

// sameFigure compares texts, numbers by their value: 12 is 12.00.
func sameFigure(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if a == b {
		return true
	}
	x, okX := readTyped(a, 12)
	y, okY := readTyped(b, 12)
	return okX && okY && x.Equal(y)
}

// figureWords is a value within a sentence.
func figureWords(value string) string {
	if value == "" {
		return "empty"
	}
	if choice.MatchString(value) {
		return strings.ReplaceAll(value, "_", " ")
	}
	return value
}

// choice matches the values of selects and switches: in_low_out.
var choice = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)

// onOff is a switch as a figure.
func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// SaveOver ends the refusal of a form that sets values.
const SaveOver = "Nothing was saved. Save again if yours is right."

// LookAgain ends the refusal of a decision.
const LookAgain = "Nothing was done: look at it again."
