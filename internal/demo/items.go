package demo

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// itemCount is how many items there are, fixtures included.
const itemCount = 800

// item is one article as it will be written. Prices are in cents or finer, by
// level A to E; an invalid one is an empty column.
type item struct {
	id           int64
	no           string
	description  string
	details      string
	category     int64
	uom          string
	prices       [5]decimal.NullDecimal
	cost         decimal.NullDecimal
	stock        int64
	units        []unit
	barcode      string
	fractional   bool
	discontinued bool
	substitute   int64
	noBackorder  bool
	fixture      bool // of the acceptance scenarios: kept out of the history
}

type unit struct {
	name   string
	factor int64
	price  decimal.NullDecimal
}

// assortment is a category and what its prices and packs are like; its goods
// are in goods.txt.
type assortment struct {
	id        int64
	name      string
	parent    int64
	code      string
	hue       int // of its pictures, degrees
	low, high int // price in cents
	unit      string
	pack      []int64
}

var assortments = []assortment{
	{1, "Oils", 0, "OIL", 48, 900, 6200, "EA", []int64{4, 6}},
	{2, "Dry goods", 0, "DRY", 35, 350, 4800, "EA", []int64{6, 10, 12}},
	{3, "Spices", 0, "SPI", 15, 420, 3900, "EA", []int64{6, 12}},
	{4, "Canned goods", 0, "CAN", 0, 180, 1900, "EA", []int64{6, 12, 24}},
	{5, "Pasta & Sauces", 0, "PAS", 24, 210, 3400, "EA", []int64{4, 12, 20}},
	{6, "Beverages", 0, "BEV", 205, 90, 1600, "EA", []int64{12, 24}},
	{7, "Dairy & Eggs", 0, "DAI", 52, 320, 6900, "EA", []int64{4, 9, 12}},
	{8, "Meat & Poultry", 0, "MEA", 350, 1400, 17500, "EA", []int64{4}},
	{9, "Frozen", 0, "FRZ", 190, 700, 9800, "EA", []int64{6, 8}},
	{10, "Paper goods", 0, "PAP", 265, 600, 5400, "PK", []int64{5, 10, 20}},
	{11, "Cleaning", 0, "CLN", 165, 450, 7200, "EA", []int64{4, 6}},
	{12, "Gloves & Safety", 0, "GLV", 305, 500, 4200, "BX", []int64{10}},
	{13, "Coffee & Tea", 6, "COF", 28, 800, 6400, "EA", []int64{6}},
}

//go:embed goods.txt
var goods string

// readGoods is every item each category could have, by its code.
func readGoods() map[string][]string {
	all := map[string][]string{}
	var code string
	for line := range strings.Lines(goods) {
		line = strings.TrimSpace(line)
		switch parts := strings.Split(line, " | "); {
		case strings.HasPrefix(line, "["):
			code = strings.Trim(line, "[]")
		case len(parts) == 3:
			for _, kind := range strings.Split(parts[0], ", ") {
				for _, size := range strings.Split(parts[2], ", ") {
					all[code] = append(all[code], kind+" "+parts[1]+", "+size)
				}
			}
		}
	}
	return all
}

func words(list string) []string { return strings.Split(list, "|") }

func cents(n int) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.New(int64(n), -2)) }

