package pdf_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/go-text/typesetting/font/opentype"

	"portal.example/portal/pdf"
)

// module is the folder of a module that this one is built with.
func module(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", path, err)
	}
	return strings.TrimSpace(string(out))
}

// said is a line of glyphs from left to right, boxes as □.
func said(glyphs []pdf.Formed) string {
	var out strings.Builder
	for _, g := range glyphs {
		if g.Box {
			out.WriteString("□")
			continue
		}
		out.WriteString(g.Text)
	}
	return out.String()
}

// What stands where on the line, and in which form. The fonts are those that
// scripts/setup installs, of which one is a collection.
func TestScripts(t *testing.T) {
	t.Parallel()
	press := pdf.New(head, pdf.SystemFonts...)
	for text, want := range map[string]string{
		"Ocean Deli":         "Ocean Deli",
		"李記食品 No. 7":         "李記食品 No. 7",
		"東京ストア 서울":           "東京ストア 서울",
		"שלום":               "םולש",
		"abc שלום 12-5 עולם": "abc םלוע 12-5 םולש", // numbers keep their order, words around them change theirs
		"שלום (abc)":         ")abc( םולש",         // and the brackets' forms are mirrored
		"שלום 3.50 abc":      "abc 3.50 םולש",
		// A number goes with the word before it, and Latin behind it stays where it is
		"Deli שלום 12 Main":       "Deli 12 םולש Main",
		"Deli שלום 12-5% Main":    "Deli 12-5% םולש Main",
		"Deli שלום 12abc":         "Deli 12 םולשabc",
		"Deli שלום 12 34 Main":    "Deli 34 12 םולש Main",
		"Deli שלום 12":            "Deli 12 םולש",
		"Deli ١٢ שלום Main":       "Deli םולש ١٢ Main",
		"Deli ١٢ Main":            "Deli ١٢ Main",
		"12 שלום Main":            "Main םולש 12", // begins with Hebrew: it goes from right to left
		"李記 שלום 3.50 No. 7 שלום": "李記 3.50 םולש No. 7 םולש",
		"🍋 No. 7":                 "🍋 No. 7", // Symbola's outline
		"☎ 1-800":                 "☎ 1-800",
		"PO \U00010ffd":           "PO □",
	} {
		if got := said(press.Form(text)); got != want {
			t.Errorf("%s is set as %s, want %s", text, got, want)
		}
	}
	// letters of Arabic join: in a word, few have the form that they have alone
	alone := 0
	for _, g := range press.Form("مطعم") {
		if g.Box {
			t.Errorf("%s is a box", g.Text)
		}
		if g.Nominal {
			alone++
		}
	}
	if alone > 0 {
		t.Errorf("%d letters of a word do not join", alone)
	}
}

// Outlines come out of TrueType and of CFF alike, from the folder that somebody
// names. A folder that is not there and a file that is no font do no harm.
func TestFontFolders(t *testing.T) {
	t.Parallel()
	amiri := filepath.Join(module(t, "github.com/go-text/typesetting"), "font", "testdata")
	cff := filepath.Join(module(t, "golang.org/x/image"), "font", "testdata")
	for _, dirs := range [][]string{{"/no/such/folder", amiri}, {".", amiri, cff}} {
		press := pdf.New(head, dirs...)
		if got := said(press.Form("سلام")); strings.Contains(got, "□") || got == "" {
			t.Errorf("%v: %s", dirs, got)
		}
		prints(t, press, "سلام")
	}
	for _, paper := range prints(t, pdf.New(head, cff), "Ź\u4e2d\u2206\U0001f34b") {
		if all := strings.Join(read(t, paper), "\n"); !strings.Contains(all, "中") {
			t.Errorf("what no font has cannot be copied from its box:\n%s", all)
		}
	}
}

