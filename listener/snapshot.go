package listener

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"portal.example/portal"
)

// snapshot is the pg_snapshot of a cursor: which transactions had committed.
type snapshot struct {
	xmin, xmax uint64   // all below xmin are over, none from xmax on has begun
	running    []uint64 // those in between that are not over, ascending
	epoch      string
}

func parseSnapshot(c portal.Cursor) (snapshot, error) {
	text, epoch := c.Split()
	s := snapshot{epoch: epoch}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("cursor %q is not a snapshot", c)
	}
	numbers := parts[:2]
	if parts[2] != "" {
		numbers = append(numbers, strings.Split(parts[2], ",")...)
	}
	for i, text := range numbers {
		xid, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return s, fmt.Errorf("cursor %q is not a snapshot: %w", c, err)
		}
		switch i {
		case 0:
			s.xmin = xid
		case 1:
			s.xmax = xid
		default:
			s.running = append(s.running, xid)
		}
	}
	return s, nil
}

// sees reports whether what a transaction did is visible in the snapshot. It
// must be one that commits: of others it says nothing.
func (s snapshot) sees(xid uint64) bool {
	if xid < s.xmin {
		return true
	}
	if xid >= s.xmax {
		return false
	}
	_, running := slices.BinarySearch(s.running, xid)
	return !running
}

// below is the cursor that sees what the snapshot does of the transactions
// below xmax, and none of the others.
func (s snapshot) below(xmax uint64) portal.Cursor {
	xmax = min(xmax, s.xmax)
	var running []string
	for _, xid := range s.running {
		if xid < xmax {
			running = append(running, strconv.FormatUint(xid, 10))
		}
	}
	return portal.CursorOf(fmt.Sprintf("%d:%d:%s", min(s.xmin, xmax), xmax, strings.Join(running, ",")), s.epoch)
}
