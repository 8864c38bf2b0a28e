package portal

import (
	"slices"
	"testing"
)

func TestSnapshot(t *testing.T) {
	s, ok := Cursor("10:20:12,15@e").Snapshot()
	if !ok || s.Xmin != 10 || s.Xmax != 20 || !slices.Equal(s.Running, []uint64{12, 15}) {
		t.Fatalf("%+v", s)
	}
	for xid, want := range map[uint64]bool{9: true, 10: true, 12: false, 13: true, 15: false, 19: true,
		20: false, 21: false} {
		if s.Shows(xid) != want {
			t.Errorf("%d: %v", xid, !want)
		}
	}
	for earlier, want := range map[Cursor]bool{
		"10:20:12,15": true, "8:9:": true, "10:21:12,15": false, "10:18:12,13,15": true, "10:20:12": false,
		"12:16:12,15": true, "16:16:": false,
	} {
		e, _ := earlier.Snapshot()
		if s.Holds(e) != want {
			t.Errorf("%s: %v", earlier, !want)
		}
	}
	for xmax, want := range map[uint64]string{30: "10:20:12,15", 15: "10:15:12", 12: "10:12:", 8: "8:8:"} {
		if got := s.Below(xmax).String(); got != want {
			t.Errorf("below %d: %s", xmax, got)
		}
	}
	for _, bad := range []Cursor{"", "7", "1:2", "1:2:3:4", "a:2:", "2:1:", "1:5:9", "1:5:0", "1:9:4,3", "1:5:x"} {
		if _, ok := bad.Snapshot(); ok {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzSnapshot(f *testing.F) {
	for _, seed := range []string{"10:20:12,15@e", "", "::", "1:2:1@", "18446744073709551615:18446744073709551615:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := Cursor(text).Snapshot()
		if ok && (s.Shows(s.Xmax) || (len(s.Running) > 0 && s.Shows(s.Running[0])) || !s.Holds(s)) {
			t.Errorf("%+v", s)
		}
	})
}
