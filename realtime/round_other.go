//go:build !unix

package realtime

import "errors"

func tryWrite(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

const writesNow = false
