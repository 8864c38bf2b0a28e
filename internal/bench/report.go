package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a load program found, for people and for machines.
type Report struct {
	Title   string    `json:"title"`
	At      time.Time `json:"at"`
	Machine string    `json:"machine"` // of the load program
	Notes   []string  `json:"notes,omitempty"`
	Result  any       `json:"result"` // the figures; times end in _ms
	Tables  []Table   `json:"-"`
	Plot    Plot      `json:"-"`
}

func newReport(title string) Report {
	return Report{Title: title, At: time.Now().Truncate(time.Second),
		Machine: fmt.Sprintf("%s/%s, %d CPUs, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
}

// Table has as many cells in each row as there are columns.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
}

// Write prints the tables and the notes.
func (r Report) Write(out io.Writer) error {
	fmt.Fprintf(out, "%s\n%s, %s\n", r.Title, r.At.Format(time.DateTime), r.Machine)
	for _, t := range r.Tables {
		fmt.Fprintf(out, "\n%s\n", t.Title)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, strings.Join(t.Columns, "\t")+"\t")
		for _, row := range t.Rows {
			fmt.Fprintln(w, strings.Join(row, "\t")+"\t")
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if len(r.Notes) > 0 {
		fmt.Fprintln(out)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(out, n)
	}
	return nil
}

// Save writes the plot and the figures to files; an empty name writes none.
func (r Report) Save(svg, jsonFile string) error {
	if svg != "" {
		if err := os.WriteFile(svg, r.Plot.SVG(), 0o644); err != nil {
			return err
		}
	}
	if jsonFile != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(jsonFile, append(text, '\n'), 0o644)
	}
	return nil
}

// MarshalJSON writes milliseconds.
func (l Latency) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Count int     `json:"count"`
		P50   float64 `json:"p50_ms"`
		P95   float64 `json:"p95_ms"`
		P99   float64 `json:"p99_ms"`
		Max   float64 `json:"max_ms"`
	}{l.Count, millis(l.P50), millis(l.P95), millis(l.P99), millis(l.Max)})
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// cells are a latency's p50, p95, p99 and max in milliseconds.
func (l Latency) cells() []string {
	if l.Count == 0 {
		return []string{"-", "-", "-", "-"}
	}
	return []string{ms(l.P50), ms(l.P95), ms(l.P99), ms(l.Max)}
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", millis(d)) }
