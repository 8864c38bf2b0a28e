package localpg

import (
	"os/exec"
	"sync"
	"testing"
)

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
