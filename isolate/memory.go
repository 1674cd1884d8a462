package isolate

import "unsafe"

// trimZero returns the length of mem without its zero tail, in whole pages and at least one.
func trimZero(mem []byte) int {
	size := len(mem) &^ (pageSize - 1)
	for size > pageSize && isZero(mem[size-pageSize:size]) {
		size -= pageSize
	}
	return size
}

// isZero reports whether a page holds nothing but zeros.
func isZero(page []byte) bool {
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(page))), len(page)/8)
	for _, w := range words {
		if w != 0 {
			return false
		}
	}
	return true
}
