package shop

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// cartPageLines is how many lines stand on one page of a cart. All of them are
// priced together; a browser that shows two thousand takes seconds to follow one
// change.
const cartPageLines = 100

// cartErrors is how many lines a refusal names one by one.
const cartErrors = 20

// cartPage is a page of the cart with what was typed and what is wrong with it.
// As JSON it has all lines.
type cartPage struct {
	portal.Cart
	Form    portal.CartSubmit   `json:"-"` // what stands in the fields
	Message string              `json:"error,omitempty"`
	Asks    string              `json:"-"` // instead of Message where sending again is all it takes
	Fields  []portal.FieldError `json:"fields,omitempty"`
	Access  portal.Access       `json:"-"`
	Today   string              `json:"-"`
	Outcome string              `json:"outcome"`         // of sending it now: approve, queue, sign_off, refuse
	Shown   string              `json:"shown,omitempty"` // what the form carries of the lines and prices
	// Of Shown: sent as confirm_prices it confirms these prices
	Digest  string `json:"shown_digest,omitempty"`
	AskRose bool   `json:"-"` // prices rose, as this page shows: sending again confirms
	AskWhat bool   `json:"-"` // the outcome is another, as this page shows: sending again confirms
	AskPO   string `json:"-"` // PO number repeated: the orders that sending again confirms
	Page    int    `json:"-"` // from 1
}

// Pages is how many pages the lines take, at least one.
func (p cartPage) Pages() int { return max(1, (len(p.Lines)+cartPageLines-1)/cartPageLines) }

// cartRow is a line with what the rules say of it.
type cartRow struct {
	portal.CartLine
	Findings []portal.OrderFinding
}

// Rows are the lines of this page.
func (p cartPage) Rows() []cartRow {
	from := (p.Page - 1) * cartPageLines
	rows := make([]cartRow, 0, cartPageLines)
	for _, l := range p.Lines[from:min(from+cartPageLines, len(p.Lines))] {
		rows = append(rows, cartRow{CartLine: l})
	}
	for _, f := range p.Findings {
		if i := f.Line - 1 - from; f.Line > 0 && i >= 0 && i < len(rows) {
			rows[i].Findings = append(rows[i].Findings, f)
		}
	}
	return rows
}

// Reasons are the distinct texts of the findings with an action: what a line
// objects to stands beside it as well, so of many only the first are said here.
func (p cartPage) Reasons(action string) []string {
	var out []string
	lines, more := 0, 0
	for _, f := range p.Findings {
		if f.Action != action || slices.Contains(out, f.Text) {
			continue
		}
		if f.Line > 0 {
			if lines++; lines > cartErrors {
				more++
				continue
			}
		}
		out = append(out, f.Text)
	}
	if more > 0 {
		out = append(out, "And "+page.Plural(more, "more line", "more lines")+", each marked in the list.")
	}
	return out
}

// outcome is what becomes of a cart that is sent as it is.
func outcome(c portal.Cart) string {
	switch {
	case c.Refused():
		return "refuse"
	case c.NeedsSignOff():
		return "sign_off"
	case c.Queues():
		return "queue"
	}
	return "approve"
}

// cartElsewhere says how many lines of another page want a look.
type cartElsewhere struct {
	Page, Lines int
	Link        string
}

