package shop

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// guidePage is My Items: what is starred, what was bought, or a shared list.
type guidePage struct {
	portal.Guide
	Access  portal.Access      `json:"-"`
	Message string             `json:"message,omitempty"`
	Bad     []portal.EntryLine `json:"bad,omitempty"` // rows that could not be added
}

// Address is a page of this guide.
func (p guidePage) Address(view int) string {
	v := url.Values{}
	switch p.Kind {
	case portal.GuideBought:
		v.Set("list", "bought")
	case portal.GuideList:
		v.Set("list", strconv.FormatInt(int64(p.List.ID), 10))
	}
	if view > 1 {
		v.Set("page", strconv.Itoa(view))
	}
	if len(v) == 0 {
		return "/my-items"
	}
	return "/my-items?" + v.Encode()
}

// PrevLink and NextLink lead through the pages; "" where there is none.
func (p guidePage) PrevLink() string {
	if p.Page <= 1 {
		return ""
	}
	return p.Address(min(p.Page-1, p.Pages))
}

// NextLink is described at PrevLink.
func (p guidePage) NextLink() string {
	if p.Page >= p.Pages {
		return ""
	}
	return p.Address(p.Page + 1)
}

// Typed is what stands in an item's quantity box: a row that could not be
// added keeps what was typed.
func (p guidePage) Typed(itemNo string) string {
	for _, b := range p.Bad {
		if b.Ref == itemNo {
			return b.Qty
		}
	}
	return ""
}

// Wrong is why an item could not be added, or "".
func (p guidePage) Wrong(itemNo string) string {
	for _, b := range p.Bad {
		if b.Ref == itemNo {
			return b.Error
		}
	}
	return ""
}

// AskSure is what confirms an item's quantity, or "".
func (p guidePage) AskSure(itemNo string) string {
	for _, b := range p.Bad {
		if b.Ref == itemNo {
			return b.AskSure
		}
	}
	return ""
}

func (c *Counter) ListMyItems(q *page.Request) error { return c.guidePage(q, http.StatusOK, "", nil) }

// guidePage shows the guide that the address names: list=bought, a list's
// number, or what is starred.
func (c *Counter) guidePage(q *page.Request, status int, message string, bad []portal.EntryLine) error {
	v := q.URL.Query()
	kind, list := portal.GuideStarred, portal.ListID(0)
	if v.Get("list") == "bought" {
		kind = portal.GuideBought
	} else if id, err := strconv.ParseInt(v.Get("list"), 10, 64); err == nil {
		kind, list = portal.GuideList, portal.ListID(id)
	}
	view, _ := strconv.Atoi(v.Get("page"))
	guide, err := c.Guides.Guide(q.Context(), q.Who, kind, list, min(view, 100_000))
	if err != nil {
		return err
	}
	return c.Page(q, status, "shop/guide", "My Items", "my-items",
		guidePage{Guide: guide, Access: q.Frame.Access, Message: message, Bad: bad})
}

// AddMany puts all rows with a quantity into the cart: fields ref, uom, qty,
// each repeated, in step.
func (c *Counter) AddMany(q *page.Request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	if err := q.Decode(&struct{}{}); err != nil {
		return err
	}
	var rows []portal.EntryRow
	for i, ref := range q.PostForm["ref"] {
		row := portal.EntryRow{Ref: ref, UOM: nth(q.PostForm["uom"], i), Qty: nth(q.PostForm["qty"], i),
			Sure: nth(q.PostForm["sure"], i)}
		if read := portal.ReadQty(row.Qty); read.Text != "" && !read.Zero() {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return c.guidePage(q, http.StatusUnprocessableEntity, "Enter a quantity at what you need first.", nil)
	}
	lines, added, err := c.Entries.AddReady(q.Context(), q.Who, rows, false)
	if err != nil {
		return err
	}
	var bad []portal.EntryLine
	for _, l := range lines {
		if !l.Ready() {
			bad = append(bad, l)
		}
	}
	told := fmt.Sprintf("%s added to the cart", page.Plural(added, "line", "lines"))
	if len(bad) == 0 {
		return q.Done(q.URL.RequestURI(), told)
	}
	return c.guidePage(q, http.StatusUnprocessableEntity, told+". What is marked below could not be added.", bad)
}

// mayList refuses to change what all log-ins of the customer share to one that
// only looks.
func mayList(q *page.Request) error {
	if !q.Frame.Rights.Orders {
		return portal.Errorf(portal.CodeForbidden, "Your log-in looks at the shared lists but does not change them.")
	}
	return nil
}

func (c *Counter) SaveList(q *page.Request) error {
	if err := mayList(q); err != nil {
		return err
	}
	var in struct {
		Name string `form:"name"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	id, err := c.Guides.SaveList(q.Context(), q.Who, in.Name)
	if err != nil {
		return err
	}
	if page.WantsJSON(q.Request) {
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"list_id": id})
	}
	return q.Done(fmt.Sprintf("/my-items?list=%d", id), "List created")
}

func listID(q *page.Request) (portal.ListID, error) {
	id, err := strconv.ParseInt(q.Param("list_id"), 10, 64)
	if err != nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such list.")
	}
	return portal.ListID(id), nil
}

func (c *Counter) DeleteList(q *page.Request) error {
	if err := mayList(q); err != nil {
		return err
	}
	id, err := listID(q)
	if err == nil {
		err = c.Guides.DeleteList(q.Context(), q.Who, id)
	}
	if err != nil {
		return err
	}
	return q.Done("/my-items", "List deleted")
}

// PutOnList puts an item on a shared list, or with on=0 takes it off.
func (c *Counter) PutOnList(q *page.Request) error {
	if err := mayList(q); err != nil {
		return err
	}
	var in struct {
		ItemNo string `form:"item_no"`
		On     string `form:"on"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	id, err := listID(q)
	if err == nil {
		err = c.Guides.PutOnList(q.Context(), q.Who, id, in.ItemNo, in.On != "0")
	}
	if err != nil {
		return err
	}
	toast := in.ItemNo + " is on the list"
	if in.On == "0" {
		toast = in.ItemNo + " is off the list"
	}
	return q.Done(q.Back("/my-items"), toast)
}
