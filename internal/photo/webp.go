package photo

import (
	"bytes"
	"encoding/binary"
)

// cleanWebP copies the chunks that make the picture (RFC 9649) and reads its
// sides from them; Exif and XMP are left out, and so is what follows the end.
func cleanWebP(data []byte) (clean []byte, width, height int, err error) {
	if len(data) < 20 {
		return nil, 0, 0, ErrDamaged
	}
	size := int64(binary.LittleEndian.Uint32(data[4:])) + 8
	if size > int64(len(data)) {
		return nil, 0, 0, ErrDamaged
	}
	data = data[:size]
	var body bytes.Buffer
	picture := false
	for at := 12; at+8 <= len(data); {
		n := int64(binary.LittleEndian.Uint32(data[at+4:]))
		end := int64(at) + 8 + n
		if end > int64(len(data)) {
			return nil, 0, 0, ErrDamaged
		}
		kind, payload := string(data[at:at+4]), data[at+8:end]
		at = int(end + n&1)
		w, h := 0, 0
		switch kind {
		case "VP8X":
			if len(payload) < 10 {
				return nil, 0, 0, ErrDamaged
			}
			payload = bytes.Clone(payload[:10])
			payload[0] &^= 0x0c // no Exif, no XMP any more
			w, h = 1+int(payload[4])+int(payload[5])<<8+int(payload[6])<<16,
				1+int(payload[7])+int(payload[8])<<8+int(payload[9])<<16
		case "VP8 ":
			if len(payload) < 10 || payload[3] != 0x9d || payload[4] != 0x01 || payload[5] != 0x2a {
				return nil, 0, 0, ErrDamaged
			}
			picture = true
			w, h = int(binary.LittleEndian.Uint16(payload[6:])&0x3fff), int(binary.LittleEndian.Uint16(payload[8:])&0x3fff)
		case "VP8L":
			if len(payload) < 5 || payload[0] != 0x2f {
				return nil, 0, 0, ErrDamaged
			}
			picture = true
			bits := binary.LittleEndian.Uint32(payload[1:])
			w, h = 1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)
		case "ANMF":
			picture = true
		case "ICCP", "ANIM", "ALPH":
		default:
			continue
		}
		if width == 0 {
			width, height = w, h
		}
		body.WriteString(kind)
		_ = binary.Write(&body, binary.LittleEndian, uint32(len(payload))) // a buffer does not fail
		body.Write(payload)
		if len(payload)&1 == 1 {
			body.WriteByte(0)
		}
	}
	if !picture {
		return nil, 0, 0, ErrDamaged
	}
	out := append([]byte("RIFF"), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(out[4:], uint32(body.Len()+4))
	out = append(out, "WEBP"...)
	return append(out, body.Bytes()...), width, height, nil
}
