package sql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal/internal/pgtest"
)

// The model of prices: what DOMAIN says, in plain loops, written without a look
// at the SQL. It is slow, and right if one reads it and nods.

type (
	dec  = decimal.Decimal
	ndec = *decimal.Decimal

	modelItem struct {
		ID       int64   `json:"item_id"`
		Category *int64  `json:"category_id"`
		Prices   [5]ndec `json:"prices"` // A to E
		Cost     ndec    `json:"cost"`
		Units    []modelUnit
	}
	modelUnit struct {
		UOM    string `json:"uom"`
		Factor dec    `json:"factor"`
		Price  ndec   `json:"price"`
	}
	modelCustomer struct {
		ID    int64  `json:"customer_id"`
		Level string `json:"price_level"`
	}
	modelCategory struct {
		ID     int64  `json:"category_id"`
		Parent *int64 `json:"parent_id"`
	}
	// days are counted from 2026-01-01; both ends belong to the rule.
	modelDays struct {
		From, To *int
	}
	modelContract struct {
		ID, Customer, Item int64
		UOM                *string
		Kind               string
		Value, MinQty      dec
		Days               modelDays
	}
	modelGroup struct {
		ID, Customer, Category int64
		Kind                   string
		Value                  dec
		Days                   modelDays
	}
	modelBreak struct {
		ID, Item int64
		MinQty   dec
		Price    ndec
		UseLevel *string
		Levels   []string // nil: all
		Days     modelDays
	}
	modelLine struct {
		Item int64
		UOM  *string
		Qty  ndec
	}
	modelCall struct {
		Customer *int64
		At       time.Time
		Lines    []modelLine
	}
	modelWorld struct {
		LowestWins bool
		Zone       string
		Items      []modelItem
		Customers  []modelCustomer
		Categories []modelCategory
		Contracts  []modelContract
		Groups     []modelGroup
		Breaks     []modelBreak
		Calls      []modelCall
	}
	modelPrice struct {
		Price     ndec
		Step      string
		Rule      *int64
		Until     *time.Time
		NextQty   ndec
		NextPrice ndec
	}
)

var firstDay = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (d modelDays) holds(day int) bool {
	return (d.From == nil || *d.From <= day) && (d.To == nil || day <= *d.To)
}

func (d modelDays) overlap(o modelDays) bool {
	return (d.From == nil || o.To == nil || *d.From <= *o.To) && (o.From == nil || d.To == nil || *o.From <= *d.To)
}

// levelPrice walks from a level towards A until a column is filled.
func (i modelItem) levelPrice(level string) ndec {
	for n := int(level[0] - 'A'); n >= 0; n-- {
		if i.Prices[n] != nil {
			return i.Prices[n]
		}
	}
	return nil
}

func ptr[T any](v T) *T { return &v }

func percentOf(base, percent dec) dec { return base.Mul(percent).Shift(-2) }

