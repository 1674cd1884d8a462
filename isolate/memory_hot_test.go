//go:build linux

package isolate

import (
	"bytes"
	"testing"
)

// TestHotPages: once a request has run, a clone owns the pages it will write, unchanged.
func TestHotPages(t *testing.T) {
	if err := errNoReset(); err != nil {
		t.Skip(err)
	}
	p := newTestPool(t, jsSpec(handler(`return new Response("hot")`)))
	owned := func() int {
		is, err := p.rt.newIsolate(p.module, p.snapshot, p.snapshot.entry)
		if err != nil {
			t.Fatal(err)
		}
		defer is.close()
		view := p.snapshot.image.view
		if !bytes.Equal(is.memory.bytes[:len(view)], view) {
			t.Error("a clone differs from its image")
		}
		pages, err := is.memory.reset(len(is.memory.bytes))
		if err != nil {
			t.Fatal(err)
		}
		return pages
	}
	if n := owned(); n != 0 {
		t.Errorf("before any request a clone owns %d pages", n)
	}
	wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), "200 hot")
	if n := owned(); n < 10 || n > 100 {
		t.Errorf("after a request a clone owns %d pages", n)
	}
	wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), "200 hot")
}

func TestJoinRegions(t *testing.T) {
	page := func(from, to uint64) region {
		return region{start: 0x10000 + from*pageSize, end: 0x10000 + to*pageSize}
	}
	got := joinRegions([]region{page(1, 2), page(4, 5), page(8, 10)}, 0x10000)
	if len(got) != 2 || got[0] != (region{start: 1 * pageSize, end: 5 * pageSize}) || got[1] != (region{start: 8 * pageSize, end: 10 * pageSize}) {
		t.Errorf("got %v", got)
	}
	if got := joinRegions([]region{page(0, hotMax+1)}, 0x10000); got != nil {
		t.Errorf("too many pages: got %v", got)
	}
}
