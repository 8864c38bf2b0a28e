package realtime

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"portal.example/portal"
)

// The first byte of a whole, unfragmented frame (RFC 6455, section 5.2).
const (
	finText = 0x81
	finPing = 0x89
)

// headerSpace is what the longest header of an unmasked frame needs.
const headerSpace = 10

// pingFrame has no payload: one ping is under way at a time.
func pingFrame() []byte { return []byte{finPing, 0} }

func isText(frame []byte) bool { return frame[0] == finText }

// seal turns a buffer that began with headerSpace free bytes into a frame.
func seal(b []byte) []byte {
	n := len(b) - headerSpace
	at := headerSpace - 2
	switch {
	case n < 126:
		b[at+1] = byte(n)
	case n < 1<<16:
		at -= 2
		b[at+1] = 126
		binary.BigEndian.PutUint16(b[at+2:], uint16(n))
	default:
		at -= 8
		b[at+1] = 127
		binary.BigEndian.PutUint64(b[at+2:], uint64(n))
	}
	b[at] = finText
	return b[at:]
}

func helloFrame(c portal.Cursor) []byte {
	b := append(make([]byte, headerSpace, headerSpace+32+len(c)), `{"hello":{"cursor":`...)
	b = appendString(b, string(c))
	return seal(append(b, "}}"...))
}

// resyncFrame says that something is missing. The cursor is where the client
// stands once it has read everything again; left out while there is none.
func resyncFrame(c portal.Cursor) []byte {
	b := append(make([]byte, headerSpace, headerSpace+32+len(c)), `{"resync":true`...)
	if c != "" {
		b = appendString(append(b, `,"cursor":`...), string(c))
	}
	return seal(append(b, '}'))
}

// eventsFrame takes events as appendEvent made them.
func eventsFrame(c portal.Cursor, events ...[]byte) []byte {
	n := headerSpace + 32 + len(c)
	for _, e := range events {
		n += len(e) + 1
	}
	b := append(make([]byte, headerSpace, n), `{"cursor":`...)
	b = appendString(b, string(c))
	b = append(b, `,"events":[`...)
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e...)
	}
	return seal(append(b, "]}"...))
}

// appendEvent adds an event as clients read it. Members of its data are merged
// in, but never over the event's own and never a customer's id.
func appendEvent(b []byte, e portal.Event) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), e.ID, 10)
	b = appendString(append(b, `,"kind":`...), string(e.Kind))
	b = appendString(append(b, `,"ref":`...), e.Ref)
	b = e.At.UTC().AppendFormat(append(b, `,"at":"`...), "2006-01-02T15:04:05.000Z07:00")
	b = append(b, '"')
	var members map[string]json.RawMessage
	if len(e.Data) > 0 && json.Unmarshal(e.Data, &members) == nil {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			switch name {
			case "id", "kind", "ref", "at", "customer_id":
				continue
			}
			b = appendString(append(b, ','), name)
			b = append(append(b, ':'), members[name]...)
		}
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // cannot be: every string has a JSON form
		return append(b, `""`...)
	}
	return append(b, quoted...)
}
