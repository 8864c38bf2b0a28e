//go:build unix

package realtime

import "syscall"

func tryWrite(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }

const writesNow = true
