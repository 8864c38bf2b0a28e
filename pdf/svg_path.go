package pdf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// svgPen draws a path in a PDF's operators.
type svgPen struct {
	out            strings.Builder
	x, y           float64 // where it is
	startX, startY float64 // of the part that it is in
	ctrlX, ctrlY   float64 // the last control point, for smooth curves
}

func (p *svgPen) move(x, y float64) {
	fmt.Fprintf(&p.out, "%s %s m ", decimal(x), decimal(y))
	p.x, p.y, p.startX, p.startY, p.ctrlX, p.ctrlY = x, y, x, y, x, y
}

func (p *svgPen) line(x, y float64) {
	fmt.Fprintf(&p.out, "%s %s l ", decimal(x), decimal(y))
	p.x, p.y, p.ctrlX, p.ctrlY = x, y, x, y
}

func (p *svgPen) curve(x1, y1, x2, y2, x, y float64) {
	fmt.Fprintf(&p.out, "%s %s %s %s %s %s c ", decimal(x1), decimal(y1), decimal(x2), decimal(y2), decimal(x), decimal(y))
	p.x, p.y, p.ctrlX, p.ctrlY = x, y, x2, y2
}

// quad is a quadratic curve, written as a cubic one.
func (p *svgPen) quad(x1, y1, x, y float64) {
	p.curve(p.x+(x1-p.x)*2/3, p.y+(y1-p.y)*2/3, x+(x1-x)*2/3, y+(y1-y)*2/3, x, y)
	p.ctrlX, p.ctrlY = x1, y1
}

func (p *svgPen) close() {
	p.out.WriteString("h ")
	p.x, p.y, p.ctrlX, p.ctrlY = p.startX, p.startY, p.startX, p.startY
}

// quarter is how far the control points of a quarter of a circle lie from its
// ends, for a radius of 1.
const quarter = 0.5522847498

func (p *svgPen) rect(x, y, w, h, rx, ry float64) {
	rx, ry = min(rx, w/2), min(ry, h/2)
	if rx <= 0 || ry <= 0 {
		p.move(x, y)
		p.line(x+w, y)
		p.line(x+w, y+h)
		p.line(x, y+h)
		p.close()
		return
	}
	kx, ky := rx*(1-quarter), ry*(1-quarter)
	p.move(x+rx, y)
	p.line(x+w-rx, y)
	p.curve(x+w-kx, y, x+w, y+ky, x+w, y+ry)
	p.line(x+w, y+h-ry)
	p.curve(x+w, y+h-ky, x+w-kx, y+h, x+w-rx, y+h)
	p.line(x+rx, y+h)
	p.curve(x+kx, y+h, x, y+h-ky, x, y+h-ry)
	p.line(x, y+ry)
	p.curve(x, y+ky, x+kx, y, x+rx, y)
	p.close()
}

// arc is an elliptical arc, by the formulas of SVG 1.1, appendix F.6.5, in pieces
// of at most a quarter of a turn.
func (p *svgPen) arc(rx, ry, turn float64, large, sweep bool, x, y float64) {
	rx, ry = math.Abs(rx), math.Abs(ry)
	if rx == 0 || ry == 0 || x == p.x && y == p.y {
		p.line(x, y)
		return
	}
	sin, cos := math.Sincos(turn * math.Pi / 180)
	dx, dy := (p.x-x)/2, (p.y-y)/2
	x1, y1 := cos*dx+sin*dy, -sin*dx+cos*dy
	if grow := x1*x1/(rx*rx) + y1*y1/(ry*ry); grow > 1 {
		rx, ry = rx*math.Sqrt(grow), ry*math.Sqrt(grow)
	}
	root := math.Sqrt(max(0, (rx*rx*ry*ry-rx*rx*y1*y1-ry*ry*x1*x1)/(rx*rx*y1*y1+ry*ry*x1*x1)))
	if large == sweep {
		root = -root
	}
	cx1, cy1 := root*rx*y1/ry, -root*ry*x1/rx
	cx, cy := cos*cx1-sin*cy1+(p.x+x)/2, sin*cx1+cos*cy1+(p.y+y)/2
	from := math.Atan2((y1-cy1)/ry, (x1-cx1)/rx)
	angle := math.Atan2((-y1-cy1)/ry, (-x1-cx1)/rx) - from
	if sweep && angle < 0 {
		angle += 2 * math.Pi
	} else if !sweep && angle > 0 {
		angle -= 2 * math.Pi
	}
	pieces := math.Ceil(math.Abs(angle)/(math.Pi/2) - 1e-9)
	step := angle / pieces
	k := 4.0 / 3 * math.Tan(step/4)
	at := func(u, v float64) (float64, float64) {
		return cos*rx*u - sin*ry*v + cx, sin*rx*u + cos*ry*v + cy
	}
	for i := range int(pieces) {
		s1, c1 := math.Sincos(from + step*float64(i))
		s2, c2 := math.Sincos(from + step*float64(i+1))
		ax, ay := at(c1-k*s1, s1+k*c1)
		bx, by := at(c2+k*s2, s2-k*c2)
		ex, ey := at(c2, s2)
		p.curve(ax, ay, bx, by, ex, ey)
	}
}

