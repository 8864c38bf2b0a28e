package pdf

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// drawing is a picture in a PDF's operators, its origin at the upper left as in
// SVG.
type drawing struct {
	operators     string
	width, height float64
}

// paint is how shapes are filled and drawn; it is inherited.
type paint struct {
	fill, stroke string // operands of rg and RG; empty: none
	width        float64
	cap, join    int
	evenOdd      bool
}

// readSVG reads a picture of the shapes that logos are made of: paths, rectangles,
// circles, ellipses, lines and polygons, in groups, with plain colours and
// transforms. Anything else is an error, since half a logo is worse than none.
func readSVG(data []byte) (*drawing, error) {
	d := &drawing{}
	var out strings.Builder
	decoder := xml.NewDecoder(strings.NewReader(string(data)))
	paints := []paint{{fill: "0 0 0", width: 1}}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			name := t.Name.Local
			if slices.Contains([]string{"title", "desc", "metadata"}, name) {
				if err := decoder.Skip(); err != nil {
					return nil, err
				}
				continue
			}
			set, err := attributes(t)
			if err != nil {
				return nil, err
			}
			p, err := painted(paints[len(paints)-1], set)
			if err != nil {
				return nil, err
			}
			paints = append(paints, p)
			out.WriteString("q\n")
			if err := transform(&out, set["transform"]); err != nil {
				return nil, err
			}
			if name == "svg" && len(paints) == 2 {
				err = d.size(&out, set)
			} else if name != "g" {
				err = shape(&out, name, set, p)
			}
			if err != nil {
				return nil, err
			}
		case xml.EndElement:
			paints = paints[:len(paints)-1]
			out.WriteString("Q\n")
		}
	}
	if d.width <= 0 || d.height <= 0 {
		return nil, errors.New("has no size")
	}
	d.operators = out.String()
	return d, nil
}

