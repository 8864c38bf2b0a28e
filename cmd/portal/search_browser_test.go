package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"portal.example/portal/internal/pgtest"
)

// The search box by keyboard alone: / goes there, what is typed brings
// suggestions, arrows mark one, Enter opens it, Escape closes the list.
func TestBrowserLookup(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db,
		`insert into erp.item (item_no, description, category_id, price_a) values ('CAN1', 'Green olives 1 kg', 1, 1204.5)`)
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1003.example")
	b.goTo("/orders")
	b.connected()

	b.shortcut("/", "Slash", 191)
	b.see("the cursor in the search box", "document.activeElement.id === 'search'")
	b.see("a closed combobox", "document.activeElement.getAttribute('role') === 'combobox' && "+
		"document.activeElement.getAttribute('aria-expanded') === 'false'")
	b.press("oliv")
	b.see("two suggestions",
		"document.querySelectorAll('#lookup-list [role=option]').length === 2 && !document.querySelector('.lookup').hidden")
	b.see("an open combobox", "document.getElementById('search').getAttribute('aria-expanded') === 'true'")
	for _, text := range []string{"Olive oil 5 L", "OIL5", "27.00", "EA", "100 in stock", "1,204.50"} {
		b.see(text+" in the list", fmt.Sprintf("document.querySelector('#lookup-list').innerText.includes(%q)", text))
	}
	marked := func(what, id string) {
		t.Helper()
		b.see(what, fmt.Sprintf("(document.getElementById('search').getAttribute('aria-activedescendant') ?? '') === %q", id))
	}
	marked("nothing marked", "")
	b.press(kb.ArrowDown)
	marked("the first marked", "lookup-0")
	b.see("one selected", "document.querySelectorAll('#lookup-list [aria-selected=true]').length === 1")
	b.press(kb.ArrowUp)
	marked("nothing marked above the first", "")
	b.press(kb.ArrowUp)
	marked("the last marked from below", "lookup-1")
	b.press(kb.ArrowDown, kb.ArrowDown)
	marked("the first marked again", "lookup-0")

	b.press(kb.Escape)
	b.see("a closed list", "document.querySelector('.lookup').hidden && document.activeElement.id === 'search' && "+
		"document.activeElement.value === 'oliv'")
	b.press(kb.ArrowDown)
	b.see("the list again", "!document.querySelector('.lookup').hidden")
	for _, problem := range axeAfter(b) {
		t.Errorf("with suggestions: %s", problem)
	}
	b.press(kb.ArrowDown)
	marked("the first marked after all", "lookup-0")
	b.shortcut("Enter", "Enter", 13)
	b.see("the item's page", "location.pathname === '/items/OIL5'")
	b.connected()

	// no match is said, to eyes and ears
	b.connected()
	b.shortcut("/", "Slash", 191)
	b.press("qqqqq")
	b.see("that there is no match", "document.querySelector('.lookup-none').innerText === 'No match for “qqqqq”'")
	b.see("nothing expanded", "document.getElementById('search').getAttribute('aria-expanded') === 'false'")
	b.see("the announcement", "document.getElementById('announce').textContent.includes('No match for “qqqqq”')")

	// Enter without a mark is the plain form
	b.fill("#search", "oliv")
	b.press(kb.Enter)
	b.see("the catalogue", "location.pathname === '/catalog' && location.search === '?q=oliv'")
	b.see("the list of it", "document.querySelector('#item-OIL5') !== null && "+
		"document.querySelector('#item-count').innerText.startsWith('2 items')")
}

// Any field can have suggestions: the choice is an event, and whoever does not
// handle it finds the item's code in the field.
func TestBrowserLookupElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.goTo("/cart")
	b.connected()
	eval[bool](b, `(() => {
		document.querySelector('#main').insertAdjacentHTML('beforeend', '<input id="row-1" data-lookup data-lookup-limit="1"><input id="row-2" data-lookup>')
		document.addEventListener('lookup:choose', (e) => {
			window.chosen = [e.target.id, e.detail.item_no, e.detail.match, e.detail.match_uom,
				 e.detail.units.join(' ')].join(',')
			if (e.target.id === 'row-2') e.preventDefault()
		})
		return true
	})()`)
	b.fill("#row-1", "4006381333931")
	b.see("the item of the case's barcode", "document.querySelectorAll('#lookup-list [role=option]').length === 1")
	b.press(kb.ArrowDown)
	b.shortcut("Enter", "Enter", 13)
	b.see("the choice",
		"window.chosen === 'row-1,OIL5,barcode,CS,EA CS' && document.getElementById('row-1').value === 'OIL5'")
	b.fill("#row-2", "rice")
	b.see("suggestions for the other field", "document.getElementById('row-2').getAttribute('aria-expanded') === 'true'")
	if over := eval[int](b, "document.documentElement.scrollWidth - window.innerWidth"); over > 0 {
		t.Errorf("the page is %d px wider than a phone", over)
	}
	b.click("#lookup-0")
	b.see("the choice handled", "window.chosen.startsWith('row-2,RICE25') && document.getElementById('row-2').value "+
		"=== 'rice' && location.pathname === '/cart'")
}

// An open list that is searched and filtered stays true: what comes into it
// appears, what leaves it goes.
func TestBrowserFilteredLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1003.example")
	b.goTo("/catalog?q=oil&in_stock=1&sort=code")
	b.connected()
	b.mark()
	b.see("one item", "document.querySelectorAll('#items tbody tr').length === 1")
	pgtest.Exec(t, s.db,
		`with i as (insert into erp.item (item_no, description, category_id, price_a) values ('OIL1', 'Corn oil 1 L', 1, 3)
			returning item_id)
		insert into erp.stock (item_id, on_hand) select item_id, 4 from i`)
	b.see("the new item, first by code", "document.querySelector('#items tbody tr').id === 'item-OIL1'")
	b.see("the new count", "document.querySelector('#item-count').innerText.startsWith('2 items')")
	pgtest.Exec(t, s.db, "update erp.item set description = 'Corn syrup 1 L' where item_no = 'OIL1'")
	pgtest.Exec(t, s.db, "update erp.item set item_no = 'SYRUP1' where item_no = 'OIL1'")
	b.see("the item that is none any more gone",
		"document.querySelector('#item-OIL1') === null && document.querySelector('#item-SYRUP1') === null")
	pgtest.Exec(t, s.db,
		"update erp.stock set on_hand = allocated where item_id = (select item_id from erp.item where item_no = 'OIL5')")
	b.see("the item out of stock gone", "document.querySelector('#item-OIL5') === null")
	b.stillMarked()

	b.goTo("/catalog?bought=1")
	b.connected()
	b.mark()
	s.buyer("C1003").order("RICE25", "1")
	b.see("what was ordered meanwhile", "document.querySelector('#item-RICE25') !== null")
	b.stillMarked()
}

// shortcut presses a key that a script takes: one without a character, which a
// browser would not send either then.
func (b *tab) shortcut(key, code string, number int64) {
	b.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown,
		input.DispatchKeyEventTypeKeyUp} {
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent,
			input.DispatchKeyEventParams{Type: kind, Key: key, Code: code, WindowsVirtualKeyCode: number}); err != nil {
			b.t.Fatalf("browser: %v", err)
		}
	}
}

// press types keys where the cursor is.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.do(chromedp.KeyEvent(k))
	}
}

// axeAfter runs the accessibility checks on the page as it stands.
func axeAfter(b *tab) []string {
	b.t.Helper()
	eval[bool](b, axe+";true")
	return axeProblems(b, "document", allRules)
}
