package main

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"portal.example/portal/internal/pgtest"
)

func TestWithoutSecrets(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{}, kong.Configuration(kong.JSON))
	if err != nil {
		t.Fatal(err)
	}
	envs := envOfFlags(parser.Model)
	for _, c := range []struct{ arguments, left, moved string }{
		{"serve --database-url postgres://u@h/d", "serve --database-url postgres://u@h/d", ""},
		{"serve --database-url postgres://u:p@h/d --addr :80", "serve --addr :80", "DATABASE_URL=postgres://u:p@h/d"},
		{"serve --database-url=postgres://u:p@h/d", "serve", "DATABASE_URL=postgres://u:p@h/d"},
		{"serve --database-url postgres://h/d?password=p", "serve", "DATABASE_URL=postgres://h/d?password=p"},
		{"serve --database-url host=h|password=p", "serve", "DATABASE_URL=host=h|password=p"},
		// Not to be read, so not to be shown
		{"serve --database-url postgres://u:p%zz@h/d", "serve", "DATABASE_URL=postgres://u:p%zz@h/d"},
		{"serve --smtp-url smtp://u:p@h --metrics-token t --node n", "serve --node n",
			"PORTAL_SMTP_URL=smtp://u:p@h PORTAL_METRICS_TOKEN=t"},
		{"serve --factor-key k", "serve", "PORTAL_FACTOR_KEY=k"},
		{"serve --plain-http --database-url", "serve --plain-http --database-url", ""},
	} {
		words := strings.Fields(c.arguments)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "|", " ")
		}
		left, moved := withoutSecrets(envs, words)
		if got := strings.ReplaceAll(strings.Join(moved, " "), "h password", "h|password"); got != c.moved ||
			strings.Join(left, " ") != c.left {
			t.Errorf("%s: %q, %q", c.arguments, left, got)
		}
	}
}

// What everybody on the machine may read of the running program has no password.
func TestArgumentsHideSecrets(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	const secret = "s3cret-of-the-house" // the server asks for none, and takes any
	address, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("password", secret)
	address.RawQuery = query.Encode()
	process, at := startProcess(t, address.String(), "--metrics-token", secret)
	arguments, err := exec.Command("ps", "-ww", "-o", "args=", "-p", strconv.Itoa(process.Pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(arguments), "serve --addr 127.0.0.1:0") || strings.Contains(string(arguments), secret) {
		t.Errorf("the arguments: %s", arguments)
	}
	for token, want := range map[string]int{secret: http.StatusOK, "another": http.StatusNotFound} {
		request, err := http.NewRequest("GET", at+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("token %q: %d", token, answer.StatusCode)
		}
	}
}

func TestSecretFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(path, []byte("postgres:///from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var cli commands
	parser, err := kong.New(&cli, kong.Configuration(kong.JSON))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATABASE_URL", "") // put back after the test
	os.Unsetenv("DATABASE_URL")
	t.Setenv("DATABASE_URL_FILE", path)
	if err := readSecretFiles(parser.Model); err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"serve"}); err != nil || cli.Serve.URL != "postgres:///from-a-file" {
		t.Errorf("%q, %v", cli.Serve.URL, err)
	}
	if err := readSecretFiles(parser.Model); err == nil ||
		!strings.Contains(err.Error(), "DATABASE_URL and DATABASE_URL_FILE are both set") {
		t.Errorf("both set: %v", err)
	}
	os.Unsetenv("DATABASE_URL")
	t.Setenv("DATABASE_URL_FILE", path+"-none")
	if err := readSecretFiles(parser.Model); err == nil || !strings.Contains(err.Error(), "DATABASE_URL_FILE: open ") {
		t.Errorf("no such file: %v", err)
	}
}
