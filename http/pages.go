package http

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"portal.example/portal"
)

//go:embed html
var htmlFiles embed.FS

// pages are the templates, each page with the layout and the kit as one set.
// Times are written in the company's zone and by the company's clock: a set that
// executes has both, and is one visitor's until then. There are as many sets of a
// page as visitors have ever been at it in the same instant. Safe for concurrent
// use.
type pages struct {
	files  fs.FS
	assets *Assets

	mu   sync.Mutex
	base map[string]*template.Template // by zone: the shared files, never executed
	free map[[2]string][]*pageSet      // by zone and page
}

// pageSet is the set of one page.
type pageSet struct {
	*template.Template
	now time.Time // what it is told
}

// shared are the files that every page shares.
var shared = []string{"layout.tmpl", "kit.tmpl", "tables.tmpl", "rules.tmpl", "routes.tmpl", "quick_row.tmpl", "quick_sheet.tmpl", "people_parts.tmpl", "money.tmpl", "return_parts.tmpl"}

// parsePages reads all templates once, so that a slip in one fails the start.
func parsePages(files fs.FS, assets *Assets) (*pages, error) {
	p := &pages{files: files, assets: assets, base: map[string]*template.Template{}, free: map[[2]string][]*pageSet{}}
	names, err := fs.Glob(files, "*.tmpl")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if slices.Contains(shared, name) {
			continue
		}
		page := strings.TrimSuffix(name, ".tmpl")
		set, err := p.take(page, time.UTC)
		if err != nil {
			return nil, err
		}
		p.give(page, time.UTC, set)
	}
	return p, nil
}

// take finds a set of a page that nobody uses, or makes one. The page "" is the
// kit alone.
func (p *pages) take(page string, zone *time.Location) (*pageSet, error) {
	key := [2]string{zone.String(), page}
	p.mu.Lock()
	defer p.mu.Unlock()
	if free := p.free[key]; len(free) > 0 {
		p.free[key] = free[:len(free)-1]
		return free[len(free)-1], nil
	}
	s := &pageSet{}
	funcs := Funcs(p.assets, zone, func() time.Time { return s.now })
	base, ok := p.base[zone.String()]
	if !ok {
		var err error
		if base, err = template.New("").Funcs(funcs).ParseFS(p.files, shared...); err != nil {
			return nil, err
		}
		p.base[zone.String()] = base
	}
	set, err := base.Clone()
	if err != nil {
		return nil, err
	}
	if s.Template = set.Funcs(funcs); page != "" {
		if _, err := s.ParseFS(p.files, page+".tmpl"); err != nil {
			return nil, fmt.Errorf("page %s: %w", page, err)
		}
	}
	return s, nil
}

// give puts a set back for the next.
func (p *pages) give(page string, zone *time.Location, s *pageSet) {
	key := [2]string{zone.String(), page}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free[key] = append(p.free[key], s)
}

// execute writes a template of a page's set: the whole page by its layout, or
// a part of it. now is the company's time and zone.
func (p *pages) execute(w io.Writer, page, part string, now time.Time, v any) error {
	set, err := p.take(page, now.Location())
	if err != nil {
		return err
	}
	defer p.give(page, now.Location(), set)
	set.now = now
	if err := set.ExecuteTemplate(w, part, v); err != nil {
		return fmt.Errorf("page %s: %w", page, err)
	}
	return nil
}

// frameOf is what stands around a page for who asks.
func (s *Server) frameOf(q *request, title, active string) Frame {
	f := Frame{
		Brand: s.Brand, Title: title, Session: q.who, Active: active, Query: q.URL.Query().Get("q"),
		CanOrder: q.frame.Access.CanOrder, SeePrices: q.frame.Access.SeePrices, SeeBalance: q.frame.Access.SeeBalance, CartCount: q.frame.CartLines,
		Toast: q.flash(), RequestID: requestID(q.Context()), LiveURL: "/live", Cursor: q.frame.Cursor,
		Rights:   q.frame.Rights,
		ActingBy: q.who.ActingBy, ActingAs: q.who.CustomerName, Preview: q.who.Acting == portal.ActingPreview, StaffActs: q.frame.StaffActing && q.who.Acting == portal.ActingNot,
	}
	if f.ActingBy != "" {
		f.LiveURL = "/live?acting"
	}
	f.Notices, f.Notice = q.frame.Notices, q.frame.Notice
	if q.frame.CartTotal != nil {
		f.CartTotal = formatMoney(q.frame.CartTotal.Decimal)
	}
	if q.who.ID != 0 {
		f.DayEnds = dayEnds(q.now())
	}
	f.FirstPage = firstPage(q.URL)
	if q.Method != "GET" {
		f.PageURL = pageURL(q.URL.Path)
		if f.PageURL == q.URL.Path && q.URL.RawQuery != "" { // a list that is posted to as it is narrowed
			f.PageURL += "?" + q.URL.RawQuery
		}
		if len(q.asks) > 0 { // by one form only, whose page is narrowed by nothing else
			f.PageURL += "?" + url.Values{"confirm": q.asks}.Encode()
		}
	}
	return f
}

// firstPage is the address of a list's first page, narrowed as at u; "" if u is
// that of one already.
func firstPage(u *url.URL) string {
	v := u.Query()
	if v.Get("before") == "" && (v.Get("page") == "" || v.Get("page") == "1") {
		return ""
	}
	v.Del("before")
	v.Del("page")
	if len(v) == 0 {
		return u.Path
	}
	return u.Path + "?" + v.Encode()
}

// dayEnds is how many seconds are left of the day, in now's zone.
func dayEnds(now time.Time) int {
	y, m, d := now.Date()
	return int(time.Date(y, m, d+1, 0, 0, 0, 0, now.Location()).Sub(now).Seconds()) + 1
}

// pageURL is where GET gives the page that a POST to path answered with. It goes
// by the place of a word in the path: a number may be any word.
func pageURL(path string) string {
	switch path {
	case "/cart/submit":
		return "/cart"
	case "/profile/password", "/profile/mail":
		return "/profile"
	case "/standing-orders":
		return "/standing-orders/new"
	case "/desk/holidays":
		return "/desk/routes"
	}
	parts := strings.Split(path, "/") // "", "orders", the number, the verb
	upTo := func(n int) string { return strings.Join(parts[:n], "/") }
	part := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch parts[1] {
	case "orders", "invoices", "approvals", "returns", "standing-orders", "people":
		// a verb below the page; of people, below a person
		return upTo(min(len(parts), 3))
	case "desk":
		switch {
		case part(2) == "customers" && part(4) == "people":
			return upTo(min(len(parts), 6))
		case part(2) == "customers" && slices.Contains([]string{"payments", "credits", "apply"}, part(4)):
			return upTo(4) + "/account"
		case len(parts) > 4:
			return upTo(len(parts) - 1)
		}
	}
	return path
}
