package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
)

func TestColdVersionIsMadeOnce(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say hello")
	p.reopen()
	p.rt.slow = 20 * time.Millisecond
	builds := p.rt.builds()
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() { p.want("http://user.test/", "hello") })
	}
	all.Wait()
	if n := p.rt.builds() - builds; n != 1 {
		t.Errorf("made %d times", n)
	}
}

func TestLoadedVersionsAreBounded(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.MaxLoaded = 5 })
	p.namespace("production")
	for i := range 20 {
		p.deploy(fmt.Sprint("production/s", i), fmt.Sprint("say ", i))
	}
	for round := range 200 {
		p.want("http://s0.test/", "0")
		i := round % 20
		p.want(fmt.Sprintf("http://s%d.test/", i), fmt.Sprint(i))
		if n := p.pools.size(); n > 5 {
			t.Fatalf("%d versions are loaded", n)
		}
	}
	// s0, which every round uses, is never the one to go once it has been used for a while.
	p.want("http://s0.test/", "0")
	builds := p.rt.builds()
	for i := range 400 {
		p.want("http://s0.test/", "0")
		if i%100 == 99 {
			p.want(fmt.Sprintf("http://s%d.test/", 1+i/100), fmt.Sprint(1+i/100))
		}
	}
	if n := p.rt.builds() - builds; n > 4 {
		t.Errorf("%d versions were made, want at most 4", n)
	}
}

// While snapshots take too much memory, more versions go than come, the one just made never.
func TestCrowdedVersionsGo(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	for i := range 10 {
		p.deploy(fmt.Sprint("production/s", i), fmt.Sprint("say ", i))
		p.want(fmt.Sprintf("http://s%d.test/", i), fmt.Sprint(i))
	}
	p.rt.crowded.Store(true)
	p.deploy("production/late", "say late")
	p.want("http://late.test/", "late")
	if n := p.pools.size(); n != 9 {
		t.Errorf("%d versions are loaded, want 9", n)
	}
	for i := range 10 {
		p.want(fmt.Sprintf("http://s%d.test/", i), fmt.Sprint(i))
	}
	if n := p.pools.size(); n > 2 {
		t.Errorf("%d versions are loaded", n)
	}
}

// A deletion is in the store a moment before it is in the catalog. Who asks for a cold version
// in between meets the deletion, not the inside of the store.
func TestColdVersionBeingDeleted(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say hello")
	p.reopen()
	s, err := p.catalog.script(Ref{"production", "user"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.store.Apply(t.Context(), store.DropScript(time.Now(), s.namespace.id, s.id)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.serve("http://user.test/"); !errors.Is(err, ErrWorkerNotFound) {
		t.Errorf("got %v, want %v", err, ErrWorkerNotFound)
	}
}

func TestVersionThatCannotBeLoaded(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say hello")
	p.reopen()
	broken := errors.New("no memory")
	p.rt.fail.Store(&broken)
	for range 5 {
		p.want("http://user.test/", "error: no memory")
	}
	v := p.catalog.namespaceForTest("production").scripts.get("user").pick()
	if f := v.failure.Load(); f == nil || f.delay != firstBackOff {
		t.Fatalf("failure is %+v: tried more than once", f)
	}
	p.rt.fail.Store(nil)
	p.want("http://user.test/", "error: no memory") // until the back-off is over
	v.failure.Load().until = time.Now()
	p.want("http://user.test/", "hello")
	p.deploy("production/user", "say new") // a deploy never waits for it
	p.want("http://user.test/", "new")
}

func (c *catalog) namespaceForTest(name string) *namespace { return (*c.namespaces.Load())[name] }

func TestClientLeavesWhileLoading(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say hello")
	p.reopen()
	p.rt.slow = 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	ev := &Event{Context: ctx, Request: newRequest("GET", "http://user.test/"), Host: "user.test"}
	_, err := p.Serve(ev)
	wantErr(t, err, isolate.ErrCanceled)
	p.want("http://user.test/", "hello") // the loading went on for others
}

// retire and enter from many sides: closed exactly once, and never with somebody inside.
func TestLoadedHammer(t *testing.T) {
	for range 300 {
		rt := &fakeRuntime{t: t}
		made := &fakePool{rt: rt}
		l := &loaded{pool: made}
		rt.open.Store(1)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for l.enter(1) {
					if made.closed.Load() {
						t.Error("inside a closed pool")
					}
					l.leave()
				}
			})
		}
		all.Go(l.retire)
		all.Go(l.retire)
		all.Wait()
		if !made.closed.Load() {
			t.Fatal("not closed")
		}
	}
}
