package page

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"portal.example/portal"
)

//go:embed html
var files embed.FS

// own are the templates that every page is made with, and the page of errors.
var own = Templates{Counter: "page", Files: files}

// Templates are those of one counter. A page is one file in the folder html;
// what several pages share, also of other counters, is in html/part.
type Templates struct {
	Counter string // the page "desk/order" is the desk's html/order.tmpl
	Files   fs.FS
	// Funcs are what the templates call beside Funcs of the kit; now is the
	// company's time. Nil for none.
	Funcs func(now func() time.Time) template.FuncMap
}

// pages are the templates, each page with the layout and all parts as one set.
// Times are written in the company's zone and by the company's clock: a set that
// executes has both, and is one visitor's until then. Pages are drawn a few at a
// time, since that is work of the processor only: there are no more sets of a page
// than that, which are dear to make and stay. Safe for concurrent use.
type pages struct {
	counters []Templates
	assets   *Assets
	drawing  chan struct{} // a place for each page that is being drawn

	mu   sync.Mutex
	base map[string]*template.Template // by zone: the parts, never executed
	free map[[2]string][]*pageSet      // by zone and page
}

// pageSet is the set of one page.
type pageSet struct {
	*template.Template
	now time.Time // what it is told
}

// parsePages parses all templates, so that a slip in one fails the start. The set
// of a page is put together when somebody first asks for it.
func parsePages(assets *Assets, counters ...Templates) (*pages, error) {
	p := &pages{counters: append([]Templates{own}, counters...), assets: assets,
		drawing: make(chan struct{}, 2*runtime.GOMAXPROCS(0)), base: map[string]*template.Template{},
		free: map[[2]string][]*pageSet{}}
	funcs := p.funcs(time.UTC, time.Now)
	if _, err := p.parts(time.UTC, funcs); err != nil {
		return nil, err
	}
	for _, c := range p.counters {
		names, err := fs.Glob(c.Files, "html/*.tmpl")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if _, err := template.New("").Funcs(funcs).ParseFS(c.Files, name); err != nil {
				return nil, fmt.Errorf("page of %s: %w", c.Counter, err)
			}
		}
	}
	return p, nil
}

// funcs are what the templates of all counters may call.
func (p *pages) funcs(zone *time.Location, now func() time.Time) template.FuncMap {
	funcs := Funcs(p.assets, zone, now)
	for _, c := range p.counters {
		if c.Funcs != nil {
			maps.Copy(funcs, c.Funcs(now))
		}
	}
	return funcs
}

// take finds a set of a page that nobody uses, or makes one.
func (p *pages) take(page string, zone *time.Location) (*pageSet, error) {
	key := [2]string{zone.String(), page}
	p.mu.Lock()
	defer p.mu.Unlock()
	if free := p.free[key]; len(free) > 0 {
		p.free[key] = free[:len(free)-1]
		return free[len(free)-1], nil
	}
	s := &pageSet{}
	funcs := p.funcs(zone, func() time.Time { return s.now })
	base, err := p.parts(zone, funcs)
	if err != nil {
		return nil, err
	}
	set, err := base.Clone()
	if err != nil {
		return nil, err
	}
	s.Template = set.Funcs(funcs)
	counter, name, _ := strings.Cut(page, "/")
	for _, c := range p.counters {
		if c.Counter == counter {
			if _, err := s.ParseFS(c.Files, "html/"+name+".tmpl"); err != nil {
				return nil, fmt.Errorf("page %s: %w", page, err)
			}
		}
	}
	return s, nil
}

// parts are the parts of all counters, parsed with functions like those that a
// page's set then has.
func (p *pages) parts(zone *time.Location, funcs template.FuncMap) (*template.Template, error) {
	base, ok := p.base[zone.String()]
	if ok {
		return base, nil
	}
	base = template.New("").Funcs(funcs)
	for _, c := range p.counters {
		names, err := fs.Glob(c.Files, "html/part/*.tmpl")
		if err != nil {
			return nil, err
		}
		if len(names) == 0 { // ParseFS refuses a pattern that fits nothing
			continue
		}
		if _, err := base.ParseFS(c.Files, "html/part/*.tmpl"); err != nil {
			return nil, fmt.Errorf("parts of %s: %w", c.Counter, err)
		}
	}
	p.base[zone.String()] = base
	return base, nil
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
	p.drawing <- struct{}{}
	defer func() { <-p.drawing }()
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
func (k *Kit) frameOf(q *Request, title, active string) Frame {
	f := Frame{
		Brand: k.Brand, Title: title, Session: q.Who, Active: active, Query: q.URL.Query().Get("q"),
		CanOrder: q.Frame.Access.CanOrder, SeePrices: q.Frame.Access.SeePrices, SeeBalance: q.Frame.Access.SeeBalance,
		CartCount: q.Frame.CartLines, Toast: q.flash(), RequestID: RequestID(q.Context()), LiveURL: "/live",
		Cursor: q.Frame.Cursor, Rights: q.Frame.Rights,
		ActingBy: q.Who.ActingBy, ActingAs: q.Who.CustomerName, Preview: q.Who.Acting == portal.ActingPreview,
		StaffActs: q.Frame.StaffActing && q.Who.Acting == portal.ActingNot,
	}
	if f.ActingBy != "" {
		f.LiveURL = "/live?acting"
	}
	f.Notices, f.Notice = q.Frame.Notices, q.Frame.Notice
	if q.Frame.CartTotal != nil {
		f.CartTotal = FormatMoney(q.Frame.CartTotal.Decimal)
	}
	if q.Who.ID != 0 {
		f.DayEnds = dayEnds(q.Now())
	}
	f.FirstPage = firstPage(q.URL)
	if q.Method != "GET" {
		f.PageURL = cmp.Or(q.at, q.URL.Path)
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
