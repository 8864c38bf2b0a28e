package realtime

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"portal.example/portal"
)

// A frame's header says its length in one of three ways.
func TestSeal(t *testing.T) {
	t.Parallel()
	for n, header := range map[int]string{
		0: "\x81\x00", 125: "\x81\x7d", 126: "\x81\x7e\x00\x7e", 65535: "\x81\x7e\xff\xff",
		65536: "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00",
	} {
		payload := strings.Repeat("x", n)
		if got := string(seal(append(make([]byte, headerSpace), payload...))); got != header+payload {
			t.Errorf("%d bytes: header %q", n, got[:min(len(got), headerSpace)])
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	if got := merge([]int{1, 4, 9}, []int{2, 3, 5}); !slices.Equal(got, []int{1, 2, 3, 4, 5, 9}) {
		t.Errorf("got %v", got)
	}
}

func FuzzParseWatch(f *testing.F) {
	for _, seed := range []string{`{"watch":["item:OIL5","item:RICE25"]}`, `{"watch":[]}`, `{"watch":null}`, `{}`, `[]`,
		"", `{"watch":["item:\u0000","order:1"]}`, `{"watch":["item:` + "\xff" + `"]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		refs, ok, err := parseWatch(raw)
		if err != nil && (ok || refs != nil) {
			t.Fatalf("%v with %v", err, refs)
		}
		if len(refs) > maxTopics || !slices.IsSorted(refs) {
			t.Fatalf("refs %v", refs)
		}
		for i, ref := range refs {
			if ref == "" || len(ref) > maxRef || !utf8.ValidString(ref) || strings.ContainsRune(ref, 0) || i > 0 &&
				ref == refs[i-1] {
				t.Fatalf("ref %q", ref)
			}
		}
	})
}

// Whatever a trigger writes, the frame is JSON and the event's own members stand.
func FuzzEvent(f *testing.F) {
	f.Add("SO-1", []byte(`{"status":"SHIPPED"}`))
	f.Add("\xff", []byte(`{"id":1,"ID":2,"customer_id":3}`))
	f.Add("", []byte(`[`))
	f.Fuzz(func(t *testing.T, ref string, data []byte) {
		frame := eventsFrame("1:1:",
			appendEvent(nil, portal.Event{ID: 7, Kind: portal.EventOrder, CustomerID: 9, Ref: ref, Data: data}))
		var got struct{ Events []map[string]any }
		payload := frame[2:]
		if frame[1] > 125 {
			payload = frame[4:]
		}
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatalf("%v in %q", err, payload)
		}
		e := got.Events[0]
		if e["id"] != 7.0 || e["kind"] != "order" || e["customer_id"] != nil {
			t.Fatalf("event %v", e)
		}
	})
}
