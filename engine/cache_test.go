package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"switchyard/isolate/abi"
)

func headersOf(lines ...string) headerBlock {
	head := abi.AppendResponseHead(nil, 200)
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		head = abi.AppendHeader(head, 0, name, value)
	}
	return abi.ResponseHead(head).Headers()
}

func TestCacheLifetimes(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range []struct {
		status  int
		headers string
		want    time.Duration
	}{
		{200, "", 2 * time.Hour},
		{404, "", 3 * time.Minute},
		{500, "", 0},
		{500, "cache-control: max-age=5", 5 * time.Second},
		{200, "cache-control: public, max-age=5, s-maxage=\"9\"", 9 * time.Second},
		{200, "cache-control: max-age=0", 0},
		{200, "cache-control: max-age=x", 0},
		{200, "cache-control: Max-Age=99999999999", maxLifetime},
		{200, "cache-control: no-store", 0},
		{200, "cache-control: no-cache", 0},
		{200, "cache-control: private", 0},
		{200, "expires: Thu, 01 Jan 2026 00:01:00 GMT", time.Minute},
		{200, "expires: Thu, 01 Jan 2025 00:01:00 GMT", -365*24*time.Hour + time.Minute},
		{200, "expires: 0", 0},
		{200, "cache-control: max-age=7|expires: 0", 7 * time.Second},
		{200, "set-cookie: a=b", 0},
		{200, "set-cookie: a=b|cache-control: private=Set-Cookie", 2 * time.Hour},
		{206, "cache-control: max-age=5", 0},
		{304, "cache-control: max-age=5", 0},
	} {
		kept, got := keepable(s.status, headersOf(strings.FieldsFunc(s.headers, func(r rune) bool { return r == '|' })...), now)
		if got != s.want {
			t.Errorf("%d %s: %v, want %v", s.status, s.headers, got, s.want)
		}
		for _, h := range kept {
			if h.name == "set-cookie" {
				t.Errorf("%s: the cookie is kept", s.headers)
			}
		}
	}
}

func TestCacheAnswers(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := &cached{status: 200, body: []byte("0123456789"), stored: now, headers: []header{
		{"etag", `W/"a,b"`}, {"last-modified", "Wed, 31 Dec 2025 00:00:00 GMT"}}}
	for _, s := range []struct{ request, want string }{
		{"", "200 0123456789 "},
		{"range: bytes=2-4", "206 234 bytes 2-4/10"},
		{"range: bytes=8-", "206 89 bytes 8-9/10"},
		{"range: bytes=-3", "206 789 bytes 7-9/10"},
		{"range: bytes=-30", "206 0123456789 bytes 0-9/10"},
		{"range: bytes=5-500", "206 56789 bytes 5-9/10"},
		{"range: bytes=10-", "416  bytes */10"},
		{"range: bytes=-0", "416  bytes */10"},
		{"range: bytes=99999999999999999999-", "200 0123456789 "},
		{"range: bytes=4-2", "200 0123456789 "},
		{"range: bytes=0-1,3-4", "200 0123456789 "},
		{"range: lines=1-2", "200 0123456789 "},
		{`if-none-match: "x", "a,b"`, "304  "},
		{`if-none-match: *`, "304  "},
		{`if-none-match: "x"`, "200 0123456789 "},
		{"if-modified-since: Thu, 01 Jan 2026 00:00:00 GMT", "304  "},
		{"if-modified-since: Mon, 01 Dec 2025 00:00:00 GMT", "200 0123456789 "},
		{"if-modified-since: then", "200 0123456789 "},
	} {
		var request headerBlock
		if s.request != "" {
			request = headersOf(s.request)
		}
		r := c.answer(request, now.Add(5*time.Second))
		h := r.Head.Headers()
		if got := fmt.Sprintf("%d %s %s", r.Head.Status(), r.Body.Bytes, h.Get("content-range")); got != s.want {
			t.Errorf("%s: %q, want %q", s.request, got, s.want)
		}
		if string(h.Get("age")) != "5" || string(h.Get("cf-cache-status")) != "HIT" {
			t.Errorf("%s: age %s, status %s", s.request, h.Get("age"), h.Get("cf-cache-status"))
		}
	}
	if r := (&cached{status: 200}).answer(headersOf("range: bytes=0-"), now); r.Head.Status() != 416 {
		t.Errorf("a range of nothing: %d", r.Head.Status())
	}
}

// The least recently used goes first: of the script past its bound, of all past the total.
func TestCacheBounds(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCache(10_000, 4_000)
	c.now = func() time.Time { return now }
	put := func(script, url string, n int) {
		c.store(script, &cached{key: cacheKey{url: url}, body: make([]byte, n), expires: now.Add(time.Minute)})
	}
	has := func(script, urls string) string {
		var found []string
		for _, url := range strings.Split(urls, "") {
			if c.entryLocked(script, cacheKey{url: url}) != nil {
				found = append(found, url)
			}
		}
		return strings.Join(found, "")
	}
	put("one", "a", 1000)
	put("one", "b", 1000)
	c.find("one", cacheKey{url: "a"})
	put("one", "c", 1000)
	put("one", "d", 5000)
	if got := has("one", "abcd"); got != "ac" {
		t.Errorf("one script has %q, want ac", got)
	}
	for i, script := range []string{"two", "three", "four"} {
		put(script, "x", 2500+i)
	}
	if got := has("one", "ac") + has("two", "x") + has("three", "x") + has("four", "x"); got != "xxx" {
		t.Errorf("all have %q, want xxx: %d bytes", got, c.mu.bytes)
	}
	put("two", "x", 10)
	c.drop("three")
	now = now.Add(time.Minute)
	if c.find("two", cacheKey{url: "x"}) != nil || c.delete("four", cacheKey{url: "x"}) {
		t.Error("what is stale is found")
	}
	if c.mu.bytes != 0 || len(c.mu.shelves) != 0 || c.mu.used.Len() != 0 {
		t.Errorf("%d bytes, %d shelves are left", c.mu.bytes, len(c.mu.shelves))
	}
}

