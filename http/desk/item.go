package desk

import (
	"fmt"
	"net/http"
	"strings"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// itemsPage is the list of items.
type itemsPage struct {
	Items []portal.DeskItem `json:"items"`
	Query string            `json:"query"`
	Next  string            `json:"next,omitempty"`
}

// NextLink is the next page's address, or "".
func (p itemsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/desk/items", "q", p.Query, "after", p.Next)
}

func (c *Counter) ListItems(q *page.Request) error {
	search := page.SearchText(q)
	rows, next, err := c.Items.Items(q.Context(), q.Who, search, q.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "desk/items", "Items", "items", itemsPage{Items: rows, Query: search, Next: next})
}

// itemPage is one item with its form.
type itemPage struct {
	portal.DeskItem
	page.FormErrors
	Typed  portal.DeskItemEdit `json:"-"`
	Supply portal.ItemSupply   `json:"supply"`
	Goods  supplyTyped         `json:"-"` // what stands in the forms of receipts
	Today  string              `json:"-"`
}

// priceField is one of the item's price boxes.
type priceField struct{ Name, Label, Value, Error string }

// Prices are the boxes of the five levels and the cost.
func (p itemPage) Prices() []priceField {
	out := []priceField{{Name: "price_a", Label: "Level A (list)", Value: p.Typed.PriceA},
		{Name: "price_b", Label: "Level B", Value: p.Typed.PriceB},
		{Name: "price_c", Label: "Level C", Value: p.Typed.PriceC},
		{Name: "price_d", Label: "Level D", Value: p.Typed.PriceD},
		{Name: "price_e", Label: "Level E", Value: p.Typed.PriceE}, {Name: "cost", Label: "Cost", Value: p.Typed.Cost}}
	for i := range out {
		out[i].Error = p.Error(out[i].Name)
	}
	return out
}

func (c *Counter) ShowItem(q *page.Request) error { return c.itemPage(q, nil, nil) }

// itemPage shows the item; after a refused form with what was typed and
// the refusal.
func (c *Counter) itemPage(q *page.Request, typed *portal.DeskItemEdit, refused error) error {
	return c.itemSupplyPage(q, typed, supplyTyped{}, refused)
}

func (c *Counter) itemSupplyPage(q *page.Request, typed *portal.DeskItemEdit, goods supplyTyped, refused error) error {
	item, err := c.Items.Item(q.Context(), q.Who, q.Param("item_no"))
	if err != nil {
		return err
	}
	supply, err := c.Items.Supply(q.Context(), q.Who, item.ItemNo)
	if err != nil {
		return err
	}
	view := itemPage{DeskItem: item, FormErrors: page.FormErrorsOf(refused), Typed: item.Typed(), Supply: supply,
		Goods: goods, Today: q.Today()}
	if typed != nil {
		seen := view.Typed.OnHandSeen
		view.Typed = *typed
		if view.Error("on_hand") != "" { // which says what there is now
			view.Typed.OnHandSeen = seen
		}
	}
	return c.Page(q, page.Status(refused), "desk/item", item.ItemNo+" "+item.Description, "items", view)
}

func (c *Counter) SaveItem(q *page.Request) error {
	var in portal.DeskItemEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	itemNo := q.Param("item_no")
	short, err := c.Items.SaveItem(q.Context(), q.Who, itemNo, in)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("items", itemNo), "Item "+itemNo+" saved"+shortWords(short))
	case page.ShownOnPage(q, err):
		return c.itemPage(q, &in, err)
	}
	return err
}

// shortWords say which orders wait again because fewer were counted; the first
// four by name.
func shortWords(short []portal.Shortfall) string {
	var words []string
	for i, s := range short {
		if i == 4 && len(short) > 5 {
			words = append(words, fmt.Sprintf("%d lines more", len(short)-i))
			break
		}
		words = append(words, s.Qty.String()+" "+s.UOM+" of "+s.OrderNo)
	}
	if len(words) == 0 {
		return ""
	}
	return ". Fewer than were allocated: waiting for stock again " + strings.Join(words, ", ")
}
