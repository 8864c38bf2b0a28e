package page

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// Funcs are what templates may call. Times are told in zone, the company's;
// now is what "today" is measured against. A function refuses what it was not
// made for with an error, so that a slip in a template fails its test and
// never shows as an empty cell.
func Funcs(assets *Assets, zone *time.Location, now func() time.Time) template.FuncMap {
	c := clock{zone: zone, now: now}
	return template.FuncMap{
		"asset": func(name string) (string, error) {
			if u := assets.URL(name); u != "" {
				return u, nil
			}
			return "", fmt.Errorf("no asset %q", name)
		},
		"iconURL": func(name string) string { return assets.URL("icons.svg") + "#" + name },
		"dict":    dict,
		"maxText": maxText,
		"list":    func(items ...any) []any { return items },

		"money":   func(v any) (string, error) { return Number(v, FormatMoney) },
		"price":   func(v any) (string, error) { return Number(v, FormatPrice) },
		"qty":     func(v any) (string, error) { return Number(v, FormatQty) },
		"percent": percent,

		"when":  func(v any) (string, error) { return c.tell(v, c.words) },
		"date":  func(v any) (string, error) { return c.tell(v, FormatDate) },
		"exact": func(v any) (string, error) { return c.tell(v, formatExact) },
		"datetime": func(v any) (string, error) {
			return c.tell(v, func(t time.Time) string { return t.Format(time.RFC3339) })
		},
		// to the millisecond, for what counts from it
		"instant": func(v any) (string, error) {
			return c.tell(v, func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z07:00") })
		},
		// the day before an instant at midnight: the last that it is not yet
		"lastday": func(v any) (string, error) {
			return c.tell(v, func(t time.Time) string { return FormatDate(t.Add(-time.Second)) })
		},
		"monthname": func(v any) (string, error) {
			return c.tell(v, func(t time.Time) string { return t.Format("January 2006") })
		},
		"monthshort": func(v any) (string, error) { return c.tell(v, func(t time.Time) string { return t.Format("Jan") }) },
		"weekday": func(v any) (string, error) {
			return c.tell(v, func(t time.Time) string { return t.Format("Mon") })
		},
		"day": func(v any) (string, error) {
			return c.tell(v, func(t time.Time) string { return t.Format("2 Jan") })
		},
		"isodate": func(v any) (string, error) {
			return c.tell(v, func(t time.Time) string { return t.Format(time.DateOnly) })
		},

		"statusWord":  func(v any) string { return StatusLook(v).Word },
		"statusClass": func(v any) string { return StatusLook(v).class },
		"statusIcon":  func(v any) string { return StatusLook(v).icon },
		"liveWords":   liveWords,

		"agingBar":    AgingBar,
		"bucketNames": func() []string { return portal.BucketNames },
		"docWord":     portal.DocumentWord,

		"runsOn":        runsOn,
		"cutoffWords":   cutoffWords,
		"holidayCutoff": holidayCutoff,
		"routeChoices":  routeChoices,

		"topic":     Topic,
		"path":      inAddress,
		"withquery": withQuery,
		"plural":    Plural,
		"join":      strings.Join,
	}
}

// maxText is the maxlength of an input that writes a column.
func maxText(table, column string) (int, error) {
	most, known := portal.MaxText(table, column)
	if !known {
		return 0, fmt.Errorf("maxText: no length of %s.%s is known", table, column)
	}
	return most, nil
}

// dict makes the argument of a partial: dict "status" .Status "note" "…".
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a key without a value")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %v is not a string", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// Dash stands where there is no figure, or none that may be seen.
const Dash = "–"

// Number formats a decimal or one of the types around it, by value or by
// pointer. Nil is a dash.
func Number(v any, format func(decimal.Decimal) string) (string, error) {
	if p := reflect.ValueOf(v); v == nil || p.Kind() == reflect.Pointer && p.IsNil() {
		return Dash, nil
	}
	var d decimal.Decimal
	switch n := v.(type) {
	case decimal.Decimal:
		d = n
	case *decimal.Decimal:
		d = *n
	case portal.Money:
		d = n.Decimal
	case *portal.Money:
		d = n.Decimal
	case portal.Price:
		d = n.Decimal
	case *portal.Price:
		d = n.Decimal
	case portal.Qty:
		d = n.Decimal
	case *portal.Qty:
		d = n.Decimal
	case int:
		d = decimal.NewFromInt(int64(n))
	default:
		return "", fmt.Errorf("%T is not a number", v)
	}
	return format(d), nil
}

func FormatMoney(d decimal.Decimal) string { return portal.Money{Decimal: d}.Shown() }

func FormatPrice(d decimal.Decimal) string { return portal.Price{Decimal: d}.Shown() }

func FormatQty(d decimal.Decimal) string { return portal.Qty{Decimal: d}.Shown() }

// percent is part of whole, 0 to 100 with one decimal, as the width of an SVG
// bar wants it. A whole of zero gives 0.
func percent(part, whole any) (string, error) {
	var p, w decimal.Decimal
	keep := func(to *decimal.Decimal) func(decimal.Decimal) string {
		return func(d decimal.Decimal) string { *to = d; return "" }
	}
	if _, err := Number(part, keep(&p)); err != nil {
		return "", err
	}
	if _, err := Number(whole, keep(&w)); err != nil {
		return "", err
	}
	if w.Sign() <= 0 || p.Sign() <= 0 {
		return "0", nil
	}
	hundred := decimal.NewFromInt(100)
	return decimal.Min(p.Mul(hundred).Div(w), hundred).Round(1).String(), nil
}

// Plural is "1 line" or "3 lines".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	s, _ := Number(n, FormatQty) // an int is always a number
	return s + " " + many
}