// follow draws path data.
func (p *svgPen) follow(d string) error {
	var command, last byte
	for {
		d = strings.TrimLeft(d, " ,\t\r\n")
		if d == "" {
			return nil
		}
		if strings.IndexByte("MmLlHhVvCcSsQqTtAaZz", d[0]) >= 0 {
			command, d = d[0], d[1:]
		} else if command == 0 || command == 'Z' || command == 'z' {
			return fmt.Errorf("path at %.20q", d)
		}
		upper := command &^ 0x20
		count := map[byte]int{'M': 2, 'L': 2, 'H': 1, 'V': 1, 'C': 6, 'S': 4, 'Q': 4, 'T': 2, 'A': 7, 'Z': 0}[upper]
		n := make([]float64, count)
		for i := range n {
			var ok bool
			if n[i], d, ok = number(d, upper == 'A' && (i == 3 || i == 4)); !ok {
				return fmt.Errorf("path at %.20q", d)
			}
		}
		if command >= 'a' { // relative to where the pen is
			for i := range n {
				switch {
				case upper == 'A' && i < 5:
				case upper == 'V' || upper != 'H' && (i%2 == 1) != (upper == 'A'):
					n[i] += p.y
				default:
					n[i] += p.x
				}
			}
		}
		p.step(upper, last, n)
		last = upper
		switch command { // further pairs after a move are lines
		case 'M':
			command = 'L'
		case 'm':
			command = 'l'
		}
	}
}

// step does one command with absolute numbers.
func (p *svgPen) step(command, last byte, n []float64) {
	smooth := func(like string) (float64, float64) { // the last control point, mirrored
		if strings.IndexByte(like, last) < 0 {
			return p.x, p.y
		}
		return 2*p.x - p.ctrlX, 2*p.y - p.ctrlY
	}
	switch command {
	case 'M':
		p.move(n[0], n[1])
	case 'L':
		p.line(n[0], n[1])
	case 'H':
		p.line(n[0], p.y)
	case 'V':
		p.line(p.x, n[0])
	case 'C':
		p.curve(n[0], n[1], n[2], n[3], n[4], n[5])
	case 'S':
		x, y := smooth("CS")
		p.curve(x, y, n[0], n[1], n[2], n[3])
	case 'Q':
		p.quad(n[0], n[1], n[2], n[3])
	case 'T':
		x, y := smooth("QT")
		p.quad(x, y, n[0], n[1])
	case 'A':
		p.arc(n[0], n[1], n[2], n[3] != 0, n[4] != 0, n[5], n[6])
	case 'Z':
		p.close()
	}
}

// number reads one off the front: "1.9.5-3" is three. A flag is one digit.
func number(d string, flag bool) (n float64, rest string, ok bool) {
	d = strings.TrimLeft(d, " ,\t\r\n")
	end, point, exponent := 0, false, false
	for end < len(d) {
		c := d[end]
		switch {
		case c >= '0' && c <= '9':
			if flag {
				return float64(c - '0'), d[1:], c <= '1'
			}
		case c == '.' && !point && !exponent:
			point = true
		case (c == 'e' || c == 'E') && !exponent && end > 0:
			exponent = true
		case (c == '-' || c == '+') && (end == 0 || d[end-1] == 'e' || d[end-1] == 'E'):
		default:
			n, err := strconv.ParseFloat(d[:end], 64)
			return n, d[end:], err == nil && math.Abs(n) < 1e6
		}
		end++
	}
	n, err := strconv.ParseFloat(d, 64)
	return n, "", err == nil && math.Abs(n) < 1e6
}

// numbers reads a list of them.
func numbers(list string) (out []float64, err error) {
	for list = strings.TrimSpace(list); list != ""; list = strings.TrimSpace(list) {
		n, rest, ok := number(list, false)
		if !ok {
			return nil, fmt.Errorf("numbers at %.20q", list)
		}
		out, list = append(out, n), strings.TrimLeft(rest, ", ")
	}
	return out, nil
}
