//go:build linux && !plainmemory

package isolate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"unsafe"
)

// What a tenant, or the host for it, still has of an isolate must not lead to whoever has its memory
// next: a call in flight that grows when its Pool is closed, a call after the close, a slice kept.

// lateScript writes what its client sent after it has waited, into memory that it takes only then.
const lateScript = `
export default { async fetch(request) {
	const secret = await request.bytes();
	if (request.url.endsWith("/left")) { fetch("http://o.test/", { method: "POST", body: secret }); await scheduler.wait(1); return new Response(secret); }
	if (request.url.endsWith("/wait")) await fetch("http://o.test/", { method: "POST", body: secret });
	globalThis.kept = Array.from({ length: 1000 }, () => new Uint8Array(5000).fill(1));
	globalThis.kept.push(secret.slice(), String.fromCharCode(...secret));
	return new Response(secret);
} }`

// owners are two Pools that one isolate has to do for.
func owners(t *testing.T, kind string) (rt *Runtime, first, second *Pool) {
	rt = smallRuntime(t, Options{most: 1, Memory: 32 << 20})
	spec := jsSpec(lateScript)
	if kind == "wasm" {
		spec = wasmSpec(readFile(t, "testdata/canary.wasm"), PolicyReuse)
	}
	return rt, poolOf(t, rt, spec), poolOf(t, rt, spec)
}

// inRoom makes a call, again while there is no room: a spare isolate that is being made, or one that its
// owner is about to leave, can have the only place.
func inRoom(t *testing.T, p *Pool, newCall func() *Call) (c *Call, r *Response) {
	t.Helper()
	waitFor(t, "the only isolate", func() bool {
		c = newCall()
		var err error
		if r, err = p.Invoke(c); err != nil && !errors.Is(err, ErrNoRoom) {
			t.Fatal(err)
		}
		return err == nil
	})
	return c, r
}

// finds calls p and looks through all of its isolate's memory.
func finds(t *testing.T, p *Pool, path string) (is *Isolate, warmth Warmth) {
	t.Helper()
	c, r := inRoom(t, p, func() *Call {
		return &Call{Context: context.Background(), Host: new(fakeHost), Request: testRequest("POST", "http://a.test"+path, "nothing")}
	})
	r.Release()
	if is = p.slots.takeAny(); is == nil {
		t.Fatal("the isolate was not kept")
	}
	if at := bytes.Index(is.memory.bytes, canaryMark); at >= 0 {
		t.Errorf("the secret is at %d of the next owner's memory", at)
	}
	p.slots.put(is)
	return is, c.Isolate
}

var ownerPaths = map[string]struct{ late, plain string }{"js": {"/wait", "/"}, "wasm": {"/take/l", "/take/a"}}

// TestLateGrowth: a call in flight that takes memory, and hides something there, after its Pool was
// closed, or before another Pool takes the isolate.
func TestLateGrowth(t *testing.T) {
	for kind, path := range ownerPaths {
		for _, closes := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/closed=%v", kind, closes), func(t *testing.T) {
				rt, first, second := owners(t, kind)
				host := &fakeHost{fetch: func(context.Context, *Call, *Subrequest) (*Response, error) {
					if closes {
						first.Close()
					}
					return testResponse(200, ""), nil
				}}
				_, r := inRoom(t, first, func() *Call {
					return &Call{Context: context.Background(), Host: host, Request: testRequest("POST", "http://a.test"+path.late, string(canaryMark))}
				})
				r.Release()
				if n := rt.Stats().Isolates; closes != (n == 0) {
					t.Errorf("%d isolates are left", n)
				}
				if _, warmth := finds(t, second, path.plain); closes == (warmth == Reskin) {
					t.Errorf("the next owner's isolate is %s", warmth)
				}
			})
		}
	}
}

// TestCallAfterClose: wazero runs a closed module's function, on memory that may be another's by then.
// So nothing but an Isolate has one, and a closed one gives it up and enters nothing.
func TestCallAfterClose(t *testing.T) {
	for kind := range ownerPaths {
		t.Run(kind, func(t *testing.T) {
			_, p, _ := owners(t, kind)
			is, _ := finds(t, p, ownerPaths[kind].plain)
			reseed := is.reseed
			if p.slots.takeAny() != is {
				t.Fatal("the isolate is not idle")
			}
			c := &Call{Context: context.Background(), Request: testRequest("GET", "http://a.test/", "")}
			c.begin(p)
			defer c.finish()
			is.close()
			if _, err := is.enter(c, 1, 0, 0, 0); !errors.Is(err, ErrReset) {
				t.Errorf("enter: %v", err)
			}
			if err := is.call0(c, reseed); !errors.Is(err, ErrReset) {
				t.Errorf("call0: %v", err)
			}
			if err := is.run(c, "_initialize"); !errors.Is(err, ErrReset) {
				t.Errorf("run: %v", err)
			}
			if is.entry != nil || is.reseed != nil || is.instance != nil || is.memory.bytes != nil {
				t.Error("it kept a function, or memory")
			}
			p.mu.Lock()
			p.mu.count-- // it was taken out by hand
			p.mu.Unlock()
		})
	}
}

// in reports whether b is memory of the isolate.
func (is *Isolate) in(b []byte) bool {
	at, from := uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(unsafe.SliceData(is.memory.bytes)))
	return len(b) > 0 && at >= from && at < from+uintptr(len(is.memory.bytes))
}

// TestKeptSlices: what a host got from one tenant, and keeps, is not the isolate's memory, and what it
// answers after that tenant has left does not come to the next one.
func TestKeptSlices(t *testing.T) {
	_, first, second := owners(t, "js")
	release, kept := make(chan struct{}), make(chan *Request, 1)
	host := &fakeHost{}
	host.fetch = func(_ context.Context, _ *Call, sub *Subrequest) (*Response, error) {
		<-release // whatever the context says
		kept <- sub.Request
		return testResponse(200, string(canaryMark)), nil
	}
	done := make(chan struct{})
	_, r := inRoom(t, first, func() *Call {
		return &Call{Context: context.Background(), Host: host, Request: testRequest("POST", "http://a.test/left", string(canaryMark)),
			Done: func(_ *Call, u Usage) {
				if u.Subrequests > 0 { // not a call that found no room
					close(done)
				}
			}}
	})
	is, warmth := finds(t, second, "/")
	if warmth != Reskin {
		t.Errorf("the next owner's isolate is %s", warmth)
	}
	close(release)
	<-done
	sub := <-kept
	for name, b := range map[string][]byte{"response head": r.Head, "response body": r.Body.Bytes, "request head": sub.Head, "request body": sub.Body.Bytes} {
		if is.in(b) {
			t.Errorf("the %s that the host keeps is the isolate's memory", name)
		}
	}
	if !bytes.Equal(r.Body.Bytes, canaryMark) {
		t.Errorf("the response's body became %q", r.Body.Bytes)
	}
	r.Release()
	finds(t, second, "/")
}
