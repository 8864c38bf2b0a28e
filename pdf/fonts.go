package pdf

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/font/opentype/tables"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// SystemFonts is where Debian keeps Noto and, below it in rank, a few small
// fonts that cover the same scripts. Folders that are not there are passed over.
var SystemFonts = []string{"/usr/share/fonts/truetype/noto", "/usr/share/fonts/opentype/noto",
	"/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/truetype/wqy", "/usr/share/fonts/truetype/droid",
	"/usr/share/fonts/truetype/ancient-scripts"}

// library is the fonts that papers may take letters from, beside the built-in
// ones: every TrueType and OpenType font of some folders, in their order. It
// looks into the files when the first letter is asked for that the built-in
// fonts have not, and keeps of each what letters it has; a font is read whole
// when a paper needs it. Safe for concurrent use.
type library struct {
	dirs []string

	scan   sync.Once
	fonts  []*libraryFont
	mu     sync.RWMutex
	chosen map[letter]*libraryFont // nil: no font has it
}

// letter is a character, upright or bold.
type letter struct {
	r    rune
	bold bool
}

// libraryFont is one font of a file.
type libraryFont struct {
	path     string
	index    int // in a collection
	bold     bool
	rank     int
	coloured bool // its letters may be pictures, and their outlines empty
	has      font.Cmap

	read   sync.Once
	parsed *font.Font // nil: it cannot be read
}

func newLibrary(dirs []string) *library {
	return &library{dirs: dirs, chosen: map[letter]*libraryFont{}}
}

// find is the font for a character, nil if none has it: the first that has it in
// the weight asked for, else in the other.
func (l *library) find(r rune, bold bool) *font.Font {
	l.scan.Do(l.look)
	key := letter{r, bold}
	l.mu.RLock()
	f, known := l.chosen[key]
	l.mu.RUnlock()
	if !known {
		f = l.choose(r, bold)
		l.mu.Lock()
		l.chosen[key] = f
		l.mu.Unlock()
	}
	if f == nil {
		return nil
	}
	return f.font()
}

func (l *library) choose(r rune, bold bool) *libraryFont {
	var second *libraryFont
	for _, f := range l.fonts {
		if id, has := f.has.Lookup(r); !has || f.font() == nil || f.coloured && !f.outlined(id) {
			continue
		}
		if f.bold == bold {
			return f
		}
		if second == nil {
			second = f
		}
	}
	return second
}

// font reads the font, once.
func (f *libraryFont) font() *font.Font {
	f.read.Do(func() {
		defer func() { _ = recover() }() // a damaged font is one that is not there
		file, err := os.Open(f.path)
		if err != nil {
			return
		}
		defer file.Close()
		loaders, err := opentype.NewLoaders(file)
		if err != nil || f.index >= len(loaders) {
			return
		}
		if parsed, err := font.NewFont(loaders[f.index]); err == nil {
			f.parsed = parsed
		}
	})
	return f.parsed
}

// outlined reports whether a glyph has an outline to print.
func (f *libraryFont) outlined(id font.GID) (has bool) {
	defer func() { _ = recover() }()
	outline, ok := font.NewFace(f.font()).GlyphDataOutline(id)
	return ok && len(outline.Segments) > 0
}

// look finds what fonts there are. Files that are none, or damaged, are passed
// over: a paper without them is better than none.
func (l *library) look() {
	for _, dir := range l.dirs {
		var paths []string
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && slices.Contains([]string{".ttf", ".otf", ".ttc", ".otc"},
				strings.ToLower(filepath.Ext(path))) {
				paths = append(paths, path)
			}
			return nil
		})
		var found []*libraryFont
		for _, path := range paths {
			found = append(found, fontsOf(path)...)
		}
		slices.SortStableFunc(found, func(a, b *libraryFont) int { return a.rank - b.rank })
		l.fonts = append(l.fonts, found...)
	}
}

// fontsOf are the upright fonts of a file, regular or bold, whose letters are
// outlines: what is a picture in colours cannot be set as text.
func fontsOf(path string) (out []*libraryFont) {
	defer func() { _ = recover() }()
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	loaders, err := opentype.NewLoaders(file)
	if err != nil {
		return nil
	}
	for i, loader := range loaders {
		outlines := loader.HasTable(opentype.MustNewTag("glyf")) || loader.HasTable(opentype.MustNewTag("CFF ")) ||
			loader.HasTable(opentype.MustNewTag("CFF2"))
		about, _ := font.Describe(loader, nil)
		a := about.Aspect
		a.SetDefaults()
		if !outlines || a.Style != font.StyleNormal || a.Weight != font.WeightNormal && a.Weight != font.WeightBold {
			continue
		}
		raw, err := loader.RawTable(opentype.MustNewTag("cmap"))
		if err != nil {
			continue
		}
		table, _, err := tables.ParseCmap(raw)
		if err != nil {
			continue
		}
		has, _, err := font.ProcessCmap(table, 0)
		if err != nil {
			continue
		}
		coloured := slices.ContainsFunc([]string{"COLR", "SVG ", "sbix", "CBDT"},
			func(tag string) bool { return loader.HasTable(opentype.MustNewTag(tag)) })
		rank := rankOf(about.Family)
		if a.Stretch != font.StretchNormal { // narrow forms of another font, or one that is narrow itself, as Symbola
			rank += 10
		}
		out = append(out, &libraryFont{path: path, index: i, bold: a.Weight == font.WeightBold, rank: rank,
			coloured: coloured, has: has})
	}
	return out
}

// rankOf puts plain sans-serif fonts first, those of fixed width and of one style
// of writing last, and of the forms of Chinese characters the simplified ones.
func rankOf(family string) int {
	rank := 2
	name := strings.ToLower(family)
	if strings.Contains(name, "sans") {
		rank = 1
	}
	if strings.Contains(name, "cjk") && strings.HasSuffix(name, " sc") {
		rank = 0
	}
	for _, less := range []string{"mono", "serif", "nastaliq", "kufi", "display", " ui", "looped", "symbols"} {
		if strings.Contains(name, less) {
			rank += 3
		}
	}
	return rank
}

// The fonts that are part of the program: Go, for Latin, Greek and Cyrillic.
var goRegular, goBold = builtIn(goregular.TTF), builtIn(gobold.TTF)

func builtIn(data []byte) *font.Font {
	face, err := font.ParseTTF(bytes.NewReader(data))
	if err != nil {
		panic(fmt.Sprintf("pdf: built-in font: %v", err))
	}
	return face.Font
}
