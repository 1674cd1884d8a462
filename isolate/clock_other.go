//go:build !linux

package isolate

import "time"

// threadCPU is not to be had here: the wall clock charges.
func threadCPU() (cpu time.Duration, ok bool) { return 0, false }
