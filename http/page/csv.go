package page

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portal.example/portal"
)

// Cell keeps a spreadsheet from taking text for a formula.
func Cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func Text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// PlainMoney is an amount for programs; empty where it is not shown.
func PlainMoney(m *portal.Money) string {
	if m == nil {
		return ""
	}
	return m.StringFixed(2)
}

// Disposition says how an answer is shown and what its file is called: the name
// in full, and before it one in ASCII for what cannot read that (RFC 6266).
func Disposition(how, name string) string {
	name = portal.FileName(name)
	names := how + `; filename="` + strings.Map(fileRune, name) + `"`
	if strings.ContainsFunc(name, func(r rune) bool { return fileRune(r) != r }) {
		names += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return names
}

// fileRune keeps a name to letters, digits and the plainest signs.
func fileRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-', r == '_':
		return r
	}
	return '_'
}

// AttachCSV announces a list of a day as a file, which is written to what it
// returns.
func (q *Request) AttachCSV(list string, day time.Time) *CSVFile {
	q.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	q.W.Header().Set("Content-Disposition", Disposition("attachment", list+"-"+day.Format(time.DateOnly)+".csv"))
	return &CSVFile{Writer: q.W}
}

// Exported ends an export. Half a file must not look like a whole one: what
// broke off is cut, and what did not begin is an answer like any other.
func (k *Kit) Exported(q *Request, out *CSVFile, list string, err error) error {
	if err == nil {
		return nil
	}
	if out.started {
		k.Logger.Error("export broke off", "request", RequestID(q.Context()), "list", list, "error", err)
		panic(http.ErrAbortHandler)
	}
	q.W.Header().Del("Content-Disposition")
	return err
}

// ByteOrderMark begins every CSV file: without it Excel takes the text for
// Windows' own encoding.
const ByteOrderMark = "\ufeff"

// CSVFile is a CSV file that is sent, and knows whether anything was written.
type CSVFile struct {
	io.Writer
	started bool
}

func (w *CSVFile) Write(b []byte) (int, error) {
	if !w.started {
		w.started = true
		if _, err := io.WriteString(w.Writer, ByteOrderMark); err != nil {
			return 0, err
		}
	}
	return w.Writer.Write(b)
}
