// Package photo takes a file that somebody says is a photo and gives back one
// that is safe to keep and to show: JPEG, PNG or WebP by its content, whatever
// it is called, of bounded sides, without what cameras write about place and
// person, and without anything after its end.
//
// Pixels are copied as they are, not coded anew. It keeps nothing and knows
// nothing of requests.
package photo

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // for image.DecodeConfig
	_ "image/png"
	"net/http"
)

// MaxBytes is the largest file, and MaxSide the longest side in pixels.
const (
	MaxBytes = 5 << 20
	MaxSide  = 16_000
)

// What is wrong with a file. The texts are for the visitor.
var (
	ErrTooLarge = errors.New("larger than 5 MB")
	ErrKind     = errors.New("not a photo: send JPEG, PNG or WebP")
	ErrHEIC     = errors.New("a HEIC photo, which browsers cannot show: send it as JPEG")
	ErrDamaged  = errors.New("damaged, or not the photo that it says it is")
	ErrSides    = errors.New("too many pixels")
)

// Photo is a cleaned photo.
type Photo struct {
	MediaType     string // image/jpeg, image/png, image/webp
	Width, Height int    // as stored, before a camera's turning
	Data          []byte
}

// Clean reads a file. The errors are the ones above.
func Clean(data []byte) (Photo, error) {
	if len(data) > MaxBytes {
		return Photo{}, ErrTooLarge
	}
	if len(data) > 12 && string(data[4:8]) == "ftyp" {
		switch string(data[8:12]) {
		case "heic", "heix", "hevc", "mif1", "msf1", "heim", "heis":
			return Photo{}, ErrHEIC
		}
	}
	p := Photo{MediaType: http.DetectContentType(data)}
	var err error
	switch p.MediaType {
	case "image/jpeg":
		p.Data, err = cleanJPEG(data)
	case "image/png":
		p.Data, err = cleanPNG(data)
	case "image/webp":
		p.Data, p.Width, p.Height, err = cleanWebP(data)
	default:
		return Photo{}, ErrKind
	}
	if err != nil {
		return Photo{}, err
	}
	if p.MediaType != "image/webp" {
		config, format, err := image.DecodeConfig(bytes.NewReader(p.Data))
		if err != nil || "image/"+format != p.MediaType {
			return Photo{}, ErrDamaged
		}
		p.Width, p.Height = config.Width, config.Height
	}
	switch {
	case p.Width <= 0 || p.Height <= 0:
		return Photo{}, ErrDamaged
	case p.Width > MaxSide || p.Height > MaxSide || p.Width*p.Height > 100_000_000:
		return Photo{}, ErrSides
	}
	return p, nil
}
