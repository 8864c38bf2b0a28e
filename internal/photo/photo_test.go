package photo_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"portal.example/portal/internal/photo"
)

func picture() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for x := range 40 {
		for y := range 30 {
			m.Set(x, y, color.RGBA{uint8(6 * x), uint8(8 * y), 90, 255})
		}
	}
	return m
}

func jpegOf(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exif says that the camera was turned, and where it was.
const exif = "Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x02\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x0f\x01\x02\x00\x05\x00\x00\x00SECRETPLACE"

func segment(marker byte, payload string) []byte {
	n := len(payload) + 2
	return append([]byte{0xff, marker, byte(n >> 8), byte(n)}, payload...)
}

// webp is a picture of 1 by 1, without loss.
var webp, _ = base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")

func riff(chunks ...string) []byte {
	body := "WEBP"
	for _, c := range chunks {
		body += c
	}
	return append([]byte{'R', 'I', 'F', 'F', byte(len(body)), 0, 0, 0}, body...)
}

func TestClean(t *testing.T) {
	t.Parallel()
	plain := jpegOf(t)
	camera := append([]byte{}, plain[:2]...)
	camera = append(camera, segment(0xe1, exif)...)
	camera = append(camera, segment(0xfe, "<script>SECRET</script>")...)
	camera = append(camera, plain[2:]...)
	camera = append(camera, "<html>SECRET after the end"...)
	pngText := append([]byte{}, pngOf(t)[:33]...)
	pngText = append(pngText, "\x00\x00\x00\x06tEXtSECRET"...)
	pngText = binary.BigEndian.AppendUint32(pngText, crc32.ChecksumIEEE([]byte("tEXtSECRET")))
	pngText = append(pngText, pngOf(t)[33:]...)
	pngText = append(pngText, "PK\x03\x04 SECRET"...)
	webpText := append(riff("VP8X\x0a\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00", string(webp[12:]),
		"EXIF\x06\x00\x00\x00SECRET"), "SECRET"...)

	for name, c := range map[string]struct {
		data          []byte
		media         string
		width, height int
	}{
		"jpeg":                  {plain, "image/jpeg", 40, 30},
		"jpeg of a camera":      {camera, "image/jpeg", 40, 30},
		"png":                   {pngOf(t), "image/png", 40, 30},
		"png with text":         {pngText, "image/png", 40, 30},
		"webp":                  {webp, "image/webp", 1, 1},
		"webp that tells place": {webpText, "image/webp", 1, 1},
	} {
		p, err := photo.Clean(c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.MediaType != c.media || p.Width != c.width || p.Height != c.height {
			t.Errorf("%s is %s of %d by %d", name, p.MediaType, p.Width, p.Height)
		}
		if bytes.Contains(p.Data, []byte("SECRET")) {
			t.Errorf("%s tells what it should not", name)
		}
		again, err := photo.Clean(p.Data)
		if err != nil || !bytes.Equal(again.Data, p.Data) {
			t.Errorf("%s cleaned twice is another (%v)", name, err)
		}
		if c.media == "image/webp" {
			continue
		}
		got, _, err := image.Decode(bytes.NewReader(p.Data))
		want, _, err2 := image.Decode(bytes.NewReader(c.data))
		if err != nil || err2 != nil {
			t.Fatalf("%s: %v %v", name, err, err2)
		}
		for x := range 40 {
			if got.At(x, 7) != want.At(x, 7) {
				t.Fatalf("%s: the pixel at %d is another", name, x)
			}
		}
	}
	turned, err := photo.Clean(camera)
	if err != nil || !bytes.Contains(turned.Data[:60],
		[]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06")) {
		t.Errorf("how the camera was turned is lost: %v", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	short := jpegOf(t)
	wide := bytes.Clone(pngOf(t))
	copy(wide[16:], []byte{0, 1, 0, 0}) // 65,536 pixels; its checksum is wrong now, too
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing": {nil, photo.ErrKind},
		"html":    {[]byte("<!doctype html><script>alert(1)</script>"), photo.ErrKind},
		"svg": {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
			photo.ErrKind},
		"a pdf":                 {[]byte("%PDF-1.7\n"), photo.ErrKind},
		"a gif":                 {[]byte("GIF89a\x01\x00\x01\x00"), photo.ErrKind},
		"html that begins JPEG": {[]byte("\xff\xd8\xff<html><script>alert(1)</script>"), photo.ErrDamaged},
		"half a jpeg":           {short[:len(short)/2], photo.ErrDamaged},
		"a jpeg's first bytes":  {short[:3], photo.ErrDamaged},
		"half a png":            {pngOf(t)[:60], photo.ErrDamaged},
		"a png without end":     {pngOf(t)[:len(pngOf(t))-12], photo.ErrDamaged},
		"a png that lies":       {wide, photo.ErrDamaged},
		"webp without picture":  {riff("VP8X\x0a\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00"), photo.ErrDamaged},
		"heic":                  {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), photo.ErrHEIC},
		"too large":             {append(bytes.Clone(short), make([]byte, photo.MaxBytes)...), photo.ErrTooLarge},
	} {
		if _, err := photo.Clean(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Whatever comes, it is cleaned or refused, and what is cleaned is cleaned again
// to the same.
func FuzzClean(f *testing.F) {
	f.Add(webp)
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x08Exif\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := photo.Clean(data)
		if err != nil {
			return
		}
		again, err := photo.Clean(p.Data)
		if err != nil || !bytes.Equal(again.Data, p.Data) || again.MediaType != p.MediaType {
			t.Errorf("cleaned twice: %v", err)
		}
	})
}
