// Package realtime brings events to browsers: who hears what, over websockets.
// A Hub takes the batches of an event source and gives each socket the events
// that concern it, in order; it replays what a socket missed, and closes those
// that read too slowly rather than wait for them.
//
// Where events come from is listener's affair, who somebody is http's, and what
// the events say the triggers'.
package realtime

import (
	"encoding/json"
	"strconv"
	"time"

	"portal.example/portal"
)

// Closing codes of GET /live, a contract with the pages: each says whether to
// come back.
const (
	CloseSessionEnded = 4001 // log in again
	CloseNotAllowed   = 4003 // do not come back
	CloseTooSlow      = 4008 // come back with the cursor
	CloseRestarting   = 1012 // come back, with jitter
)

// appendEvent writes an event as the pages get it: what it is about, and the
// members of its data. The customer is not said.
func appendEvent(b []byte, e portal.Event) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, e.ID, 10)
	b = append(b, `,"kind":`...)
	b = appendString(b, string(e.Kind))
	b = append(b, `,"ref":`...)
	b = appendString(b, e.Ref)
	b = append(b, `,"at":"`...)
	b = e.At.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	b = append(b, '"')
	if n := len(e.Data); n > 2 && e.Data[0] == '{' && e.Data[n-1] == '}' {
		b = append(b, ',')
		b = append(b, e.Data[1:n-1]...)
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always can be
		return append(b, `""`...)
	}
	return append(b, quoted...)
}

// eventsFrame is {"cursor":…,"events":[…]}. Without a cursor it moves nobody's
// position: more of the same batch follows.
func eventsFrame(cursor portal.Cursor, events []portal.Event) []byte {
	b := make([]byte, 0, 64+96*len(events))
	b = append(b, '{')
	if cursor != "" {
		b = append(b, `"cursor":`...)
		b = appendString(b, string(cursor))
		b = append(b, ',')
	}
	b = append(b, `"events":[`...)
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEvent(b, e)
	}
	return append(b, `]}`...)
}

func helloFrame(cursor portal.Cursor) []byte {
	return append(appendString([]byte(`{"hello":{"cursor":`), string(cursor)), `}}`...)
}

func resyncFrame(cursor portal.Cursor) []byte {
	return append(appendString([]byte(`{"resync":true,"cursor":`), string(cursor)), '}')
}

// Stats are what operators may want to know of a hub.
type Stats struct {
	Sockets    int
	QueueBytes int64 // waiting to be written, over all sockets
	Frames     int64 // written since the start
	SlowClosed int64
	Resyncs    int64
	LastBatch  time.Time
}
