package localpg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	b, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	if b.Major < MinVersion {
		t.Errorf("found %+v", b)
	}
	t.Setenv("PGBIN", b.Dir)
	if again, err := Find(); err != nil || again != b {
		t.Errorf("by PGBIN: %+v, %v", again, err)
	}
}

func TestUnfitPGBIN(t *testing.T) {
	dir := openTempDir(t)
	t.Setenv("PGBIN", dir)
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), dir+": has no initdb") {
		t.Errorf("empty: %v", err)
	}
	for _, name := range []string{"initdb", "postgres"} {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) 13.9'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), "is version 13") {
		t.Errorf("too old: %v", err)
	}
}

func TestNotFoundIsOneLineWithAdvice(t *testing.T) {
	text := notFound(nil).Error()
	if strings.Contains(text, "\n") || !strings.Contains(text, "npm i --prefix") || !strings.Contains(text, "install") {
		t.Errorf("got %q", text)
	}
}
