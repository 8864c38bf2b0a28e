package desk

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// actLine is a row of the audit log as a sentence: who did what to what, from where, and what changed.
type actLine struct {
	ID         int64
	At         time.Time
	Who        string
	What       string
	Subject    string
	Link       string // to the subject; "" where it has no page
	CustomerNo string
	From       string // address, device, program
	Changes    []accessChange
	More       int // changes beyond those
}

// actChanges is how many changes a line shows.
const actChanges = 8

func actLineOf(row portal.AuditRow, labels map[string]string, zone *time.Location, reader portal.Session) actLine {
	line := actLine{ID: row.ID, At: row.At, Who: row.Actor, What: row.Label,
		Subject: row.Subject, Link: subjectLink(row, reader), CustomerNo: row.CustomerNo}
	text := func(name string) string { s, _ := row.Data[name].(string); return s }
	from := []string{row.Source}
	if agent := text("user_agent"); agent != "" {
		from = append(from, portal.Device(agent))
	}
	if row.Program != "portal" && row.Program != "" {
		from = append(from, row.Program)
	}
	line.From = strings.Join(slices.DeleteFunc(from, func(s string) bool { return s == "" }), " · ")
	switch row.Group {
	case "sign_in":
		line.signIn(row.Data)
	case "export", "operation", "refusal":
		line.handedOut(row)
	default:
		if text("login") != "" && row.Data["invited"] == true {
			line.What = "invited"
		}
		line.changed(row.Data, sayer{labels, zone})
	}
	if row.Noun == "person" && line.Who == line.Subject {
		line.Subject, line.Link = "", ""
	}
	if line.CustomerNo == line.Subject {
		line.CustomerNo = ""
	}
	if len(line.Changes) > actChanges {
		line.Changes, line.More = line.Changes[:actChanges], len(line.Changes)-actChanges
	}
	return line
}

// endWords say why a session ended, by the cause in the log.
var endWords = map[any]string{"ended": "from another browser", "replaced": "by a new log-in of the same browser",
	"expired": "its time was over"}

// byWords say by what somebody logged in; by a password, unless it is said.
var byWords = map[any]string{"passkey": "by a passkey", "sso": "by single sign-on"}

// signIn are the words of log-ins and their ends.
func (l *actLine) signIn(data portal.AuditData) {
	note := func(words string) { l.Changes = append(l.Changes, accessChange{Name: words}) }
	if tries, ok := data["tries"].(json.Number); ok {
		l.Who = "Somebody"
		switch {
		case data["unknown"] == true:
			note("an e-mail that nobody logs in with")
		case data["sources"] != nil:
			note(fmt.Sprintf("at %v more addresses", data["sources"]))
		}
		if tries != "1" {
			note(tries.String() + " tries within a minute")
		}
		if refused, ok := data["refused"].(json.Number); ok {
			note(refused.String() + " of them turned away unseen")
		}
	}
	if words := byWords[data["by"]]; words != "" {
		note(words)
	}
	if words := endWords[data["cause"]]; words != "" {
		note(words)
	}
	if data["locked"] == true {
		note("codes are locked for a quarter of an hour")
	}
}

// actFacts are what else the log has of such a row.
var actFacts = []accessColumn{{column: "kind", name: "difference"}, {column: "note", name: "note"},
	{column: "sign_ins", name: "log-ins"}, {column: "up_to", name: "up to row"}, {column: "keep", name: "kept for"}}

// handedOut are the words of exports, prints, and what operators do.
func (l *actLine) handedOut(row portal.AuditRow) {
	text := func(name string) string {
		s, ok := row.Data[name].(string)
		if !ok && row.Data[name] != nil {
			s = fmt.Sprint(row.Data[name])
		}
		return s
	}
	if what := text("what"); what != "" {
		l.What += " " + what
	}
	if asked, err := url.ParseQuery(text("asked")); err == nil {
		for _, name := range slices.Sorted(maps.Keys(asked)) {
			l.Changes = append(l.Changes, accessChange{Name: name + " " + strings.Join(asked[name], ", ")})
		}
	}
	for _, c := range actFacts {
		if s := text(c.column); s != "" {
			l.Changes = append(l.Changes, accessChange{Name: c.name + " " + s})
		}
	}
}

