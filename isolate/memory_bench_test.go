//go:build linux && !plainmemory

package isolate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"switchyard/isolate/abi"
)

// touch writes to every fourth page, as scattered as a heap is.
func touch(m *memory, pages int) {
	for n := range pages {
		m.bytes[4*n*pageSize] = byte(n) + 1
	}
}

// BenchmarkReset is a guest that writes so many pages, and the reset.
func BenchmarkReset(b *testing.B) {
	for _, method := range resetMethods() {
		for _, pages := range []int{0, 4, 16, 64, 256} {
			b.Run(fmt.Sprintf("%v/%d", method, pages), func(b *testing.B) {
				m := testMemory(b, 4<<20, testImage(b, 700), method)
				touch(m, pages)
				for b.Loop() {
					touch(m, pages)
					if _, err := m.become(m.image); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// differing is base with so many other pages.
func differing(b *testing.B, rng *rand.Rand, base []byte, pages int) []byte {
	mem := slices.Clone(base)
	for _, n := range rng.Perm(len(mem) / pageSize)[:pages] {
		for i := range 512 {
			mem[n*pageSize+8*i] ^= byte(1 + rng.IntN(255))
		}
	}
	return mem
}

// BenchmarkBecome lets one memory be one of eight images after the other, and a guest write 33
// pages in each: as skins by copying, as images of their own by mapping. Where the two cross is
// maxSkin.
func BenchmarkBecome(b *testing.B) {
	const size = 128 << 20
	rng := rand.New(rand.NewPCG(1, 2))
	root := testImage(b, 700)
	for _, pages := range []int{10, 30, 75, 150, 250, 430} {
		for _, whole := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/whole=%v", pages, whole), func(b *testing.B) {
				var images []*image
				for range 8 {
					images = append(images, anyImage(b, differing(b, rng, root.own.bytes, pages), root, whole))
				}
				m := testMemory(b, size, images[0], pagemap.method)
				for i := 0; b.Loop(); i++ {
					if _, err := m.become(images[i%8]); err != nil {
						b.Fatal(err)
					}
					touch(m, 33)
					if i < 8 {
						m.learn()
					}
				}
			})
		}
	}
}

// anyImage is mem as a skin of root, however much differs, or as a whole image.
func anyImage(b *testing.B, mem []byte, root *image, whole bool) *image {
	if whole {
		return keepImage(b, mem, nil)
	}
	im := &image{size: len(mem), base: root}
	for at := 0; at < len(mem); at += pageSize {
		if string(mem[at:at+pageSize]) != string(root.own.bytes[at:at+pageSize]) {
			im.pages = append(im.pages, uint32(at/pageSize))
		}
	}
	im.users.Store(1)
	root.users.Add(1)
	if err := im.fill(&testSlabs, mem); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(im.release)
	return im
}

// bundle is a Worker of about so many bytes of source: functions and tables, as bundlers leave them.
func bundle(i, size int) *Spec {
	var s strings.Builder
	fmt.Fprintf(&s, "const id = %d; const table = {};\n", i)
	for n := 0; s.Len() < size-200; n++ {
		fmt.Fprintf(&s, `function route%d(request, params) { const key = "route-%d-%d"; if (params.length > %d) { table[key] = { method: request.method, params: params.slice(1), status: %d }; return route%d.name + key; } return [key, ...params].join("/"); }`+"\n", n, i, n, n%7, 200+n%300, n)
		fmt.Fprintf(&s, "table[%q] = { handler: route%d, pattern: %q, weights: [%d, %d, %d] };\n", fmt.Sprint("/api/v1/", n), n, fmt.Sprint("/api/v1/", n, "/:id"), n, n*3, n*7)
	}
	s.WriteString(`export default { fetch(request) { return new Response("Hello " + id) } }`)
	return jsSpec(s.String())
}

// BenchmarkCold is a request to a version that has no isolate, with 64 versions and 8 isolates: to
// have one, and the request. It prints percentiles; ns/op is the mean.
func BenchmarkCold(b *testing.B) {
	for _, size := range []int{0, 11 << 10, 110 << 10} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			rt := smallRuntime(b, Options{most: 8})
			var pools []*Pool
			for i := range 64 {
				pools = append(pools, poolOf(b, rt, bundle(i, size)))
			}
			for i := range 256 {
				benchOnce(b, pools[i%64])
			}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				if w := benchOnce(b, pools[i*37%64]); w != Reskin {
					b.Fatalf("its isolate was %s", w)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))]) / 1000 }
			b.ReportMetric(at(0.5), "p50-µs")
			b.ReportMetric(at(0.99), "p99-µs")
			b.ReportMetric(float64(len(pools[0].snapshot.image.pages)), "pages")
			b.ReportMetric(float64(pools[0].snapshot.image.bytes())/1024, "image-KiB")
		})
	}
}

