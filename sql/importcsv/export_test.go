package importcsv

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
)

// Describe writes the tables of docs/import.md.
func Describe(w io.Writer) error {
	for _, f := range fileKinds {
		if _, err := fmt.Fprintf(w, "### %s.csv\n\n%s\n\n| column | required | holds | example | rule |\n|---|---|---|---|---|\n", f.name, f.about); err != nil {
			return err
		}
		examples, err := f.examples()
		if err != nil {
			return err
		}
		for _, c := range f.columns {
			required := ""
			if c.required {
				required = "yes"
			}
			if _, err := fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s |\n", c.name, required, c.format(), shown(examples[c.name]), c.rule); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

// examples are the first value that the sample file has in each column.
func (f fileKind) examples() (map[string]string, error) {
	data, err := samples.ReadFile("sample/" + f.name + ".csv")
	if err != nil {
		return nil, err
	}
	return firstValues(data)
}

// firstValues are the first value of each column of a CSV that has one.
func firstValues(data []byte) (map[string]string, error) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, row := range rows[1:] {
		for k, cell := range row {
			if name := rows[0][k]; out[name] == "" {
				out[name] = cell
			}
		}
	}
	return out, nil
}
