package http

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The machine's clock and zone are for measuring only. Whatever a visitor reads
// goes by page.Request.Now, which is erp.now() in the company's zone.
func TestNobodyAsksTheMachinesClock(t *testing.T) {
	t.Parallel()
	may := map[string]int{
		"middleware.go": 1, // how long a request took
		"price_list.go": 1, // how long a list took
		"request.go":    1, // where no frame was read
		"timed.go":      4, // the deadlines of connections
		"well_known.go": 1, // until when a copy of security.txt may be believed
	}
	clock := regexp.MustCompile(`time\.Now\(\)`)
	zone := regexp.MustCompile(`time\.Local\b`)
	for _, dir := range []string{".", "page", "shop", "desk", "ops", "..", "../jobs", "../sql", "../mail", "../pdf"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%v in %s", err, dir)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if zone.Match(text) {
				t.Errorf("%s goes by the machine's zone", file)
			}
			if n := len(clock.FindAll(text, -1)); !strings.HasPrefix(dir, "..") && n > may[filepath.Base(file)] {
				t.Errorf("%s asks the machine's clock %d times", file, n)
			}
		}
	}
	// neither do the rules in the database
	for _, pattern := range []string{"../sql/functions/*.sql", "../triggers/*.sql", "../sql/queries/*.sql"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(string(text), "\n") {
				code, _, _ := strings.Cut(line, "--")
				if regexp.MustCompile(
					`(?i)\bcurrent_date\b|\bcurrent_timestamp\b|\blocaltimestamp\b|(^|[^.\w])now\(\)`).MatchString(code) {
					t.Errorf("%s: %s", file, line)
				}
			}
		}
	}
}
