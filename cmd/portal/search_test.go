package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"portal.example/portal/internal/bench"
	"portal.example/portal/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// itemNos are the codes of an answer's items, in order.
func itemNos(a answer) []string {
	out := []string{}
	list, _ := a.get("items").([]any)
	for _, x := range list {
		item, _ := x.(map[string]any)
		no, _ := item["item_no"].(string)
		out = append(out, no)
	}
	return out
}

func listOf(q string, more ...string) string {
	v := url.Values{"q": {q}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return "/catalog?" + v.Encode()
}

func lookupOf(q string) string { return "/lookup?limit=20&q=" + url.QueryEscape(q) }

// A catalogue of 5,000 items, in which many are made of the same words: what is
// meant comes first in the list and in the suggestions, and both agree.
func TestAcceptance17Search(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "select setval(pg_get_serial_sequence('erp.category', 'category_id'), 3); delete from erp.stock")
	conn, err := pgx.Connect(t.Context(), s.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := bench.Fill(t.Context(), conn, 5, 5000); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, s.db, `
		update erp.stock set on_hand = 100 where item_id = (select item_id from erp.item where item_no = 'OIL5');
		update erp.item set barcode = '0041331092609' where item_no = 'OIL5';
		insert into erp.customer_item (customer_id, item_id, their_item_no)
			select c.customer_id, i.item_id, case c.customer_no when 'C1003' then 'KITCHEN-7' else 'HERS-7' end
			from erp.customer c, erp.item i where c.customer_no in ('C1003', 'C1002') and i.item_no = 'OIL5';
		insert into erp.item (item_no, description, price_a) values ('OIL50', 'Drum, empty', 9),
			('7-UP', 'Lemonade 330 ml', 1), ('CREME1', 'Crème brûlée 12 ct', 8),
			('BROC1', 'Broccoli florets 2 kg', 8)`)
	v := s.buyer("C1003")

	for q, want := range map[string]struct{ item, match string }{
		"oliv 5": {"OIL5", "words"}, "5 oliv": {"OIL5", "words"}, "OLIVE OIL 5L": {"OIL5", "words"},
		"OIL5": {"OIL5", "code"}, " oil5 ": {"OIL5", "code"}, "oil50": {"OIL50", "code"}, "OIL": {"OIL5", "prefix"},
		"0041331092609": {"OIL5", "barcode"}, "4006381333931": {"OIL5", "barcode"}, "kitchen-7": {"OIL5", "own_no"},
		"olvie": {"OIL5", "similar"}, "olvie 5": {"OIL5", "similar"}, "oilve oil": {"OIL5", "similar"},
		"brocolli": {"BROC1", "similar"}, "7-up": {"7-UP", "code"}, "creme bru": {"CREME1", "words"},
		"crème brûlée": {"CREME1", "words"}, "creme brulle": {"CREME1", "similar"},
	} {
		list, lookup := v.read(listOf(q)), v.read(lookupOf(q))
		if list.status != http.StatusOK || lookup.status != http.StatusOK {
			t.Fatalf("%q: %d, %d", q, list.status, lookup.status)
		}
		if got := lookup.get("items.0.match"); got != want.match {
			t.Errorf("%q was found by %v, want %s", q, got, want.match)
		}
		inList, suggested := itemNos(list), itemNos(lookup)
		if len(inList) == 0 || inList[0] != want.item {
			t.Errorf("%q lists %v first, want %s", q, inList[:min(3, len(inList))], want.item)
		}
		if n := min(20, len(inList)); !slices.Equal(inList[:n], suggested) {
			t.Errorf("%q lists %v and suggests %v", q, inList[:n], suggested)
		}
	}

	// a scanned case brings its unit, and a suggestion all that a line needs
	hit := v.read("/lookup?q=4006381333931")
	for path, want := range map[string]any{"match_uom": "CS", "uom": "EA", "units.0": "EA", "units.1": "CS",
		"unit_price": "27.00", "price_step": "level", "available": "100", "stock_state": "in", "orderable": true,
		"their_item_no": "KITCHEN-7", "description": "Olive oil 5 L"} {
		if got := hit.get("items.0." + path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if got := hit.header.Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	// hers is nobody else's number
	if got := itemNos(v.read("/lookup?q=HERS-7")); slices.Contains(got, "OIL5") {
		t.Errorf("another customer's number finds %v", got)
	}
	for path, want := range map[string]int{"/lookup?q=olive": 8, "/lookup?q=olive&limit=3": 3,
		"/lookup?q=olive&limit=999": 20, "/lookup?q=olive&limit=-1": 1, "/lookup?q=": 0, "/lookup": 0, "/lookup?q=qqqqqq": 0,
		"/lookup?q=*": 0, "/lookup?q=o": 2} {
		if got := len(itemNos(v.read(path))); got != want {
			t.Errorf("%s suggests %d, want %d", path, got, want)
		}
	}
	if a := s.visit().read("/lookup?q=oil"); a.status != http.StatusUnauthorized {
		t.Errorf("nobody is answered %d", a.status)
	}
	if a := s.logIn("desk@demo.example").read("/lookup?q=oil"); a.status != http.StatusNotFound {
		t.Errorf("staff are answered %d", a.status)
	}

	// the pages of a search hold each item once, and the pills add up
	for _, q := range []string{"olive oil", "I0001", "olvie", ""} {
		seen := map[string]bool{}
		first := v.read(listOf(q))
		for page := 1; page <= int(first.get("pages").(float64)); page++ {
			for _, no := range itemNos(v.read(listOf(q, "page", fmt.Sprint(page)))) {
				if seen[no] {
					t.Errorf("%q: %s is on two pages", q, no)
				}
				seen[no] = true
			}
		}
		inPills := 0
		for _, c := range first.get("categories").([]any) {
			inPills += int(c.(map[string]any)["count"].(float64))
		}
		if total := int(first.get("total").(float64)); total != len(seen) || total != inPills {
			t.Errorf("%q: %d items said, %d on the pages, %d in the pills", q, total, len(seen), inPills)
		}
	}
	category := first(v.read(listOf("olive oil")))
	within := v.read(listOf("olive oil", "category", category.id))
	if within.get("total") != category.count {
		t.Errorf("the pill says %v, its list has %v", category.count, within.get("total"))
	}

	if got := itemNos(v.read(listOf("olive oil", "sort", "code"))); !slices.IsSorted(got) {
		t.Errorf("sorted by code: %v", got)
	}
}

type pill struct {
	id    string
	count any
}

// first is the first category of a list.
func first(a answer) pill {
	return pill{fmt.Sprint(int64(a.get("categories.0.category_id").(float64))), a.get("categories.0.count")}
}

// In stock, bought before and favourites narrow a list, its counts and its
// pills, alone and together, and stay in the address.
func TestSearchFilters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	v.order("OIL5", "1")
	cancelled := v.order("SALT1", "1")
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'CANCELLED' where order_no = '"+cancelled+"'")
	s.buyer("C1002").order("RICE25", "1")
	pgtest.Exec(t, s.db, `
		insert into erp.invoice (invoice_no, customer_id) select '7001', customer_id from erp.customer
			where customer_no = 'C1003';
		insert into erp.invoice_line (invoice_id, line_no, item_id, qty, unit_price, line_total)
			select v.invoice_id, 1, i.item_id, 1, 0, 0 from erp.invoice v, erp.item i where v.invoice_no = '7001'
				and i.item_no = 'GLOV9';
		update erp.stock set on_hand = allocated where item_id = (select item_id from erp.item where item_no = 'GLOV9')`)
	v.post("/favorites/RICE25", "on", "1")
	v.post("/favorites/GLOV9", "on", "1")

	for path, want := range map[string]string{
		"/catalog?bought=1":                                "GLOV9 OIL5",
		"/catalog?favorites=1":                             "GLOV9 RICE25",
		"/catalog?in_stock=1":                              "LAST1 OIL5 RICE25 SALT1",
		"/catalog?bought=1&in_stock=1":                     "OIL5",
		"/catalog?bought=1&favorites=1":                    "GLOV9",
		"/catalog?bought=1&favorites=1&in_stock=1":         "",
		"/catalog?q=rice&in_stock=1&favorites=1":           "RICE25",
		"/catalog?q=oil&favorites=1":                       "", // that there is oil elsewhere is no typing mistake
		"/catalog?q=rcie&favorites=1":                      "RICE25",
		"/catalog?in_stock=1&category=2":                   "LAST1 RICE25 SALT1",
		"/catalog?in_stock=1&category=2&sort=code&page=1":  "LAST1 RICE25 SALT1",
		"/catalog?in_stock=yes&bought=0&favorites=&sort=x": "GLOV9 LAST1 OIL5 RICE25 SALT1",
	} {
		a := v.read(path)
		if got := strings.Join(itemNos(a), " "); got != want {
			t.Errorf("%s lists %q, want %q", path, got, want)
		}
		if total := a.get("total"); total != float64(len(strings.Fields(want))) {
			t.Errorf("%s counts %v", path, total)
		}
	}
	page := v.page("/catalog?q=oil&in_stock=1&sort=code").body
	for _, want := range []string{`href="/catalog?in_stock=1&amp;q=oil&amp;sort=code"`,
		`href="/catalog?q=oil&amp;sort=code"`,
		`href="/catalog?bought=1&amp;in_stock=1&amp;q=oil&amp;sort=code"`, `<input type="hidden" name="in_stock" value="1">`,
		`<option value="code" selected>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}

	// who may not see stock cannot find it out by filtering
	pgtest.Exec(t, s.db, "update erp.web_access set see_stock = 'hidden'")
	a := v.read("/catalog?in_stock=1")
	if got := strings.Join(itemNos(a), " "); got != "GLOV9 LAST1 OIL5 RICE25 SALT1" || a.get("in_stock") != false {
		t.Errorf("hidden stock is filtered: %s", got)
	}
	if body := v.page("/catalog").body; strings.Contains(body, "in_stock=1") || !strings.Contains(body, "Bought before") {
		t.Error("the filter is offered where stock is hidden")
	}
	hit := v.read("/lookup?q=OIL5")
	if hit.get("items.0.available") != nil || hit.get("items.0.stock_state") != nil ||
		hit.get("items.0.orderable") != true {
		t.Errorf("suggestions tell of stock: %s", hit.body)
	}
	pgtest.Exec(t, s.db, "update erp.web_access set see_stock = 'in_low_out', see_prices = false")
	hit = v.read("/lookup?q=OIL5")
	if hit.get("items.0.available") != nil || hit.get("items.0.stock_state") != "in" ||
		hit.get("items.0.unit_price") != nil || hit.get("items.0.price_step") != nil {
		t.Errorf("suggestions tell of figures or prices: %s", hit.body)
	}
}

// A catalogue limited to authorized items is limited in every search, its
// counts and its suggestions, whatever it is asked by.
func TestAcceptance14RestrictedSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `
		insert into erp.item (item_no, description, category_id, price_a) select 'ALLOW' || n, 'Allowed goods ' || n,
			1 + n % 3, 5 from generate_series(1, 39) n;
		update erp.item set barcode = '0099999000017' where item_no = 'RICE25';
		insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'PAL', 40, '0099999000024' from erp.item
			where item_no = 'RICE25';
		insert into erp.authorized_item (customer_id, item_id) select c.customer_id, i.item_id from erp.customer c, erp.item i
			where c.customer_no = 'C1004' and (i.item_no like 'ALLOW%' or i.item_no = 'OIL5');
		insert into erp.customer_item (customer_id, item_id, their_item_no) select c.customer_id, i.item_id, 'OURS-1'
			from erp.customer c, erp.item i
			where c.customer_no = 'C1004' and i.item_no = 'RICE25'`)
	v := s.buyer("C1004")
	old := v.order("RICE25", "1")
	v.post("/favorites/RICE25", "on", "1")
	list := fmt.Sprint(v.post("/lists", "name", "Weekly").get("list_id"))
	v.post("/lists/"+list+"/items", "item_no", "RICE25")
	v.post("/cart/lines", "item_no", "RICE25", "qty", "2") // from before
	pgtest.Exec(t, s.db, "update erp.web_access set authorized_items_only = true where customer_id = (select "+
		"customer_id from erp.customer where customer_no = 'C1004')")

	for _, q := range []string{"RICE25", "rice", "long grain", "rcie", "lnog grain", "0099999000017",
		"0099999000024", "OURS-1", "25"} {
		for _, path := range []string{listOf(q), lookupOf(q), listOf(q, "favorites", "1"), listOf(q, "bought", "1"),
			listOf(q, "in_stock", "1"), listOf(q, "sort", "code")} {
			a := v.read(path)
			if a.status != http.StatusOK || strings.Contains(a.body, `"item_no":"RICE25"`) || strings.Contains(a.body, "Rice") {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
		if a := s.buyer("C1003").read(lookupOf(q)); q != "OURS-1" && !strings.Contains(a.body, "RICE25") {
			t.Errorf("%q does not find it for others: %s", q, a.body)
		}
	}
	for path, want := range map[string]float64{"/catalog": 40, "/catalog?q=allow": 39, "/catalog?q=goods+1": 11,
		"/catalog?category=1": 14, "/catalog?favorites=1": 0, "/catalog?bought=1": 0, "/catalog?q=alowed": 39} {
		a := v.read(path)
		if a.get("total") != want {
			t.Errorf("%s counts %v, want %v", path, a.get("total"), want)
		}
	}
	if got := v.read("/catalog").body; !strings.Contains(got, `"name":"Oils","count":14`) {
		t.Errorf("the pill Oils is wrong: %s", got)
	}
	for what, a := range map[string]answer{
		"its page": v.read("/items/RICE25"), "its picture": v.page("/items/RICE25/picture"),
		"a star":               v.post("/favorites/RICE25", "on", "1"),
		"into the cart":        v.post("/cart/lines", "item_no", "RICE25", "qty", "1"),
		"a case into the cart": v.post("/cart/lines", "item_no", "RICE25", "uom", "PAL", "qty", "1"),
		"on a list":            v.post("/lists/"+list+"/items", "item_no", "RICE25"),
	} {
		if a.status != http.StatusNotFound {
			t.Errorf("%s: %d %.100s", what, a.status, a.body)
		}
	}
	file := v.post("/quick-order", "paste", "code;qty\nOIL5;1\nRICE25;1\nOURS-1;1\n0099999000024;1")
	if file.get("ready") != 1.0 || file.get("bad") != 3.0 || strings.Contains(file.body, "long grain") {
		t.Errorf("quick order: %s", file.body)
	}
	for _, path := range []string{"/my-items", "/my-items?list=bought", "/my-items?list=" + list,
		"/quick-order/template"} {
		if a := v.read(path); a.status != http.StatusOK || strings.Contains(a.body, "RICE25") {
			t.Errorf("%s still tells of it: %.200s", path, a.body)
		}
	}
	if a := v.submit(); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "RICE25 is not available to your account") {
		t.Errorf("submitted from before: %d %s", a.status, a.body)
	}
	if a := v.post("/orders/"+old+"/reorder", "mode", "replace"); a.get("lines.0.outcome") != "not_available" ||
		a.get("added") != 0.0 {
		t.Errorf("reorder: %s", a.body)
	}
	socket := v.live("")
	socket.hello()
	socket.watch("RICE25", "OIL5")
	pgtest.Exec(t, s.db, "update erp.item set price_d = price_d + 1 where item_no in ('RICE25', 'OIL5')")
	seen, _ := socket.until(func(kind, ref, _ string) bool { return ref == "OIL5" })
	if strings.Contains(strings.Join(seen, " "), "RICE25") {
		t.Errorf("the socket tells of it: %v", seen)
	}
	if got := itemNos(v.read("/lookup?q=oil5")); !slices.Equal(got, []string{"OIL5"}) {
		t.Errorf("an authorized item is suggested as %v", got)
	}
}

// Whatever is typed or sent, a search answers with what it finds.
func TestSearchBadInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	for _, q := range []string{strings.Repeat("é", 5000), strings.Repeat("oil ", 500), strings.Repeat("x", 300), "'", "''",
		`\`, `\'`, "%", "_", "a & b | !c <-> (d:*)", "':*", "5:ABCD", "oil' & 'rice", "<%", "{", "[", "\x00", "oil\x00",
		"\xff", "\u202e", "🥑", "ﬀ", "İ", "０１２", "--", "/*", ";", "~>=~", "\ufffd", strings.Repeat("𝒳", 400)} {
		for _, path := range []string{listOf(q), lookupOf(q), listOf("oil", "in_stock", q, "sort", q),
			"/lookup?q=oil&limit=" + url.QueryEscape(q)} {
			a := v.read(path)
			text := q != "\x00" && q != "oil\x00" && q != "\xff"
			if (text && a.status != http.StatusOK) || a.status >= 500 {
				t.Errorf("%s: %d %s", short(path+q), a.status, a.body)
			}
		}
	}
}