func amount(s string) decimal.NullDecimal {
	if s == "" {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(decimal.RequireFromString(s))
}

// makeItems makes the items of the acceptance scenarios first, then the rest.
func (w *world) makeItems() {
	levels := func(a, b, c, d, e string) [5]decimal.NullDecimal {
		return [5]decimal.NullDecimal{amount(a), amount(b), amount(c), amount(d), amount(e)}
	}
	w.items = []item{
		{no: "OIL5", description: "Olive oil, extra virgin, 5 L", category: 1, uom: "EA",
			prices: levels("30.00", "28.50", "27.00", "25.50", "24.00"), stock: 100, units: []unit{{name: "CS", factor: 4}}},
		{no: "RICE25", description: "Long grain rice, 25 lb", category: 2, uom: "EA",
			prices: levels("22.10", "", "20.00", "", "18.35"), stock: 500},
		{no: "SALT1", description: "Fine salt, 1 lb", category: 3, uom: "EA",
			prices: levels("0.40", "0.36", "0.335", "0.33", "0.32"), stock: 1000},
		{no: "BEEF", description: "Beef chuck roll, by weight", category: 8, uom: "LB",
			prices: levels("8.60", "8.20", "7.85", "7.60", "7.40"), stock: 2000, fractional: true},
		{no: "GLOV9", description: "Nitrile gloves, box of 90", category: 12, uom: "BX",
			prices: levels("9.00", "8.60", "8.20", "7.80", "7.40"), stock: 12, discontinued: true},
		{no: "LAST1", description: "Copper sauté pan, last of its kind", category: 12, uom: "EA",
			prices: levels("48.00", "46.00", "44.00", "42.00", "40.00"), stock: 5, noBackorder: true},
	}
	for i := range w.items {
		w.items[i].fixture = true
	}
	goods := readGoods()
	for n := 0; len(w.items) < itemCount && n < 2*itemCount; n++ {
		a := assortments[n%len(assortments)]
		left := goods[a.code]
		if len(left) == 0 {
			continue
		}
		k := w.rand.IntN(len(left))
		w.items = append(w.items, w.makeItem(a, left[k]))
		goods[a.code] = slices.Delete(left, k, k+1)
	}
	for i := range w.items {
		w.items[i].id = int64(i + 1)
		w.items[i].barcode = ean13(fmt.Sprintf("08412%07d", 1000+i*37))
	}
	w.retire()
}

func (w *world) makeItem(a assortment, description string) item {
	base := a.low + w.rand.IntN(a.high-a.low)
	base -= base % 5
	it := item{
		no: fmt.Sprintf("%s%d", a.code, 1001+len(w.items)), description: description, category: a.id, uom: a.unit,
		details: description + ". Delivered on our own trucks; keep it as the label says.",
		stock:   int64(20 + w.rand.IntN(900)), cost: cents(base * 62 / 100),
	}
	for level := range it.prices {
		// each level is five percent under the one before
		it.prices[level] = cents(base * (100 - 5*level) / 100)
	}
	if w.chance(8) {
		it.prices[1+w.rand.IntN(3)] = decimal.NullDecimal{} // falls back to the next dearer one
	}
	if w.chance(70) {
		u := unit{name: "CS", factor: pick(w, a.pack)}
		if w.chance(25) {
			// a case with a price of its own, a little under its pieces
			u.price = cents(base * int(u.factor) * 94 / 100)
		}
		it.units = append(it.units, u)
	}
	if w.chance(4) {
		it.stock = 0
	}
	return it
}

// retire discontinues some items in favour of a neighbour.
func (w *world) retire() {
	for i := range w.items {
		it := &w.items[i]
		if it.no == "GLOV9" || (!it.fixture && w.chance(2)) {
			for j := i + 1; j < len(w.items); j++ {
				if w.items[j].category == it.category && !w.items[j].discontinued && !w.items[j].fixture {
					it.discontinued, it.substitute = true, w.items[j].id
					break
				}
			}
		}
	}
}

// ean13 appends the check digit to the first twelve digits.
func ean13(twelve string) string {
	sum := 0
	for i, r := range twelve {
		sum += int(r-'0') * (1 + 2*(i%2))
	}
	return twelve + string(rune('0'+(10-sum%10)%10))
}

func (w *world) writeItems(ctx context.Context) error {
	var categories, items, units, stock, pictures [][]any
	for i, a := range assortments {
		var parent any
		if a.parent != 0 {
			parent = a.parent
		}
		categories = append(categories, []any{a.id, parent, a.name, i})
	}
	for _, it := range w.items {
		items = append(items, []any{it.id, it.no, it.description, it.details, it.category, it.uom, it.prices[0], it.prices[1],
			it.prices[2], it.prices[3], it.prices[4], it.cost, it.barcode, it.discontinued, !it.noBackorder, it.fractional})
		for _, u := range it.units {
			units = append(units, []any{it.id, u.name, decimal.NewFromInt(u.factor), u.price})
		}
		stock = append(stock, []any{it.id, decimal.NewFromInt(it.stock)})
		pictures = append(pictures, []any{it.id, "image/svg+xml", picture(it)})
	}
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"category", words("category_id|parent_id|name|sort"), categories},
		{"item",
			words(
				"item_id|item_no|description|details|category_id|base_uom|price_a|price_b|price_c|price_d|price_e|cost|barcode|discontinued|allow_backorder|fractional"), items},
		{"item_uom", words("item_id|uom|factor|price"), units},
		{"stock", words("item_id|on_hand"), stock},
		{"item_picture", words("item_id|media_type|data"), pictures},
	} {
		if err := w.copyRows(ctx, "erp", t.table, t.columns, t.rows); err != nil {
			return err
		}
	}
	for _, it := range w.items {
		if it.substitute != 0 {
			if _, err := w.tx.Exec(ctx, "update erp.item set substitute_item_id = $2 where item_id = $1", it.id,
				it.substitute); err != nil {
				return err
			}
		}
	}
	_, err := w.tx.Exec(ctx,
		`select setval(pg_get_serial_sequence('erp.item', 'item_id'), (select max(item_id) from erp.item)),
		setval(pg_get_serial_sequence('erp.category', 'category_id'), (select max(category_id) from erp.category))`)
	return err
}