// price is the answer for one line, the item's total over all lines being total
// base units.
func (w *modelWorld) price(customer *modelCustomer, item modelItem, uom string, total dec,
	day int) (best modelPrice, until *int) {
	unit := modelUnit{UOM: "EA", Factor: decimal.NewFromInt(1)}
	if uom != "EA" {
		k := slices.IndexFunc(item.Units, func(u modelUnit) bool { return u.UOM == uom })
		if k < 0 {
			return modelPrice{Step: "none"}, nil
		}
		unit = item.Units[k]
	}
	level := "A"
	if customer != nil {
		level = customer.Level
	}
	inUnit := func(level string) ndec {
		if unit.Price != nil {
			return unit.Price
		}
		if p := item.levelPrice(level); p != nil {
			return ptr(p.Mul(unit.Factor))
		}
		return nil
	}
	levelPrice := inUnit(level)
	rule := func(kind string, value, times dec) ndec {
		switch {
		case kind == "fixed":
			return ptr(value.Mul(times).Round(4))
		case kind == "percent_off" && levelPrice != nil:
			return ptr(percentOf(*levelPrice, decimal.NewFromInt(100).Sub(value)).Round(4))
		case kind == "cost_plus" && item.Cost != nil:
			return ptr(percentOf(item.Cost.Mul(unit.Factor), decimal.NewFromInt(100).Add(value)).Round(4))
		}
		return nil
	}

	// 1: contracts, the unit's own before those of any unit before the base unit's
	var contract, group, brk modelPrice
	var contractTo, groupTo, brkTo *int
	if customer != nil {
		bestRank, bestMin := 99, decimal.Zero
		for _, c := range w.Contracts {
			if c.Customer != customer.ID || c.Item != item.ID || !c.Days.holds(day) || c.MinQty.GreaterThan(total) {
				continue
			}
			var rank int
			times := unit.Factor
			switch {
			case c.UOM != nil && *c.UOM == uom:
				rank, times = 1, decimal.NewFromInt(1)
			case c.UOM == nil:
				rank = 2
			case *c.UOM == "EA" && c.Kind == "fixed":
				rank = 3
			default:
				continue
			}
			p := rule(c.Kind, c.Value, times)
			if p == nil {
				continue
			}
			if rank < bestRank || rank == bestRank && c.MinQty.GreaterThan(bestMin) {
				bestRank, bestMin = rank, c.MinQty
				contract, contractTo = modelPrice{Price: p, Step: "contract", Rule: ptr(c.ID)}, c.Days.To
			}
		}
		// 2: groups, from the item's category upwards
		for at := item.Category; at != nil && group.Price == nil; {
			for _, g := range w.Groups {
				if g.Customer == customer.ID && g.Category == *at && g.Days.holds(day) {
					if p := rule(g.Kind, g.Value, unit.Factor); p != nil {
						group, groupTo = modelPrice{Price: p, Step: "group", Rule: ptr(g.ID)}, g.Days.To
					}
				}
			}
			k := slices.IndexFunc(w.Categories, func(c modelCategory) bool { return c.ID == *at })
			at = w.Categories[k].Parent
		}
		// 3: breaks, the highest minimum reached
		var reached *modelBreak
		for k := range w.Breaks {
			b := &w.Breaks[k]
			if b.Item != item.ID || !b.Days.holds(day) || b.MinQty.GreaterThan(total) || b.Levels != nil &&
				!slices.Contains(b.Levels, level) {
				continue
			}
			var p ndec
			if b.UseLevel != nil {
				p = inUnit(*b.UseLevel)
			} else {
				p = ptr(b.Price.Mul(unit.Factor))
			}
			// never dearer than without it, as charged to four decimals
			if p == nil || levelPrice != nil && p.Round(4).GreaterThanOrEqual(levelPrice.Round(4)) {
				continue
			}
			better := reached == nil || b.MinQty.GreaterThan(reached.MinQty)
			if reached != nil && b.MinQty.Equal(reached.MinQty) {
				better = b.Levels != nil && reached.Levels == nil || (b.Levels != nil) == (reached.Levels != nil) &&
					b.ID < reached.ID
			}
			if better {
				reached = b
				brk, brkTo = modelPrice{Price: ptr(p.Round(4)), Step: "break", Rule: ptr(b.ID)}, b.Days.To
			}
		}
	}
	switch {
	case contract.Price != nil && !(w.LowestWins && brk.Price != nil && brk.Price.LessThan(*contract.Price)):
		return contract, contractTo
	case contract.Price != nil:
		return brk, brkTo
	case group.Price != nil:
		return group, groupTo
	case brk.Price != nil:
		return brk, brkTo
	case levelPrice != nil && customer != nil:
		return modelPrice{Price: ptr(levelPrice.Round(4)), Step: "level"}, nil
	case levelPrice != nil:
		return modelPrice{Price: ptr(levelPrice.Round(4)), Step: "list"}, nil
	}
	return modelPrice{Step: "none"}, nil
}

