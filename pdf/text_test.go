package pdf_test

import (
	"bytes"
	"strings"
	"testing"

	"portal.example/portal"
	"portal.example/portal/pdf"
)

// hostile are texts that papers must bear: above U+FFFF, in scripts that the
// built-in fonts have not, malformed, and long.
var hostile = []string{
	"PO-🍋", "李記食品有限公司", "مطعم البحر الأبيض المتوسط", "מסעדת הים", "Žižkov 🍋 李",
	"\U0001F468\u200d\U0001F469\u200d\U0001F467", "\xff\xfe", "a\x00b", "\u0000", "\U0010ffff", "\ufeff", "\u202eabc",
	"e\u0301\u0301\u0301\u0301", "नमस्ते दुनिया", "𝒜𝓫𝕮", "{nb}", "(\\)", "\r\n", strings.Repeat("W", 120),
	strings.Repeat("漢", 120), strings.Repeat("🍋", 300), strings.Repeat("long words ", 60),
}

// everywhere puts a text into every place of an invoice and of a statement.
func everywhere(text string) (portal.InvoiceDetail, portal.Statement) {
	i, st := invoice(3), statement(3)
	i.InvoiceNo, i.PONo, i.OrderNo, i.CustomerName, i.CustomerNo, i.BillTo, i.RemitTo = text, &text, &text, text, text,
		text+"\n"+text, text
	i.ShipTo = &portal.ShipTo{Name: text, Address1: text, Address2: text, City: text, Region: text,
		PostalCode: text, Country: text}
	for n := range i.Lines {
		i.Lines[n].ItemNo, i.Lines[n].Description, i.Lines[n].UOM = &text, text, text
	}
	st.CustomerNo, st.CustomerName, st.BillTo, st.RemitTo = text, text, text+"\n"+text, text
	for n := range st.Lines {
		st.Lines[n].DocNo, st.Lines[n].Reference = text, text
	}
	return i, st
}

// prints prints both papers twice, and returns them.
func prints(t testing.TB, press *pdf.Press, text string) [][]byte {
	t.Helper()
	i, st := everywhere(text)
	var papers [][]byte
	for _, set := range []func() ([]byte, error){func() ([]byte, error) { return press.InvoicePDF(i) },
		func() ([]byte, error) { return press.StatementPDF(st) }} {
		paper, err := set()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		again, err := set()
		if err != nil || !bytes.Equal(paper, again) {
			t.Fatalf("%q: printed again it has other bytes (%v)", text, err)
		}
		papers = append(papers, paper)
	}
	return papers
}

func TestNoTextBreaksAPaper(t *testing.T) {
	t.Parallel()
	press := pdf.New(head)
	for _, text := range hostile {
		for _, paper := range prints(t, press, text) {
			if all := strings.Join(read(t, paper), "\n"); !strings.Contains(all, "123.45") &&
				!strings.Contains(all, "1,234.56") {
				t.Errorf("%q: the paper has lost its figures:\n%s", text, all)
			}
		}
	}
	named := head
	named.Name, named.Footer = "株式会社🍋", strings.Repeat("🍋 footer ", 50)
	prints(t, pdf.New(named), "x")
}

// A text as long as a page still ends: a number in the head of a page that
// continues was printed as high as the page, and opened the next one for ever.
func TestLongTextsEnd(t *testing.T) {
	t.Parallel()
	press := pdf.New(head)
	for _, text := range []string{strings.Repeat("word ", 600), strings.Repeat("🍋", 300),
		strings.Repeat("العربية ", 120)} {
		prints(t, press, text)
	}
}

// fits wraps a text: its rows are no wider than they may be, but for a letter that
// is by itself, and nothing of the text is lost.
func fits(t testing.TB, press *pdf.Press, text string) {
	t.Helper()
	letters := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for _, width := range []float64{3, 40} {
		rows, widths, whole := press.Rows(text, width)
		for i, row := range rows {
			if widths[i] > width && !whole[i] {
				t.Errorf("%q: a row is %.2f mm wide, of %.2f: %q", text, widths[i], width, row)
			}
		}
		if got, want := letters(strings.Join(rows, "")), letters(pdf.Printable(text)); got != want {
			t.Errorf("%q: its rows say %q", text, got)
		}
	}
}

func TestRowsFit(t *testing.T) {
	t.Parallel()
	press := pdf.New(head, pdf.SystemFonts...)
	for _, text := range append([]string{strings.Repeat("العربية ", 60), strings.Repeat("العربية", 60),
		strings.Repeat("لا", 200), strings.Repeat("李記食品 No. 7 ", 40),
		"Žižkov " + strings.Repeat("李記食品", 40) + " Delicatessen", strings.Repeat("שלום abc 12-5 ", 30),
		strings.Repeat("WA 李 ", 50), strings.Repeat("नमस्ते ", 40)}, hostile...) {
		fits(t, press, text)
	}
}

func FuzzPaper(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	press := pdf.New(head, pdf.SystemFonts...)
	f.Fuzz(func(t *testing.T, text string) {
		text = text[:min(len(text), 3000)] // the database lets no more through
		fits(t, press, text)
		i, st := everywhere(text)
		if _, err := press.InvoicePDF(i); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := press.StatementPDF(st); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
