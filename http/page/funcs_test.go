package page

import (
	"bytes"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func TestNumbers(t *testing.T) {
	money := portal.Money{Decimal: dec("1204.5")}
	for _, c := range []struct {
		format func(decimal.Decimal) string
		v      any
		want   string
	}{
		{FormatMoney, money, "1,204.50"},
		{FormatMoney, &money, "1,204.50"},
		{FormatMoney, (*portal.Money)(nil), "–"},
		{FormatMoney, nil, "–"},
		{FormatMoney, dec("0"), "0.00"},
		{FormatMoney, dec("-1234567.891"), "−1,234,567.89"},
		{FormatMoney, dec("999.995"), "1,000.00"},
		{FormatPrice, portal.Price{Decimal: dec("0.335")}, "0.335"},
		{FormatPrice, portal.Price{Decimal: dec("27")}, "27.00"},
		{FormatPrice, portal.Price{Decimal: dec("27.5000")}, "27.50"},
		{FormatPrice, portal.Price{Decimal: dec("1250.1255")}, "1,250.1255"},
		{FormatQty, portal.Qty{Decimal: dec("12.000")}, "12"},
		{FormatQty, portal.Qty{Decimal: dec("41.30")}, "41.3"},
		{FormatQty, portal.Qty{Decimal: dec("100000")}, "100,000"},
		{FormatQty, 1204, "1,204"},
	} {
		got, err := Number(c.v, c.format)
		if err != nil || got != c.want {
			t.Errorf("%v: %q, %v; want %q", c.v, got, err, c.want)
		}
	}
	if _, err := Number("12", FormatQty); err == nil {
		t.Error("a text passed as a number")
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct{ part, whole, want string }{
		{"1", "3", "33.3"}, {"3", "3", "100"}, {"4", "3", "100"}, {"-1", "3", "0"}, {"1", "0", "0"},
	} {
		got, err := percent(dec(c.part), dec(c.whole))
		if err != nil || got != c.want {
			t.Errorf("%s of %s: %q, %v; want %q", c.part, c.whole, got, err, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	c := clock{zone: zone, now: func() time.Time { return at("2026-03-08 09:00").UTC() }} // the day the clocks go forward
	moment := at("2026-03-07 23:30")
	for _, test := range []struct {
		v    any
		want string
	}{
		{at("2026-03-08 14:03"), "today 14:03"},
		{moment, "yesterday 23:30"},
		{moment.UTC(), "yesterday 23:30"},
		{&moment, "yesterday 23:30"},
		{at("2026-03-09 00:00"), "tomorrow 00:00"},
		{at("2026-03-03 08:05"), "3 Mar 08:05"},
		{at("2025-12-31 08:05"), "31 Dec 2025"},
		{at("2026-11-02 08:05"), "2 Nov 2026"},
		{time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), "tomorrow"},
		{time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC), "20 Mar"},
		{time.Time{}, "–"}, {(*time.Time)(nil), "–"}, {nil, "–"},
	} {
		if got, err := c.tell(test.v, c.words); err != nil || got != test.want {
			t.Errorf("%v: %q, %v; want %q", test.v, got, err, test.want)
		}
	}
	if got, _ := c.tell(moment.UTC(), formatExact); got != "Sat 7 Mar 2026, 23:30:00 EST" {
		t.Errorf("exact: %q", got)
	}
	if got, _ := c.tell(time.Date(2026, 7, 3, 0, 0, 0, 0, time.UTC), FormatDate); got != "3 Jul 2026" {
		t.Errorf("a date alone moved: %q", got)
	}
	if _, err := c.tell("today", FormatDate); err == nil {
		t.Error("a text passed as a time")
	}
}

func TestStatusLook(t *testing.T) {
	low := "low"
	for _, c := range []struct {
		v    any
		want string
	}{
		{portal.OrderOnHold, "On hold"}, {"part_paid", "Part paid"}, {"Past due", "Past due"}, {&low, "Low stock"},
		{(*string)(nil), ""}, {nil, ""}, {"BRAND_NEW", "Brand new"},
	} {
		if got := StatusLook(c.v).Word; got != c.want {
			t.Errorf("%v: %q, want %q", c.v, got, c.want)
		}
	}
	for _, step := range portal.OrderSteps {
		if _, ok := looks[string(step)]; !ok {
			t.Errorf("%s has no look", step)
		}
	}
}

func TestTopicAndQuery(t *testing.T) {
	if got := Topic("item", "AB 12/5"); got != "item:AB%2012%2F5" {
		t.Errorf("topic %q", got)
	}
	if got := Topic(portal.EventOrder, "SO-100023"); got != "order:SO-100023" {
		t.Errorf("topic %q", got)
	}
	if got, err := withQuery("/orders?status=open&before=1", "before", "x y", "status", ""); err != nil ||
		got != "/orders?before=x+y" {
		t.Errorf("withquery %q, %v", got, err)
	}
	if got := Plural(1, "line", "lines") + ", " + Plural(1200, "line", "lines"); got != "1 line, 1,200 lines" {
		t.Errorf("plural %q", got)
	}
}

// kit parses the layout and the pieces with a page of the test's own.
func kit(t *testing.T, content string) *template.Template {
	t.Helper()
	set, err := template.New("").Funcs(Funcs(testAssets(t), time.UTC, time.Now)).ParseFS(os.DirFS("html/part"),
		"layout.tmpl", "kit.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	return template.Must(set.Parse(`{{define "content"}}` + content + `{{end}}`))
}

func TestLayout(t *testing.T) {
	brand, err := DefaultBrand()
	if err != nil {
		t.Fatal(err)
	}
	buyer := portal.Session{ID: 1, Email: "buyer@c1001.example", CustomerNo: "C1001", CustomerName: "Corner <Bistro>",
		Role: portal.RoleBuyer}
	ops := portal.Session{ID: 2, Email: "ops@demo.example", Role: portal.RoleOps}
	desk := portal.Session{ID: 3, Email: "desk@demo.example", Role: portal.RoleDesk}
	for name, c := range map[string]struct {
		frame       Frame
		has, hasNot []string
	}{
		"buyer": {Frame{Session: buyer, Active: "orders", CanOrder: true, SeePrices: true, CartCount: 3,
			CartTotal: "1,204.50", LiveURL: "/live", Cursor: "8:9:"},
			[]string{`<body class="shop">`, `action="/catalog"`, `href="/orders" aria-current="page"`, `>3</span>`, "1,204.50",
				"Corner &lt;Bistro&gt;", `name="live-cursor" content="8:9:"`,
				`action="/logout"`, `id="announce"`, `id="live-banner"`, `"SHIPPED":"Shipped"`, `href="#main"`},
			[]string{"/desk/", "/ops/", "as entered by staff"}},
		"view only": {Frame{Session: buyer, SeePrices: true, CartTotal: "1,204.50"}, []string{"/my-items"},
			[]string{`href="/cart"`, "1,204.50", "live-url"}},
		"no prices": {Frame{Session: buyer, CanOrder: true, CartTotal: "1,204.50"}, []string{`href="/cart"`},
			[]string{"1,204.50"}},
		"desk": {Frame{Session: desk}, []string{`<body class="desk">`, `action="/desk/orders"`, "/desk/customers"},
			[]string{"/ops/jobs", `href="/cart"`}},
		"operator": {Frame{Session: ops}, []string{"/ops/jobs"}, nil},
		"acting": {Frame{Session: buyer, ActingBy: "desk@demo.example", ActingAs: "Corner <Bistro>"},
			[]string{"desk@demo.example acts as Corner &lt;Bistro&gt;", `<body class="shop">`, `action="/acting/end"`},
			[]string{`action="/logout"`}},
		"preview": {Frame{Session: buyer, ActingBy: "desk@demo.example", ActingAs: "Corner <Bistro>", Preview: true},
			[]string{"sees the portal as Corner &lt;Bistro&gt;", `action="/acting/end"`}, []string{"acts as"}},
		"acting, an error": {Frame{ActingBy: "desk@demo.example", ActingAs: "Corner <Bistro>"},
			[]string{`<body class="plain">`, "acts as Corner &lt;Bistro&gt;", `action="/acting/end"`}, nil},
		"acted for": {Frame{Session: buyer, StaffActs: true}, []string{"acts for your account"}, []string{"/acting/end"}},
		"nobody": {Frame{Toast: "Logged out"}, []string{`<body class="plain">`, "(718) 555-0142", "Logged out"},
			[]string{"<nav", "role=\"search\""}},
	} {
		t.Run(name, func(t *testing.T) {
			c.frame.Brand, c.frame.Title = brand, "Orders"
			var buf bytes.Buffer
			if err := kit(t, "<h1>{{.Page}}</h1>").ExecuteTemplate(&buf, "layout", struct {
				Frame Frame
				Page  any
			}{c.frame, "Hello"}); err != nil {
				t.Fatal(err)
			}
			page := buf.String()
			for _, want := range append(c.has, "<title>Orders · Harbor &amp; Main</title>", "<h1>Hello</h1>", `<html lang="en"`,
				`<main id="main"`) {
				if !strings.Contains(page, want) {
					t.Errorf("no %s in\n%s", want, page)
				}
			}
			for _, bad := range append(c.hasNot, "style=", "<style", "onclick", "ZgotmplZ", "tabler") {
				if strings.Contains(strings.ToLower(page), strings.ToLower(bad)) {
					t.Errorf("%s in\n%s", bad, page)
				}
			}
			if inline := regexp.MustCompile(`<script(?: type="text/javascript")?>`).FindString(page); inline != "" {
				t.Error("a script within the page")
			}
		})
	}
}

func TestPieces(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		page any
		want []string
	}{
		"badge": {`{{template "badge" (dict "status" .Page "note" "6 of 10 shipped" "id" "b")}}`, portal.OrderPicking,
			[]string{`class="status status-work" id="b" data-status="PICKING"`, "#package", "Picking", "6 of 10 shipped"}},
		"timeline": {`{{template "timeline" (dict "steps" .Page)}}`,
			Timeline(portal.OrderDetail{Order: portal.Order{Status: portal.OrderApproved},
				History: []portal.OrderStep{{To: portal.OrderSubmitted, At: time.Now(), Actor: "a@b.example"},
					{To: portal.OrderApproved, At: time.Now()}}}),
			[]string{`<li class="done status-new">`, `<li class="now status-go" aria-current="step">`,
				`<li class="todo status-work">`, "today", "a@b.example", "not yet"}},
		"field": {`{{template "field" (dict "name" "po_no" "label" "PO number" "value" .Page "error" "Too long." "help" "On the invoice." "line" 2 "required" true)}}`, `"PO"`,
			[]string{`for="f-po_no-2"`, `id="f-po_no-2" name="po_no" value="&#34;PO&#34;"`,
				`aria-invalid="true" aria-describedby="f-po_no-2-error f-po_no-2-help"`,
				"required", `<p class="field-error" id="f-po_no-2-error">`, `id="f-po_no-2-help">On the invoice.`}},
		"select": {`{{template "field" (dict "name" "x" "label" "X" "type" "select" "value" 2 "options" (list (dict "Value" 1 "Label" "One") (dict "Value" 2 "Label" "Two")))}}`, nil,
			[]string{`<option value="1">One</option><option value="2" selected>Two</option>`}},
		"errors": {`{{template "errors" (dict "fields" .Page)}}`,
			[]portal.FieldError{{Field: "qty", Line: 3, Message: "5 left."}, {Message: "Closed today."}},
			[]string{`role="alert"`, `<a href="#f-qty-3">5 left.</a>`, "<li>Closed today.</li>"}},
		"stepper": {`{{template "stepper" (dict "name" "qty" "value" (qty .Page) "label" "OIL5" "uom" "CS" "min" 1)}}`,
			portal.Qty{Decimal: dec("6")},
			[]string{`name="qty" value="6" maxlength="40" autocomplete="off" data-min="1" aria-label="OIL5"`, `data-step="-1"`,
				"CS"}},
		"star": {`{{template "star" (dict "item_no" .Page "on" true)}}`, "A B",
			[]string{`action="/favorites/~A~20B"`, `hx-post="/favorites/~A~20B"`, `name="on" value="0"`, `aria-pressed="true"`}},
		"facts": {`{{template "facts" (list (dict "label" "PO" "text" "77" "href" "/x") (dict "label" "Sum" "money" .Page) (dict "label" "Gone" "text" ""))}}`, portal.Money{Decimal: dec("3")},
			[]string{`<dt>PO</dt><dd><a href="/x">77</a></dd>`, `<dd><span class="num">3.00</span></dd>`}},
		"pager": {`{{template "pager" (dict "next" .Page "text" "1–50 of 60")}}`, "/orders?before=7",
			[]string{`href="/orders?before=7" rel="next"`, "1–50 of 60"}},
		"empty": {`{{template "empty" (dict "icon" "star" "title" .Page "href" "/catalog" "label" "Open")}}`, "None",
			[]string{"None", `href="/catalog">Open`}},
	} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			if err := kit(t, c.text).ExecuteTemplate(&buf, "content", struct{ Page any }{c.page}); err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(buf.String(), want) {
					t.Errorf("no %s in\n%s", want, buf.String())
				}
			}
			for _, bad := range []string{"ZgotmplZ", "no value", "&lt;nil&gt;", "Gone"} {
				if strings.Contains(buf.String(), bad) {
					t.Errorf("%s in\n%s", bad, buf.String())
				}
			}
		})
	}
}

// Every icon that a template or a status names has been cut out.
func TestIconsExist(t *testing.T) {
	sprite, err := os.ReadFile("assets/vendor/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for code, l := range looks {
		names[l.icon] = "status " + code
	}
	for _, f := range []Frame{{}, {CanOrder: true}, {Session: portal.Session{Role: portal.RoleOps}}} {
		if bar := f.Bar(); len(bar) > 5 || len(f.Nav()) > 5 && len(f.More()) == 0 {
			t.Errorf("%d entries in the bar of a phone, %d more: %d pages", len(bar), len(f.More()), len(f.Nav()))
		}
		for _, entry := range append(f.Nav(), f.Bar()...) {
			names[entry.Icon] = "navigation"
		}
	}
	files, err := filepath.Glob("../*/html/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := filepath.Glob("../*/html/part/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`template "icon" "([^"]+)"|"icon" "([^"]+)"`)
	for _, file := range append(files, parts...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(text), -1) {
			names[m[1]+m[2]] = file
		}
	}
	for name, where := range names {
		if !bytes.Contains(sprite, []byte(`<symbol id="`+name+`"`)) {
			t.Errorf("%s: no icon %q; add it to scripts/vendor-assets.mjs", where, name)
		}
	}
}