// answer is what a call should be told.
func (w *modelWorld) answer(c modelCall) []modelPrice {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		panic(err)
	}
	y, m, d := c.At.In(zone).Date()
	day := int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(firstDay).Hours() / 24)
	var customer *modelCustomer
	if c.Customer != nil {
		customer = &w.Customers[slices.IndexFunc(w.Customers, func(x modelCustomer) bool { return x.ID == *c.Customer })]
	}
	find := func(id int64) modelItem {
		return w.Items[slices.IndexFunc(w.Items, func(x modelItem) bool { return x.ID == id })]
	}
	factor := func(l modelLine) (string, dec, bool) {
		if l.UOM == nil || *l.UOM == "EA" {
			return "EA", decimal.NewFromInt(1), true
		}
		for _, u := range find(l.Item).Units {
			if u.UOM == *l.UOM {
				return u.UOM, u.Factor, true
			}
		}
		return *l.UOM, decimal.Zero, false
	}
	totals := map[int64]dec{}
	for _, l := range c.Lines {
		if _, f, ok := factor(l); ok {
			qty := decimal.NewFromInt(1)
			if l.Qty != nil {
				qty = *l.Qty
			}
			totals[l.Item] = totals[l.Item].Add(qty.Mul(f))
		}
	}
	var out []modelPrice
	for _, l := range c.Lines {
		item := find(l.Item)
		uom, _, _ := factor(l)
		p, to := w.price(customer, item, uom, totals[l.Item], day)
		if to != nil {
			after := firstDay.AddDate(0, 0, *to+1)
			p.Until = ptr(time.Date(after.Year(), after.Month(), after.Day(), 0, 0, 0, 0, zone))
		}
		// every minimum above is worth a try; the first cheaper one is next
		var minimums []dec
		for _, x := range w.Contracts {
			minimums = append(minimums, x.MinQty)
		}
		for _, x := range w.Breaks {
			minimums = append(minimums, x.MinQty)
		}
		slices.SortFunc(minimums, dec.Cmp)
		for _, q := range slices.CompactFunc(minimums, dec.Equal) {
			if p.Price == nil || !q.GreaterThan(totals[l.Item]) {
				continue
			}
			if n, _ := w.price(customer, item, uom, q, day); n.Price != nil && n.Price.LessThan(*p.Price) {
				p.NextQty, p.NextPrice = ptr(q), n.Price
				break
			}
		}
		out = append(out, p)
	}
	return out
}

// Making worlds ------------------------------------------------------------------

type maker struct{ *rand.Rand }

func (m maker) often(percent int) bool { return m.IntN(100) < percent }

