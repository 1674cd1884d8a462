package isolate

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

//go:embed testdata/foreign/worker.mjs
var foreignWorker string

const (
	foreign = "Cannot perform I/O on behalf of a different request."
	nothing = "= nothing happened"
)

// foreigners are what one request does with what another has made, while that one waits and after
// it is over. The answers are workerd's but for abort signals (refused there), streams that JavaScript
// alone feeds (refused there when they are Workers' own) and DigestStream (works there); none of
// these reaches anything of the other request.
var foreigners = []struct{ kind, during, after string }{
	{"promise", "= value io", nothing},
	{"deferred", "= value io", nothing},
	{"fetchPromise", "= 200", nothing},
	{"bodyPromise", "= the body", nothing},
	{"requestText", foreign, foreign},
	{"requestClone", foreign, foreign},
	{"requestHeaders", "= y http://a.test/owner?mode=during&kind=requestHeaders", "= y http://a.test/owner?mode=after&kind=requestHeaders"},
	{"requestStream", foreign, foreign},
	{"reader", foreign, foreign},
	{"readerCancel", foreign, foreign},
	{"response", foreign, foreign},
	{"responseReturn", foreign, foreign},
	{"responseHeaders", "= 200 null", "! Error: The response's headers are gone: its request is over."},
	{"responseClone", foreign, "! Error: The response's headers are gone: its request is over."},
	{"madeResponse", foreign, foreign},
	{"madeReturn", foreign, foreign},
	{"requestPass", foreign, foreign},
	{"controllerAbort", "= aborted 1", "= aborted 1"},
	{"signalTimeout", "= abort event", nothing},
	{"signalFetch", "= 200", "= 200"},
	{"requestSignal", "= aborted false", "= aborted false"},
	{"timerClear", "= cleared", "= cleared"},
	{"interval", "= runs", "= stands"},
	{"env", "= origin:", "= origin:"},
	{"fetcher", "= origin:", "= origin:"},
	{"bound", "= origin:", "= origin:"},
	{"als", "! Error: Cannot call this AsyncLocalStorage bound function outside of the request", "! Error: Cannot call this AsyncLocalStorage bound function outside of the request"},
	{"alsPromise", "= undefined", nothing},
	{"waitUntil", "= accepted", "= accepted"},
	{"waitUntilForeign", "= accepted", "= accepted"},
	{"passThrough", "= accepted", "= accepted"},
	{"compression", "! TypeError: This object belongs to another request.", "! TypeError: This object belongs to another request."},
	{"digest", "! TypeError: This object belongs to another request.", "! TypeError: This object belongs to another request."},
	{"rewriter", "= <p>new</p>", "= <p>new</p>"},
	{"rewritten", foreign, foreign},
	{"element", "! TypeError: This content token is no longer valid.", "! TypeError: This content token is no longer valid."},
	{"jsStream", "= chunk", "= chunk"},
	{"jsStreamRead", "= chunk io", nothing},
	{"transform", "= chunk", "= chunk"},
	{"identity", "= chunk", "= chunk"},
	{"pipe", foreign, foreign},
	{"tee", foreign, foreign},
	{"key", "= 32", "= 32"},
	{"formData", "= b", "= b"},
	{"blob", "= blob", "= blob"},
	{"functionOfA", "= 200", "= 200"},
	{"resolveB", "= before io", nothing},
}

// TestForeignObjects: requests of one isolate share module state, and through it no input, no output
// and no limit.
func TestForeignObjects(t *testing.T) {
	for _, f := range foreigners {
		t.Run(f.kind, func(t *testing.T) {
			t.Parallel()
			spec := jsSpec(foreignWorker)
			spec.Node = NodeModules
			spec.Env = []byte(`[{"name":"O","type":"service","index":0}]`)
			spec.MaxIsolates, spec.Suspended = 1, 2
			p := newTestPool(t, spec)
			var owner sync.WaitGroup
			made := make(chan struct{}, 2)
			h := foreignHost(t, made)
			owner.Go(func() { foreignCall(p, h, "/owner?mode=during&kind="+f.kind) })
			<-made
			checkForeign(t, "during", foreignCall(p, h, "/other?mode=during&kind="+f.kind), f.during)
			owner.Wait()
			foreignCall(p, h, "/owner?mode=after&kind="+f.kind)
			checkForeign(t, "after", foreignCall(p, h, "/other?mode=after&kind="+f.kind), f.after)
		})
	}
}

