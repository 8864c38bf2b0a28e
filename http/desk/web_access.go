package desk

import (
	"portal.example/portal"
	"portal.example/portal/http/page"
)

// accessSection is a heading of the Web Access form and what stands below it, in lines of one
// switch, or of several that stand beside one another.
type accessSection struct {
	Legend string
	Lines  [][]accessField
}

// accessField is a switch as the form has it.
type accessField struct {
	portal.Switch
	Typed string
	On    bool
	Error string
}

// InputMode is the keyboard that a telephone shows.
func (f accessField) InputMode() string {
	if f.Kind == portal.SwitchDays {
		return "numeric"
	}
	return "decimal"
}

// Options are the choices.
func (f accessField) Options() []page.Option {
	out := make([]page.Option, len(f.Choices))
	for i, c := range f.Choices {
		out[i] = page.Option{Value: c.Value, Label: c.Label}
	}
	return out
}

// AccessSections are the form.
func (p customerPage) AccessSections() []accessSection {
	var out []accessSection
	for _, s := range p.Access {
		if len(out) == 0 || out[len(out)-1].Legend != s.Section {
			out = append(out, accessSection{Legend: s.Section})
		}
		field := accessField{Switch: s, Typed: p.Typed.Values[s.Column], On: p.Typed.IsOn(s.Column), Error: p.Error(s.Column)}
		section := &out[len(out)-1]
		if last := len(section.Lines) - 1; s.Beside && last >= 0 {
			section.Lines[last] = append(section.Lines[last], field)
		} else {
			section.Lines = append(section.Lines, []accessField{field})
		}
	}
	return out
}

// accessEdit reads the posted form.
func accessEdit(q *page.Request) (portal.AccessEdit, error) {
	var in struct {
		Shown string `form:"shown"`
	}
	if err := q.Decode(&in); err != nil {
		return portal.AccessEdit{}, err
	}
	edit := portal.AccessEdit{Values: make(map[string]string, len(q.PostForm)), Shown: in.Shown}
	for name := range q.PostForm {
		edit.Values[name] = q.PostForm.Get(name)
	}
	return edit, nil
}

func (c *Counter) SaveAccess(q *page.Request) error {
	in, err := accessEdit(q)
	if err != nil {
		return err
	}
	customerNo := q.Param("customer_no")
	err = c.Customers.SaveAccess(q.Context(), q.Who, customerNo, in)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("customers", customerNo), "Web Access of "+customerNo+" saved")
	case page.ShownOnPage(q, err):
		return c.customerPage(q, &in, err)
	}
	return err
}
