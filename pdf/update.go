package pdf

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// fileEnd is what a finished PDF says of itself at its end.
type fileEnd struct {
	size       int    // of its table of objects
	root, info string // references
	start      int    // where the table is
	resources  []byte // what object 2 is
}

var (
	endStart = regexp.MustCompile(`startxref\n(\d+)\n%%EOF\s*$`)
	endSize  = regexp.MustCompile(`/Size (\d+)\n/Root (\d+ 0 R)\n/Info (\d+ 0 R)`)
)

// readEnd reads the end of a paper as the library writes it, and its resources.
func readEnd(paper []byte) (end fileEnd, err error) {
	broken := fmt.Errorf("its end is not as the library writes it")
	m := endStart.FindSubmatch(paper[max(0, len(paper)-64):])
	if m == nil {
		return end, broken
	}
	end.start, _ = strconv.Atoi(string(m[1]))
	if end.start >= len(paper) {
		return end, broken
	}
	table := paper[end.start:]
	if m = endSize.FindSubmatch(table); m == nil {
		return end, broken
	}
	end.size, _ = strconv.Atoi(string(m[1]))
	end.root, end.info = string(m[2]), string(m[3])
	// "xref", "0 n", then twenty bytes an object, the first of which is none
	rows := bytes.SplitN(table, []byte("\n"), 6)
	if len(rows) < 6 || len(rows[4]) < 10 {
		return end, broken
	}
	at, err := strconv.Atoi(string(rows[4][:10]))
	if err != nil || at >= end.start {
		return end, broken
	}
	object, _, ok := bytes.Cut(paper[at:], []byte("\nendobj"))
	head := []byte("2 0 obj\n")
	if !ok || !bytes.HasPrefix(object, head) {
		return end, broken
	}
	end.resources = object[len(head):]
	return end, nil
}

// update continues a PDF behind its end with further objects and new versions of
// old ones (ISO 32000-1, 7.5.6).
type update struct {
	out    []byte
	next   int         // number of the next new object
	places map[int]int // of each object written
}

// add writes a new object and returns its number.
func (u *update) add(object string) int {
	n := u.next
	u.next++
	u.write(n, object)
	return n
}

// write writes an object of a number.
func (u *update) write(n int, object string) {
	if u.places == nil {
		u.places = map[int]int{}
	}
	u.places[n] = len(u.out)
	u.out = append(u.out, fmt.Sprintf("%d 0 obj\n%s\nendobj\n", n, object)...)
}

// close writes the table of what was written, and the new end.
func (u *update) close(end fileEnd) []byte {
	start := len(u.out)
	var numbers []int
	for n := range u.places {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	u.out = append(u.out, "xref\n"...)
	for i := 0; i < len(numbers); {
		run := i + 1
		for run < len(numbers) && numbers[run] == numbers[run-1]+1 {
			run++
		}
		u.out = append(u.out, fmt.Sprintf("%d %d\n", numbers[i], run-i)...)
		for _, n := range numbers[i:run] {
			u.out = append(u.out, fmt.Sprintf("%010d 00000 n \n", u.places[n])...)
		}
		i = run
	}
	return append(u.out, fmt.Sprintf("trailer\n<<\n/Size %d\n/Root %s\n/Info %s\n/Prev %d\n>>\nstartxref\n%d\n%%%%EOF\n",
		u.next, end.root, end.info, end.start, start)...)
}
