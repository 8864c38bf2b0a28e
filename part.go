package portal

import "fmt"

// Part says how much of a document's lines is done. Quantities of several units
// of measure do not add up: cases and pieces make no sum. Lines are counted then.
type Part struct {
	MixedUnits bool `json:"-"` // whether the lines have more than one unit
	PartLines  int  `json:"-"` // lines that count: all but those cancelled whole
	WholeLines int  `json:"-"` // of those, done in full
}

// of is "6 of 10", or "2 of 5 lines in full" where the units differ. The
// quantities are over all lines.
func (p Part) of(done, all Qty) string {
	if p.MixedUnits {
		return fmt.Sprintf("%d of %d lines in full", p.WholeLines, p.PartLines)
	}
	return done.Shown() + " of " + all.Shown()
}
