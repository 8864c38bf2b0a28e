package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// customer is an account as it will be written.
type customer struct {
	id      int64
	no      string
	name    string
	level   string
	terms   int
	limit   decimal.NullDecimal
	route   int64
	shipTos []int64 // ids
	weekly  int     // orders a week, in hundredths
	slow    int     // days paid late
	fixture bool
}

// names are the customers, in the order of their numbers. The first eight are
// those of the acceptance scenarios.
var names = words("Alder Street Café|Birchwood Bistro|Cedar Diner|Dogwood Deli|Elm & Ivy Eatery|Foundry " +
	"Kitchen|Grove Street Grill|Harvest Table|" +
	"Ironbound Tavern|Juniper Bakery|Kingfisher Hotel & Conference Center|Lighthouse Catering|Magnolia Brunch " +
	"House|Northside Elementary School|" +
	"Old Mill Brewing Company|Pier 9 Seafood|Quarry Road Assisted Living|Redwood Coffee Roasters|St. Brendan's " +
	"Hospital Food Services|Tidewater Tacos|" +
	"Union Square Pizza|Velvet Spoon Ice Cream|Wharfside Fish & Chips|Xenia's Greek Table|Yellow House " +
	"Preschool|Zephyr Noodle Bar|" +
	"Applegate Country Club|Bluebird Catering & Events of Long Island|Clover Hill Dairy Bar|Drake & Sons " +
	"Butchers|Eastgate Cinema|Fig & Olive Trattoria|" +
	"Greenpoint Community Kitchen|Hollow Oak Inn|Isla Verde Cantina|Jasper's Barbecue|Knickerbocker Sandwich Shop|La " +
	"Petite Crêperie|Maple Leaf Pancake House|" +
	"Nightingale Nursing Home|Orchard Valley School District, Central Kitchen and Warehouse|Parkside Public " +
	"House|Queensboro Bagels|Rosemary & Thyme|" +
	"Sunset Surf Club|Three Bridges Taproom|Uptown Dim Sum|Vineyard Row Restaurant|Willow Creek Camp|Young's Corner " +
	"Market|Amber Lantern Ramen|" +
	"Brick Oven Collective|Copper Kettle Soups|Dockside Oyster Bar|Evergreen Vegan Kitchen|Frontier Steakhouse|Golden " +
	"Gate Dumplings|Hilltop University Dining|" +
	"Indigo Rooftop Bar|Jolly Roger Fish Shack")

var (
	streets = words("Pier Street|Main Street|Harbor Road|Canal Street|Mill Lane|Orchard Avenue|Front Street|Union " +
		"Avenue|Depot Road|Beach Boulevard")
	towns = []struct{ city, zip string }{{"Brooklyn", "11231"}, {"Queens", "11101"}, {"Hoboken", "07030"},
		{"Yonkers", "10701"}, {"Freeport", "11520"}, {"White Plains", "10601"}}
)

func (w *world) makeCustomers() {
	shipTo := int64(0)
	for i, name := range names {
		c := customer{id: int64(i + 1), no: fmt.Sprintf("C%d", 1001+i), name: name, level: string(rune('A' + w.rand.IntN(5))),
			terms: 30, route: int64(1 + w.rand.IntN(3)), weekly: 40 + w.rand.IntN(100), fixture: i < 8}
		c.limit = decimal.NewNullDecimal(decimal.NewFromInt(int64(15+w.rand.IntN(12)*5) * 1000))
		n := 1 + w.rand.IntN(3)
		switch {
		case i < 5:
			c.level = string(rune('A' + i))
		case i < 8:
			c.level = "C"
		case w.chance(20):
			c.slow = 20 + w.rand.IntN(50)
		}
		if c.fixture {
			c.limit, c.weekly, n = decimal.NullDecimal{}, 60, 2
		} else if w.chance(15) {
			c.terms = pick(w, []int{0, 10, 14, 45})
		}
		if c.no == "C1003" {
			n = 3
		}
		for range n {
			shipTo++
			c.shipTos = append(c.shipTos, shipTo)
		}
		w.customers = append(w.customers, c)
	}
}

