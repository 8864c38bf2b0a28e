package http

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"portal.example/portal"
)

// catalogPage is the catalogue with what narrows it.
type catalogPage struct {
	portal.Catalog
	Query     string            `json:"query"`
	Category  portal.CategoryID `json:"category"`
	InStock   bool              `json:"in_stock"`
	Bought    bool              `json:"bought"`
	Favorites bool              `json:"favorites"`
	Sort      portal.ItemSort   `json:"sort"`
	Access    portal.Access     `json:"-"`
}

// values are the parameters of this list's address, but for the page.
func (p catalogPage) values() url.Values {
	v := url.Values{}
	set := func(key, value string, on bool) {
		if on {
			v.Set(key, value)
		}
	}
	set("q", p.Query, p.Query != "")
	set("category", strconv.FormatInt(int64(p.Category), 10), p.Category != 0)
	set("in_stock", "1", p.InStock)
	set("bought", "1", p.Bought)
	set("favorites", "1", p.Favorites)
	set("sort", string(p.Sort), p.Sort != portal.SortRelevance)
	return v
}

// Link is the address of this list with one thing changed. Page 0 means the
// first.
func (p catalogPage) Link(category portal.CategoryID, page int) string {
	p.Category = category
	v := p.values()
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	if len(v) == 0 {
		return "/catalog"
	}
	return "/catalog?" + v.Encode()
}

// itemFilter is one switch above the list.
type itemFilter struct {
	Label, Link string
	On          bool
}

// Filters are the switches, each with the address of the list with it turned.
// Who may not see stock is not offered to filter by it.
func (p catalogPage) Filters() []itemFilter {
	var out []itemFilter
	add := func(label string, on *bool) {
		was := *on
		*on = !was
		out = append(out, itemFilter{Label: label, Link: p.Link(p.Category, 1), On: was})
		*on = was
	}
	if p.Access.SeeStock != "hidden" {
		add("In stock", &p.InStock)
	}
	add("Bought before", &p.Bought)
	add("Favorites", &p.Favorites)
	return out
}

// Filtered reports whether a switch is on.
func (p catalogPage) Filtered() bool { return p.InStock || p.Bought || p.Favorites }

// Unfiltered is the address of the list with all switches off, in all
// categories.
func (p catalogPage) Unfiltered() string {
	p.InStock, p.Bought, p.Favorites = false, false, false
	return p.Link(0, 1)
}

// SortFields are the parameters that choosing another order keeps.
func (p catalogPage) SortFields() url.Values {
	v := p.values()
	v.Del("sort")
	return v
}

// Sorts are the orders to choose from.
func (p catalogPage) Sorts() []option {
	if p.Query == "" {
		return []option{{string(portal.SortRelevance), "Description"}, {string(portal.SortCode), "Code"}}
	}
	return []option{{string(portal.SortRelevance), "Best match"}, {string(portal.SortDescription), "Description"}, {string(portal.SortCode), "Code"}}
}

// Regions are the kinds of event that may change which items are listed.
func (p catalogPage) Regions() string {
	kinds := "catalog access"
	if p.Favorites {
		kinds += " favorite"
	}
	if p.Bought {
		kinds += " order invoice"
	}
	return kinds
}

// PrevLink and NextLink are empty at the ends.
func (p catalogPage) PrevLink() string {
	if p.Page <= 1 {
		return ""
	}
	return p.Link(p.Category, min(p.Page-1, p.Pages))
}

func (p catalogPage) NextLink() string {
	if p.Page >= p.Pages {
		return ""
	}
	return p.Link(p.Category, p.Page+1)
}

// AllCount is the number of items in all categories.
func (p catalogPage) AllCount() int {
	n := 0
	for _, c := range p.Categories {
		n += c.Count
	}
	return n
}

func (s *Server) catalog(q *request) error {
	v := q.URL.Query()
	f := portal.ItemFilter{
		Query:     searchText(v.Get("q")),
		InStock:   v.Get("in_stock") == "1" && q.frame.Access.SeeStock != "hidden",
		Bought:    v.Get("bought") == "1",
		Favorites: v.Get("favorites") == "1",
	}
	switch sort := portal.ItemSort(v.Get("sort")); sort {
	case portal.SortDescription, portal.SortCode:
		f.Sort = sort
	}
	if id, err := strconv.ParseInt(v.Get("category"), 10, 64); err == nil {
		f.Category = portal.CategoryID(id)
	}
	if n, err := strconv.Atoi(v.Get("page")); err == nil {
		f.Page = min(n, 100_000)
	}
	list, err := s.Catalog.Catalog(q.Context(), q.who, f)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "catalog", "Catalog", "catalog", catalogPage{Catalog: list, Query: f.Query, Category: f.Category,
		InStock: f.InStock, Bought: f.Bought, Favorites: f.Favorites, Sort: f.Sort, Access: q.frame.Access})
}

// searchText is what was typed into a search box, cut where nobody types on.
func searchText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "")
	}
	return s
}

// lookup answers what is being typed, for suggestions below the field.
func (s *Server) lookup(q *request) error {
	v := q.URL.Query()
	limit := 8
	if n, err := strconv.Atoi(v.Get("limit")); err == nil {
		limit = min(max(n, 1), 20)
	}
	items, err := s.Catalog.Lookup(q.Context(), q.who, searchText(v.Get("q")), limit)
	if err != nil {
		return err
	}
	if items == nil {
		items = []portal.LookupItem{}
	}
	return writeJSON(q.w, http.StatusOK, map[string]any{"items": items})
}

// itemPage is one item.
type itemPage struct {
	portal.ItemDetail
	Access portal.Access `json:"-"`
}

func (s *Server) item(q *request) error {
	item, err := s.Catalog.Item(q.Context(), q.who, q.param("item_no"))
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "item", item.ItemNo+" "+item.Description, "catalog", itemPage{ItemDetail: item, Access: q.frame.Access})
}

func (s *Server) picture(q *request) error {
	p, err := s.Catalog.Picture(q.Context(), q.who, q.param("item_no"))
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", p.MediaType)
	// a picture is nobody's secret, but whether an item is in a catalogue is
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = q.w.Write(p.Data)
	return nil
}

func (s *Server) favorite(q *request) error {
	if err := q.decode(&struct{}{}); err != nil {
		return err
	}
	on := q.PostForm.Get("on") != "0" && q.PostForm.Get("on") != "false"
	itemNo := q.param("item_no")
	if err := s.Catalog.SetFavorite(q.Context(), q.who, itemNo, on); err != nil {
		return err
	}
	toast := itemNo + " removed from My Items"
	if on {
		toast = itemNo + " added to My Items"
	}
	return q.done(q.back("/items/"+portal.InAddress(itemNo)), toast)
}
