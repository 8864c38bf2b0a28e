package importcsv

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// Describe writes the tables of docs/import.md.
func Describe(w io.Writer) error {
	for _, f := range fileKinds {
		if _, err := fmt.Fprintf(w, "### %s.csv\n\n%s\n\n| column | required | holds | example | rule "+
			"|\n|---|---|---|---|---|\n", f.name, f.about); err != nil {
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
			if _, err := fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s |\n", c.name, required, c.format(), shown(examples[c.name]),
				c.rule); err != nil {
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

// format says in people's words what a cell looks like.
func (c column) format() string {
	switch c.kind {
	case text, longText:
		if most := c.most(); most != 200 && most != 5000 {
			return fmt.Sprintf("text, up to %d characters", most)
		}
		return "text"
	case barcode:
		return "text"
	case money:
		return "amount, 2 decimals"
	case price:
		return "price, 4 decimals"
	case amount:
		return "price, 4 decimals, may be negative"
	case quantity:
		return "quantity, may be negative"
	case measure:
		return "quantity"
	case count:
		return "whole number"
	case date:
		return "date, 2026-06-30"
	case yesNo:
		return "yes or no"
	case choice:
		return strings.Join(c.of, ", ")
	case levelList:
		return "letters A to E, like A B"
	}
	return ""
}