func TestCacheOfWorkers(t *testing.T) {
	p := openReal(t)
	p.deploy("dispatcher", `export default { fetch(request, env) {
		const url = new URL(request.url), name = url.hostname.split(".")[0];
		return name === "plain" ? run(caches.default, request) : env.NS.get(name).fetch(request).catch((e) => new Response("caught: " + e.message));
	} };`+cacheWorker, dispatchTo("NS", "production", nil))
	const user = `export default { async fetch(request) {
		return run(new URL(request.url).searchParams.has("default") ? caches.default : await caches.open("own"), request);
	} };`
	p.deploy("production/one", user+cacheWorker)
	p.deploy("production/two", user+cacheWorker)
	for _, s := range []struct{ url, want string }{
		{"http://one.test/match", "nothing"},
		{"http://one.test/put", "put"},
		{"http://one.test/match", "200 HIT 0 text/x one"},
		{"http://two.test/match", "nothing"},
		{"http://plain.test/match", "nothing"},
		{"http://plain.test/put", "put"},
		{"http://plain.test/match", "200 HIT 0 text/x plain"},
		{"http://one.test/range", "206 HIT 0 text/x ne"},
		{"http://one.test/changed", "304 HIT 0 text/x "},
		{"http://one.test/post", "false"},
		{"http://one.test/anymethod", "true"},
		{"http://one.test/delete", "true"},
		{"http://one.test/delete", "false"},
		{"http://one.test/match", "nothing"},
		{"http://one.test/stream", "put"},
		{"http://one.test/match", "200 HIT 0 text/x streamed"},
		{"http://one.test/passed", "put"},
		{"http://one.test/match", "200 HIT 0  egress http://origin.test/a"},
		{"http://one.test/big", "put"},
		{"http://one.test/match", "200 HIT 0  egress http://origin.test/a"},
		{"http://one.test/clone", "egress http://origin.test/a"},
		{"http://one.test/match", "200 HIT 0 text/x egress http://origin.test/a"},
		{"http://one.test/match?default", "caught: caches.default is not available to untrusted Workers. Use caches.open()."},
		{"http://one.test/refused", "TypeError: Cannot cache response to non-GET request., TypeError: Cannot cache response to a range request (206 Partial Content)., " +
			"TypeError: Cannot cache response with 'Vary: *' header., TypeError: Cache API keys must be fully-qualified, valid URLs of http or https."},
		{"http://one.test/many", "caught: Too many subrequests."},
	} {
		if got := p.get(s.url); got != s.want {
			t.Errorf("%s: %q, want %q", s.url, got, s.want)
		}
	}
	if n := p.cache.mu.used.Len(); n != 2 {
		t.Errorf("%d responses are kept, want 2", n)
	}
	if err := p.DeleteScript(t.Context(), Ref{"production", "one"}); err != nil {
		t.Fatal(err)
	}
	if n := p.cache.mu.used.Len(); n != 1 {
		t.Errorf("%d responses are kept, want 1", n)
	}
}

const cacheWorker = `
const key = "https://key.test/a#fragment", keep = { "cache-control": "max-age=60", "content-type": "text/x", etag: '"t"' };
const show = async (r) => r ? [r.status, r.headers.get("cf-cache-status"), r.headers.get("age"), r.headers.get("content-type"), await r.text()].join(" ") : "nothing";
const refused = (p) => p.then(() => "taken", (e) => e.name + ": " + e.message);
const actions = {
	match: async (c) => show(await c.match("https://key.test/a")),
	put: async (c, name) => (await c.put(key, new Response(name, { headers: keep })), "put"),
	range: async (c) => show(await c.match(new Request(key, { headers: { range: "bytes=1-" } }))),
	changed: async (c) => show(await c.match(new Request(key, { headers: { "if-none-match": '"t"' } }))),
	post: async (c) => String(await c.match(new Request(key, { method: "POST" })) !== undefined),
	anymethod: async (c) => String(await c.match(new Request(key, { method: "POST" }), { ignoreMethod: true }) !== undefined),
	delete: async (c) => String(await c.delete(key)),
	stream: async (c) => {
		const body = new ReadableStream({ async start(s) { for (const part of ["str", "eam", "ed"]) { await scheduler.wait(1); s.enqueue(new TextEncoder().encode(part)); } s.close(); } });
		return await c.put(key, new Response(body, { headers: keep })), "put";
	},
	passed: async (c) => (await c.put(key, new Response((await fetch("http://origin.test/a")).body, { headers: { "cache-control": "max-age=60" } })), "put"),
	clone: async (c) => {
		const fresh = new Response((await fetch("http://origin.test/a")).body, { headers: keep }), kept = c.put(key, fresh.clone()), text = await fresh.text();
		return await kept, text;
	},
	big: async (c) => (await c.put("https://key.test/big", new Response(new Uint8Array(9 << 20), { headers: keep })), "put"),
	refused: async (c) => (await Promise.all([
		refused(c.put(new Request(key, { method: "POST" }), new Response(""))), refused(c.put(key, new Response("", { status: 206 }))),
		refused(c.put(key, new Response("", { headers: { vary: "accept, *" } }))), refused(c.match("ftp://a.test/")),
	])).join(", "),
	many: async (c) => { for (;;) await c.match(key); },
};
async function run(cache, request) {
	const url = new URL(request.url);
	return new Response(await actions[url.pathname.slice(1)](cache, url.hostname.split(".")[0]));
}`
