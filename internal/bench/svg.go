package bench

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
)

// Plot is a small picture of figures: lines over categories, or bars beside
// one another.
type Plot struct {
	Title      string
	X, Unit    string // what the categories are, and the values' unit
	Categories []string
	Series     []Series
	Bars       bool
	Log        bool // values on a logarithmic scale; those not above 0 are left out
}

// Series has a value for each category; NaN where there is none.
type Series struct {
	Name   string
	Values []float64
}

// The plot's places, in the picture's units.
const (
	plotWidth, plotHeight         = 760, 400
	plotLeft, plotRight           = 70, 590
	plotTop, plotBottom   float64 = 50, 320
)

// hues are readable on white and on near-black; marks and dashes tell the lines
// apart without colour.
var (
	hues   = []string{"#2f7ed8", "#d9822b", "#2ca25f", "#d6455d", "#8e63ce", "#6f7d8c", "#b59a1b", "#1a9ba8"}
	dashes = []string{"none", "7 3", "2 3", "9 3 2 3", "4 4", "1 2", "12 4", "6 2 1 2"}
)

// SVG draws it. Colours follow the reader's light or dark scheme.
func (p Plot) SVG() []byte {
	var b bytes.Buffer
	text := func(x, y float64, anchor, class, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">`, x, y, anchor, class)
		_ = xml.EscapeText(&b, []byte(s))
		b.WriteString("</text>\n")
	}
	fmt.Fprintf(&b,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="`,
		plotWidth, plotHeight, plotWidth, plotHeight)
	_ = xml.EscapeText(&b, []byte(p.Title))
	b.WriteString(`">
<style>
.paper { fill: #ffffff } text { fill: #1f2933; font: 12px system-ui, sans-serif } .title { font-size: 15px; font-weight: 600 }
.soft { fill: #5b6773 } .rule { stroke: #c9d1d9; stroke-width: 1 } .line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { .paper { fill: #14191f } text { fill: #e4e9ee } .soft { fill: #9aa7b4 } .rule { stroke: #3a4450 } }
</style>
`)
	fmt.Fprintf(&b, `<rect class="paper" width="%d" height="%d"/>`+"\n", plotWidth, plotHeight)
	text(plotLeft-50, 22, "start", "title", p.Title)
	low, high, steps := p.scale()
	y := func(v float64) float64 {
		if p.Log {
			v, l, h := math.Log10(v), math.Log10(low), math.Log10(high)
			return plotBottom - (v-l)/(h-l)*(plotBottom-plotTop)
		}
		return plotBottom - (v-low)/(high-low)*(plotBottom-plotTop)
	}
	for _, s := range steps {
		fmt.Fprintf(&b, `<line class="rule" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`+"\n", plotLeft, plotRight, y(s), y(s))
		text(plotLeft-6, y(s)+4, "end", "soft", strconv.FormatFloat(s, 'g', 4, 64))
	}
	text(plotLeft-50, plotTop-11, "start", "soft", p.Unit)
	slot := float64(plotRight-plotLeft) / float64(max(1, len(p.Categories)))
	middle := func(i int) float64 { return plotLeft + slot*(float64(i)+.5) }
	for i, c := range p.Categories {
		if len(p.Categories) <= 8 {
			text(middle(i), plotBottom+18, "middle", "soft", c)
			continue
		}
		fmt.Fprintf(&b, `<g transform="translate(%.1f %.1f) rotate(-35)">`, middle(i)+4, plotBottom+14)
		text(0, 0, "end", "soft", c)
		b.WriteString("</g>\n")
	}
	text((plotLeft+plotRight)/2, plotBottom+40, "middle", "soft", p.X)
	for k, s := range p.Series {
		hue, dash := hues[k%len(hues)], dashes[k%len(dashes)]
		var points string
		for i, v := range s.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) || p.Log && v <= 0 {
				continue
			}
			if p.Bars {
				wide := slot * .8 / float64(len(p.Series))
				x := middle(i) - slot*.4 + wide*float64(k)
				fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>`, x, y(v), wide*.92,
					math.Max(0, plotBottom-y(v)), hue)
				_ = xml.EscapeText(&b, []byte(fmt.Sprintf("%s, %s: %.4g", p.Categories[i], s.Name, v)))
				b.WriteString("</title></rect>\n")
				continue
			}
			points += fmt.Sprintf("%.1f,%.1f ", middle(i), y(v))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", middle(i), y(v), hue)
		}
		if points != "" {
			fmt.Fprintf(&b, `<polyline class="line" stroke="%s" stroke-dasharray="%s" points="%s"/>`+"\n", hue, dash, points)
		}
		at := plotTop + 8 + 20*float64(k)
		if p.Bars {
			fmt.Fprintf(&b, `<rect x="%d" y="%.1f" width="22" height="10" fill="%s"/>`+"\n", plotRight+14, at-9, hue)
		} else {
			fmt.Fprintf(&b, `<line class="line" stroke="%s" stroke-dasharray="%s" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`+"\n",
				hue, dash, plotRight+14, plotRight+36, at-4, at-4)
		}
		text(plotRight+42, at, "start", "soft", s.Name)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// scale returns the ends of the value axis and where it has lines.
func (p Plot) scale() (low, high float64, steps []float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range p.Series {
		for _, v := range s.Values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) && (!p.Log || v > 0) {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
	}
	if math.IsInf(low, 0) {
		low, high = 1, 1
	}
	if p.Log {
		low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
		if low == high {
			high *= 10
		}
		for v := low; v <= high*1.001; v *= 10 {
			steps = append(steps, v)
		}
		return low, high, steps
	}
	low = math.Min(0, low)
	if high <= low {
		high = low + 1
	}
	step := math.Pow(10, math.Floor(math.Log10(high-low)))
	switch n := (high - low) / step; {
	case n < 2:
		step /= 5
	case n < 5:
		step /= 2
	}
	low, high = math.Floor(low/step)*step, math.Ceil(high/step)*step
	for i := 0; low+float64(i)*step <= high+step/100; i++ {
		steps = append(steps, low+float64(i)*step)
	}
	return low, high, steps
}
