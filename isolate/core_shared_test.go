package isolate

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestManyFetches: a long call does not run out of handles for what it has finished with.
func TestManyFetches(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`
		for (let i = 0; i < 6000; i++) {
			const text = await (await fetch("http://o.test/" + i)).text();
			if (text !== "body") return new Response("fetch " + i + " brought " + text);
		}
		return new Response("all")`)))
	host := &fakeHost{fetch: func(context.Context, *Call, *Subrequest) (*Response, error) { return testResponse(200, "body"), nil }}
	r, err := p.Invoke(&Call{Context: context.Background(), Host: host, Request: testRequest("GET", "http://a.test/", "")})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := answerText(r); text != "all" {
		t.Error(text)
	}
}

// TestOtherRequestStarts: what another request starts for one that waits is not put off until
// that has something else to do.
func TestOtherRequestStarts(t *testing.T) {
	spec := jsSpec(handler(`
		if (request.url.endsWith("/owner")) {
			globalThis.reader = request.body.getReader();
			const late = scheduler.wait(4000);
			await Promise.race([late, new Promise((ok) => { globalThis.read = ok; })]);
			return new Response("read");
		}
		while (!globalThis.read) await scheduler.wait(1);
		globalThis.reader.read().then(globalThis.read, globalThis.read);
		await scheduler.wait(100);
		return new Response("done")`))
	spec.MaxIsolates, spec.Suspended = 1, 2
	p := newTestPool(t, spec)
	var group sync.WaitGroup
	start := time.Now()
	group.Go(func() {
		r := testRequest("POST", "http://a.test/owner", "")
		r.Body = Body{Stream: io.NopCloser(strings.NewReader("x")), Length: -1}
		wants(t, p, nil, r, "200 read")
	})
	group.Go(func() { wants(t, p, nil, testRequest("GET", "http://a.test/other", ""), "200 done") })
	group.Wait()
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("the read waited for the owner's timer: %v", d)
	}
}

// TestNoForeignBytes: whatever a call sees, logs, sends and answers has the mark of its own
// request and of no other, through every pooled buffer.
func TestNoForeignBytes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	source := handler(`
		const mark = request.headers.get("x-mark"), path = new URL(request.url).pathname;
		console.log("log of " + mark);
		switch (path) {
		case "/echo": return new Response(request.body, { headers: { "x-mark": mark } });
		case "/text": return new Response(mark + (await request.text()));
		case "/fetch": return fetch("http://o.test/" + mark, { method: "POST", body: mark.repeat(50), headers: { "x-mark": mark } });
		case "/read": { const r = await fetch("http://o.test/" + mark, { method: "POST", body: mark }); return new Response((await r.text()) + r.headers.get("x-mark")); }
		case "/stream": { let n = 0; return new Response(new ReadableStream({ async pull(c) { await scheduler.wait(0); c.enqueue(new TextEncoder().encode(mark.repeat(900))); if (n++ > 9) c.close(); } })); }
		case "/spin": while (true);
		}`)
	paths := []string{"/echo", "/echo", "/text", "/fetch", "/read", "/stream", "/spin"}
	var group sync.WaitGroup
	for tenant := range 4 {
		spec := jsSpec(source)
		spec.Policy, spec.MaxIsolates, spec.Suspended = Policy(tenant%2), 2, 4
		p := newTestPool(t, spec)
		for worker := range 4 {
			rng := rand.New(rand.NewPCG(seed, uint64(tenant*10+worker)))
			group.Go(func() {
				for i := range 40 {
					marked(t, p, rng, paths[rng.IntN(len(paths))], fmt.Sprintf("<%d-%d-%d>", tenant, worker, i))
				}
			})
		}
	}
	group.Wait()
}

// own fails the test when text has another mark than mark; nothing else has a '<' in it.
func own(t *testing.T, where, mark, text string) {
	rest := strings.ReplaceAll(text, mark, "")
	if at := strings.IndexByte(rest, '<'); at >= 0 {
		t.Errorf("%s of %s has %.30q in it", where, mark, rest[at:])
	}
}

// marked runs one call that bears a mark everywhere.
func marked(t *testing.T, p *Pool, rng *rand.Rand, path, mark string) {
	host := &fakeHost{fetch: func(_ context.Context, _ *Call, sub *Subrequest) (*Response, error) {
		own(t, "subrequest", mark, string(sub.Request.Head)+string(sub.Request.Body.Bytes))
		r := newResponse()
		r.Head = testResponse(200, "").Head
		r.buf = append(r.buf[:0], strings.Repeat(mark, rng.IntN(2000))...)
		r.Body.Bytes = r.buf
		return r, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if rng.IntN(8) == 0 {
		time.AfterFunc(time.Millisecond, cancel)
	}
	r := testRequest("POST", "http://a.test"+path, strings.Repeat(mark, rng.IntN(3000)), "x-mark: "+mark)
	c := &Call{Context: ctx, Host: host, Request: r, Limits: Limits{CPU: 20 * time.Millisecond}}
	resp, err := p.Invoke(c)
	if err == nil {
		head := string(resp.Head)
		own(t, "head", mark, head)
		text := ""
		if text, err = answerText(resp); err == nil {
			own(t, "body of "+path, mark, text)
		}
	}
	own(t, "log", mark, host.log())
}
