//go:build !linux

package isolate

import (
	"os"
	"syscall"
	"time"
)

// The plain twin of compiler_linux.go: the process has no limits but that of its wall time.

func compilerAttributes() *syscall.SysProcAttr { return nil }

func confine(int, *Compiler) error { return nil }

func spentBy(int) (cpu time.Duration, memory int64) { return 0, 0 }

func killedForCPU(*os.ProcessState) bool { return false }
