package localpg

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// openLog starts a new log and keeps the one of the run before.
func openLog(path string) (*os.File, error) {
	if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

// logEnd returns the last lines of a log for an error text.
func logEnd(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "no log: " + err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 8192 {
		f.Seek(-8192, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	return lastLines(string(text))
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
