package shop

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"portal.example/portal"
	"portal.example/portal/http/page"
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
func (p catalogPage) Link(category portal.CategoryID, view int) string {
	p.Category = category
	v := p.values()
	if view > 1 {
		v.Set("page", strconv.Itoa(view))
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
	if p.Access.SeeStock != portal.StockHidden {
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
func (p catalogPage) Sorts() []page.Option {
	if p.Query == "" {
		return []page.Option{{Value: string(portal.SortRelevance), Label: "Description"},
			{Value: string(portal.SortCode), Label: "Code"}}
	}
	return []page.Option{{Value: string(portal.SortRelevance), Label: "Best match"},
		{Value: string(portal.SortDescription), Label: "Description"}, {Value: string(portal.SortCode), Label: "Code"}}
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

func (c *Counter) ListItems(q *page.Request) error {
	v := q.URL.Query()
	f := portal.ItemFilter{
		Query:     searchText(v.Get("q")),
		InStock:   v.Get("in_stock") == "1" && q.Frame.Access.SeeStock != portal.StockHidden,
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
	list, err := c.Catalog.Catalog(q.Context(), q.Who, f)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/catalog", "Catalog", "catalog", catalogPage{Catalog: list, Query: f.Query,
		Category: f.Category, InStock: f.InStock, Bought: f.Bought, Favorites: f.Favorites, Sort: f.Sort,
		Access: q.Frame.Access})
}

// searchText is what was typed into a search box, cut where nobody types on.
func searchText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "")
	}
	return s
}

// Lookup answers what is being typed, for suggestions below the field.
func (c *Counter) Lookup(q *page.Request) error {
	v := q.URL.Query()
	limit := 8
	if n, err := strconv.Atoi(v.Get("limit")); err == nil {
		limit = min(max(n, 1), 20)
	}
	items, err := c.Catalog.Lookup(q.Context(), q.Who, searchText(v.Get("q")), limit)
	if err != nil {
		return err
	}
	if items == nil {
		items = []portal.LookupItem{}
	}
	return page.WriteJSON(q.W, http.StatusOK, map[string]any{"items": items})
}

// itemPage is one item.
type itemPage struct {
	portal.ItemDetail
	Access portal.Access `json:"-"`
}

func (c *Counter) ShowItem(q *page.Request) error {
	item, err := c.Catalog.Item(q.Context(), q.Who, q.Param("item_no"))
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/item", item.ItemNo+" "+item.Description,
		"catalog", itemPage{ItemDetail: item, Access: q.Frame.Access})
}

func (c *Counter) ItemPicture(q *page.Request) error {
	p, err := c.Catalog.Picture(q.Context(), q.Who, q.Param("item_no"))
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Set("Content-Type", p.MediaType)
	// a picture is nobody's secret, but whether an item is in a catalogue is
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = q.W.Write(p.Data)
	return nil
}

func (c *Counter) MarkFavorite(q *page.Request) error {
	if err := q.Decode(&struct{}{}); err != nil {
		return err
	}
	on := q.PostForm.Get("on") != "0" && q.PostForm.Get("on") != "false"
	itemNo := q.Param("item_no")
	if err := c.Catalog.SetFavorite(q.Context(), q.Who, itemNo, on); err != nil {
		return err
	}
	toast := itemNo + " removed from My Items"
	if on {
		toast = itemNo + " added to My Items"
	}
	return q.Done(q.Back("/items/"+portal.InAddress(itemNo)), toast)
}