// attributes are an element's, with those of its style attribute.
func attributes(t xml.StartElement) (map[string]string, error) {
	set := map[string]string{}
	for _, a := range t.Attr {
		set[a.Name.Local] = strings.TrimSpace(a.Value)
	}
	for declaration := range strings.SplitSeq(set["style"], ";") {
		if name, value, ok := strings.Cut(declaration, ":"); ok {
			set[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	for _, name := range []string{"opacity", "fill-opacity", "stroke-opacity"} {
		if v := set[name]; v != "" && v != "1" {
			return nil, fmt.Errorf("%s is not drawn", name)
		}
	}
	for _, name := range []string{"class", "clip-path", "mask", "filter", "stroke-dasharray"} {
		if v := set[name]; v != "" && v != "none" {
			return nil, fmt.Errorf("%s is not drawn", name)
		}
	}
	return set, nil
}

func painted(p paint, set map[string]string) (paint, error) {
	var err error
	if v, ok := set["fill"]; ok {
		if p.fill, err = svgColor(v); err != nil {
			return p, err
		}
	}
	if v, ok := set["stroke"]; ok {
		if p.stroke, err = svgColor(v); err != nil {
			return p, err
		}
	}
	if v, ok := set["stroke-width"]; ok {
		if p.width, err = strconv.ParseFloat(strings.TrimSuffix(v, "px"), 64); err != nil {
			return p, err
		}
	}
	if v, ok := set["stroke-linecap"]; ok {
		p.cap = max(slices.Index([]string{"butt", "round", "square"}, v), 0)
	}
	if v, ok := set["stroke-linejoin"]; ok {
		p.join = max(slices.Index([]string{"miter", "round", "bevel"}, v), 0)
	}
	if v, ok := set["fill-rule"]; ok {
		p.evenOdd = v == "evenodd"
	}
	return p, nil
}

var svgNames = map[string]string{"black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000",
	"blue": "#0000ff", "gray": "#808080", "grey": "#808080", "silver": "#c0c0c0", "navy": "#000080", "teal": "#008080",
	"orange": "#ffa500", "yellow": "#ffff00", "maroon": "#800000", "purple": "#800080", "gold": "#ffd700",
	"currentcolor": "#000000"}

func svgColor(v string) (string, error) {
	v = strings.ToLower(v)
	if v == "none" || v == "transparent" {
		return "", nil
	}
	if named, ok := svgNames[v]; ok {
		v = named
	}
	if len(v) == 4 && v[0] == '#' {
		v = "#" + strings.Repeat(v[1:2], 2) + strings.Repeat(v[2:3], 2) + strings.Repeat(v[3:4], 2)
	}
	if n, err := strconv.ParseUint(strings.TrimPrefix(v, "#"), 16, 32); err == nil && len(v) == 7 && v[0] == '#' {
		return channel(int(n>>16)) + " " + channel(int(n>>8&0xff)) + " " + channel(int(n&0xff)), nil
	}
	return "", fmt.Errorf("colour %q is not drawn", v)
}

// size reads what of the plane is shown, and moves it to the origin.
func (d *drawing) size(out *strings.Builder, set map[string]string) error {
	box := []float64{0, 0, 0, 0}
	if v := set["viewBox"]; v != "" {
		n, err := numbers(v)
		if err != nil || len(n) != 4 {
			return fmt.Errorf("viewBox %q", v)
		}
		box = n
	} else {
		for i, name := range []string{"width", "height"} {
			n, err := strconv.ParseFloat(strings.TrimSuffix(set[name], "px"), 64)
			if err != nil {
				return errors.New("has no size")
			}
			box[2+i] = n
		}
	}
	d.width, d.height = box[2], box[3]
	fmt.Fprintf(out, "0 0 %s %s re W n 1 0 0 1 %s %s cm\n", decimal(d.width), decimal(d.height),
		decimal(-box[0]), decimal(-box[1]))
	return nil
}

// transform writes transforms, the first of which is the outermost.
func transform(out *strings.Builder, v string) error {
	for v = strings.Trim(v, " ,\n\t"); v != ""; v = strings.Trim(v, " ,\n\t") {
		name, rest, ok := strings.Cut(v, "(")
		inner, after, closed := strings.Cut(rest, ")")
		n, err := numbers(inner)
		if !ok || !closed || err != nil || len(n) == 0 {
			return fmt.Errorf("transform %q", v)
		}
		v = after
		at := func(i int, other float64) float64 {
			if i < len(n) {
				return n[i]
			}
			return other
		}
		var m [6]float64
		switch name = strings.TrimSpace(name); {
		case name == "translate":
			m = [6]float64{1, 0, 0, 1, n[0], at(1, 0)}
		case name == "scale":
			m = [6]float64{n[0], 0, 0, at(1, n[0]), 0, 0}
		case name == "rotate":
			sin, cos := math.Sincos(n[0] * math.Pi / 180)
			x, y := at(1, 0), at(2, 0)
			m = [6]float64{cos, sin, -sin, cos, x - x*cos + y*sin, y - x*sin - y*cos}
		case name == "matrix" && len(n) == 6:
			copy(m[:], n)
		default:
			return fmt.Errorf("transform %s is not drawn", name)
		}
		for _, c := range m {
			out.WriteString(strconv.FormatFloat(math.Round(c*1e6)/1e6, 'f', -1, 64) + " ")
		}
		out.WriteString("cm\n")
	}
	return nil
}

// shape writes one shape, filled and drawn.
func shape(out *strings.Builder, name string, set map[string]string, p paint) error {
	path, err := outlineOf(name, set)
	if err != nil {
		return err
	}
	if name == "line" {
		p.fill = ""
	}
	var operator string
	switch {
	case p.fill != "" && p.stroke != "":
		operator = "B"
	case p.fill != "":
		operator = "f"
	case p.stroke != "":
		operator = "S"
	default:
		return nil
	}
	if p.fill != "" {
		fmt.Fprintf(out, "%s rg ", p.fill)
		if p.evenOdd {
			operator += "*"
		}
	}
	if p.stroke != "" {
		fmt.Fprintf(out, "%s RG %s w %d J %d j ", p.stroke, decimal(p.width), p.cap, p.join)
	}
	fmt.Fprintf(out, "%s%s\n", path, operator)
	return nil
}

// outlineOf is the path of a shape.
func outlineOf(name string, set map[string]string) (string, error) {
	var wrong error
	n := func(attribute string) float64 {
		if set[attribute] == "" {
			return 0
		}
		v, err := strconv.ParseFloat(strings.TrimSuffix(set[attribute], "px"), 64)
		if err != nil {
			wrong = fmt.Errorf("%s of %s: %w", attribute, name, err)
		}
		return v
	}
	var pen svgPen
	switch name {
	case "path":
		if err := pen.follow(set["d"]); err != nil {
			return "", err
		}
	case "rect":
		rx, ry := n("rx"), n("ry")
		if set["ry"] == "" {
			ry = rx
		} else if set["rx"] == "" {
			rx = ry
		}
		pen.rect(n("x"), n("y"), n("width"), n("height"), rx, ry)
	case "circle":
		r := n("r")
		pen.rect(n("cx")-r, n("cy")-r, 2*r, 2*r, r, r)
	case "ellipse":
		pen.rect(n("cx")-n("rx"), n("cy")-n("ry"), 2*n("rx"), 2*n("ry"), n("rx"), n("ry"))
	case "line":
		pen.move(n("x1"), n("y1"))
		pen.line(n("x2"), n("y2"))
	case "polyline", "polygon":
		points, err := numbers(set["points"])
		if err != nil || len(points) < 4 {
			return "", fmt.Errorf("points of %s", name)
		}
		pen.move(points[0], points[1])
		for i := 2; i+1 < len(points); i += 2 {
			pen.line(points[i], points[i+1])
		}
		if name == "polygon" {
			pen.close()
		}
	default:
		return "", fmt.Errorf("<%s> is not drawn", name)
	}
	return pen.out.String(), wrong
}
