package sheet

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// A form carries the tables that were read, so that a question about them can be
// answered without sending the file again, and without the server keeping it.

const (
	carryVersion = 2
	mostCarried  = 24 << 20 // bytes of text of all tables
)

var errCarry = errors.New("the rows got lost on the way; send the file again")

// Carry writes tables as text for a form.
func Carry(tables []Table) string {
	var packed bytes.Buffer
	z, _ := flate.NewWriter(&packed, flate.BestSpeed) // the level is a valid one
	w := bufio.NewWriter(z)
	number := func(n int) {
		_, _ = w.Write(binary.AppendUvarint(nil, uint64(n)))
	}
	text := func(s string) {
		number(len(s))
		_, _ = w.WriteString(s)
	}
	flags := func(list ...bool) (n int) {
		for i, is := range list {
			if is {
				n |= 1 << i
			}
		}
		return n
	}
	number(carryVersion)
	number(len(tables))
	for _, t := range tables {
		text(t.Name)
		number(flags(t.Hidden, t.More, t.Separated))
		number(len(t.Rows))
		for _, row := range t.Rows {
			number(row.No)
			number(len(row.Cells))
			for _, c := range row.Cells {
				number(int(c.Kind)<<3 | flags(c.Money, c.Formula, c.Unlike))
				number(int(c.places) + 1)
				text(c.Text)
			}
		}
	}
	_ = w.WriteByte('.') // all of it goes into memory
	_ = w.Flush()
	_ = z.Close()
	return base64.RawStdEncoding.EncodeToString(packed.Bytes())
}

// Carried reads what Carry wrote, under the limits of a file.
func Carried(s string) ([]Table, error) {
	c := carried{r: bufio.NewReader(flate.NewReader(base64.NewDecoder(base64.RawStdEncoding, strings.NewReader(s)))),
		room: mostCarried}
	if len(s) > MaxBytes || c.number(carryVersion) != carryVersion {
		return nil, errCarry
	}
	cells := 0
	tables := make([]Table, c.number(maxReadings))
	for i := range tables {
		t := &tables[i]
		t.Name = c.text()
		flags := c.number(7)
		t.Hidden, t.More, t.Separated = flags&1 > 0, flags&2 > 0, flags&4 > 0
		for n := c.number(maxCells); n > 0 && c.err == nil; n-- {
			row := Row{No: c.number(1 << 30)}
			width := c.number(MaxColumns)
			if cells += width; cells > 2*maxCells {
				return nil, errCarry
			}
			for range width {
				flags := c.number(int(Fault)<<3 | 7)
				row.Cells = append(row.Cells, Cell{Kind: Kind(flags >> 3), Money: flags&1 > 0, Formula: flags&2 > 0,
					Unlike: flags&4 > 0, places: int8(c.number(101) - 1), Text: c.text()})
			}
			if width > 0 {
				t.Rows = append(t.Rows, row)
			}
		}
	}
	if end, err := c.r.ReadByte(); c.err != nil || err != nil || end != '.' || len(tables) == 0 {
		return nil, errCarry
	}
	return tables, nil
}

// carried reads numbers and texts; after the first error all are nothing.
type carried struct {
	r    *bufio.Reader
	room int
	err  error
}

func (c *carried) number(most int) int {
	if c.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(c.r)
	if err != nil || n > uint64(most) {
		c.err = errCarry
		return 0
	}
	return int(n)
}

func (c *carried) text() string {
	n := c.number(maxCell + 4)
	if c.room -= n; c.err != nil || c.room < 0 {
		c.err = errCarry
		return ""
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.r, b); err != nil {
		c.err = errCarry
		return ""
	}
	return clean(string(b))
}
