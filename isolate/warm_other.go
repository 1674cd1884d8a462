//go:build !linux

package isolate

// maxIsolates bounds isolates where mappings are no concern.
func maxIsolates() int64 { return 1 << 15 }

// anonymousBytes is not known: what isolates are reckoned to take stands in for it.
func anonymousBytes() int64 { return 0 }
