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
// Times are written in the company's zone, so there is one family of sets for
// each zone that has been asked for: in practice one. Safe for concurrent use.
type pages struct {
	files  fs.FS
	assets *Assets
	zones  sync.Map // zone name → map of page name → *template.Template
}

// notPages are the files that every page shares.
var notPages = map[string]bool{"layout.tmpl": true, "kit.tmpl": true, "tables.tmpl": true, "rules.tmpl": true, "routes.tmpl": true, "quick_row.tmpl": true, "money.tmpl": true, "people_parts.tmpl": true, "return_parts.tmpl": true}

// parsePages reads the templates once, so that a slip in one fails the start.
func parsePages(files fs.FS, assets *Assets) (*pages, error) {
	p := &pages{files: files, assets: assets}
	_, err := p.in(time.UTC)
	return p, err
}

func (p *pages) in(zone *time.Location) (map[string]*template.Template, error) {
	if sets, ok := p.zones.Load(zone.String()); ok {
		return sets.(map[string]*template.Template), nil
	}
	base, err := template.New("").Funcs(Funcs(p.assets, zone, time.Now)).ParseFS(p.files, "layout.tmpl", "kit.tmpl", "tables.tmpl", "rules.tmpl", "routes.tmpl", "quick_row.tmpl", "people_parts.tmpl", "money.tmpl", "return_parts.tmpl")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(p.files, "*.tmpl")
	if err != nil {
		return nil, err
	}
	sets := map[string]*template.Template{}
	for _, name := range names {
		if notPages[name] {
			continue
		}
		set, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if _, err := set.ParseFS(p.files, name); err != nil {
			return nil, err
		}
		sets[strings.TrimSuffix(name, ".tmpl")] = set
	}
	sets[""] = base
	p.zones.Store(zone.String(), sets)
	return sets, nil
}

// execute writes a template of a page's set: the whole page by its layout, or
// a part of it. The page "" is the kit alone.
func (p *pages) execute(w io.Writer, page, part string, zone *time.Location, v any) error {
	sets, err := p.in(zone)
	if err != nil {
		return err
	}
	set, ok := sets[page]
	if !ok {
		return fmt.Errorf("page %s: no such template", page)
	}
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
		now := time.Now().In(q.location)
		y, m, d := now.Date()
		f.DayEnds = int(time.Date(y, m, d+1, 0, 0, 0, 0, q.location).Sub(now).Seconds()) + 1
	}
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
