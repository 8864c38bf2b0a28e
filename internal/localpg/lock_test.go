package localpg

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// A lock whose file cannot be written to is not handed out: its next visitor
// would be told of a process that has long ended.
func TestHolderNotWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	if err := writeHolder(readOnly); err == nil {
		t.Error("no error for a file that takes nothing")
	}
}

// A child that this process forks holds our open files until it becomes its own
// program. It must not hold our lock.
func TestUnlockBesideForks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stop := make(chan struct{})
	var forks sync.WaitGroup
	for range 4 {
		forks.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = exec.Command("/bin/true").Run() // only the fork matters
				}
			}
		})
	}
	defer forks.Wait()
	defer close(stop)
	for n := range 300 {
		f, err := lock(dir)
		if err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
		unlock(f)
	}
}