// BenchmarkReskin makes one isolate 16 versions in turn, without requests: what a cold version costs
// before its code runs, with warm caches.
func BenchmarkReskin(b *testing.B) {
	for _, size := range []int{0, 11 << 10, 110 << 10} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			rt := smallRuntime(b, Options{})
			var pools []*Pool
			for i := range 16 {
				pools = append(pools, poolOf(b, rt, bundle(i, size)))
				benchOnce(b, pools[i]) // learns the hot pages
			}
			is, err := rt.newIsolate(rt.js.module, rt.js.base, rt.js.base.entry)
			if err != nil {
				b.Fatal(err)
			}
			defer is.close()
			for i := 0; b.Loop(); i++ {
				if err := is.become(pools[i%16].snapshot); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(residentOwn(b, is.memory)), "own-pages")
			b.ReportMetric(float64(len(pools[0].snapshot.image.pages)), "pages")
		})
	}
}

func benchOnce(b *testing.B, p *Pool) Warmth {
	r := newRequest()
	r.fill(benchHead, nil)
	c := &Call{Context: context.Background(), Host: new(fakeHost), Request: r}
	resp, err := p.Invoke(c)
	if err != nil {
		b.Fatal(err)
	}
	resp.Release()
	return c.Isolate
}

// BenchmarkClone makes an isolate and closes it again.
func BenchmarkClone(b *testing.B) {
	clone := func(b *testing.B, p *Pool) {
		b.ReportAllocs()
		for b.Loop() {
			is, err := p.rt.newIsolate(p.module, p.snapshot, p.snapshot.entry)
			if err != nil {
				b.Fatal(err)
			}
			is.close()
		}
	}
	b.Run("js", func(b *testing.B) {
		clone(b, newTestPool(b, jsSpec(`export default { fetch() { return new Response("Hello World") } }`)))
	})
	for _, g := range exampleGuests {
		b.Run(g.name, func(b *testing.B) { clone(b, poolOf(b, wasmRuntime(b), wasmSpec(g.build(b), PolicyReuse))) })
	}
}

// BenchmarkDensity makes 10,000 isolates of the smallest guest, each of which answered once, and
// says what one takes.
func BenchmarkDensity(b *testing.B) {
	const isolates = 10_000
	for b.Loop() {
		rt := smallRuntime(b, Options{})
		p := poolOf(b, rt, wasmSpec(readFile(b, "guest/c/hello.wasm"), PolicyReuse))
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		anon := anonymousBytes()
		list := make([]*Isolate, 0, isolates)
		for range isolates {
			is, err := rt.newIsolate(p.module, p.snapshot, abi.ExportHandle)
			if err != nil {
				b.Fatal(err)
			}
			c := &Call{Context: context.Background(), Request: wasmRequest("GET", "/", Body{})}
			c.begin(p)
			if _, err := p.guest.invoke(is, c); err != nil {
				b.Fatal(err)
			}
			p.slots.takeAny() // it is not the pool's
			list = append(list, is)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(anonymousBytes()-anon)/isolates/1024, "anon-KiB/isolate")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/isolates/1024, "heap-KiB/isolate")
		for _, is := range list {
			is.close()
		}
	}
}

// BenchmarkTenants has different tenants answer once each, 60 % of them hello, 30 % of 11 KB, 10 % of
// 110 KB, of whose versions 1,000 stay, as an engine keeps them; it says what that takes.
func BenchmarkTenants(b *testing.B) {
	const kept = 1000
	rt := smallRuntime(b, Options{})
	var pools []*Pool
	for i := 0; b.Loop(); i++ {
		size := [10]int{3: 11 << 10, 6: 11 << 10, 8: 11 << 10, 9: 110 << 10}[i%10]
		p, err := rt.NewPool(context.Background(), bundle(i, size))
		if err != nil {
			b.Fatal(err)
		}
		benchOnce(b, p)
		if pools = append(pools, p); len(pools) > kept {
			pools[0].Close()
			pools = pools[1:]
		}
	}
	stats := rt.Stats()
	b.ReportMetric(float64(anonymousBytes())/(1<<20), "anon-MiB")
	b.ReportMetric(float64(stats.ImageBytes)/(1<<20), "images-MiB")
	b.ReportMetric(float64(stats.Isolates), "isolates")
	for _, p := range pools {
		p.Close()
	}
}