// Names of 120 letters, long numbers, addresses and descriptions stand on the
// papers whole, in any script.
func TestNothingIsCut(t *testing.T) {
	t.Parallel()
	press := pdf.New(head, pdf.SystemFonts...)
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, s)
	}
	long := "Amalgamated Chandlers, Grocers, Provisioners, Tobacconists and Purveyors of Fine Foods to Northumberland " +
		"and Beyond Ltd."
	for _, text := range []string{long, "ITEM-0123456789-ABCDEFGHIJKLMNOPQRSTUVWX",
		strings.Repeat("李記食品有限公司東西南北", 10)[:360], "Žižkov " + strings.Repeat("Übergrößenträger", 6)} {
		i, st := everywhere(text)
		i.BillTo, st.BillTo = text, text
		for name, set := range map[string]func() ([]byte, error){
			"invoice":   func() ([]byte, error) { return press.InvoicePDF(i) },
			"statement": func() ([]byte, error) { return press.StatementPDF(st) },
		} {
			paper, err := set()
			if err != nil {
				t.Fatal(err)
			}
			// row by row of a column, in the order in which it was written
			command := exec.CommandContext(t.Context(), "pdftotext", "-raw", "-", "-")
			command.Stdin = strings.NewReader(string(paper))
			out, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			all := letters(string(out))
			if n := strings.Count(all, letters(text)); n < 2 {
				t.Errorf("%s: %s stands %d times on the %s whole:\n%s", name, text, n, name, out)
			}
			if strings.Contains(all, "…") {
				t.Errorf("%s: something is cut:\n%s", name, out)
			}
		}
	}
}

// A row of a table is not parted by the page's end, and its figures stand in its
// first row.
func TestRowsStayWhole(t *testing.T) {
	t.Parallel()
	i := invoice(40)
	for n := range i.Lines {
		i.Lines[n].Description = "begin " + strings.Repeat("Extra virgin olive oil ", 8) + "end"
	}
	paper, err := pdf.New(head).InvoicePDF(i)
	if err != nil {
		t.Fatal(err)
	}
	pages := read(t, paper)
	if len(pages) < 3 {
		t.Fatalf("%d pages", len(pages))
	}
	for n, page := range pages {
		if begun, ended := strings.Count(page, "begin "), strings.Count(page, " end\n"); begun != ended {
			t.Errorf("page %d begins %d rows and ends %d:\n%s", n+1, begun, ended, page)
		}
		for line := range strings.Lines(page) {
			if strings.Contains(line, "begin ") != strings.Contains(line, "0.335") {
				t.Errorf("page %d: figures beside a row that wraps: %s", n+1, line)
			}
		}
	}
}

// A font of coloured pictures may have its letters' places with nothing in them.
// Such a letter is a box with its number, or comes from a font with outlines.
func TestPicturesAreNotBlank(t *testing.T) {
	t.Parallel()
	outlines := "/usr/share/fonts/truetype/ancient-scripts" // scripts/setup installs it
	file, err := os.Open(filepath.Join(outlines, "Symbola_hint.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	loader, err := opentype.NewLoader(file)
	if err != nil {
		t.Fatal(err)
	}
	tables := []opentype.Table{{Tag: opentype.MustNewTag("COLR")}}
	for _, tag := range loader.Tables() {
		content, err := loader.RawTable(tag)
		if err != nil {
			t.Fatal(err)
		}
		if tag == opentype.MustNewTag("loca") {
			clear(content) // each glyph begins and ends at 0
		}
		tables = append(tables, opentype.Table{Tag: tag, Content: content})
	}
	slices.SortFunc(tables, func(a, b opentype.Table) int { return cmp.Compare(a.Tag, b.Tag) })
	pictures := t.TempDir()
	if err := os.WriteFile(filepath.Join(pictures, "pictures.ttf"), opentype.WriteTTF(tables), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, dirs := range map[string][]string{"PO □": {pictures}, "PO 🍋": {pictures, outlines}} {
		if got := said(pdf.New(head, dirs...).Form("PO 🍋")); got != want {
			t.Errorf("%v: %s, want %s", dirs, got, want)
		}
	}
}
