package http

import (
	"fmt"
	"net/http"
	"strings"

	"portal.example/portal"
)

// deskItemsPage is the list of items.
type deskItemsPage struct {
	Items []portal.DeskItem `json:"items"`
	Query string            `json:"query"`
	Next  string            `json:"next,omitempty"`
}

// NextLink is the next page's address, or "".
func (p deskItemsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/desk/items", "q", p.Query, "after", p.Next)
}

func (s *Server) deskItems(q *request) error {
	search := deskSearch(q)
	rows, next, err := s.Desk.DeskItems(q.Context(), q.who, search, q.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "desk_items", "Items", "items", deskItemsPage{Items: rows, Query: search, Next: next})
}

// deskItemPage is one item with its form.
type deskItemPage struct {
	portal.DeskItem
	formErrors
	Typed  portal.DeskItemEdit `json:"-"`
	Supply portal.ItemSupply   `json:"supply"`
	Goods  supplyTyped         `json:"-"` // what stands in the forms of receipts
	Today  string              `json:"-"`
}

// priceField is one of the item's price boxes.
type priceField struct{ Name, Label, Value, Error string }

// Prices are the boxes of the five levels and the cost.
func (p deskItemPage) Prices() []priceField {
	out := []priceField{{Name: "price_a", Label: "Level A (list)", Value: p.Typed.PriceA}, {Name: "price_b", Label: "Level B", Value: p.Typed.PriceB},
		{Name: "price_c", Label: "Level C", Value: p.Typed.PriceC}, {Name: "price_d", Label: "Level D", Value: p.Typed.PriceD},
		{Name: "price_e", Label: "Level E", Value: p.Typed.PriceE}, {Name: "cost", Label: "Cost", Value: p.Typed.Cost}}
	for i := range out {
		out[i].Error = p.Error(out[i].Name)
	}
	return out
}

func (s *Server) deskItem(q *request) error { return s.deskItemPage(q, nil, nil) }

// deskItemPage shows the item; after a refused form with what was typed and
// the refusal.
func (s *Server) deskItemPage(q *request, typed *portal.DeskItemEdit, refused error) error {
	return s.deskItemSupplyPage(q, typed, supplyTyped{}, refused)
}

func (s *Server) deskItemSupplyPage(q *request, typed *portal.DeskItemEdit, goods supplyTyped, refused error) error {
	item, err := s.Desk.DeskItem(q.Context(), q.who, q.param("item_no"))
	if err != nil {
		return err
	}
	supply, err := s.Desk.ItemSupply(q.Context(), q.who, item.ItemNo)
	if err != nil {
		return err
	}
	page := deskItemPage{DeskItem: item, formErrors: formErrorsOf(refused), Typed: item.Typed(), Supply: supply, Goods: goods,
		Today: q.today()}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	if typed != nil {
		seen := page.Typed.OnHandSeen
		page.Typed = *typed
		if page.Error("on_hand") != "" { // which says what there is now
			page.Typed.OnHandSeen = seen
		}
	}
	return s.page(q, code, "desk_item", item.ItemNo+" "+item.Description, "items", page)
}

func (s *Server) deskSaveItem(q *request) error {
	var in portal.DeskItemEdit
	if err := q.decode(&in); err != nil {
		return err
	}
	itemNo := q.param("item_no")
	short, err := s.Desk.SaveItem(q.Context(), q.who, itemNo, in)
	in.Shown = stillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.done(deskPath("items", itemNo), "Item "+itemNo+" saved"+shortWords(short))
	case shownOnPage(q, err):
		return s.deskItemPage(q, &in, err)
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
