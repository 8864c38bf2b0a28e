package sql

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// What says the difference in words that name it: "policy own_customer_only on
// erp.sales_order is missing".
func (d Difference) What() string {
	switch {
	case d.kind() == "grant" && d.extra():
		return "a right too many: " + d.name()
	case d.kind() == "grant":
		return "a right is missing: " + d.name()
	case d.kind() == "member":
		role, member, _ := strings.Cut(d.name(), " to ")
		return member + " is a member of " + role
	case d.extra():
		return fmt.Sprintf("policy %s is not ours and lets more through: %s", d.name(), d.is.Def)
	case d.missing():
		return d.noun() + " is missing"
	}
	switch d.kind() {
	case "role":
		if d.is.Def == "" {
			return d.noun() + " lacks " + d.must.Def
		}
		return d.noun() + " has " + d.is.Def
	case "owner":
		return fmt.Sprintf("%s is owned by %s, not by %s", d.name(), d.is.Def, d.must.Def)
	case "database":
		return fmt.Sprintf("the right to %s is of %s, not of %s", d.name(), d.is.Def, d.must.Def)
	case "rls":
		return fmt.Sprintf("row-level security on %s is %s, not %s", d.name(), d.is.Def, d.must.Def)
	case "function", "column":
		return d.noun() + " has another " + strings.Join(aspects(d.must.Def, d.is.Def), ", ")
	case "trigger", "index", "constraint":
		if state, found := strings.CutPrefix(d.is.Def, d.must.Def+" ["); found {
			return d.noun() + " is " + strings.TrimSuffix(state, "]")
		}
	}
	return fmt.Sprintf("%s reads otherwise: %s; it must be: %s", d.noun(), d.is.Def, d.must.Def)
}

// noun is the kind and name of what the difference is about.
func (d Difference) noun() string {
	switch d.kind() {
	case "rls":
		return "row-level security on " + d.name()
	case "default":
		return "default right of " + d.name()
	case "database":
		return "the right to " + d.name()
	case "owner":
		return d.name()
	}
	return d.kind() + " " + d.name()
}

// aspects are the keys in which two JSON objects differ.
func aspects(a, b string) []string {
	var x, y map[string]any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return []string{"definition"}
	}
	var out []string
	for key := range x {
		if !reflect.DeepEqual(x[key], y[key]) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// gathered tells differences as few findings: rights of one object go into one.
func gathered(list []Difference) []string {
	var out []string
	at := map[string]int{}
	for _, d := range list {
		if d.kind() != "grant" {
			out = append(out, d.What())
			continue
		}
		// "select on table erp.item to portal_web": what and to whom
		right, to := d.name(), ""
		if i := strings.LastIndex(right, " to "); i >= 0 {
			right, to = right[:i], right[i:]
		}
		what, object, _ := strings.Cut(right, " on ")
		prefix := "rights are missing on " + object + ": "
		if d.extra() {
			prefix = "rights too many on " + object + ": "
		}
		if i, found := at[prefix]; found {
			out[i] += ", " + what + to
			continue
		}
		at[prefix] = len(out)
		out = append(out, prefix+what+to)
	}
	return out
}
