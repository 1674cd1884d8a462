//go:build linux && !plainmemory

package isolate

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestScanFindsAbsentPages: a page whose entry says that its content is elsewhere is found, as the
// next request would find it once it is back. There may be no swap here; the kernel's guard pages
// (since 6.13) have such entries too. "Present" alone would find one page.
func TestScanFindsAbsentPages(t *testing.T) {
	const guardInstall, guardRemove = 102, 103 // MADV_GUARD_INSTALL, MADV_GUARD_REMOVE
	for _, method := range resetMethods() {
		if method == resetRemap {
			continue // does not look
		}
		m := testMemory(t, 1<<20, testImage(t, 10), method)
		m.bytes[20*pageSize], m.bytes[21*pageSize] = 1, 1
		if err := unix.Madvise(m.bytes[21*pageSize:22*pageSize], guardInstall); err != nil {
			t.Skip("no guard pages: ", err)
		}
		at, end := regionOf(m)
		found, _, err := m.private(at, end, make([]region, 8))
		if err != nil {
			t.Fatal(err)
		}
		pages := 0
		for _, r := range found {
			pages += int(r.end-r.start) / pageSize
		}
		if pages != 2 {
			t.Errorf("%v: %d pages found, want the present one and the absent one", method, pages)
		}
		if err := unix.Madvise(m.bytes[21*pageSize:22*pageSize], guardRemove); err != nil {
			t.Fatal(err)
		}
	}
}
