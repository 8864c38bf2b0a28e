package demo

import (
	"fmt"
	"strings"
)

// picture draws an item: its category's colour, a shape of the kind of
// container it comes in, and its initials. Plain SVG with presentation
// attributes only, since pictures are served without styles and scripts.
func picture(it item) []byte {
	a := assortments[0]
	for _, x := range assortments {
		if x.id == it.category {
			a = x
		}
	}
	shade := 34 + int(it.id*7%22)
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" width="120" height="120">`+
		`<rect width="120" height="120" fill="hsl(%d,32%%,93%%)"/>%s`+
		`<text x="60" y="76" font-family="sans-serif" font-size="19" font-weight="700" text-anchor="middle" fill="#fff">%s</text></svg>`,
		a.hue, container(it, a.hue, shade), initials(it.description))
}

func container(it item, hue, shade int) string {
	fill := fmt.Sprintf(`fill="hsl(%d,46%%,%d%%)"`, hue, shade)
	lid := fmt.Sprintf(`fill="hsl(%d,46%%,%d%%)"`, hue, shade-12)
	switch it.category {
	case 1, 6, 11: // bottle
		return `<rect x="50" y="14" width="20" height="14" rx="3" ` + lid +
			`/><path d="M50 28h20v12c14 6 18 14 18 24v40a6 6 0 0 1-6 6H38a6 6 0 0 1-6-6V64c0-10 4-18 18-24z" ` + fill + `/>`
	case 4, 3, 13: // can
		return `<rect x="30" y="24" width="60" height="82" rx="6" ` + fill + `/><ellipse cx="60" cy="26" rx="30" ry="9" ` +
			lid + `/>`
	case 2, 5: // sack
		return `<path d="M36 20c8 6 40 6 48 0 2 12-2 14-2 18 10 12 14 30 12 64-20 8-48 8-68 0-2-34 2-52 12-64 0-4-4-6-2-18z" ` + fill + `/><rect x="38" y="36" width="44" height="5" rx="2" ` + lid + `/>`
	}
	// box
	return `<path d="M24 40l36-16 36 16v52l-36 16-36-16z" ` + fill + `/><path d="M24 40l36 15 36-15-36-16z" ` + lid + `/>`
}

// initials are the first letters of the first two words that have any.
func initials(description string) string {
	var out strings.Builder
	for _, word := range strings.Fields(description) {
		if r := []rune(word)[0]; r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			out.WriteString(strings.ToUpper(string(r)))
		}
		if out.Len() == 2 {
			break
		}
	}
	return out.String()
}
