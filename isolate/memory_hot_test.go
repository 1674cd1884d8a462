//go:build linux && !plainmemory

package isolate

import (
	"bytes"
	"testing"
)

// TestHotPages: once a request has run, a clone owns the pages that the next one will write,
// unchanged.
func TestHotPages(t *testing.T) {
	if pagemap.method != resetScan {
		t.Skip(pagemap.err)
	}
	p := newTestPool(t, jsSpec(handler(`return new Response("hot")`)))
	wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), "200 hot")
	is, err := p.rt.newIsolate(p.module, p.snapshot, p.snapshot.entry)
	if err != nil {
		t.Fatal(err)
	}
	defer is.close()
	for n := range p.snapshot.image.size / pageSize {
		if page, _ := p.snapshot.image.page(n); !bytes.Equal(is.memory.bytes[n*pageSize:][:pageSize], page) {
			t.Errorf("page %d of a clone differs from its image", n)
		}
	}
	hot := 0
	for _, r := range p.snapshot.image.hotRegions() {
		hot += int(r.end-r.start) / pageSize
	}
	if n := residentOwn(t, is.memory); n < 10 || n > 100 || n < hot {
		t.Errorf("a clone owns %d pages, %d are hot", n, hot)
	}
}

func TestJoinPages(t *testing.T) {
	got := joinPages([]int{1, 4, 8, 9})
	if len(got) != 2 || got[0] != (region{start: 1 * pageSize, end: 5 * pageSize}) || got[1] != (region{start: 8 * pageSize, end: 10 * pageSize}) {
		t.Errorf("got %v", got)
	}
	if got := joinPages(make([]int, hotMax+1)); got != nil {
		t.Errorf("too many pages: got %v", got)
	}
}
