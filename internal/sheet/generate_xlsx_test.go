package sheet_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// styles of the generated spreadsheets, by their place in the file.
const (
	general = iota
	wholeNumber
	twoPlaces
	thousands
	shortDate
	longDate
	euros
	asText
	threePlaces
	inCases
	inPieces
	inPounds
)

const stylesXML = `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd\.mm\.yyyy"/><numFmt numFmtId="165" formatCode="#,##0.00\ &quot;€&quot;"/>` +
	`<numFmt numFmtId="166" formatCode="0.000"/><numFmt numFmtId="167" formatCode="0&quot; CS&quot;"/><numFmt numFmtId="168" formatCode="0\ \E\A"/>` +
	`<numFmt numFmtId="169" formatCode="0.###&quot; LB&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="1"/><xf numFmtId="2"/><xf numFmtId="3"/><xf numFmtId="14"/>` +
	`<xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="49"/><xf numFmtId="166"/><xf numFmtId="167"/><xf numFmtId="168"/><xf numFmtId="169"/></cellXfs></styleSheet>`

// A cell is XML with @ where its reference belongs.
func numberCell(value string, style int) string {
	return fmt.Sprintf(`<c r="@" s="%d"><v>%s</v></c>`, style, value)
}

func textCell(text string) string {
	return `<c r="@" t="inlineStr"><is><t xml:space="preserve">` +
		strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text) + `</t></is></c>`
}

func formulaCell(attrs, value string) string {
	return `<c r="@"` + attrs + `><f>SUM(H1:H9)</f><v>` + value + `</v></c>`
}

// quantityCell is a quantity as a spreadsheet may hold it, with what a person
// reads there: the quantity, or ? where nobody could take it for one.
func quantityCell(r *rand.Rand, qty, typed, unit, said string) (cell, meant, unitMeant string) {
	whole := !strings.Contains(qty, ".")
	style := []int{general, general, threePlaces, asText}[r.IntN(4)]
	if whole {
		style = []int{general, general, wholeNumber, thousands}[r.IntN(4)]
	}
	switch n := r.IntN(100); {
	case n < 45:
		return numberCell(qty, style), qty, said
	case n < 60: // as sums of parts of two become: 11.000000000000002
		v, err := strconv.ParseFloat(qty, 64)
		if err != nil {
			panic(err)
		}
		for range 1 + r.IntN(2) {
			v = math.Nextafter(v, v*float64(r.IntN(2)*2))
		}
		return numberCell(strconv.FormatFloat(v, 'g', 17, 64), style), qty, said
	case n < 75:
		return textCell(typed), qty, said
	case n < 84:
		return formulaCell(fmt.Sprintf(` s="%d"`, style), qty), qty, said
	case n < 87:
		return formulaCell(` t="str"`, typed), qty, said
	case n < 91:
		style, unitMeant = map[string]int{"EA": inPieces, "LB": inPounds}[unit], unit
		if unit == "EA" && r.IntN(2) == 0 {
			if style, unitMeant = inCases, "CS"; said != "" { // another unit in the unit's column
				qty = "?"
			}
		}
		return numberCell(qty, style), qty, unitMeant
	case n < 93:
		return `<c r="@"><f>H7*2</f></c>`, "?", said
	case n < 95:
		return numberCell(fmt.Sprint(44000+r.IntN(3000)), []int{shortDate, longDate}[r.IntN(2)]), "?", said
	case n < 97 && !whole: // shown as another number
		return numberCell(qty+"1", wholeNumber), "?", said
	case n < 98:
		return numberCell(qty, euros), "?", said
	case n < 99:
		return formulaCell(` t="e"`, "#REF!"), "?", said
	}
	return numberCell("-"+qty, style), "?", said
}

