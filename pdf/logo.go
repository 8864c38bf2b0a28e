package pdf

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // logos come as JPEG
	"image/png"

	"codeberg.org/go-pdf/fpdf"
)

// logo is the brand's picture as papers take it: drawn, or as a PNG without
// transparency, which goes into a PDF as it is.
type logo struct {
	drawing       *drawing
	png           []byte
	width, height float64 // in the picture's own units
}

// The most room that a logo takes at the head of a paper, in millimetres.
const (
	logoHeight = 13.0
	logoWidth  = 42.0
)

// newLogo reads a logo: SVG, PNG or JPEG. Nil where there is none, or one that
// cannot be drawn: then the name stands in words alone.
func newLogo(data []byte) *logo {
	if len(data) == 0 {
		return nil
	}
	if picture, _, err := image.Decode(bytes.NewReader(data)); err == nil {
		size := picture.Bounds()
		flat := image.NewRGBA(image.Rect(0, 0, size.Dx(), size.Dy()))
		draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(flat, flat.Bounds(), picture, size.Min, draw.Over)
		var out bytes.Buffer
		if err := png.Encode(&out, flat); err != nil || size.Empty() {
			return nil
		}
		return &logo{png: out.Bytes(), width: float64(size.Dx()), height: float64(size.Dy())}
	}
	if d, err := readSVG(data); err == nil {
		return &logo{drawing: d, width: d.width, height: d.height}
	}
	return nil
}

// logo prints the logo with its upper left corner at x, y, and returns how wide
// it is: 0 where there is none.
func (s *sheet) logo(x, y float64) float64 {
	l := s.press.logo
	if l == nil {
		return 0
	}
	scale := min(logoHeight/l.height, logoWidth/l.width)
	if l.drawing != nil {
		k := s.GetConversionRatio()
		s.RawWriteStr(fmt.Sprintf("q %s 0 0 %s %s %s cm\n%sQ", decimal(scale*k), decimal(-scale*k), decimal(x*k),
			decimal((pageHeight-y)*k), l.drawing.operators))
	} else {
		options := fpdf.ImageOptions{ImageType: "PNG"}
		s.RegisterImageOptionsReader("logo", options, bytes.NewReader(l.png))
		s.ImageOptions("logo", x, y, l.width*scale, l.height*scale, false, options, 0, "")
	}
	return l.width * scale
}
