package page

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	testBrand = `{"name": "Acme Foods", "accent": {"light": "#c81e1e"}, "phone": "+1 (212) 555-0199"}`
	testLogo  = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8"/></svg>`
)

func TestDefaultBrand(t *testing.T) {
	b, err := DefaultBrand()
	if err != nil {
		t.Fatal(err)
	}
	if b.Name != "Harbor & Main Wholesale" || b.ShortName != "Harbor & Main" || b.Phone == "" || b.Email == "" ||
		len(b.Logo) == 0 {
		t.Errorf("%+v", b)
	}
}

func TestLoadBrandFillsIn(t *testing.T) {
	b, err := LoadBrand(fstest.MapFS{"brand.json": {Data: []byte(testBrand)}, "logo.svg": {Data: []byte(testLogo)}})
	if err != nil {
		t.Fatal(err)
	}
	if b.ShortName != "Acme Foods" || b.Footer != "Acme Foods" || b.Dark != b.Light ||
		b.Light != (Color{0xc8, 0x1e, 0x1e}) {
		t.Errorf("%+v", b)
	}
	if got := b.PhoneDigits(); got != "+12125550199" {
		t.Errorf("PhoneDigits %q", got)
	}
}

func TestLoadBrandRefuses(t *testing.T) {
	for name, c := range map[string]struct{ json, logo, want string }{
		"no file":        {"", testLogo, "brand.json"},
		"no logo":        {testBrand, "", "logo.svg"},
		"not JSON":       {"{", testLogo, "brand.json"},
		"no name":        {`{"name": " ", "accent": {"light": "#112233"}}`, testLogo, "name is missing"},
		"no colour":      {`{"name": "A"}`, testLogo, "accent.light"},
		"bad colour":     {`{"name": "A", "accent": {"light": "teal"}}`, testLogo, `"teal" is not a colour`},
		"short colour":   {`{"name": "A", "accent": {"light": "#123"}}`, testLogo, "#rrggbb"},
		"bad dark":       {`{"name": "A", "accent": {"light": "#112233", "dark": "#xyzxyz"}}`, testLogo, "accent.dark"},
		"mistyped field": {`{"name": "A", "acent": {}}`, testLogo, "acent"},
		"bad e-mail":     {`{"name": "A", "accent": {"light": "#112233"}, "email": "call us"}`, testLogo, "email"},
		"picture":        {testBrand, "\x89PNG", "logo.svg"},
		"not SVG":        {testBrand, "<html></html>", "not an SVG"},
		"script":         {testBrand, `<svg><script>alert(1)</script></svg>`, "<script> is not allowed"},
		"handler":        {testBrand, `<svg onload="x()"></svg>`, "onload"},
		"elsewhere":      {testBrand, `<svg><image href="https://example.com/x.png"/></svg>`, "whole in itself"},
		"heavy":          {testBrand, "<svg>" + strings.Repeat(" ", maxLogo) + "</svg>", "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fstest.MapFS{}
			if c.json != "" {
				dir["brand.json"] = &fstest.MapFile{Data: []byte(c.json)}
			}
			if c.logo != "" {
				dir["logo.svg"] = &fstest.MapFile{Data: []byte(c.logo)}
			}
			if _, err := LoadBrand(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestContrast(t *testing.T) {
	for _, c := range []struct {
		a, b Color
		want float64
	}{{Color{}, white, 21}, {white, white, 1}, {Color{0x76, 0x76, 0x76}, white, 4.54}} {
		if got := c.a.Contrast(c.b); math.Abs(got-c.want) > 0.01 {
			t.Errorf("%s on %s: %.2f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

// Whatever accent a distributor brings, its buttons and links can be read in
// both themes.
func TestStylesheetIsReadable(t *testing.T) {
	value := regexp.MustCompile(`--(\S+): light-dark\((#\w+), (#\w+)\);`)
	for r := 0; r < 256; r += 51 {
		for g := 0; g < 256; g += 51 {
			for bl := 0; bl < 256; bl += 51 {
				accent := Color{uint8(r), uint8(g), uint8(bl)}
				colors := map[string][2]Color{}
				for _, m := range value.FindAllStringSubmatch(string(Brand{Light: accent, Dark: accent}.stylesheet()), -1) {
					light, err := ParseColor(m[2])
					if err != nil {
						t.Fatal(err)
					}
					dark, err := ParseColor(m[3])
					if err != nil {
						t.Fatal(err)
					}
					colors[m[1]] = [2]Color{light, dark}
				}
				for i, surface := range []Color{lightSurface, darkSurface} {
					for _, pair := range [][2]Color{
						{colors["accent-on"][i], colors["accent"][i]},
						{colors["tblr-primary-fg"][i], colors["tblr-primary-darken"][i]},
						{colors["tblr-link-color"][i], surface},
						{colors["accent-text"][i], colors["accent-soft"][i]},
					} {
						if got := pair[0].Contrast(pair[1]); got < 4.5 {
							t.Errorf("accent %s, theme %d: %s on %s has %.2f", accent, i, pair[0], pair[1], got)
						}
					}
				}
			}
		}
	}
}
