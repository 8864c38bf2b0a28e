package portal

import (
	"slices"
	"strconv"
	"strings"
)

// Snapshot is which transactions had committed at a moment, as the text of a
// pg_snapshot says it (PostgreSQL, "pg_snapshot Components"): all below Xmin,
// none from Xmax on, and between them those that are not in Running.
type Snapshot struct {
	Xmin, Xmax uint64
	Running    []uint64 // ascending
}

// Snapshot reads the cursor's snapshot; false if it has none.
func (c Cursor) Snapshot() (s Snapshot, ok bool) {
	text, _ := c.Split()
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return Snapshot{}, false
	}
	var errMin, errMax error
	s.Xmin, errMin = strconv.ParseUint(parts[0], 10, 64)
	s.Xmax, errMax = strconv.ParseUint(parts[1], 10, 64)
	if errMin != nil || errMax != nil || s.Xmin > s.Xmax {
		return Snapshot{}, false
	}
	if parts[2] == "" {
		return s, true
	}
	for xid := range strings.SplitSeq(parts[2], ",") {
		n, err := strconv.ParseUint(xid, 10, 64)
		if err != nil || n < s.Xmin || n >= s.Xmax {
			return Snapshot{}, false
		}
		s.Running = append(s.Running, n)
	}
	return s, slices.IsSorted(s.Running)
}

// Shows reports whether what a transaction wrote is visible in the snapshot,
// provided that it committed at all.
func (s Snapshot) Shows(xid uint64) bool {
	if xid < s.Xmin {
		return true
	}
	if xid >= s.Xmax {
		return false
	}
	_, running := slices.BinarySearch(s.Running, xid)
	return !running
}

// Holds reports whether all that is visible in an earlier snapshot is visible in
// this one, so that from there to here nothing is lost by starting at the
// earlier one.
func (s Snapshot) Holds(earlier Snapshot) bool {
	if s.Xmax < earlier.Xmax {
		return false
	}
	return !slices.ContainsFunc(s.Running, earlier.Shows)
}

// Below is the snapshot that shows what this one does of the transactions below
// xmax, and none of the others.
func (s Snapshot) Below(xmax uint64) Snapshot {
	out := Snapshot{Xmin: min(s.Xmin, xmax), Xmax: min(s.Xmax, xmax)}
	for _, xid := range s.Running {
		if xid < out.Xmax {
			out.Running = append(out.Running, xid)
		}
	}
	return out
}

// String is its text as a pg_snapshot.
func (s Snapshot) String() string {
	running := make([]string, len(s.Running))
	for i, xid := range s.Running {
		running[i] = strconv.FormatUint(xid, 10)
	}
	return strconv.FormatUint(s.Xmin, 10) + ":" + strconv.FormatUint(s.Xmax, 10) + ":" + strings.Join(running, ",")
}
