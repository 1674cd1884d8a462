package engine

import (
	"context"
	"testing"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// stillRuntime makes pools that answer without allocating.
type stillRuntime struct{}

func (stillRuntime) Runs(string) bool { return false }

func (rt *stillRuntime) Crowded() bool { return false }

func (rt *stillRuntime) Stats() isolate.RuntimeStats { return isolate.RuntimeStats{} }

func (rt *stillRuntime) NewPool(context.Context, *isolate.Spec) (pool, error) {
	return &stillPool{response: isolate.Response{Head: abi.AppendResponseHead(nil, 200)}}, nil
}

type stillPool struct {
	response isolate.Response
	sub      isolate.Subrequest // dispatched first when it has a name
}

func (p *stillPool) Info() isolate.PoolInfo   { return isolate.PoolInfo{HandlesFetch: true} }
func (p *stillPool) Freeze() []byte           { return nil }
func (p *stillPool) Stats() isolate.PoolStats { return isolate.PoolStats{} }
func (p *stillPool) Close()                   {}

func (p *stillPool) Invoke(c *isolate.Call) (*isolate.Response, error) {
	if p.sub.Name != "" {
		p.sub.Request = c.Request
		resp, err := c.Host.Fetch(c.Context, c, &p.sub)
		c.Done(c, isolate.Usage{Subrequests: 1})
		return resp, err
	}
	c.Request.Release()
	c.Isolate = isolate.Warm
	c.Done(c, isolate.Usage{})
	return &p.response, nil
}

// newStillPlatform has the dispatch Worker "dispatcher", which dispatches to "user" with
// options, or to "fetcher", whose fetch goes to an outbound Worker.
func newStillPlatform(t testing.TB, entry, name, options string) (*Engine, *Event) {
	p := openPlatform(t, func(o *Options) {
		o.runtime, o.Entry = &stillRuntime{}, entry
	})
	p.namespace("production")
	p.deploy("production/user", "")
	p.deploy("production/fetcher", "")
	p.deploy("outbound", "")
	p.deploy("other", "")
	p.deploy("dispatcher", "", dispatchTo("NS", "production", nil), dispatchTo("OUT", "production", viaOutbound))
	if _, err := p.PutRoute(context.Background(), "other.test/*", "other"); err != nil {
		t.Fatal(err)
	}
	still := func(n *namespace, name string) *stillPool {
		return n.scripts.get(name).pick().loaded.Load().pool.(*stillPool)
	}
	still(p.catalog.plain, "dispatcher").sub = isolate.Subrequest{Name: name, Binding: 1, Options: []byte(options), Redirect: "manual"}
	still(p.catalog.namespaceForTest("production"), "fetcher").sub =
		isolate.Subrequest{Name: "-", Binding: isolate.FetchGlobal, Redirect: "follow"}
	ev := &Event{Context: context.Background(), Request: newRequest("GET", "http://user.example.com/", "accept", "*/*"), Host: "user.example.com"}
	return p.Engine, ev
}

func serveOnce(t testing.TB, e *Engine, ev *Event) {
	resp, err := e.Serve(ev)
	if err != nil {
		t.Fatal(err)
	}
	resp.Release()
}

func TestServeDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, s := range map[string]struct{ entry, name, options string }{
		"built-in dispatcher":            {"", "", ""},
		"dispatch Worker":                {"dispatcher", "user", ""},
		"dispatch Worker giving limits":  {"dispatcher", "user", `{"limits":{"cpuMs":10,"subRequests":5}}`},
		"outbound Worker and parameters": {"dispatcher", "fetcher", `{"outbound":{"customer":"a"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			e, ev := newStillPlatform(t, s.entry, s.name, s.options)
			if n := testing.AllocsPerRun(1000, func() { serveOnce(t, e, ev) }); n != 0 {
				t.Errorf("%v allocations a request", n)
			}
		})
	}
}

func BenchmarkServe(b *testing.B) {
	for _, s := range [][2]string{{"", "user"}, {"dispatcher", "user"}, {"dispatcher", "fetcher"}} {
		b.Run(s[0]+"-"+s[1], func(b *testing.B) {
			e, ev := newStillPlatform(b, s[0], s[1], `{"limits":{"cpuMs":10}}`)
			b.ReportAllocs()
			for b.Loop() {
				serveOnce(b, e, ev)
			}
		})
	}
}
