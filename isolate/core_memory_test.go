//go:build linux

package isolate

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testImage is an image of which every third page is a hole.
func testImage(t *testing.T, pages int) *image {
	mem := make([]byte, pages*pageSize)
	for i := range pages {
		if i%3 != 0 || i == pages-1 {
			mem[i*pageSize+i%pageSize] = byte(i) | 1
		}
	}
	im, err := newImage(mem)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(im.close)
	return im
}

func testMemory(t *testing.T, size int, im *image) *memory {
	m, err := newMemory(size, im)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Free)
	return m
}

func mustReset(t *testing.T, m *memory) int {
	t.Helper()
	pages, err := m.reset(len(m.bytes))
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// TestResetEqualsClone writes a canary anywhere, resets, and compares the whole memory with a
// clone: few pages and all of them, scattered so that one scan is not enough, paged out before
// the reset, read before they are written.
func TestResetEqualsClone(t *testing.T) {
	if errNoReset() != nil {
		t.Skip(errNoReset())
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	const size = 16 << 20
	im := testImage(t, 700)
	fresh, m := testMemory(t, size, im), testMemory(t, size, im)
	for round := range 120 {
		step := 1 + rng.IntN(7)
		most := []int{30, 400, size / pageSize}[round%3]
		for page, n := rng.IntN(step), 0; page < size/pageSize && n < most; page, n = page+step, n+1 {
			at := page*pageSize + rng.IntN(pageSize)
			if rng.IntN(4) == 0 && m.bytes[at] == 1 {
				continue // was only read
			}
			m.bytes[at] ^= 0xa5
		}
		if round%2 == 1 {
			unix.Madvise(m.bytes, unix.MADV_PAGEOUT)
		}
		mustReset(t, m)
		if !bytes.Equal(m.bytes, fresh.bytes) {
			t.Fatalf("round %d: the memory differs from a fresh one after a reset", round)
		}
	}
}

// residentOwn counts the pages that are m's own.
func residentOwn(t *testing.T, m *memory) (pages int) {
	vec := make([]region, 64)
	for at, end := regionOf(m); at < end; {
		found, next, err := scanPrivate(at, end, vec)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range found {
			pages += int(r.end-r.start) / pageSize
		}
		at = next
	}
	return pages
}

func regionOf(m *memory) (at, end uintptr) {
	at = uintptr(m.base)
	return at, at + uintptr(len(m.bytes))
}

// TestResetGivesBack: what one greedy request had does not stay, and what it only read is no
// work at all.
func TestResetGivesBack(t *testing.T) {
	if errNoReset() != nil {
		t.Skip(errNoReset())
	}
	m := testMemory(t, 64<<20, testImage(t, 100))
	var sum byte
	for at := 0; at < len(m.bytes); at += pageSize {
		sum += m.bytes[at]
	}
	if n := mustReset(t, m); n != 0 {
		t.Errorf("%d pages were restored after reads alone (%d)", n, sum)
	}
	for at := 0; at < len(m.bytes); at += pageSize {
		m.bytes[at] = 1
	}
	if n := mustReset(t, m); n != len(m.bytes)/pageSize {
		t.Errorf("%d pages differed, want all", n)
	}
	if n := residentOwn(t, m); n > maxKept {
		t.Errorf("%d pages stay, want at most %d", n, maxKept)
	}
}

// TestNoResetInPlace: where the kernel cannot tell dirty pages, and where a table was changed, an
// isolate is replaced, and the next request finds nothing of the last.
func TestNoResetInPlace(t *testing.T) {
	if errNoReset() != nil {
		t.Skip(errNoReset())
	}
	defer func(fd uintptr) { pagemap.fd = fd }(pagemap.fd)
	pagemap.fd = ^uintptr(0) // every ioctl fails
	spec := jsSpec(`let n = 0; export default { fetch() { return new Response(String(++n)) } }`)
	spec.Policy, spec.MaxIsolates = PolicyRequest, 1
	p := newTestPool(t, spec)
	for range 20 {
		wants(t, p, nil, testRequest("GET", "http://a.test/", ""), "200 1")
	}
	if s := p.Stats(); s != (PoolStats{}) {
		t.Errorf("%+v: an isolate that could not be reset is still there", s)
	}
}

// TestPolicyRequestEqualsClone compares the whole memory and all globals of a JavaScript isolate
// that has answered with those of one that has not.
func TestPolicyRequestEqualsClone(t *testing.T) {
	if errNoReset() != nil {
		t.Skip(errNoReset())
	}
	spec := jsSpec(handler(`
		globalThis.kept = "canary".repeat(100_000); const big = new Uint8Array(20e6).fill(0xa5);
		await fetch("http://o.test/"); console.log("x".repeat(50_000)); return new Response(big.subarray(0, 100_000));`))
	spec.Policy = PolicyRequest
	p := newTestPool(t, spec)
	fresh, err := p.rt.newIsolate(p.module, p.snapshot, p.snapshot.entry)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.close()
	for range 5 {
		if _, err := ask(p, echoWorld(0), testRequest("POST", "http://a.test/", "secret body")); err != nil {
			t.Fatal(err)
		}
		used := p.mu.idle[0]
		if !bytes.Equal(used.memory.bytes, fresh.memory.bytes) {
			t.Fatal("its memory differs from a fresh one")
		}
		for i, g := range used.globals {
			if g.Get() != fresh.globals[i].Get() {
				t.Errorf("global %s is %d, was %d", p.module.rewritten.Globals[i], g.Get(), fresh.globals[i].Get())
			}
		}
	}
}

// TestRecursionKeepsNoHeap: a deep call's stack does not stay with the isolate.
func TestRecursionKeepsNoHeap(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`const f = (n) => { try { return f(n + 1) + 1 } catch { return n } }; return new Response(String(f(0) > 100))`)))
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	wants(t, p, nil, testRequest("GET", "http://a.test/", ""), "200 true")
	if kept := heap() - before; kept > 1<<20 {
		t.Errorf("%d KiB of heap stay after a recursion", kept>>10)
	}
}