func one[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

func (m maker) amount() dec {
	return decimal.New(int64(m.IntN(40_0000)), -int32(one(m, 2, 2, 2, 3, 4)))
}

func (m maker) maybe(percent int) ndec {
	if m.often(percent) {
		return ptr(m.amount())
	}
	return nil
}

func (m maker) days() (d modelDays) {
	if m.often(60) {
		d.From = ptr(m.IntN(20))
	}
	if m.often(60) {
		from := 0
		if d.From != nil {
			from = *d.From
		}
		d.To = ptr(from + m.IntN(12))
	}
	return d
}

func (m maker) world(calls int) *modelWorld {
	w := &modelWorld{LowestWins: m.often(50),
		Zone: one(m, "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "America/St_Johns")}
	quantity := func() dec {
		return one(m, decimal.Zero, decimal.NewFromInt(1), decimal.NewFromInt(5), decimal.NewFromInt(6),
			decimal.NewFromInt(12), decimal.RequireFromString("2.5"))
	}
	for id := int64(1); id <= 5; id++ {
		c := modelCategory{ID: id}
		if id > 1 && m.often(70) {
			c.Parent = ptr(1 + m.Int64N(id-1))
		}
		w.Categories = append(w.Categories, c)
	}
	for id := int64(1); id <= 8; id++ {
		i := modelItem{ID: id, Cost: m.maybe(70)}
		if m.often(80) {
			i.Category = ptr(1 + m.Int64N(5))
		}
		for n := range i.Prices {
			i.Prices[n] = m.maybe(65)
		}
		if m.often(70) {
			i.Units = append(i.Units,
				modelUnit{"CS", one(m, decimal.NewFromInt(4), decimal.NewFromInt(12), decimal.RequireFromString("2.5"),
					decimal.RequireFromString("0.333333")), m.maybe(40)})
		}
		w.Items = append(w.Items, i)
	}
	for id := int64(1); id <= 5; id++ {
		w.Customers = append(w.Customers, modelCustomer{id, one(m, "A", "B", "C", "D", "E")})
	}
	for id := range int64(60) {
		c := modelContract{ID: id + 1, Customer: 1 + m.Int64N(5), Item: 1 + m.Int64N(8),
			Kind: one(m, "fixed", "fixed", "percent_off", "cost_plus"), Value: m.amount(), MinQty: quantity(), Days: m.days()}
		if m.often(50) {
			c.UOM = ptr(one(m, "EA", "CS", "CS", "XX"))
		}
		if c.Kind == "percent_off" {
			c.Value = decimal.New(int64(m.IntN(10_0001)), -3)
		}
		clash := func(o modelContract) bool {
			return o.Customer == c.Customer && o.Item == c.Item && (o.UOM == nil) == (c.UOM == nil) &&
				(o.UOM == nil || *o.UOM == *c.UOM) &&
				o.MinQty.Equal(c.MinQty) && o.Days.overlap(c.Days)
		}
		if !slices.ContainsFunc(w.Contracts, clash) {
			w.Contracts = append(w.Contracts, c)
		}
	}
	for id := range int64(14) {
		g := modelGroup{ID: id + 1, Customer: 1 + m.Int64N(5), Category: 1 + m.Int64N(5),
			Kind: one(m, "percent_off", "cost_plus"), Value: decimal.New(int64(m.IntN(10_0001)), -3), Days: m.days()}
		if !slices.ContainsFunc(w.Groups, func(o modelGroup) bool {
			return o.Customer == g.Customer && o.Category == g.Category && o.Days.overlap(g.Days)
		}) {
			w.Groups = append(w.Groups, g)
		}
	}
	for id := range int64(24) {
		b := modelBreak{ID: id + 1, Item: 1 + m.Int64N(8),
			MinQty: quantity().Add(one(m, decimal.NewFromInt(1), decimal.NewFromInt(6))), Days: m.days()}
		if m.often(50) {
			b.Price = ptr(m.amount())
		} else {
			b.UseLevel = ptr(one(m, "A", "B", "C", "D", "E"))
		}
		if m.often(40) {
			b.Levels = []string{one(m, "A", "B", "C"), one(m, "D", "E")}
		}
		w.Breaks = append(w.Breaks, b)
	}
	zone, _ := time.LoadLocation(w.Zone)
	for range calls {
		c := modelCall{}
		if m.often(95) {
			c.Customer = ptr(1 + m.Int64N(5))
		}
		// most calls come near midnight, where a day ends
		c.At = time.Date(2026, 1, 1+m.IntN(32), one(m, 0, 0, 12, 23), one(m, 0, 59), one(m, 0, 59), 0, zone)
		for range 1 + m.IntN(6) {
			l := modelLine{Item: 1 + m.Int64N(8)}
			if m.often(70) {
				l.UOM = ptr(one(m, "EA", "CS", "CS", "XX"))
			}
			if m.often(95) {
				l.Qty = ptr(quantity().Add(one(m, decimal.RequireFromString("0.5"), decimal.NewFromInt(1), decimal.NewFromInt(2))))
			}
			c.Lines = append(c.Lines, l)
		}
		w.Calls = append(w.Calls, c)
	}
	return w
}

// The database's side ------------------------------------------------------------

func (d modelDays) literal() string {
	end := func(n *int) string {
		if n == nil {
			return ""
		}
		return firstDay.AddDate(0, 0, *n).Format(time.DateOnly)
	}
	return "[" + end(d.From) + "," + end(d.To) + "]"
}

// ask puts a world into the database, asks erp.price all its calls, and takes
// everything back.
func (w *modelWorld) ask(ctx context.Context, conn *pgx.Conn) ([][]modelPrice, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(ctx) }() // nothing is to stay
	batch := &pgx.Batch{}
	policy := "contract_wins"
	if w.LowestWins {
		policy = "lowest_wins"
	}
	batch.Queue("set local session_replication_role = replica")
	batch.Queue("update erp.company set time_zone = $1, price_policy = $2", w.Zone, policy)
	for _, c := range w.Categories {
		batch.Queue("insert into erp.category (category_id, parent_id, name) values ($1, $2, $3)", c.ID, c.Parent,
			fmt.Sprint("c", c.ID))
	}
	for _, i := range w.Items {
		batch.Queue(
			`insert into erp.item (item_id, item_no, description, category_id, price_a, price_b, price_c, price_d, price_e, cost)
			values ($1, $2, '', $3, $4, $5, $6, $7, $8, $9)`, i.ID, fmt.Sprint("I", i.ID), i.Category, i.Prices[0], i.Prices[1],
			i.Prices[2], i.Prices[3], i.Prices[4], i.Cost)
		for _, u := range i.Units {
			batch.Queue("insert into erp.item_uom (item_id, uom, factor, price) values ($1, $2, $3, $4)", i.ID,
				u.UOM, u.Factor, u.Price)
		}
	}
	for _, c := range w.Customers {
		batch.Queue("insert into erp.customer (customer_id, customer_no, name, price_level) values ($1, $2, '', $3)", c.ID,
			fmt.Sprint("C", c.ID), c.Level)
	}
	for _, c := range w.Contracts {
		batch.Queue("insert into erp.price_contract (contract_id, customer_id, item_id, uom, kind, value, min_qty, valid) "+
			"values ($1, $2, $3, $4, $5, $6, $7, $8::text::daterange)",
			c.ID, c.Customer, c.Item, c.UOM, c.Kind, c.Value, c.MinQty, c.Days.literal())
	}
	for _, g := range w.Groups {
		batch.Queue("insert into erp.price_group (group_id, customer_id, category_id, kind, value, valid) values ($1, $2, "+
			"$3, $4, $5, $6::text::daterange)",
			g.ID, g.Customer, g.Category, g.Kind, g.Value, g.Days.literal())
	}
	for _, b := range w.Breaks {
		batch.Queue("insert into erp.price_break (break_id, item_id, min_qty, price, use_level, levels, valid) values "+
			"($1, $2, $3, $4, $5, $6::text[]::char(1)[], $7::text::daterange)",
			b.ID, b.Item, b.MinQty, b.Price, b.UseLevel, b.Levels, b.Days.literal())
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	type line struct {
		Item int64   `json:"item"`
		UOM  *string `json:"uom"`
		Qty  ndec    `json:"qty"`
	}
	type call struct {
		Customer *int64    `json:"customer"`
		At       time.Time `json:"at"`
		Lines    []line    `json:"lines"`
	}
	calls := make([]call, len(w.Calls))
	for n, c := range w.Calls {
		calls[n] = call{Customer: c.Customer, At: c.At}
		for _, l := range c.Lines {
			calls[n].Lines = append(calls[n].Lines, line(l))
		}
	}
	text, err := json.Marshal(calls)
	if err != nil {
		return nil, err
	}
	rows, _ := tx.Query(ctx, `
		select c.n, p.unit_price, p.step, p.rule_id, p.valid_until, p.next_qty, p.next_price
		from jsonb_array_elements($1::jsonb) with ordinality as c(call, n)
		cross join lateral (
			select array_agg((l ->> 'item')::bigint order by o) as items, array_agg(l ->> 'uom' order by o) as uoms,
				array_agg((l ->> 'qty')::numeric order by o) as qtys
			from jsonb_array_elements(c.call -> 'lines') with ordinality as x(l, o)) a
		cross join lateral erp.price((c.call ->> 'customer')::bigint, a.items, a.uoms, a.qtys,
		(c.call ->> 'at')::timestamptz) p
		order by c.n, p.ord`, string(text))
	out := make([][]modelPrice, len(w.Calls))
	var n int
	var p modelPrice
	_, err = pgx.ForEachRow(rows, []any{&n, &p.Price, &p.Step, &p.Rule, &p.Until, &p.NextQty, &p.NextPrice}, func() error {
		out[n-1] = append(out[n-1], p)
		p = modelPrice{}
		return nil
	})
	return out, err
}

func (p modelPrice) String() string {
	show := func(d ndec) string {
		if d == nil {
			return "-"
		}
		return d.String()
	}
	s := show(p.Price) + " " + p.Step
	if p.Rule != nil {
		s += fmt.Sprint(" rule ", *p.Rule)
	}
	if p.Until != nil {
		s += " until " + p.Until.UTC().Format(time.RFC3339)
	}
	return s + " next " + show(p.NextQty) + " at " + show(p.NextPrice)
}

// disagreement asks the database and returns the first call that the two answer
// differently, or -1.
func (w *modelWorld) disagreement(ctx context.Context, conn *pgx.Conn) (n int, database, model string, err error) {
	got, err := w.ask(ctx, conn)
	if err != nil {
		return -1, "", "", err
	}
	for n, c := range w.Calls {
		if g, m := fmt.Sprint(got[n]), fmt.Sprint(w.answer(c)); g != m {
			return n, g, m, nil
		}
	}
	return -1, "", "", nil
}

// shrink leaves out whatever the disagreement does not need.
func (w *modelWorld) shrink(ctx context.Context, conn *pgx.Conn, n int) {
	w.Calls = w.Calls[n : n+1]
	still := func() bool {
		n, _, _, err := w.disagreement(ctx, conn)
		return err == nil && n >= 0
	}
	for smaller := true; smaller; {
		smaller = false
		smaller = without(&w.Contracts, still) || smaller
		smaller = without(&w.Groups, still) || smaller
		smaller = without(&w.Breaks, still) || smaller
		smaller = without(&w.Calls[0].Lines, still) || smaller
		used := w.Items
		w.Items = slices.DeleteFunc(slices.Clone(used), func(i modelItem) bool {
			return !slices.ContainsFunc(w.Calls[0].Lines, func(l modelLine) bool { return l.Item == i.ID })
		})
		if !still() {
			w.Items = used
		}
	}
}

// without tries to leave out each element of a list, keeping what fails.
func without[T any](list *[]T, still func() bool) bool {
	smaller := false
	for k := len(*list) - 1; k >= 0; k-- {
		whole := *list
		*list = slices.Delete(slices.Clone(whole), k, k+1)
		if still() {
			smaller = true
		} else {
			*list = whole
		}
	}
	return smaller
}

// The price function agrees with the model over 100,000 random lines;
// PRICE_CASES asks for more, PRICE_SEED for others.
func TestPriceAgreesWithModel(t *testing.T) {
	t.Parallel()
	cases := 100_000
	if n, err := strconv.Atoi(os.Getenv("PRICE_CASES")); err == nil {
		cases = n
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("PRICE_SEED"), 10, 64); err == nil {
		seed = n
	}
	db := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())

	steps := map[string]int{}
	done, start := 0, time.Now()
	for n := uint64(0); done < cases; n++ {
		w := maker{rand.New(rand.NewPCG(seed, n))}.world(500)
		k, _, _, err := w.disagreement(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		if k >= 0 {
			w.shrink(t.Context(), conn, k)
			_, database, model, _ := w.disagreement(t.Context(), conn)
			text, _ := json.MarshalIndent(w, "", "  ")
			t.Fatalf("PRICE_SEED=%d, world %d\ndatabase %s\nmodel    %s\n%s", seed, n, database, model, text)
		}
		for _, c := range w.Calls {
			done += len(c.Lines)
			for _, p := range w.answer(c) {
				steps[p.Step]++
			}
		}
	}
	t.Logf("%d lines agree in %s, seed %d: %v", done, time.Since(start).Round(time.Millisecond), seed, steps)
	for _, step := range []string{"contract", "group", "break", "level", "list", "none"} {
		if steps[step] < cases/1000 {
			t.Errorf("step %s hardly ever wins (%d): the cases are not as random as they should be", step, steps[step])
		}
	}
}
