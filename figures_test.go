package portal

import (
	"errors"
	"strings"
	"testing"
)

func TestFiguresCompare(t *testing.T) {
	t.Parallel()
	now := Figures{{Field: "price_a", Label: "Level A", Value: "12.00"},
		{Field: "see_stock", Label: "Sees stock", Value: "in_low_out"},
		{Field: "digest", Label: "What it was applied to", Value: "b", Unsaid: true, At: Nowhere},
		{Field: "new", Label: "Open of IN-1", Value: "5.00", Needed: true}}
	for name, c := range map[string]struct {
		shown string
		typed Figures
		want  string // "" for none
	}{
		"a program's":         {shown: ""},
		"as it is":            {shown: now.Shown()},
		"numbers by value":    {shown: `{"price_a":"12","see_stock":"in_low_out","digest":"b","new":"5"}`},
		"what is not carried": {shown: `{"new":"5.00"}`},
		"what must have been there": {shown: `{}`,
			want: "Open of IN-1 was not on this page when you opened it, and is 5.00 now. Again."},
		"another": {shown: `{"price_a":"10.00","new":"5.00"}`,
			want: "Level A was 10.00 when you opened this page, and is 12.00 now. Again."},
		"none before": {shown: `{"price_a":"","new":"5.00"}`,
			want: "Level A was empty when you opened this page, and is 12.00 now. Again."},
		"typed the same": {shown: `{"price_a":"10.00","new":"5.00"}`,
			typed: Figures{{Field: "price_a", Value: " 12 "}}},
		"typed another": {shown: `{"price_a":"10.00","new":"5.00"}`,
			typed: Figures{{Field: "price_a", Value: "11"}}, want: "Level A was 10.00"},
		"choices in words": {shown: `{"see_stock":"number","new":"5.00"}`,
			want: "Sees stock was number when you opened this page, and is in low out now."},
		"a digest alone": {shown: `{"digest":"a","new":"5.00"}`,
			want: "What it was applied to changed since this page was opened. Again."},
		"a digest beside a value": {shown: `{"digest":"a","price_a":"1","new":"5.00"}`, want: "Level A was 1 when"},
		"several": {shown: `{"see_stock":"number","price_a":"1","new":"5.00"}`,
			want: "Changed meanwhile. Again."},
		"a switch confirms nothing":  {shown: "true", want: "Changed meanwhile. Again."},
		"a list confirms nothing":    {shown: "[]", want: "Changed meanwhile. Again."},
		"null confirms nothing":      {shown: "null", want: "Changed meanwhile. Again."},
		"numbers are no values here": {shown: `{"price_a":12}`, want: "Changed meanwhile. Again."},
	} {
		err := now.Compare(c.shown, c.typed, "Again.")
		e, refused := errors.AsType[*Error](err)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want == "":
		case !refused || e.Code != CodeConflict || !strings.Contains(e.Message, c.want) || e.Shown != now.Shown():
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
