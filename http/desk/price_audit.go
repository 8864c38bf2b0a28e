package desk

import (
	"encoding/json"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// priceAuditLines are changes of price rules in words. A customer's page needs
// not say whose they are.
func priceAuditLines(entries []portal.PriceAudit, ofItem bool) []auditLine {
	var out []auditLine
	for _, e := range entries {
		line := auditLine{At: e.At, Actor: e.Actor, Program: e.Program}
		if line.Program == "portal" {
			line.Program = ""
		}
		name := map[string]string{"price_contract": "Contract", "price_group": "Category", "price_break": "Break",
			"price_level": "Level prices"}[e.Action]
		switch {
		case !ofItem:
			name += " " + e.Subject
		case e.CustomerNo != nil:
			name += " of " + *e.CustomerNo
		}
		id := map[string]string{"price_contract": "contract_id", "price_group": "group_id",
			"price_break": "break_id"}[e.Action]
		was, is := auditPair(e.Data[id])
		switch {
		case id != "" && was == nil:
			line.Changes = []accessChange{{Name: name, From: "none", To: ruleText(e.Data, 1)}}
		case id != "" && is == nil:
			line.Changes = []accessChange{{Name: name, From: ruleText(e.Data, 0), To: "removed"}}
		default:
			for _, c := range priceColumns {
				if from, to := auditPair(e.Data[c.column]); c.column != id && e.Data[c.column] != nil {
					line.Changes = append(line.Changes, accessChange{name + ", " + c.name, sayPrice(c, from), sayPrice(c, to)})
				}
			}
		}
		if len(line.Changes) == 0 {
			line.Changes = []accessChange{{Name: name}}
		}
		out = append(out, line)
	}
	return out
}

// priceColumns say how the columns of price rules read.
var priceColumns = []accessColumn{
	{column: "uom", name: "unit", none: "every unit"},
	{column: "kind", name: "kind", words: map[string]string{"fixed": "fixed price", "percent_off": "percent off",
		"cost_plus": "cost plus percent"}},
	{column: "value", name: "value"},
	{column: "price", name: "price", none: "none"},
	{column: "use_level", name: "level's price", none: "none"},
	{column: "levels", name: "open to", none: "all levels"},
	{column: "min_qty", name: "from quantity"},
	{column: "valid", name: "valid"},
	{column: "price_a", name: "A", none: "none"}, {column: "price_b", name: "B", none: "none"},
	{column: "price_c", name: "C", none: "none"}, {column: "price_d", name: "D", none: "none"},
	{column: "price_e", name: "E", none: "none"}, {column: "cost", name: "cost", none: "none"},
}

func auditPair(v any) (was, is any) {
	if pair, ok := v.([]any); ok && len(pair) == 2 {
		return pair[0], pair[1]
	}
	return nil, nil
}

// ruleText is a whole rule of the log in words, before (0) or after (1).
func ruleText(data portal.AuditData, side int) string {
	at := func(column string) any {
		if pair, ok := data[column].([]any); ok && len(pair) == 2 {
			return pair[side]
		}
		return nil
	}
	var parts []string
	kind, _ := at("kind").(string)
	if v, ok := at("value").(json.Number); ok {
		parts = append(parts, portal.RuleWords(kind, portal.Price{Decimal: auditNumber(v)}))
	}
	if v, ok := at("price").(json.Number); ok {
		parts = append(parts, page.FormatPrice(auditNumber(v)))
	}
	if l, ok := at("use_level").(string); ok {
		parts = append(parts, "the price of level "+l)
	}
	if u, ok := at("uom").(string); ok {
		parts = append(parts, "per "+u)
	}
	if n, ok := at("min_qty").(json.Number); ok && auditNumber(n).IsPositive() {
		parts = append(parts, "from "+page.FormatQty(auditNumber(n)))
	}
	if l, ok := at("levels").([]any); ok {
		parts = append(parts, "for "+sayLevels(l))
	}
	if v, ok := at("valid").(string); ok {
		parts = append(parts, sayRange(v))
	}
	return strings.Join(parts, ", ")
}

// sayPrice is a value of a rule's column in words.
func sayPrice(c accessColumn, v any) string {
	switch v := v.(type) {
	case json.Number:
		if c.column == "min_qty" {
			return page.FormatQty(auditNumber(v))
		}
		return page.FormatPrice(auditNumber(v))
	case []any:
		return sayLevels(v)
	case string:
		if c.column == "valid" {
			return sayRange(v)
		}
	}
	return c.say(v)
}

func sayLevels(list []any) string {
	var out []string
	for _, l := range list {
		if l, ok := l.(string); ok {
			out = append(out, l)
		}
	}
	return "level " + strings.Join(out, ", ")
}

// sayRange reads a daterange as PostgreSQL writes it, "[2026-01-01,2026-07-01)".
func sayRange(s string) string {
	from, to, ok := strings.Cut(strings.Trim(s, "[]()"), ",")
	if !ok {
		return s
	}
	var d portal.RuleDates
	if t, err := time.Parse(time.DateOnly, from); err == nil {
		d.ValidFrom = &t
	}
	if t, err := time.Parse(time.DateOnly, to); err == nil {
		t = t.AddDate(0, 0, -1)
		d.ValidTo = &t
	}
	return d.Words()
}