// Elsewhere are the other pages with lines that cannot be sent or whose price
// has changed.
func (p cartPage) Elsewhere() []cartElsewhere {
	marked := make([]bool, len(p.Lines))
	for i, l := range p.Lines {
		marked[i] = l.PriceChanged()
	}
	for _, f := range p.Findings {
		if f.Action == "refuse" && f.Line > 0 && f.Line <= len(marked) {
			marked[f.Line-1] = true
		}
	}
	var out []cartElsewhere
	for i, m := range marked {
		view := i/cartPageLines + 1
		if !m || view == p.Page {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Page == view {
			out[n-1].Lines++
		} else {
			out = append(out, cartElsewhere{Page: view, Lines: 1, Link: cartLink(view)})
		}
	}
	return out
}

// WatchRest are the items on other pages: their prices count in the total.
func (p cartPage) WatchRest() string {
	var topics []string
	for i, l := range p.Lines {
		if i/cartPageLines+1 != p.Page {
			topics = append(topics, page.Topic("item", l.ItemNo))
		}
	}
	return strings.Join(topics, " ")
}

// ShipToTold is the ship-to that the page says the order goes to.
func (p cartPage) ShipToTold() string { return portal.ShipToTold(p.Cart.ShownOutcome) }

// Confirms reports whether sending again confirms what the page asks.
func (p cartPage) Confirms() bool { return p.AskRose || p.AskWhat || p.AskPO != "" }

func cartLink(view int) string {
	if view <= 1 {
		return "/cart"
	}
	return "/cart?page=" + strconv.Itoa(view)
}

// PrevLink and NextLink are empty at the ends.
func (p cartPage) PrevLink() string {
	if p.Page <= 1 {
		return ""
	}
	return cartLink(p.Page - 1)
}

// NextLink is described at PrevLink.
func (p cartPage) NextLink() string {
	if p.Page >= p.Pages() {
		return ""
	}
	return cartLink(p.Page + 1)
}

// Error is the message at a field, or "".
func (p cartPage) Error(field string) string {
	for _, f := range p.Fields {
		if f.Field == field && f.Line == 0 {
			return f.Message
		}
	}
	return ""
}

// cartError is one reason of a refusal, and where it is to be mended.
type cartError struct{ Message, Link string }

// Errors are the reasons of a refusal, the first lines by name.
func (p cartPage) Errors() []cartError {
	var out []cartError
	lines := 0
	for _, f := range p.Fields {
		switch {
		case f.Line > len(p.Lines):
		case f.Line > 0:
			if lines++; lines <= cartErrors {
				out = append(out, cartError{f.Message, p.lineLink(f.Line)})
			}
		case f.Field != "":
			out = append(out, cartError{f.Message, "#f-" + f.Field})
		default:
			out = append(out, cartError{Message: f.Message})
		}
	}
	if lines > cartErrors {
		out = append(out, cartError{Message: "And " + page.Plural(lines-cartErrors, "more line", "more lines") +
			", each marked in the list."})
	}
	return out
}

// lineLink leads to the quantity of a line, counted from 1.
func (p cartPage) lineLink(line int) string {
	l := p.Lines[line-1]
	anchor := "#cart-qty-" + portal.InAddress(l.ItemNo) + "-" + portal.InAddress(l.UOM) // as the template writes it
	if view := (line-1)/cartPageLines + 1; view != p.Page {
		return cartLink(view) + anchor
	}
	return anchor
}

func (c *Counter) ShowCart(q *page.Request) error { return c.cartPage(q, http.StatusOK, nil, nil) }

// cartPage shows the cart; after a refused submit with the typed form and the
// refusal.
func (c *Counter) cartPage(q *page.Request, status int, typed *portal.CartSubmit, refused error) error {
	cart, err := c.Carts.Cart(q.Context(), q.Who)
	if err != nil {
		return err
	}
	view := cartPage{Cart: cart, Outcome: outcome(cart), Access: q.Frame.Access, Today: q.Today()}
	asked, _ := strconv.Atoi(q.URL.Query().Get("page")) // what is no number is the first
	view.Page = min(max(asked, 1), view.Pages())
	view.Form.CartHead = portal.CartHead{PONo: cart.PONo, ShipTo: cart.ShipTo, Note: cart.Note}
	if cart.RequestedDate != nil {
		view.Form.RequestedDate = cart.RequestedDate.Format(time.DateOnly)
	}
	if typed != nil {
		view.Form = *typed
	}
	view.Form.Key = cart.Key
	// the question stands as long as the page shows what it was about
	view.Shown = cart.Shown()
	view.Digest = portal.ShownDigest(view.Shown)
	view.AskRose, view.AskPO = q.Asked("prices") == view.Digest && view.Digest != "", q.Asked("po")
	view.AskWhat = view.ShownOutcome != "" && q.Asked("outcome") == portal.ShownDigest(view.ShownOutcome)
	if e, ok := errors.AsType[*portal.Error](refused); ok {
		view.Message, view.Fields = e.Message, e.Fields
	}
	if r, ok := errors.AsType[*portal.RefusedError](refused); ok {
		view.AskRose, view.AskPO = r.OnlyAsks() && asksAbout(cart, r), r.AskedPO()
		if view.AskRose {
			q.Ask("prices", view.Digest)
		}
		if view.AskPO != "" {
			q.Ask("po", view.AskPO)
		}
		// what the refusal named is confirmed: if it has moved on since, the next click is refused with the newer
		if said := r.AskedOutcome(); said != "" {
			view.ShownOutcome, view.AskWhat = said, r.OnlyAsks()
			q.Ask("outcome", portal.ShownDigest(said))
		}
		if r.OnlyAsks() {
			view.Asks = "Something has changed since you looked at your cart. Send the order once more to confirm it."
		}
	}
	return c.Page(q, status, "shop/cart", "Cart", "cart", view)
}

// asksAbout reports whether a refusal asks about prices, and about just those
// that the cart, read after it, has. If one has moved in between, the next click
// is refused with the newer ones.
func asksAbout(cart portal.Cart, r *portal.RefusedError) bool {
	told := r.PricesTold()
	for i, l := range cart.Lines {
		price, asked := told[i+1]
		switch {
		case asked && (l.ShownPrice == nil || *l.ShownPrice != price):
			return false
		case !asked && l.PriceChanged() && l.UnitPrice.GreaterThan(l.SeenPrice.Decimal):
			return false
		}
	}
	return len(told) > 0
}

// mayOrder refuses what changes a cart to accounts and log-ins that only look.
func mayOrder(q *page.Request) error {
	if !q.Frame.Rights.Orders {
		return portal.Errorf(portal.CodeForbidden, "%s Ask whoever manages the log-ins of your account.",
			looksOnly(q.Frame.Rights))
	}
	if !q.Frame.Access.CanOrder {
		return portal.Errorf(portal.CodeForbidden, "Your account may look but not order. Please call us to order.")
	}
	return nil
}

// looksOnly says whose doing it is that nothing can be ordered.
func looksOnly(r portal.Rights) string {
	if !r.Orders {
		return "Your log-in may look but not order."
	}
	return "Your account may look but not order."
}

// SaveCart keeps what is typed beside the lines: PO number, ship-to, date,
// note.
func (c *Counter) SaveCart(q *page.Request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	var head portal.CartHead
	if err := q.Decode(&head); err != nil {
		return err
	}
	switch err := c.Carts.SaveHead(q.Context(), q.Who, head); {
	case err != nil && page.ShownOnPage(q, err):
		return c.cartPage(q, page.Status(err), &portal.CartSubmit{CartHead: head}, err)
	case err != nil:
		return err
	}
	return q.Done("/cart", "")
}

// SaveCartLine puts an item into the cart: adding to it, or with mode=set as the
// quantity. A quantity of 0 takes it out. With mode=sure the field sure confirms
// an unusual quantity of the line. A program that asks for JSON is not asked: it
// does not mistype, and tells its own people what the answer's message says.
func (c *Counter) SaveCartLine(q *page.Request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	var in struct {
		ItemNo string `form:"item_no"`
		UOM    string `form:"uom"`
		Qty    string `form:"qty"`
		Mode   string `form:"mode"`
		Sure   string `form:"sure"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	if in.Mode == "sure" {
		if err := c.Carts.ConfirmQty(q.Context(), q.Who, in.ItemNo, in.Sure); err != nil {
			return err
		}
		return q.Done("/cart", "")
	}
	read := portal.ReadQty(in.Qty)
	if read.Zero() || (read.Text == "" && in.Mode == "set") {
		if err := c.Carts.SetLine(q.Context(), q.Who, in.ItemNo, in.UOM, portal.Qty{}, false, false); err != nil {
			return err
		}
		return q.Done(q.Back("/cart"), in.ItemNo+" is out of your cart")
	}
	qty, uom, unusual, err := c.Entries.Quantity(q.Context(), q.Who, in.ItemNo, in.UOM, read)
	if err != nil {
		return err
	}
	if err := c.Carts.SetLine(q.Context(), q.Who, in.ItemNo, uom, qty,
		in.Mode != "set", page.WantsJSON(q.Request)); err != nil {
		return err
	}
	toast := in.ItemNo + " is in your cart"
	if in.Mode == "set" {
		toast = ""
	}
	// the cart's own page asks at the line; elsewhere, and to a program, it is said
	if unusual != "" && (in.Mode != "set" || page.WantsJSON(q.Request)) {
		toast = strings.TrimSpace(in.ItemNo + " is in your cart. " + unusual)
	}
	return q.Done(q.Back("/cart"), toast)
}

func (c *Counter) SubmitCart(q *page.Request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	var in portal.CartSubmit
	if err := q.Decode(&in); err != nil {
		return err
	}
	sent, err := c.Carts.Submit(q.Context(), q.Who, in)
	switch code := portal.ErrorCode(err); {
	case err == nil:
	case (code == portal.CodeInvalid || code == portal.CodeConflict) && !page.WantsJSON(q.Request):
		// what was typed is kept with the cart, whatever becomes of the page;
		// a date that cannot be read is kept in the form alone
		if e := c.Carts.SaveHead(q.Context(), q.Who, in.CartHead); e != nil && portal.ErrorCode(e) != portal.CodeInvalid {
			return e
		}
		return c.cartPage(q, page.Status(err), &in, err)
	default:
		return err
	}
	if sent.OrderNo == "" { // no order yet
		if page.WantsJSON(q.Request) {
			return page.WriteJSON(q.W, http.StatusAccepted, sent)
		}
		return q.Done(approvalPath(sent.SignOff), "Sent to be signed off")
	}
	if page.WantsJSON(q.Request) {
		return page.WriteJSON(q.W, http.StatusOK, sent)
	}
	return q.Done("/orders/"+portal.InAddress(sent.OrderNo), "Order "+sent.OrderNo+" sent")
}
