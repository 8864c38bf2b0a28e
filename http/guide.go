package http

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"portal.example/portal"
)

// guidePage is My Items: what is starred, what was bought, or a shared list.
type guidePage struct {
	portal.Guide
	Access  portal.Access      `json:"-"`
	Message string             `json:"message,omitempty"`
	Bad     []portal.EntryLine `json:"bad,omitempty"` // rows that could not be added
}

// Address is a page of this guide.
func (p guidePage) Address(page int) string {
	v := url.Values{}
	switch p.Kind {
	case portal.GuideBought:
		v.Set("list", "bought")
	case portal.GuideList:
		v.Set("list", strconv.FormatInt(int64(p.List.ID), 10))
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
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

func (s *Server) myItems(q *request) error { return s.guidePage(q, http.StatusOK, "", nil) }

// guidePage shows the guide that the address names: list=bought, a list's
// number, or what is starred.
func (s *Server) guidePage(q *request, status int, message string, bad []portal.EntryLine) error {
	v := q.URL.Query()
	kind, list := portal.GuideStarred, portal.ListID(0)
	if v.Get("list") == "bought" {
		kind = portal.GuideBought
	} else if id, err := strconv.ParseInt(v.Get("list"), 10, 64); err == nil {
		kind, list = portal.GuideList, portal.ListID(id)
	}
	page, _ := strconv.Atoi(v.Get("page"))
	guide, err := s.Guides.Guide(q.Context(), q.who, kind, list, min(page, 100_000))
	if err != nil {
		return err
	}
	return s.page(q, status, "guide", "My Items", "my-items", guidePage{Guide: guide, Access: q.frame.Access, Message: message, Bad: bad})
}

// addMany puts all rows with a quantity into the cart: fields ref, uom, qty,
// each repeated, in step.
func (s *Server) addMany(q *request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	if err := q.decode(&struct{}{}); err != nil {
		return err
	}
	var rows []portal.EntryRow
	for i, ref := range q.PostForm["ref"] {
		row := portal.EntryRow{Ref: ref, UOM: nth(q.PostForm["uom"], i), Qty: nth(q.PostForm["qty"], i), Sure: nth(q.PostForm["sure"], i)}
		if read := portal.ReadQty(row.Qty); read.Text != "" && !read.Zero() {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return s.guidePage(q, http.StatusUnprocessableEntity, "Enter a quantity at what you need first.", nil)
	}
	lines, added, err := s.Entries.AddReady(q.Context(), q.who, rows, false)
	if err != nil {
		return err
	}
	var bad []portal.EntryLine
	for _, l := range lines {
		if !l.Ready() {
			bad = append(bad, l)
		}
	}
	told := fmt.Sprintf("%s added to the cart", plural(added, "line", "lines"))
	if len(bad) == 0 {
		return q.done(q.URL.RequestURI(), told)
	}
	return s.guidePage(q, http.StatusUnprocessableEntity, told+". What is marked below could not be added.", bad)
}

// mayList refuses to change what all log-ins of the customer share to one that
// only looks.
func mayList(q *request) error {
	if !q.frame.Rights.Orders {
		return portal.Errorf(portal.CodeForbidden, "Your log-in looks at the shared lists but does not change them.")
	}
	return nil
}

func (s *Server) saveList(q *request) error {
	if err := mayList(q); err != nil {
		return err
	}
	var in struct {
		Name string `form:"name"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	id, err := s.Guides.SaveList(q.Context(), q.who, in.Name)
	if err != nil {
		return err
	}
	if wantsJSON(q.Request) {
		return writeJSON(q.w, http.StatusOK, map[string]any{"list_id": id})
	}
	return q.done(fmt.Sprintf("/my-items?list=%d", id), "List made")
}

func (q *request) listID() (portal.ListID, error) {
	id, err := strconv.ParseInt(q.param("list_id"), 10, 64)
	if err != nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such list.")
	}
	return portal.ListID(id), nil
}

func (s *Server) deleteList(q *request) error {
	if err := mayList(q); err != nil {
		return err
	}
	id, err := q.listID()
	if err == nil {
		err = s.Guides.DeleteList(q.Context(), q.who, id)
	}
	if err != nil {
		return err
	}
	return q.done("/my-items", "List deleted")
}

// putOnList puts an item on a shared list, or with on=0 takes it off.
func (s *Server) putOnList(q *request) error {
	if err := mayList(q); err != nil {
		return err
	}
	var in struct {
		ItemNo string `form:"item_no"`
		On     string `form:"on"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	id, err := q.listID()
	if err == nil {
		err = s.Guides.PutOnList(q.Context(), q.who, id, in.ItemNo, in.On != "0")
	}
	if err != nil {
		return err
	}
	toast := in.ItemNo + " is on the list"
	if in.On == "0" {
		toast = in.ItemNo + " is off the list"
	}
	return q.done(q.back("/my-items"), toast)
}
