package sheet_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// generated is a file with what stands in it.
type generated struct {
	data []byte
	text string // for words about it
	want map[string]bool
	// rows as "code quantity unit"; more than one where a person could not tell
}

var (
	heads = map[string][]string{
		"item": {"SKU", "Item No.", "Artikel-Nr.", "Référence", "Código", "Codice articolo", "Varenr.", "Artikelnummer",
			"Indeks", "Kód zboží", "Cikkszám", "Cod articol", "Артикул", "Κωδικός", "Šifra", "Tootekood", "SKU #", "Your code",
			"PART NUMBER", "item_no"},
		"qty": {"Qty", "Quantity", "Menge", "Qté", "Cantidad", "Quantità", "Antal", "Aantal", "Ilość", "Množství",
			"Mennyiség", "Cantitate", "Количество", "Ποσότητα", "Količina", "Kogus", "Qty Ordered", "ORDER QTY", "Bestellmenge",
			"qty.", "Anzahl"},
		"name":    {"Description", "Bezeichnung", "Désignation", "Descripción", "Nazwa", "Product name", ""},
		"unit":    {"UOM", "Unit", "ME", "Unité", "J.m.", "Enhet", "Unidad"},
		"pack":    {"Pack size", "VPE", "Colisage", "Case size", "Units per case"},
		"price":   {"Price", "Amount", "Unit price", "Preis", "P.U.", "Total", "Cena", "Importe"},
		"line":    {"Line", "Pos.", "#", "Lp.", "No", "Ligne"},
		"date":    {"Delivery date", "Liefertermin", "Date", "Fecha"},
		"stock":   {"On hand", "Qty on hand", "Bestand", "Stock"},
		"comment": {"Comment", "Note", "Bemerkung", "Rayon", "xyz"},
	}
	sold = []string{"OIL5", "CAN1010", "BEV1012", "RICE25", "BEEF", "22195"}
)

// draft is a file that is not written yet.
type draft struct {
	rows   [][]string // as typed, the titles first
	cells  [][]string // as XML, where a spreadsheet has something else than the typed text
	titles int
	want   [][]string // code, quantity, unit
}

// meant is what a person reads in it.
func (d draft) meant() map[string]bool {
	var lines []string
	for _, row := range d.want {
		lines = append(lines, strings.TrimSpace(strings.Join(row, " ")))
	}
	return map[string]bool{strings.Join(lines, "; "): true}
}

// generate makes a file of text as somebody might send it.
func generate(r *rand.Rand) generated {
	sep := rune(";,\t"[r.IntN(3)])
	d := newDraft(r, false)
	var out strings.Builder
	w := csv.NewWriter(&out)
	w.Comma = sep
	_ = w.WriteAll(d.rows) // into memory
	return generated{data: []byte(out.String()), text: out.String(), want: d.meant()}
}

// newDraft makes up an order: any columns in any order, with and without a head,
// titles, sums, decimal signs; of a spreadsheet, cells of every kind.
func newDraft(r *rand.Rand, spreadsheet bool) (d draft) {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	chance := func(percent int) bool { return r.IntN(100) < percent }
	order := []string{"item", "qty"}
	for _, more := range []string{"name", "unit", "pack", "price", "line", "date", "stock", "comment"} {
		if chance(30) {
			order = append(order, more)
		}
	}
	r.Shuffle(len(order), func(i, k int) { order[i], order[k] = order[k], order[i] })
	head, comma := chance(70), chance(40)
	fractions := chance(25)
	add := func(row, cells []string) {
		d.rows, d.cells = append(d.rows, row), append(d.cells, cells)
	}
	for range r.IntN(3) {
		if chance(30) {
			add([]string{pick([]string{"Purchase order 4711", "Cedar Diner: order", "Please deliver on Friday",
				"Date: 31.03.2026"})}, nil)
			d.titles++
		}
	}
	if head {
		row := make([]string, len(order))
		for i, what := range order {
			row[i] = pick(heads[what])
		}
		add(row, nil)
	}
	for n := range 1 + r.IntN(12) {
		item := pick(sold)
		whole, tenths := 1+r.IntN(60), 0
		if chance(10) {
			whole = 1000 + r.IntN(4000)
		}
		if fractions && item == "BEEF" {
			tenths = r.IntN(1000)
		}
		qty, typed := quantityText(r, whole, tenths, comma)
		if head && chance(5) {
			qty, typed = "", ""
		}
		unit := "EA"
		if item == "BEEF" {
			unit = "LB"
		}
		row, cells := make([]string, len(order)), make([]string, len(order))
		said := ""
		for i, what := range order {
			switch what {
			case "item":
				row[i] = item
			case "qty":
				row[i] = typed
			case "unit":
				row[i], said = unit, unit
			case "name":
				row[i] = pick([]string{"Olive oil 5 L", "Tea", "Rice, long grain", "12x500ml water", "Beef"})
			case "pack":
				row[i] = pick([]string{"4", "6", "12", "12x500ml", "24"})
			case "price":
				row[i] = money(r, comma)
			case "line":
				row[i] = fmt.Sprint(n + 1)
			case "date":
				row[i] = pick([]string{"31.03.2026", "2026-03-31", "3/31/2026"})
			case "stock":
				row[i] = fmt.Sprint(r.IntN(500))
			case "comment":
				row[i] = pick([]string{"", "", "urgent", "see mail"})
			}
			if spreadsheet && what != "qty" {
				cells[i] = otherCell(r, what, row[i])
			}
		}
		if spreadsheet && qty != "" {
			cells[slices.Index(order, "qty")], qty, said = quantityCell(r, qty, typed, unit, said)
		}
		add(row, cells)
		if qty != "" {
			d.want = append(d.want, []string{item, qty, said})
		}
	}
	if head && chance(15) {
		row := make([]string, len(order))
		row[slices.Index(order, "item")] = "Total"
		row[slices.Index(order, "qty")] = "999"
		add(row, nil)
	}
	return d
}

