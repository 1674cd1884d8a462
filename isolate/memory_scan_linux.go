//go:build linux && !plainmemory

package isolate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// region is the kernel's struct page_region.
type region struct{ start, end, categories uint64 }

// scanArg is the kernel's struct pm_scan_arg (linux/fs.h, since 6.7).
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages         uint64
	categoryInverted, categoryMask, categoryAnyOf, returnCategories uint64
}

const (
	pagemapScan   = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsZero    = 1 << 5 // the kernel's one page of zeros: anonymous memory that was only read
)

// scanPrivate finds the pages of [at, end) that the guest wrote: (present or swapped) and neither
// file-backed nor the kernel's page of zeros, which clearing would turn into a page of our own.
// "Present" alone would miss pages that are swapped out or being migrated, and so leak them to
// the next request. It returns where to go on.
func scanPrivate(at, end uintptr, vec []region) (found []region, next uintptr, err error) {
	arg := scanArg{
		size: uint64(unsafe.Sizeof(scanArg{})), start: uint64(at), end: uint64(end),
		vec: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(vec)))), vecLen: uint64(len(vec)),
		categoryInverted: pageIsFile | pageIsZero, categoryMask: pageIsFile | pageIsZero,
		categoryAnyOf: pageIsPresent | pageIsSwapped, returnCategories: pageIsPresent,
	}
	n, _, errno := unix.RawSyscall(unix.SYS_IOCTL, pagemap.fd, pagemapScan, uintptr(unsafe.Pointer(&arg)))
	if errno != 0 {
		return nil, 0, fmt.Errorf("PAGEMAP_SCAN: %w", errno)
	}
	if uintptr(arg.walkEnd) <= at {
		return nil, 0, errors.New("PAGEMAP_SCAN does not get on")
	}
	return vec[:n], uintptr(arg.walkEnd), nil
}

// Of an entry of /proc/self/pagemap.
const (
	entryFile    = 1 << 61
	entrySwapped = 1 << 62
	entryPresent = 1 << 63
)

// readPrivate is scanPrivate for kernels before 6.7. It cannot tell the kernel's page of zeros
// from others.
func readPrivate(at, end uintptr, vec []region) (found []region, next uintptr, err error) {
	var entries [1024]uint64
	buf := unsafe.Slice((*byte)(unsafe.Pointer(&entries)), 8*len(entries))
	found = vec[:0]
	for at < end {
		want := min(int(end-at)/pageSize, len(entries))
		n, err := unix.Pread(int(pagemap.fd), buf[:8*want], int64(at/pageSize)*8)
		if err != nil {
			return nil, 0, fmt.Errorf("read of pagemap: %w", err)
		}
		if n < 8 {
			return nil, 0, errors.New("pagemap ends early")
		}
		for i := range n / 8 {
			e := binary.NativeEndian.Uint64(buf[8*i:])
			if e&(entryPresent|entrySwapped) != 0 && e&entryFile == 0 {
				last := len(found) - 1
				switch {
				case last >= 0 && found[last].end == uint64(at):
					found[last].end += pageSize
				case len(found) == len(vec):
					return found, at, nil
				default:
					found = append(found, region{start: uint64(at), end: uint64(at) + pageSize})
				}
			}
			at += pageSize
		}
	}
	return found, end, nil
}

// maxRead is the memory from which on reading the pagemap through costs more than to drop all
// pages and fault them in again.
const maxRead = 16 << 20

// pagemap is /proc/self/pagemap, and what can be done with it: containers and binaries with
// file capabilities may not open it, kernels before 6.7 lack the scan.
var pagemap = func() (p struct {
	fd     uintptr
	method resetMethod
	err    error // why it is not resetScan
}) {
	p.method = resetRemap
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		p.err = fmt.Errorf("/proc/self/pagemap: %w", err)
		return p
	}
	p.fd, p.method = uintptr(fd), resetScan
	probe := make([]region, 1)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(probe))) &^ (pageSize - 1)
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, p.fd, pagemapScan, uintptr(unsafe.Pointer(&scanArg{
		size: uint64(unsafe.Sizeof(scanArg{})), start: uint64(at), end: uint64(at + pageSize),
	})))
	if errno != 0 {
		p.method, p.err = resetRead, fmt.Errorf("PAGEMAP_SCAN (needs Linux 6.7): %w", errno)
	}
	return p
}()

// bestReset is the method that this machine can do, and why it is not the best one there is.
func bestReset() (resetMethod, error) { return pagemap.method, pagemap.err }
