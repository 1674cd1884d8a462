package isolate

import (
	"os"
	"strconv"
	"strings"
)

// maxIsolates is how many isolates the process has mappings for.
func maxIsolates() int64 {
	const usual = 65530
	text, err := os.ReadFile("/proc/sys/vm/max_map_count")
	count, convErr := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || convErr != nil {
		count = usual
	}
	return max((count-vmasLeft)/vmasPerIsolate, warmLeast)
}

// anonymousBytes is the process's anonymous memory, Go's heap included; 0 when it cannot be known.
func anonymousBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text)) // size, resident, shared, … in pages
	if err != nil || len(fields) < 3 {
		return 0
	}
	resident, _ := strconv.ParseInt(fields[1], 10, 64)
	shared, _ := strconv.ParseInt(fields[2], 10, 64)
	return max(resident-shared, 0) * int64(os.Getpagesize())
}