// quantityText is a quantity as digits with a point, and as somebody types it.
func quantityText(r *rand.Rand, whole, thousandths int, comma bool) (qty, typed string) {
	point, thousand := ".", ","
	if comma {
		point, thousand = ",", "."
	}
	typed = fmt.Sprint(whole)
	if whole >= 1000 && r.IntN(2) == 0 {
		typed = fmt.Sprintf("%d%s%03d", whole/1000, thousand, whole%1000)
	}
	qty = fmt.Sprint(whole)
	if thousandths > 0 {
		fraction := fmt.Sprintf("%03d", thousandths)
		if r.IntN(2) == 0 {
			fraction = strings.TrimRight(fraction, "0")
		}
		typed += point + fraction
		qty += "." + strings.TrimRight(fraction, "0")
	}
	return qty, typed
}

func money(r *rand.Rand, comma bool) string {
	s := fmt.Sprintf("%d.%02d", 1+r.IntN(90), r.IntN(100))
	if comma {
		s = strings.Replace(s, ".", ",", 1)
	}
	return []string{s, s, "€ " + s, s + " EUR"}[r.IntN(4)]
}

// Of 10,000 files none may be read otherwise than a person reads it. What is
// asked or refused is no error; how much is, go test -run TestGenerated -v tells.
func TestGeneratedFiles(t *testing.T) {
	t.Parallel()
	const files, spreadsheets = 10_000, 6 // one in six
	counts := map[string]int{}
	for seed := range uint64(files) {
		r := rand.New(rand.NewPCG(seed, 11))
		kind, make := "text: ", generate
		if seed%spreadsheets == 0 {
			kind, make = "xlsx: ", generateXLSX
		}
		g := make(r)
		got := reading(file(g.data))
		switch {
		case g.want[got]:
			counts[kind+"right"]++
		case strings.HasPrefix(got, "asks "):
			counts[kind+"asked"]++
			counts[kind+got]++
		case strings.HasPrefix(got, "refused"):
			counts[kind+"refused"]++
		default:
			if why := wrong(got, g); why != "" {
				counts["silently wrong"]++
				t.Errorf("seed %d: %s\n%s\nread  %s\nmeant %v", seed, why, g.text, got, g.want)
				if counts["silently wrong"] > 5 {
					t.FailNow()
				}
			} else {
				counts[kind+"right, with rows to mend"]++
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d %s", counts[what], what)
	}
	t.Logf("%5d silently wrong, of %d files", counts["silently wrong"], files)
	for kind, least := range map[string]int{"text: ": files / spreadsheets * (spreadsheets - 1) * 55 / 100,
		"xlsx: ": files / spreadsheets * 55 / 100} {
		if read := counts[kind+"right"] + counts[kind+"right, with rows to mend"]; read < least {
			t.Errorf("%sonly %d are read without a question", kind, read)
		}
	}
}

// wrong says which row is ready that nobody wrote, or that rows are lost: rows to mend (marked !) and
// rows of no known item are told, and not silent.
func wrong(got string, g generated) string {
	meant := map[string]int{}
	for w := range g.want {
		for _, row := range strings.Split(w, "; ") {
			meant[row]++
		}
	}
	told := 0
	for _, row := range strings.Split(got, "; ") {
		code, _, _ := strings.Cut(row, " ")
		// Or without a quantity
		if strings.HasSuffix(row, "!") || !slices.Contains(sold, code) || !strings.Contains(row, " ") {
			told++
			continue
		}
		if meant[row]--; meant[row] < 0 {
			return "nobody ordered " + row
		}
	}
	for _, n := range meant {
		told -= n
	}
	if told < 0 {
		return "rows are lost"
	}
	return ""
}