func checkForeign(t *testing.T, when, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("%s: %q, want %q", when, got, want)
	}
}

// foreignCall returns the answer's body, or the error.
func foreignCall(p *Pool, h Host, path string) string {
	r := testRequest("POST", "http://a.test"+path, "", "x: y")
	r.Body = Body{Stream: io.NopCloser(strings.NewReader("the body")), Length: -1}
	got, err := ask(p, h, r)
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(got, "200 ")
}

// foreignHost answers what the Worker asks of its binding, for the request only that asks. A log line
// says that the owner has made its object.
func foreignHost(t *testing.T, made chan struct{}) Host {
	return loggedHost{fakeHost: &fakeHost{fetch: func(_ context.Context, c *Call, sub *Subrequest) (*Response, error) {
		if strings.HasSuffix(string(sub.Request.Head.URL()), "slow") {
			time.Sleep(60 * time.Millisecond)
		}
		body := sub.Request.Body.Bytes
		if s := sub.Request.Body.Stream; s != nil {
			var err error
			if body, err = io.ReadAll(s); err != nil {
				return nil, errors.Join(errors.New("origin"), err)
			}
		}
		return testResponse(200, "origin:"+string(body)), nil
	}}, made: made}
}

type loggedHost struct {
	*fakeHost
	made chan struct{}
}

func (h loggedHost) Log(c *Call, level LogLevel, line []byte) {
	h.fakeHost.Log(c, level, line)
	if string(line) == "made" {
		h.made <- struct{}{}
	}
}

// TestSharedPromise: what one request has begun another may wait for, with nothing else to wait for.
func TestSharedPromise(t *testing.T) {
	spec := jsSpec(`let shared, resolve;
export default { async fetch(request, env, ctx) {
	console.log("begun");
	switch (new URL(request.url).pathname) {
	case "/own": shared = fetch("http://o.test/own").then((r) => r.text()); const v = await shared; resolve?.("resolved"); return new Response(v);
	case "/join": return new Response("joined " + await shared + (await fetch("http://o.test/join")).status);
	case "/wait": return new Response(await new Promise((ok) => { resolve = ok; }));
	case "/hold": ctx.waitUntil(shared.then(() => console.log("held"))); return new Response("early");
	case "/never": return new Response(await new Promise(() => {}));
	}
} }`)
	spec.MaxIsolates, spec.Suspended = 1, 8
	p := newTestPool(t, spec)
	gate := make(chan struct{})
	host := &fakeHost{fetch: func(_ context.Context, c *Call, sub *Subrequest) (*Response, error) {
		path := strings.TrimPrefix(string(sub.Request.Head.URL()), "http://o.test")
		if !strings.HasSuffix(string(c.Request.Head.URL()), path) {
			t.Errorf("the subrequest of %s is %s's", path, c.Request.Head.URL())
		}
		if path == "/own" {
			<-gate
		}
		return testResponse(200, "shared"), nil
	}}
	var group sync.WaitGroup
	for i, c := range []struct{ path, want string }{
		{"/own", "200 shared"}, {"/join", "200 joined shared200"}, {"/wait", "200 resolved"}, {"/hold", "200 early"}, {"/join", "200 joined shared200"},
		{"/never", "error: never generate a response"},
	} {
		group.Go(func() { wants(t, p, host, testRequest("GET", "http://a.test"+c.path, ""), c.want) })
		waitFor(t, c.path+" to begin", func() bool { return strings.Count(host.log(), "begun") > i })
	}
	close(gate)
	group.Wait()
	waitFor(t, "the held promise", func() bool { return p.Stats().Calls == 0 })
	if !strings.Contains(host.log(), "held") {
		t.Errorf("log %q", host.log())
	}
	wants(t, p, host, testRequest("GET", "http://a.test/never", ""), "error: never generate a response")
}