// otherCell is a cell of another column, "" where it is text as typed.
func otherCell(r *rand.Rand, what, text string) string {
	once := r.IntN(2) == 0
	switch what {
	case "item":
		if once && strings.Trim(text, "0123456789") == "" {
			return numberCell(text, general)
		}
	case "price":
		if once {
			return numberCell(fmt.Sprintf("%d.%02d", 1+r.IntN(90), r.IntN(100)), []int{general, twoPlaces, euros}[r.IntN(3)])
		}
	case "date":
		if once {
			return numberCell(fmt.Sprint(46000+r.IntN(300)), []int{shortDate, longDate}[r.IntN(2)])
		}
	case "line", "stock":
		if once {
			return formulaCell("", text)
		}
		return numberCell(text, general)
	case "pack":
		if once && strings.Trim(text, "0123456789") == "" {
			return numberCell(text, general)
		}
	}
	return ""
}

// generateXLSX makes a spreadsheet as somebody might send it: merged titles, gaps,
// shared texts, notes and hidden old orders on other sheets.
func generateXLSX(r *rand.Rand) generated {
	d := newDraft(r, true)
	order := sheetXML(r, d)
	sheets, hidden := []string{order}, []bool{false}
	if r.IntN(4) == 0 {
		old := sheetXML(r, draft{rows: [][]string{{"SKU", "Qty"}, {"RICE25", "77"}},
			cells: [][]string{nil, {"", numberCell("77", general)}}})
		sheets, hidden = append(sheets, old), append(hidden, true)
	}
	if r.IntN(6) == 0 {
		note := sheetXML(r, draft{rows: [][]string{{"Fill in the order and send it back"}, {"Phone", "555 0142"}},
			cells: make([][]string, 2)})
		sheets, hidden = append(sheets, note), append(hidden, false)
	}
	r.Shuffle(len(sheets), func(i, k int) {
		sheets[i], sheets[k] = sheets[k], sheets[i]
		hidden[i], hidden[k] = hidden[k], hidden[i]
	})
	parts := map[string]string{"_rels/.rels": `<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`, "xl/styles.xml": stylesXML}
	var book, links strings.Builder
	for i, xml := range sheets {
		state := ""
		if hidden[i] {
			state = ` state="hidden"`
		}
		fmt.Fprintf(&book, `<sheet name="Sheet%d" sheetId="%d"%s r:id="s%d"/>`, i, i+1, state, i)
		fmt.Fprintf(&links, `<Relationship Id="s%d" Type="x/worksheet" Target="worksheets/sheet%d.xml"/>`, i, i)
		parts[fmt.Sprintf("xl/worksheets/sheet%d.xml", i)] = xml
	}
	parts["xl/workbook.xml"] = `<workbook xmlns:r="r"><sheets>` + book.String() + `</sheets></workbook>`
	parts["xl/_rels/workbook.xml.rels"] = `<Relationships>` + links.String() + `</Relationships>`
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range parts {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store}) // packing costs more than all else
		if err != nil {
			panic(err)
		}
		_, _ = w.Write([]byte(content)) // into memory
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return generated{data: out.Bytes(), text: strings.Join(sheets, "\n"), want: d.meant()}
}

func sheetXML(r *rand.Rand, d draft) string {
	var out, merged strings.Builder
	out.WriteString(`<worksheet><sheetData>`)
	no := 0
	for i, row := range d.rows {
		if no++; r.IntN(8) == 0 && i <= d.titles {
			no++ // a row of air around titles
		}
		fmt.Fprintf(&out, `<row r="%d">`, no)
		for k, text := range row {
			cell := ""
			if d.cells[i] != nil {
				cell = d.cells[i][k]
			}
			if cell == "" && text != "" {
				cell = textCell(text)
			}
			out.WriteString(strings.Replace(cell, "@", fmt.Sprintf("%c%d", 'A'+k, no), 1))
		}
		if i < d.titles {
			fmt.Fprintf(&merged, `<mergeCell ref="A%d:E%d"/>`, no, no)
			fmt.Fprintf(&out, `<c r="B%d" s="0"/><c r="C%d" s="0"/>`, no, no) // what a merge leaves behind
		}
		out.WriteString(`</row>`)
	}
	return out.String() + `</sheetData><mergeCells>` + merged.String() + `</mergeCells></worksheet>`
}
