package sheet_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"portal.example/portal/internal/sheet"
)

// part is a file of an XLSX, written piece by piece since some are large.
type part struct {
	name  string
	write func(w io.Writer)
}

func text(s string) func(io.Writer) { return func(w io.Writer) { _, _ = io.WriteString(w, s) } }

// rawXLSX makes an XLSX of parts, as no spreadsheet would write it.
func rawXLSX(t testing.TB, parts ...part) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	packer, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { // one for all parts: it is large
		packer.Reset(w)
		return packer, nil
	})
	for _, p := range append([]part{
		{"_rels/.rels",
			text(`<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`)},
		{"xl/workbook.xml",
			text(`<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="s1"/></sheets></workbook>`)},
		{"xl/_rels/workbook.xml.rels",
			text(`<Relationships><Relationship Id="s1" Type="x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`)},
	}, parts...) {
		w, err := z.Create(p.name)
		if err != nil {
			t.Fatal(err)
		}
		p.write(w)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sheetOf(rows func(w io.Writer)) part {
	return part{"xl/worksheets/sheet1.xml", func(w io.Writer) {
		_, _ = io.WriteString(w, `<worksheet><dimension ref="A1:XFD1048576"/><sheetData>`)
		rows(w)
		_, _ = io.WriteString(w, `</sheetData></worksheet>`)
	}}
}

// repeat writes a line many times.
func repeat(n int, line string) func(io.Writer) {
	return func(w io.Writer) {
		const chunk = 1000
		many := strings.Repeat(line, chunk)
		for ; n >= chunk; n -= chunk {
			_, _ = io.WriteString(w, many)
		}
		_, _ = io.WriteString(w, strings.Repeat(line, n))
	}
}

// Files that are made to cost much. Each is read or refused within 64 MB and two
// seconds; go test -run TestHostile -v ./internal/sheet prints what each costs.
func TestHostileFiles(t *testing.T) { // not parallel: it measures the process
	many := strings.Repeat("x", 1<<16)
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"10,000 rows with one cell in XFD", rawXLSX(t, sheetOf(repeat(10_000, `<row><c r="XFD1"><v>1</v></c></row>`)))},
		{"a cell of 50 MB", rawXLSX(t, sheetOf(func(w io.Writer) {
			_, _ = io.WriteString(w, `<row r="1"><c r="A1" t="inlineStr"><is><t>`)
			for range 50 << 20 / len(many) {
				_, _ = io.WriteString(w, many)
			}
			_, _ = io.WriteString(w, `</t></is></c></row>`)
		}))},
		{"a shared text of 50 MB", rawXLSX(t, part{"xl/sharedStrings.xml", func(w io.Writer) {
			_, _ = io.WriteString(w, `<sst><si>`)
			for range 50 << 20 / len(many) {
				_, _ = io.WriteString(w, `<t>`+many+`</t>`)
			}
			_, _ = io.WriteString(w, `</si></sst>`)
		}}, sheetOf(repeat(1, `<row><c t="s"><v>0</v></c></row>`)))},
		{"2,000,000 shared texts", rawXLSX(t, part{"xl/sharedStrings.xml", func(w io.Writer) {
			_, _ = io.WriteString(w, `<sst>`)
			repeat(2_000_000, `<si><t>some text</t></si>`)(w)
			_, _ = io.WriteString(w, `</sst>`)
		}}, sheetOf(repeat(1, `<row><c t="s"><v>0</v></c></row>`)))},
		{"3,000,000 empty shared texts",
			rawXLSX(t, part{"xl/sharedStrings.xml", repeat(3_000_000, "<si/>")},
				sheetOf(repeat(1, `<row><c t="s"><v>0</v></c></row>`)))},
		{"a million rows", rawXLSX(t, sheetOf(repeat(1_000_000, `<row><c><v>12</v></c></row>`)))},
		{"three million empty rows", rawXLSX(t, sheetOf(repeat(3_000_000, `<row/>`)))},
		{"one row of 2,000,000 cells", rawXLSX(t, sheetOf(func(w io.Writer) {
			_, _ = io.WriteString(w, `<row r="1">`)
			repeat(2_000_000, `<c><v>12</v></c>`)(w)
			_, _ = io.WriteString(w, `</row>`)
		}))},
		{"6,000 rows of 128 cells",
			rawXLSX(t, sheetOf(repeat(6_000, `<row>`+strings.Repeat(`<c><v>1234567.25</v></c>`, 128)+`</row>`)))},
		{"100,000 styles", rawXLSX(t, part{"xl/styles.xml", func(w io.Writer) {
			_, _ = io.WriteString(w, `<styleSheet><cellXfs>`)
			repeat(100_000, `<xf numFmtId="2"/>`)(w)
			_, _ = io.WriteString(w, `</cellXfs></styleSheet>`)
		}}, sheetOf(repeat(1, `<row><c s="99999"><v>1</v></c></row>`)))},
		{"60,000 parts in the zip", func() []byte {
			parts := make([]part, 60_000)
			for i := range parts {
				parts[i] = part{fmt.Sprint(i), text("")}
			}
			return rawXLSX(t, parts...)
		}()},
		{"a zip in a zip in a zip", rawXLSX(t, part{"xl/inner.zip", func(w io.Writer) {
			_, _ = w.Write(rawXLSX(t, part{"xl/inner.zip", func(w io.Writer) {
				_, _ = w.Write(rawXLSX(t, sheetOf(repeat(300_000, `<row/>`))))
			}}))
		}}, sheetOf(repeat(1, `<row><c><v>1</v></c></row>`)))},
		{"a tag of 50 MB", rawXLSX(t, sheetOf(func(w io.Writer) {
			_, _ = io.WriteString(w, `<row r="1" x="`)
			for range 50 << 20 / len(many) {
				_, _ = io.WriteString(w, many)
			}
			_, _ = io.WriteString(w, `"/>`)
		}))},
		{"a comment of 200 MB", rawXLSX(t, sheetOf(func(w io.Writer) {
			_, _ = io.WriteString(w, `<!-- `)
			for range 200 << 20 / len(many) {
				_, _ = io.WriteString(w, many)
			}
			_, _ = io.WriteString(w, `-->`)
		}))},
		{"a cell of 8 MB as CSV", []byte("Item,Qty\nOIL5,\"" + strings.Repeat("x", sheet.MaxBytes-20) + "\"")},
		{"8 million columns as CSV", bytes.Repeat([]byte(","), sheet.MaxBytes)},
		{"4 million rows as CSV", bytes.Repeat([]byte("a\n"), sheet.MaxBytes/2)},
		{"8 MB of quotes", bytes.Repeat([]byte("\","), sheet.MaxBytes/2)},
		{"8 MB of quotes in a row", bytes.Repeat([]byte("\""), sheet.MaxBytes)},
		{"8 MB of digits", bytes.Repeat([]byte("1,2,"), sheet.MaxBytes/4)},
		{"5,500 rows of 50 numbers", bytes.Repeat([]byte(strings.Repeat("1234567.25\t", 50)+"\n"), 5500)},
		{"8 MB of UTF-16", append([]byte("\xff\xfe"), bytes.Repeat([]byte("a\x00"), sheet.MaxBytes/2-1)...)},
	} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := processorTime()
		peak := peakWhile(func() { c.name += ": " + cut(reading(file(c.file))) })
		took := processorTime() - begin // and not the clock: others may be at work
		runtime.ReadMemStats(&after)
		used := int64(peak) - int64(before.HeapAlloc)
		t.Logf("%6.2f s %5.1f MB at once, %6.1f MB in all, of a file of %7.1f kB: %s", took.Seconds(), float64(used)/(1<<20),
			float64(after.TotalAlloc-before.TotalAlloc)/(1<<20), float64(len(c.file))/1024, c.name)
		if used > 64<<20 {
			t.Errorf("%s: %d MB", c.name, used>>20)
		}
		if took > 2*time.Second {
			t.Errorf("%s: %s", c.name, took)
		}
	}
}

func processorTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func cut(s string) string { return s[:min(len(s), 70)] }

// peakWhile is the highest heap while do runs.
func peakWhile(do func()) (peak uint64) {
	done := make(chan struct{})
	found := make(chan uint64)
	go func() {
		var most uint64
		var now runtime.MemStats
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
			select {
			case <-done:
				found <- most
				return
			case <-tick.C:
			}
		}
	}()
	do()
	close(done)
	return <-found
}
