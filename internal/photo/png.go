package photo

import (
	"bytes"
	"encoding/binary"
)

// pngChunks are those that make the picture; texts, times and Exif are not.
var pngChunks = map[string]bool{"IHDR": true, "PLTE": true, "IDAT": true, "tRNS": true, "gAMA": true, "cHRM": true,
	"sRGB": true, "iCCP": true, "sBIT": true, "bKGD": true, "pHYs": true}

// cleanPNG copies the chunks that make the picture, up to its end.
func cleanPNG(data []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Write(data[:8])
	picture := false
	for at := 8; at+12 <= len(data); {
		size := int(binary.BigEndian.Uint32(data[at:]))
		if size < 0 || size > len(data)-at-12 {
			return nil, ErrDamaged
		}
		chunk := data[at : at+12+size]
		at += 12 + size
		switch kind := string(chunk[4:8]); {
		case kind == "IEND":
			if !picture {
				return nil, ErrDamaged
			}
			out.Write(chunk[:12])
			return out.Bytes(), nil
		case pngChunks[kind]:
			picture = picture || kind == "IDAT"
			out.Write(chunk)
		}
	}
	return nil, ErrDamaged
}
