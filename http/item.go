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
	Favorites bool              `json:"favorites"`
	Access    portal.Access     `json:"-"`
	Path      string            `json:"-"`
}

// Link is the address of this list with one thing changed. Page 0 means the
// first.
func (p catalogPage) Link(category portal.CategoryID, page int) string {
	v := url.Values{}
	if p.Query != "" {
		v.Set("q", p.Query)
	}
	if category != 0 {
		v.Set("category", strconv.FormatInt(int64(category), 10))
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	if len(v) == 0 {
		return p.Path
	}
	return p.Path + "?" + v.Encode()
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
	return s.itemList(q, "/catalog", "Catalog", "catalog", false)
}

func (s *Server) itemList(q *request, path, title, active string, favorites bool) error {
	v := q.URL.Query()
	f := portal.ItemFilter{Query: strings.TrimSpace(v.Get("q")), Favorites: favorites}
	if id, err := strconv.ParseInt(v.Get("category"), 10, 64); err == nil {
		f.Category = portal.CategoryID(id)
	}
	if n, err := strconv.Atoi(v.Get("page")); err == nil {
		f.Page = min(n, 100_000)
	}
	if len(f.Query) > 200 {
		f.Query = strings.ToValidUTF8(f.Query[:200], "")
	}
	list, err := s.Catalog.Catalog(q.Context(), q.who, f)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "catalog", title, active, catalogPage{Catalog: list, Query: f.Query, Category: f.Category,
		Favorites: favorites, Access: q.frame.Access, Path: path})
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
	return q.done(q.back("/items/"+url.PathEscape(itemNo)), toast)
}
