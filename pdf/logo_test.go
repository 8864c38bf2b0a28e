package pdf_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"strings"
	"testing"

	"portal.example/portal/pdf"
)

// seen is the paper's first page in colours, 50 points to the inch.
func seen(t *testing.T, paper []byte) image.Image {
	t.Helper()
	command := exec.CommandContext(t.Context(), "pdftoppm", "-r", "50", "-f", "1", "-l", "1", "-png", "-")
	command.Stdin = bytes.NewReader(paper)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("pdftoppm (make setup installs it): %v", err)
	}
	picture, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// A logo stands at the head of a paper, in its colours; one that cannot be drawn
// leaves the name in words.
func TestLogo(t *testing.T) {
	t.Parallel()
	red := image.NewNRGBA(image.Rect(0, 0, 60, 30))
	for i := range red.Pix {
		red.Pix[i] = []uint8{255, 0, 0, 255}[i%4]
	}
	var asPNG, asJPEG bytes.Buffer
	if err := png.Encode(&asPNG, red); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&asJPEG, red, nil); err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("../http/page/brand/logo.svg")
	if err != nil {
		t.Fatal(err)
	}
	svg := func(inner string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">` + inner + `</svg>`
	}
	for name, c := range map[string]struct {
		logo  string
		color color.RGBA // of the page 5 mm right of and below the logo's corner; the zero: white
	}{
		"png":     {asPNG.String(), color.RGBA{R: 255}},
		"jpeg":    {asJPEG.String(), color.RGBA{R: 254}},
		"our own": {string(own), color.RGBA{R: 0x0e, G: 0x61, B: 0x73}},
		"path": {svg(`<g transform="translate(2 2) scale(2)" fill="#f00"><path d="M0 0h14v7a7 7 0 0 1-14 0z"/></g>`),
			color.RGBA{R: 255}},
		"circle":        {svg(`<circle cx="16" cy="16" r="15" style="fill:red;stroke:none"/>`), color.RGBA{R: 255}},
		"nothing there": {"", color.RGBA{}},
		"text":          {svg(`<rect width="32" height="32" fill="red"/><text>A</text>`), color.RGBA{}},
		"gradient":      {svg(`<rect width="32" height="32" fill="url(#g)"/>`), color.RGBA{}},
		"half a path":   {svg(`<path fill="red" d="M0 0h32v32h-"/>`), color.RGBA{}},
		"no picture":    {"<html></html>", color.RGBA{}},
	} {
		branded := head
		branded.Logo = []byte(c.logo)
		press := pdf.New(branded)
		paper, err := press.StatementPDF(statement(3))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, _ := press.StatementPDF(statement(3))
		if !bytes.Equal(paper, again) {
			t.Errorf("%s: printed again it has other bytes", name)
		}
		if !strings.Contains(read(t, paper)[0], head.Name) {
			t.Errorf("%s: the name is gone", name)
		}
		if c.color == (color.RGBA{}) {
			continue // words stand there
		}
		r, g, b, _ := seen(t, paper).At(39, 42).RGBA()
		near := func(a uint32, want uint8) bool { return a>>8+3 > uint32(want) && a>>8 < uint32(want)+3 }
		if !near(r, c.color.R) || !near(g, c.color.G) || !near(b, c.color.B) {
			t.Errorf("%s: the logo's place is #%02x%02x%02x", name, r>>8, g>>8, b>>8)
		}
	}
}
