//go:build linux && !plainmemory

package isolate

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testImage is an image of which every third page is a hole.
func testImage(t testing.TB, pages int) *image {
	mem := make([]byte, pages*pageSize)
	for i := range pages {
		if i%3 != 0 || i == pages-1 {
			mem[i*pageSize+i%pageSize] = byte(i) | 1
		}
	}
	return keepImage(t, mem, nil)
}

var testSlabs slabs

func keepImage(t testing.TB, mem []byte, base *image) *image {
	im, err := newImage(&testSlabs, mem, base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(im.release)
	return im
}

// resetMethods are those that this machine can do.
func resetMethods() []resetMethod {
	return []resetMethod{resetScan, resetRead, resetRemap}[pagemap.method-resetScan:]
}

func eachMethod(t *testing.T, test func(t *testing.T, method resetMethod)) {
	for _, method := range resetMethods() {
		t.Run(method.String(), func(t *testing.T) { test(t, method) })
	}
}

func testMemory(t testing.TB, size int, im *image, method resetMethod) *memory {
	m, err := newMemory(size, im, method)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Free)
	return m
}

func mustReset(t *testing.T, m *memory) int {
	t.Helper()
	pages, err := m.become(m.image)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// scribble writes a canary anywhere: into few pages or all of them, scattered so that one scan is
// not enough, paged out in every other round, read before they are written.
func scribble(rng *rand.Rand, m *memory, round int) {
	step := 1 + rng.IntN(7)
	most := []int{30, 400, len(m.bytes) / pageSize}[round%3]
	for page, n := rng.IntN(step), 0; page < len(m.bytes)/pageSize && n < most; page, n = page+step, n+1 {
		at := page*pageSize + rng.IntN(pageSize)
		if rng.IntN(4) == 0 && m.bytes[at] == 1 {
			continue // was only read
		}
		m.bytes[at] ^= 0xa5
	}
	if round%2 == 1 {
		unix.Madvise(m.bytes, unix.MADV_PAGEOUT)
	}
}

// TestResetEqualsClone scribbles, resets, and compares the whole memory with a clone.
func TestResetEqualsClone(t *testing.T) {
	eachMethod(t, func(t *testing.T, method resetMethod) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		const size = 16 << 20
		im := testImage(t, 700)
		fresh, m := testMemory(t, size, im, method), testMemory(t, size, im, method)
		for round := range 60 {
			scribble(rng, m, round)
			mustReset(t, m)
			if !bytes.Equal(m.bytes, fresh.bytes) {
				t.Fatalf("round %d: the memory differs from a fresh one after a reset", round)
			}
		}
	})
}

// testSkins are images that differ from base in a few pages, within it and beyond, some of which
// are zeros; and two that differ too much to be skins.
func testSkins(t testing.TB, rng *rand.Rand, base []byte, root *image) []*image {
	var images []*image
	for i, pages := range []int{0, 1, 3, 30, 70, maxSkin, 200, 400} {
		mem := make([]byte, len(base)+1<<20)
		copy(mem, base)
		for _, page := range rng.Perm(len(mem) / pageSize)[:pages] {
			at := page * pageSize
			if rng.IntN(3) == 0 {
				clear(mem[at : at+pageSize])
				continue
			}
			mem[at+rng.IntN(pageSize)] ^= byte(i + 1)
		}
		images = append(images, keepImage(t, mem, root))
	}
	return images
}

// TestBecomeEqualsClone lets one memory be one image after the other, skins and whole ones, each
// scribbled over, and compares it with a clone of that image.
func TestBecomeEqualsClone(t *testing.T) {
	eachMethod(t, func(t *testing.T, method resetMethod) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		root := testImage(t, 700)
		images := append(testSkins(t, rng, root.own.bytes, root), root, testImage(t, 900))
		if n := len(images[3].pages); images[3].base != root || n == 0 || n > 30 || images[7].base != nil {
			t.Fatalf("a skin of %d pages, a whole image with base %v", n, images[7].base)
		}
		const size = 8 << 20
		m := testMemory(t, size, root, method)
		for round := range 120 {
			im := images[rng.IntN(len(images))]
			if rng.IntN(4) > 0 {
				scribble(rng, m, round)
			}
			if _, err := m.become(im); err != nil {
				t.Fatal(err)
			}
			fresh := testMemory(t, size, im, method)
			if !bytes.Equal(m.bytes, fresh.bytes) {
				t.Fatalf("round %d: the memory differs from a clone of the image that it became", round)
			}
			for at := 0; at < size; at += pageSize { // the clone itself, by another way
				if want, _ := im.page(at / pageSize); !bytes.Equal(fresh.bytes[at:at+pageSize], want) {
					t.Fatalf("round %d: page %d of a clone is not the image's", round, at/pageSize)
				}
			}
			fresh.Free()
		}
	})
}

// TestResetDuringCompaction: pages that the kernel moves are neither present nor swapped for a
// moment, and not forgotten.
func TestResetDuringCompaction(t *testing.T) {
	compact, err := os.OpenFile("/proc/sys/vm/compact_memory", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer compact.Close()
	im := testImage(t, 200)
	fresh, m := testMemory(t, 4<<20, im, pagemap.method), testMemory(t, 4<<20, im, pagemap.method)
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				compact.WriteString("1")
			}
		}
	})
	defer group.Wait()
	defer close(stop)
	for round := range 3000 {
		for page := round % 5; page < len(m.bytes)/pageSize; page += 5 {
			m.bytes[page*pageSize+round%pageSize] ^= 0x5a
		}
		mustReset(t, m)
		if !bytes.Equal(m.bytes, fresh.bytes) {
			t.Fatalf("round %d: the memory differs from a fresh one after a reset", round)
		}
	}
}

// residentOwn counts the pages that are m's own.
func residentOwn(t testing.TB, m *memory) (pages int) {
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
	if pagemap.method != resetScan {
		t.Skip(pagemap.err)
	}
	m := testMemory(t, 64<<20, testImage(t, 100), resetScan)
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
	if pagemap.method != resetScan {
		t.Skip(pagemap.err)
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
		used := p.slots.takeAny()
		if !bytes.Equal(used.memory.bytes, fresh.memory.bytes) {
			t.Fatal("its memory differs from a fresh one")
		}
		for i, g := range used.globals {
			if g.Get() != fresh.globals[i].Get() {
				t.Errorf("global %s is %d, was %d", p.module.rewritten.Globals[i], g.Get(), fresh.globals[i].Get())
			}
		}
		p.slots.put(used)
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