// changed are the columns that changed, in words where a column has any.
func (l *actLine) changed(data portal.AuditData, say sayer) {
	lines, _ := data["lines"].(map[string]any)
	for _, no := range slices.SortedFunc(maps.Keys(lines), byNumber) {
		columns, _ := lines[no].(map[string]any)
		l.columns(columns, "line "+no+", ", say)
	}
	l.columns(data, "", say)
}

// byNumber sorts whole numbers that are written without zeros before them.
func byNumber(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

// columnWords are what columns are called; others by their own name.
var columnWords = map[string]string{"qty": "quantity", "uom": "unit", "qty_allocated": "allocated",
	"qty_backordered": "backordered", "qty_picked": "picked", "qty_shipped": "shipped", "qty_cancelled": "cancelled",
	"unit_price": "price", "price_step": "price from", "po_no": "PO", "min_qty": "from quantity",
	"customer_role": "role", "terms_days": "days to pay"}

// columnsLeftOut say nothing to a reader: keys, digests, what the subject says already.
var columnsLeftOut = []string{"session", "history_id", "digest", "history", "login", "invited", "table", "key",
	"only_row"}

// ruleKeys are the keys of price rules: [null, 7] came, [7, null] went.
var ruleKeys = []string{"contract_id", "group_id", "break_id"}

func (l *actLine) columns(data map[string]any, prefix string, say sayer) {
	for _, column := range slices.Sorted(maps.Keys(data)) {
		was, is := auditPair(data[column])
		if slices.Contains(columnsLeftOut, column) || strings.HasSuffix(column, "_id") {
			if (was == nil) != (is == nil) && slices.Contains(ruleKeys, column) {
				l.Changes = append(l.Changes, accessChange{Name: map[bool]string{true: "added", false: "removed"}[was == nil]})
			}
			continue
		}
		name, ok := say.labels[column]
		if !ok {
			if name = columnWords[column]; name == "" {
				name = strings.ReplaceAll(column, "_", " ")
			}
		}
		change := accessChange{Name: prefix + name}
		if pair, ok := data[column].([]any); ok && len(pair) == 2 {
			change.From, change.To = say.value(was), say.value(is)
		} else if _, nested := data[column].(map[string]any); nested {
			continue // lines, told one by one
		} else {
			change.Name += " " + say.value(data[column])
		}
		l.Changes = append(l.Changes, change)
	}
}

// sayer has what values and columns are said with.
type sayer struct {
	labels map[string]string // of the switches of Web Access, by column
	zone   *time.Location    // the company's
}

// value is a value of the log in words, at most as long as a line.
func (say sayer) value(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case bool:
		return map[bool]string{true: "on", false: "off"}[v]
	case json.Number:
		return page.FormatQty(auditNumber(v))
	case string:
		if v == "" {
			return "none"
		}
		if word := page.StatusWord(v); word != "" {
			return word
		}
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.In(say.zone).Format("2 Jan 2006 15:04")
		}
		if r := []rune(v); len(r) > 120 {
			return string(r[:120]) + "…"
		}
		return v
	case []any:
		var parts []string
		for _, p := range v {
			parts = append(parts, say.value(p))
		}
		return strings.Join(parts, ", ")
	}
	return "…"
}

// subjectRoutes are the pages of what a row may be about.
var subjectRoutes = map[string]string{"order": "/desk/orders/:order_no", "invoice": "/desk/invoices/:invoice_no",
	"payment": "/desk/payments/:payment_no", "request": "/desk/returns/:request_no", "item": "/desk/items/:item_no",
	"customer": "/desk/customers/:customer_no", "person": "/desk/customers/:customer_no/people"}

// subjectLink is the page of what a row is about, "" where there is none, or none for who
// reads this.
func subjectLink(row portal.AuditRow, reader portal.Session) string {
	number := row.Subject
	switch {
	case number == "":
		return ""
	case row.Noun == "mail" && reader.Role == portal.RoleOps:
		return "/ops/mail/" + url.PathEscape(number)
	case row.Noun == "person":
		number = row.CustomerNo
	}
	route, ok := subjectRoutes[row.Noun]
	if !ok || number == "" || !page.MayOpen(reader, "GET "+route) {
		return ""
	}
	list, rest, _ := strings.Cut(strings.TrimPrefix(route, "/desk/"), "/:")
	_, rest, _ = strings.Cut(rest, "/")
	return strings.TrimSuffix(page.DeskPath(list, number)+"/"+rest, "/")
}
