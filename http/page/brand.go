package page

import (
	"bytes"
	"embed"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"portal.example/portal"
)

//go:embed brand
var brandFiles embed.FS

// Brand is the distributor as its customers know it: the only name, colour and
// picture that pages show. It is a plain value; nobody changes it once loaded.
type Brand struct {
	Name      string // "Harbor & Main Wholesale"
	ShortName string // where space is short; the name if the file gives none
	Light     Color  // the accent on light pages
	Dark      Color  // the accent on dark pages; Light if the file gives none
	Phone     string // the order desk's, as people write it; may be empty
	Email     string // the order desk's; may be empty
	Footer    string // one line below every page; the name if the file gives none
	Logo      []byte // SVG, also the favicon
	PaperLogo []byte // PNG or JPEG for papers; empty: the SVG, where papers can draw it
}

// PhoneDigits is the phone number as a tel: link wants it.
func (b Brand) PhoneDigits() string {
	return strings.Map(func(r rune) rune {
		if r == '+' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, b.Phone)
}

// Letterhead is the brand as papers and mails show it.
func (b Brand) Letterhead() portal.Letterhead {
	head := portal.Letterhead{Name: b.Name, ShortName: b.ShortName, Accent: b.Light.String(),
		OnAccent: b.Light.textOn().String(), Phone: b.Phone, Email: b.Email, Footer: b.Footer, Logo: b.PaperLogo}
	if len(head.Logo) == 0 {
		head.Logo = b.Logo
	}
	return head
}

// DefaultBrand is the fictional distributor of the demonstration.
func DefaultBrand() (Brand, error) {
	dir, err := fs.Sub(brandFiles, "brand")
	if err != nil {
		return Brand{}, fmt.Errorf("brand default: %w", err)
	}
	return LoadBrand(dir)
}

// maxLogo keeps the logo from weighing more than the page around it.
const maxLogo = 64 << 10

// LoadBrand reads brand.json and logo.svg from a directory, and logo.png or
// logo.jpg for papers where there is one. Colours are given
// as "#rrggbb"; unknown fields are refused, so that a mistyped one is noticed.
// The error names the file and the field.
func LoadBrand(dir fs.FS) (Brand, error) {
	text, err := fs.ReadFile(dir, "brand.json")
	if err != nil {
		return Brand{}, fmt.Errorf("brand load: %w", err)
	}
	var file struct {
		Name      string `json:"name"`
		ShortName string `json:"short_name"`
		Accent    struct {
			Light string `json:"light"`
			Dark  string `json:"dark"`
		} `json:"accent"`
		Phone  string `json:"phone"`
		Email  string `json:"email"`
		Footer string `json:"footer"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return Brand{}, fmt.Errorf("brand load brand.json: %w", err)
	}
	b := Brand{
		Name:      strings.TrimSpace(file.Name),
		ShortName: strings.TrimSpace(file.ShortName),
		Phone:     strings.TrimSpace(file.Phone),
		Email:     strings.TrimSpace(file.Email),
		Footer:    strings.TrimSpace(file.Footer),
	}
	if b.Name == "" {
		return Brand{}, errors.New("brand load brand.json: name is missing")
	}
	if b.ShortName == "" {
		b.ShortName = b.Name
	}
	if b.Footer == "" {
		b.Footer = b.Name
	}
	if b.Email != "" && (strings.Count(b.Email, "@") != 1 || strings.ContainsAny(b.Email, " <>\"")) {
		return Brand{}, fmt.Errorf("brand load brand.json: email %q is not an address", b.Email)
	}
	if b.Light, err = ParseColor(file.Accent.Light); err != nil {
		return Brand{}, fmt.Errorf("brand load brand.json: accent.light: %w", err)
	}
	b.Dark = b.Light
	if file.Accent.Dark != "" {
		if b.Dark, err = ParseColor(file.Accent.Dark); err != nil {
			return Brand{}, fmt.Errorf("brand load brand.json: accent.dark: %w", err)
		}
	}
	if b.Logo, err = fs.ReadFile(dir, "logo.svg"); err != nil {
		return Brand{}, fmt.Errorf("brand load: %w", err)
	}
	if err := checkLogo(b.Logo); err != nil {
		return Brand{}, fmt.Errorf("brand load logo.svg: %w", err)
	}
	if b.PaperLogo, err = paperLogo(dir); err != nil {
		return Brand{}, fmt.Errorf("brand load %w", err)
	}
	return b, nil
}

// paperLogo reads logo.png or logo.jpg, which papers show instead of logo.svg.
// Nil where there is none.
func paperLogo(dir fs.FS) ([]byte, error) {
	const most, side = 1 << 20, 3000 // it is kept in memory, and goes into every paper
	for _, name := range []string{"logo.png", "logo.jpg"} {
		data, err := fs.ReadFile(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		size, _, err := image.DecodeConfig(bytes.NewReader(data))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		case len(data) > most || size.Width > side || size.Height > side:
			return nil, fmt.Errorf("%s: %d bytes, %d × %d points; at most %d bytes and %d points a side", name, len(data),
				size.Width, size.Height, most, side)
		}
		return data, nil
	}
	return nil, nil
}

// checkLogo refuses what would not show as a picture under the pages' content
// security policy: anything but SVG, scripts, and references to elsewhere.
func checkLogo(svg []byte) error {
	if len(svg) > maxLogo {
		return fmt.Errorf("%d bytes, at most %d", len(svg), maxLogo)
	}
	dec := xml.NewDecoder(bytes.NewReader(svg))
	root := ""
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("not well-formed: %w", err)
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if root == "" {
			root = el.Name.Local
		}
		if strings.EqualFold(el.Name.Local, "script") || strings.EqualFold(el.Name.Local, "foreignObject") {
			return fmt.Errorf("<%s> is not allowed", el.Name.Local)
		}
		for _, at := range el.Attr {
			name := strings.ToLower(at.Name.Local)
			if strings.HasPrefix(name, "on") {
				return fmt.Errorf("attribute %s is not allowed", at.Name.Local)
			}
			if name == "href" && !strings.HasPrefix(at.Value, "#") && !strings.HasPrefix(at.Value, "data:image/") {
				return fmt.Errorf("refers to %q; a logo must be whole in itself", at.Value)
			}
		}
	}
	if root != "svg" {
		return errors.New("is not an SVG picture")
	}
	return nil
}

// The surfaces that text in the accent colour stands on; see ui.css and app.css.
var (
	lightSurface = Color{0xf4, 0xf5, 0xf6}
	darkSurface  = Color{0x26, 0x26, 0x26}
)

// stylesheet sets the colours that the other style sheets take from the brand.
// Text on the accent is black or white, whichever reads better; text in the
// accent is darkened or lightened until it reaches WCAG's 4.5 to 1.
func (b Brand) stylesheet() []byte {
	var buf bytes.Buffer
	pair := func(name string, light, dark Color) {
		fmt.Fprintf(&buf, "\t--%s: light-dark(%s, %s);\n", name, light, dark)
	}
	lightSoft, darkSoft := lightSurface.mix(b.Light, 0.1), darkSurface.mix(b.Dark, 0.16)
	lightText, darkText := b.Light.readableOn(Color{}, lightSurface, lightSoft),
		b.Dark.readableOn(white, darkSurface, darkSoft)
	buf.WriteString(":root, [data-bs-theme=light], [data-bs-theme=dark] {\n")
	pair("tblr-primary", b.Light, b.Dark)
	pair("tblr-primary-fg", b.Light.textOn(), b.Dark.textOn())
	pair("tblr-primary-darken", b.Light.hover(), b.Dark.hover())
	pair("tblr-link-color", lightText, darkText)
	pair("tblr-link-hover-color", lightText.mix(Color{}, 0.2), darkText.mix(white, 0.2))
	pair("accent", b.Light, b.Dark)
	pair("accent-text", lightText, darkText)
	pair("accent-on", b.Light.textOn(), b.Dark.textOn())
	pair("accent-soft", lightSoft, darkSoft)
	buf.WriteString("}\n")
	return buf.Bytes()
}

// Color is an sRGB colour: red, green, blue.
type Color [3]uint8

var white = Color{0xff, 0xff, 0xff}

// ParseColor reads "#rrggbb".
func ParseColor(s string) (Color, error) {
	hex, ok := strings.CutPrefix(s, "#")
	n, err := strconv.ParseUint(hex, 16, 32)
	if !ok || len(hex) != 6 || err != nil {
		return Color{}, fmt.Errorf("%q is not a colour; write it as #rrggbb", s)
	}
	return Color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

// String writes "#rrggbb".
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// Contrast is WCAG 2.2's contrast ratio of two colours, 1 to 21.
func (c Color) Contrast(d Color) float64 {
	a, b := c.luminance(), d.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// luminance is WCAG 2.2's relative luminance, 0 to 1.
func (c Color) luminance() float64 {
	channel := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(c[0]) + 0.7152*channel(c[1]) + 0.0722*channel(c[2])
}

// mix blends share (0 to 1) of d into c.
func (c Color) mix(d Color, share float64) Color {
	var m Color
	for i := range c {
		m[i] = uint8(math.Round(float64(c[i])*(1-share) + float64(d[i])*share))
	}
	return m
}

// textOn is the colour of text on c: black or white, and one of them always
// reaches 4.5.
func (c Color) textOn() Color {
	if c.Contrast(white) >= c.Contrast(Color{}) {
		return white
	}
	return Color{}
}

// hover is c a step away from its text, so that the text stays readable.
func (c Color) hover() Color {
	if c.textOn() == white {
		return c.mix(Color{}, 0.15)
	}
	return c.mix(white, 0.15)
}

// readableOn moves c towards another colour, until text in it reaches 4.5 to 1
// on every one of the surfaces.
func (c Color) readableOn(towards Color, surfaces ...Color) Color {
	for share := 0.0; share < 1; share += 0.04 {
		m := c.mix(towards, share)
		if !slices.ContainsFunc(surfaces, func(s Color) bool { return m.Contrast(s) < 4.5 }) {
			return m
		}
	}
	return towards
}
