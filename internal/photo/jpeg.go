package photo

import (
	"bytes"
	"encoding/binary"
)

// cleanJPEG copies the segments that make the picture: tables, frames, scans,
// the colour profile, and how the camera was turned. Everything else that cameras
// and programs write (place, time, serial numbers, previews, comments) is left
// out. The segments are those of ITU-T T.81, annex B.
func cleanJPEG(data []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Write(data[:2]) // SOI
	var turned uint16
	at, pictures := 2, 0
	body := bytes.Buffer{}
	for {
		// fill bytes may stand before a marker
		for at < len(data) && data[at] == 0xff && at+1 < len(data) && data[at+1] == 0xff {
			at++
		}
		if at+4 > len(data) || data[at] != 0xff {
			if at+2 <= len(data) && data[at] == 0xff && data[at+1] == 0xd9 {
				break
			}
			return nil, ErrDamaged
		}
		marker := data[at+1]
		if marker == 0xd9 { // EOI: what follows is none of the picture
			break
		}
		size := int(binary.BigEndian.Uint16(data[at+2:]))
		if size < 2 || at+2+size > len(data) {
			return nil, ErrDamaged
		}
		segment := data[at : at+2+size]
		at += 2 + size
		switch {
		case marker == 0xe1:
			if o := orientation(segment[4:]); o > 1 {
				turned = o
			}
		case marker == 0xe0 && bytes.HasPrefix(segment[4:], []byte("JFIF\x00")):
			if len(segment) >= 18 { // without the preview that may stand in it
				jfif := append([]byte{0xff, 0xe0, 0, 16}, segment[4:16]...)
				body.Write(append(jfif, 0, 0))
			}
		case marker == 0xe2 && bytes.HasPrefix(segment[4:], []byte("ICC_PROFILE\x00")),
			marker == 0xee && bytes.HasPrefix(segment[4:], []byte("Adobe")),
			marker == 0xdb, marker == 0xc4, marker == 0xcc, marker == 0xdd, marker == 0xdc,
			marker >= 0xc0 && marker <= 0xcf && marker != 0xc8:
			body.Write(segment)
		case marker == 0xda:
			pictures++
			body.Write(segment)
			// the scan: up to a marker that is neither a stuffed zero nor a restart
			end := at
			for end+1 < len(data) && (data[end] != 0xff || data[end+1] == 0 || data[end+1] >= 0xd0 && data[end+1] <= 0xd7) {
				end++
			}
			if end+1 >= len(data) {
				return nil, ErrDamaged
			}
			body.Write(data[at:end])
			at = end
		}
	}
	if pictures == 0 {
		return nil, ErrDamaged
	}
	if turned > 1 && turned <= 8 {
		// Exif with one entry: tag 0x0112, one short
		out.Write([]byte{0xff, 0xe1, 0, 34})
		out.WriteString("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00")
		out.Write([]byte{byte(turned), 0, 0, 0, 0, 0, 0})
	}
	out.Write(body.Bytes())
	out.Write([]byte{0xff, 0xd9})
	return out.Bytes(), nil
}

// orientation reads tag 0x0112 of an Exif segment's first directory; 0 where
// there is none.
func orientation(exif []byte) uint16 {
	tiff, ok := bytes.CutPrefix(exif, []byte("Exif\x00\x00"))
	if !ok || len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > len(tiff) {
		return 0
	}
	entries := int(order.Uint16(tiff[at:]))
	for i := range entries {
		e := at + 2 + 12*i
		if e+12 > len(tiff) {
			return 0
		}
		if order.Uint16(tiff[e:]) == 0x0112 {
			return order.Uint16(tiff[e+8:])
		}
	}
	return 0
}