func (w *world) writeCustomers(ctx context.Context) error {
	var customers, shipTos, logins [][]any
	for _, c := range w.customers {
		customers = append(customers, []any{c.id, c.no, c.name, c.level, c.terms, c.limit, c.route, "US"})
		for k, id := range c.shipTos {
			t := pick(w, towns)
			name := c.name
			if k > 0 {
				name = []string{"", "Back door", "Second kitchen"}[k] + ", " + c.name
			}
			shipTos = append(shipTos, []any{id, c.id, fmt.Sprint(k + 1), name,
				fmt.Sprintf("%d %s", 10+w.rand.IntN(400), pick(w, streets)), t.city, "NY", t.zip, "US"})
		}
		logins = append(logins, []any{c.id, nil, "buyer@" + strings.ToLower(c.no) + ".example", w.hash, "Buyer of " + c.name})
	}
	logins = append(logins, []any{nil, "desk", "desk@demo.example", w.hash, "Dana at the desk"},
		[]any{nil, "ops", "ops@demo.example", w.hash, "Omar, operator"})
	if err := w.copyRows(ctx, "erp", "customer",
		words("customer_id|customer_no|name|price_level|terms_days|credit_limit|route_id|country"), customers); err != nil {
		return err
	}
	if err := w.copyRows(ctx, "erp",
		"ship_to", words("ship_to_id|customer_id|code|name|address1|city|region|postal_code|country"), shipTos); err != nil {
		return err
	}
	if err := w.copyRows(ctx, "portal", "login", words("customer_id|staff_role|email|password_hash|name"),
		logins); err != nil {
		return err
	}
	// a few accounts that are not like the rest
	_, err := w.tx.Exec(ctx, `
		select setval(pg_get_serial_sequence('erp.customer', 'customer_id'), (select max(customer_id) from erp.customer)),
			setval(pg_get_serial_sequence('erp.ship_to', 'ship_to_id'), (select max(ship_to_id) from erp.ship_to));
		update erp.web_access set can_order = false where customer_id = 9;
		update erp.web_access set require_po = true where customer_id in (11, 14, 19);
		update erp.web_access set see_stock = 'in_low_out' where customer_id in (10, 20, 30);
		update erp.web_access set see_stock = 'hidden', see_balance = false where customer_id = 12;
		update erp.web_access set auto_approve = false where customer_id in (13, 16);
		update erp.web_access set min_order = 150, max_order = 2500, over_max = 'queue', cutoff_mode = 'strict'
			where customer_id = 15;
		update erp.web_access set authorized_items_only = true where customer_id = 17;
		update erp.web_access set see_prices = false where customer_id = 25;
		insert into erp.authorized_item (customer_id, item_id)
			select 17, item_id from erp.item where item_no not in ('RICE25') and item_id % 20 = 3;
		insert into erp.customer_item (customer_id, item_id, their_item_no)
			select c.customer_id, i.item_id, 'K' || (1000 + i.item_id) from erp.customer c, erp.item i
			where c.customer_id in (3, 14, 18) and i.item_id % 40 = c.customer_id % 40`)
	if err != nil {
		return err
	}
	return w.writePeople(ctx)
}

// writePeople gives C1004 several log-ins: who signs off, who orders within a
// limit, and who keeps the accounts; and an order that waits for a signature.
func (w *world) writePeople(ctx context.Context) error {
	_, err := w.tx.Exec(ctx, `
		with more as (
			insert into portal.login (customer_id, email, name, password_hash, customer_role, spend_limit, spend_period)
			select 4, p.email, p.name, $1, p.role, p.spend_limit, 'week' from (values
				('buyer2@c1004.example', 'Bea Kowal', 'buyer', 500), ('accounts@c1004.example', 'Alex Marsh', 'accounts', null)
			) as p(email, name, role, spend_limit)
			returning login_id, email
		),
		request as (
			insert into portal.sign_off (customer_id, login_id, key, po_no, note, requested_at, reasons)
			select 4, m.login_id, gen_random_uuid(), 'K-118', 'For the weekend', erp.now() - interval '2 hours',
				jsonb_build_array(jsonb_build_object(
				'code', 'over_spending_limit', 'detail', jsonb_build_object('login', 'Bea Kowal', 'limit', 500, 'period', 'week',
				'spent', 0, 'over', 107.92)))
			from more m where m.email = 'buyer2@c1004.example'
			returning sign_off_id
		)
		insert into portal.sign_off_line (sign_off_id, line_no, item_id, uom, qty, seen_price)
		select r.sign_off_id, l.line_no, i.item_id, i.base_uom, l.qty, l.price
		from request r cross join (values (1, 'RICE25', 30, 20.00), (2, 'SALT1', 24, 0.33)) as l(line_no, item_no, qty, price)
		join erp.item i using (item_no)`, w.hash)
	if err != nil {
		return err
	}
	_, err = w.tx.Exec(ctx, "update erp.web_access set many_logins = true where customer_id = 4; update portal.login "+
		"set name = 'Dora Lind' where email = 'buyer@c1004.example'")
	return err
}

// writePrices writes contracts, group exceptions and breaks: those of the
// acceptance scenarios, and some more.
func (w *world) writePrices(ctx context.Context) error {
	if _, err := w.tx.Exec(ctx, `
		insert into erp.price_contract (customer_id, item_id, value, valid) values
			(6, 1, 22.75, '[2026-01-01,2026-06-30]'), (8, 1, 26.00, '(,)');
		insert into erp.price_group (customer_id, category_id, kind, value) values (7, 1, 'percent_off', 10);
		insert into erp.price_break (item_id, min_qty, price) values (1, 12, 23.40)`); err != nil {
		return err
	}
	var contracts, breaks [][]any
	for _, c := range w.customers {
		if c.fixture {
			continue
		}
		for _, n := range w.rand.Perm(len(w.items))[:w.rand.IntN(12)] {
			it := w.items[n]
			if it.fixture || it.discontinued {
				continue
			}
			price := it.prices[4].Decimal.Mul(decimal.New(int64(90+w.rand.IntN(10)), -2)).Round(2)
			contracts = append(contracts, []any{c.id, it.id, "fixed", price})
		}
	}
	for _, it := range w.items {
		if !it.fixture && w.chance(10) {
			breaks = append(breaks, []any{it.id, decimal.NewFromInt(24), "E"})
		}
	}
	if err := w.copyRows(ctx, "erp", "price_contract", words("customer_id|item_id|kind|value"), contracts); err != nil {
		return err
	}
	return w.copyRows(ctx, "erp", "price_break", words("item_id|min_qty|use_level"), breaks)
}
