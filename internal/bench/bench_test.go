package bench

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestLatency(t *testing.T) {
	t.Parallel()
	d := make([]time.Duration, 1000)
	for i := range d {
		d[999-i] = time.Duration(i+1) * time.Millisecond
	}
	want := Latency{Count: 1000, P50: 500 * time.Millisecond, P95: 950 * time.Millisecond,
		P99: 990 * time.Millisecond, Max: time.Second}
	if got := latency(d); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := latency([]time.Duration{7}); got != (Latency{1, 7, 7, 7, 7}) {
		t.Errorf("of one: %v", got)
	}
	if got := latency(nil); got != (Latency{}) {
		t.Errorf("of none: %v", got)
	}
}

// told is a frame with events of the one order that receiver 0 has.
func told(ids ...int64) (f liveFrame) {
	for _, id := range ids {
		f.Events = append(f.Events, struct {
			ID        int64
			Kind, Ref string
		}{id, "order", orderPrefix + "mine"})
	}
	return f
}

func TestSequence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		play func(*receiver)
		want Verdict
	}{
		"all is well":  {func(r *receiver) { r.take(told(11, 12), 1); r.take(told(13, 20), 1) }, Verdict{Expected: 4}},
		"lost":         {func(r *receiver) { r.take(told(11, 13, 20), 1) }, Verdict{Expected: 4, Lost: 1}},
		"a lost last":  {func(r *receiver) { r.take(told(11, 12, 13), 1) }, Verdict{Expected: 4, Lost: 1}},
		"doubled":      {func(r *receiver) { r.take(told(11, 12, 12, 13, 20), 1) }, Verdict{Expected: 4, Doubled: 1}},
		"out of order": {func(r *receiver) { r.take(told(11, 13, 12, 20), 1) }, Verdict{Expected: 4, OutOfOrder: 1}},
		"wrong, known": {func(r *receiver) { r.take(told(11, 12, 13, 20, 14), 1) }, Verdict{Expected: 4, Wrong: 1}},
		"wrong, not of this run": {func(r *receiver) {
			f := told(11, 12, 13, 20, 99)
			f.Events[4].Ref = orderPrefix + "other"
			r.take(f, 1)
		}, Verdict{Expected: 4, Wrong: 1}},
		"of somebody else's doing": {func(r *receiver) { r.take(told(11, 12, 13, 20, 99), 1) }, Verdict{Expected: 4}},
		"repeated after a reconnect": {func(r *receiver) {
			r.take(told(11, 12), 1)
			r.reconnected()
			r.take(told(12, 13, 20), 1)
		}, Verdict{Expected: 4, Repeated: 1}},
		"repeated, and doubled over the new connection": {func(r *receiver) {
			r.take(told(11, 12), 1)
			r.reconnected()
			r.take(told(12, 13), 1)
			r.take(told(13, 20), 1)
			r.take(told(20), 1)
		}, Verdict{Expected: 4, Repeated: 2, Doubled: 1}},
		"a resync covers what was before": {func(r *receiver) {
			r.take(told(11), 1)
			r.take(liveFrame{Resync: true}, math.MaxInt64)
		}, Verdict{Expected: 4, Resyncs: 1, Excused: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			for id, to := range map[int64]int{11: 0, 12: 0, 13: 0, 14: 1, 20: everybody} {
				l.committed(l.sending(id, to))
			}
			l.sending(15, 0) // its commit was never answered: nothing is expected
			r := newReceiver(l, 0, orderPrefix+"mine")
			c.play(r)
			var mine, all []int
			for n, e := range l.entries() {
				switch {
				case !e.done:
				case e.to == 0:
					mine = append(mine, n)
				case e.to == everybody:
					all = append(all, n)
				}
			}
			if got := r.verdict(l.entries(), mine, all); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// Frames come whole however the network cuts them, and whatever their length.
func TestFrames(t *testing.T) {
	t.Parallel()
	var stream strings.Builder
	lengths := []int{0, 1, 125, 126, 3000, 65535, 65536, 100_000, 5}
	for _, n := range lengths {
		switch {
		case n < 126:
			stream.WriteString("\x81" + string(byte(n)))
		case n < 1<<16:
			stream.WriteString("\x81\x7e" + string([]byte{byte(n >> 8), byte(n)}))
		default:
			stream.WriteString("\x81\x7f" + string([]byte{0, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
		}
		stream.WriteString(strings.Repeat(string(rune('a'+n%26)), n))
	}
	for name, cut := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "halves": iotest.HalfReader,
		"the end with the data": iotest.DataErrReader,
	} {
		f := newFrames(cut(strings.NewReader(stream.String())))
		for _, n := range lengths {
			op, payload, err := f.next()
			if err != nil || op != opText || string(payload) != strings.Repeat(string(rune('a'+n%26)), n) {
				t.Fatalf("%s: frame of %d bytes: opcode %d, %d bytes, %v", name, n, op, len(payload), err)
			}
		}
		if _, _, err := f.next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: after the last: %v", name, err)
		}
	}
	for _, bad := range []string{"\x01\x00", "\xc1\x00", "\x81\x80\x00\x00\x00\x00",
		"\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00"} {
		if _, _, err := newFrames(strings.NewReader(bad)).next(); err == nil {
			t.Errorf("frame %q was taken", bad)
		}
	}
}

func TestPlotIsXML(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Plot{
		"lines": {Title: `a < b & "c"`, X: "sockets", Unit: "ms", Log: true, Categories: []string{"1", "100"},
			Series: []Series{{"p50", []float64{.5, math.NaN()}}, {"<p99>", []float64{0, 70}}}},
		"bars": {Title: "share", Bars: true, Categories: []string{"1", "8"},
			Series: []Series{{"none", []float64{1, 1}}, {"notify", []float64{.9, math.Inf(1)}}}},
		"empty": {},
	} {
		svg := string(p.SVG())
		decoder := xml.NewDecoder(strings.NewReader(svg))
		elements := map[string]int{}
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in %s", name, err, svg)
			}
			if e, ok := token.(xml.StartElement); ok {
				elements[e.Name.Local]++
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: not a number in %s", name, svg)
		}
		if name == "lines" && (elements["polyline"] != 2 || elements["circle"] != 2) || name == "bars" &&
			elements["rect"] != 1+3+2 {
			t.Errorf("%s: %v", name, elements)
		}
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	p := Plot{Series: []Series{{"a", []float64{0.13, 0.97, math.NaN()}}}}
	if low, high, steps := p.scale(); low != 0 || high < .97 || high > 1.2 || len(steps) < 4 || len(steps) > 12 {
		t.Errorf("linear: %v to %v, %v", low, high, steps)
	}
	p.Log = true
	if low, high, steps := p.scale(); fmt.Sprintf("%.2f %.2f %d", low, high, len(steps)) != "0.10 1.00 2" {
		t.Errorf("logarithmic: %v to %v, %v", low, high, steps)
	}
}
