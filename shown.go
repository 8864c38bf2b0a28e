package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Forms carry what their page showed, and the database compares it with what
// would be done: see sql/functions/shown.sql, which reads these texts, and
// docs/decisions/0008-forms-carry-what-was-shown.md.

// showLines is what a page showed of lines, as its form carries it: JSON with
// one array a line, [item_no, uom, qty, price], the price null where there is
// none. Only ASCII, so that no hand it passes through writes it otherwise.
func showLines(lines [][4]*string) string {
	if len(lines) == 0 {
		return ""
	}
	return ASCIIJSON(lines)
}

// shownQty writes a quantity as the database compares it: without zeros at its
// end.
func shownQty(q Qty) string {
	text := q.Decimal.String()
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// ShownRows is what a page showed of rows, as its form carries it; they have no
// price that anybody agrees to.
func ShownRows(rows []EntryLine) string {
	var lines [][4]*string
	for _, r := range rows {
		itemNo, uom := r.Ref, r.UOM // of an item that is not in the catalogue any more
		if r.Item != nil {
			itemNo, uom = r.Item.ItemNo, r.Item.UOM
		}
		// rows of the database have one reading: they are written by Qty.Typed
		if read := ReadQty(r.Qty).Readings; len(read) == 1 {
			text := shownQty(read[0])
			lines = append(lines, [4]*string{&itemNo, &uom, &text})
		}
	}
	return showLines(lines)
}

// ShownDigest names what a page showed in few letters; "" for a page that
// showed nothing. portal.shown_digest in SQL is the same.
func ShownDigest(shown string) string {
	if shown == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(shown))
	return hex.EncodeToString(sum[:])
}

// CarryJSON is JSON of the database as a form carries it.
func CarryJSON(text string) string { return ASCIIJSON(json.RawMessage(text)) }

// ShipToTold is the ship-to that an outcome (Cart.ShownOutcome) names, in words;
// "" where it names none.
func ShipToTold(shownOutcome string) string {
	var told struct {
		ShipTo []string `json:"ship_to"`
	}
	if json.Unmarshal([]byte(shownOutcome), &told) != nil || len(told.ShipTo) < 2 {
		return ""
	}
	return told.ShipTo[1]
}

// ASCIIJSON writes v, which always can be, with \u escapes in place of all that
// is not ASCII: for forms, and for headers, which are ASCII.
func ASCIIJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(string(data))) {
		if unit < 0x80 {
			out.WriteByte(byte(unit))
		} else {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String()
}