// clock tells times in the company's zone.
type clock struct {
	zone *time.Location
	now  func() time.Time
}

// tell formats a time by value or by pointer. None is a dash.
func (c clock) tell(v any, format func(time.Time) string) (string, error) {
	var t time.Time
	switch v := v.(type) {
	case nil:
	case time.Time:
		t = v
	case *time.Time:
		if v != nil {
			t = *v
		}
	default:
		return "", fmt.Errorf("%T is not a time", v)
	}
	if t.IsZero() {
		return Dash, nil
	}
	// A date alone is midnight UTC; it names the same day everywhere.
	if h, m, s := t.Clock(); t.Location() != time.UTC || h+m+s+t.Nanosecond() != 0 {
		t = t.In(c.zone)
	}
	return format(t), nil
}

// words is "today 14:03", "yesterday 09:10", "tomorrow 08:00", "3 Mar 14:03"
// within half a year, and "3 Mar 2026" beyond.
func (c clock) words(t time.Time) string {
	now := c.now().In(c.zone)
	days := dayNumber(t) - dayNumber(now)
	clock := t.Format(" 15:04")
	if t.Location() == time.UTC && clock == " 00:00" { // a date alone
		clock = ""
	}
	switch {
	case days == 0:
		return "today" + clock
	case days == -1:
		return "yesterday" + clock
	case days == 1:
		return "tomorrow" + clock
	case -183 < days && days < 183 && t.Year() == now.Year():
		return t.Format("2 Jan") + clock
	}
	return FormatDate(t)
}

// dayNumber counts calendar days, whatever the hours of each.
func dayNumber(t time.Time) int {
	return int(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func FormatDate(t time.Time) string { return t.Format("2 Jan 2006") }

func formatExact(t time.Time) string { return t.Format("Mon 2 Jan 2006, 15:04:05 MST") }

// Topic names what a live region shows: topic "order" .OrderNo is
// "order:SO-100023". The reference is escaped, since topics are separated by
// spaces.
func Topic(kind, ref any) string {
	return fmt.Sprint(kind) + ":" + strings.ReplaceAll(url.QueryEscape(fmt.Sprint(ref)), "+", "%20")
}

// withQuery sets query parameters of an address: withquery "/orders?status=open"
// "before" .Next. An empty value takes the parameter away.
func withQuery(address string, pairs ...any) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if len(pairs)%2 != 0 {
		return "", errors.New("withquery: a name without a value")
	}
	q := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		name, value := fmt.Sprint(pairs[i]), fmt.Sprint(pairs[i+1])
		if q.Del(name); value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}
