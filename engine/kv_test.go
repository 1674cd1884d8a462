package engine

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func kvTo(name string, n KVNamespace) Binding {
	return Binding{Name: name, Type: KV, NamespaceID: n.ID}
}

func (p *platform) kvNamespace(title string) KVNamespace {
	p.t.Helper()
	n, err := p.CreateKVNamespace(p.t.(*testing.T).Context(), title)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func TestKVNamespaces(t *testing.T) {
	p, ctx := openPlatform(t), t.Context()
	one := p.kvNamespace("one")
	_, err := p.CreateKVNamespace(ctx, "one")
	wantErr(t, err, ErrKVNamespaceExists)
	two := p.kvNamespace("two")
	_, err = p.RenameKVNamespace(ctx, two.ID, "one")
	wantErr(t, err, ErrKVNamespaceExists)
	if n, err := p.RenameKVNamespace(ctx, two.ID, "three"); err != nil || n.Title != "three" || n.ID != two.ID {
		t.Errorf("renamed to %+v, %v", n, err)
	}
	_, err = p.RenameKVNamespace(ctx, "nobody", "x")
	wantErr(t, err, ErrKVNamespaceNotFound)
	for _, title := range []string{"", "a\nb", "\xff", strings.Repeat("t", 513)} {
		if _, err := p.CreateKVNamespace(ctx, title); !errors.As(err, new(*InputError)) {
			t.Errorf("title %q: %v", title, err)
		}
	}
	if err := p.KVPut(ctx, one.ID, KVPair{Key: "k", Value: []byte("v"), Metadata: []byte(` {"a": [1]} `)}); err != nil {
		t.Fatal(err)
	}
	p.deploy("bound", "say a", kvTo("KV", one))
	p.reopen()
	if list := p.KVNamespaces(); len(list) != 2 || list[0].ID != one.ID || list[1].Title != "three" {
		t.Errorf("after a restart: %+v", list)
	}
	if pair, err := p.KVGet(one.ID, "k"); err != nil || string(pair.Value) != "v" || string(pair.Metadata) != `{"a":[1]}` {
		t.Errorf("after a restart: %+v, %v", pair, err)
	}
	if err := p.DeleteKVNamespace(ctx, one.ID); err != nil {
		t.Fatal(err)
	}
	_, err = p.KVGet(one.ID, "k")
	wantErr(t, err, ErrKVNamespaceNotFound)
	wantErr(t, p.KVPut(ctx, one.ID, KVPair{Key: "k"}), ErrKVNamespaceNotFound)
	wantErr(t, p.DeleteKVNamespace(ctx, one.ID), ErrKVNamespaceNotFound)
	var missing *MissingKVError
	if _, err := p.Deploy(ctx, Ref{Script: "other"}, upload("say a", kvTo("KV", one))); !errors.As(err, &missing) || missing.ID != one.ID {
		t.Errorf("a binding to a namespace that is gone: %v", err)
	}
	p.deploy("bound", "say b", kvTo("KV", one)) // it had the binding before
}

func TestKVExpiration(t *testing.T) {
	now := time.Unix(1000, 0)
	number := func(n int64) *int64 { return &n }
	for _, s := range []struct {
		expiration, ttl *int64
		want            int64
		refused         string
	}{
		{nil, nil, 0, ""},
		{nil, number(60), 1060, ""},
		{number(2000), number(60), 1060, ""},
		{number(1060), nil, 1060, ""},
		{nil, number(5), 0, "Invalid expiration_ttl of 5. Expiration TTL must be at least 60."},
		{nil, number(0), 0, "Invalid expiration_ttl of 0. Please specify integer greater than 0."},
		{nil, number(1 << 50), 0, "must be at most"},
		{number(1000), nil, 0, "greater than the current number of seconds"},
		{number(1059), nil, 0, "must be at least 60 seconds in the future."},
		{number(1 << 50), nil, 0, "must be at most"},
	} {
		got, err := KVExpiration(s.expiration, s.ttl, now)
		if got != s.want || (err == nil) != (s.refused == "") || err != nil && !strings.Contains(err.Error(), s.refused) {
			t.Errorf("%+v: %d, %v", s, got, err)
		}
	}
}

const kvWorker = `
const said = (p) => p.then((v) => JSON.stringify(v), (e) => e.name + ": " + e.message);
const big = (n) => { const b = new Uint8Array(n); for (let i = 0; i < n; i += 4096) b[i] = i >> 12; return b; };
const stories = {
	async types({ KV }) {
		await KV.put("t", '{"a":1}');
		await KV.put("b", new Uint8Array([1, 2, 3]).subarray(1));
		await KV.put("buffer", new Uint8Array([7]).buffer);
		await KV.put("empty", "");
		return [await KV.get("t"), (await KV.get("t", "json")).a, (await KV.get("t", { type: "json", cacheTtl: 60 })).a,
			new Uint8Array(await KV.get("b", "arrayBuffer")).join("-"), new Uint8Array(await KV.get("buffer", "arrayBuffer")).join("-"),
			await new Response(await KV.get("t", "stream")).text(), JSON.stringify(await KV.get("empty")), await KV.get("none"), (await KV.get("empty", "stream")) instanceof ReadableStream].join("|");
	},
	async metadata({ KV }) {
		await KV.put("m", "v", { metadata: { "é€😀": "\n\"\u0001" }, expirationTtl: 3600 });
		const { value, metadata, cacheStatus } = await KV.getWithMetadata("m");
		const none = await KV.getWithMetadata("none");
		await KV.put("n", "v", { metadata: null });
		const [key] = (await KV.list({ prefix: "m" })).keys;
		return [value, JSON.stringify(metadata), cacheStatus, JSON.stringify(none), (await KV.getWithMetadata("n")).metadata, JSON.stringify(key.metadata) === JSON.stringify(metadata), key.expiration > 1e9].join("|");
	},
	async many({ KV }) {
		await KV.put("j1", '{"a":1}', { metadata: 5 });
		await KV.put("j2", '"é"');
		const m = await KV.get(["j2", "none", "j1"], "json"), t = await KV.getWithMetadata(["j1", "none"]);
		return [m instanceof Map, JSON.stringify([...m]), JSON.stringify([...t])].join("|");
	},
	async list({ KV }) {
		for (const k of ["l/é", "l/b", "l/a", "l/\uffff", "l0", "l/c"]) await KV.put(k, k);
		const one = await KV.list({ prefix: "l/", limit: 2 }), two = await KV.list({ prefix: "l/", limit: 2, cursor: one.cursor }), three = await KV.list({ prefix: "l/", cursor: two.cursor });
		await KV.delete("l/a");
		await KV.delete("never");
		return JSON.stringify([one.keys, one.list_complete, two.keys, three, (await KV.list({ prefix: "l/a" })).keys, await KV.get("l/a")]).replaceAll(one.cursor, "C");
	},
	async streams({ KV }) {
		await KV.put("s", new ReadableStream({ async start(c) { for (const p of ["str", "eam"]) { await scheduler.wait(1); c.enqueue(new TextEncoder().encode(p)); } c.close(); } }));
		await KV.put("passed", (await fetch("http://origin.test/a")).body);
		return [await KV.get("s"), await KV.get("passed")].join("|");
	},
	async large({ KV }) {
		const sent = big(25 << 20);
		await KV.put("large", sent);
		const got = new Uint8Array(await KV.get("large", "arrayBuffer"));
		let same = got.length === sent.length;
		for (let i = 0; same && i < got.length; i += 4096) same = got[i] === sent[i];
		return same;
	},
	async larger({ KV }) { return said(KV.put("larger", new Uint8Array((25 << 20) + 1))); },
	async refused({ KV }) {
		const long = "é".repeat(257);
		return (await Promise.all([KV.get(""), KV.get("."), KV.put("..", ""), KV.get(long), KV.delete(long), KV.put("k", {}), KV.get("k", "blob"), KV.put("k", "", { expirationTtl: 5 }),
			KV.put("k", "", { expirationTtl: "x" }), KV.put("k", "", { expiration: 5 }), KV.put("k", "", { metadata: "m".repeat(1023) }), KV.get("k", { cacheTtl: 5 }), KV.list({ limit: 0 }), KV.list({ limit: 1001 }),
			KV.list({ cursor: "?" }), KV.get(["a"], "stream"), KV.get(Array(101).fill("k")), KV.get(), KV.put("k"), KV.list({ prefix: long })].map(said))).join("\n");
	},
	async poisoned({ KV }) {
		Map.prototype.set = JSON.parse = JSON.stringify = Response.prototype.text = Response.prototype.json = () => { throw new Error("poisoned"); };
		Object.prototype.op = "delete";
		await KV.put("p", "v", { metadata: { a: 1 } });
		const m = await KV.get(["p"]);
		delete Object.prototype.op;
		return m.get("p") + (await KV.getWithMetadata("p")).metadata.a;
	},
};
export default { async fetch(request, env) { return new Response(await stories[new URL(request.url).pathname.slice(1)](env)); } };`

func TestKVOfWorkers(t *testing.T) {
	p := openReal(t)
	one, other := p.kvNamespace("one"), p.kvNamespace("other")
	p.deploy("dispatcher", `export default { async fetch(request, env) {
		return env.NS.get(new URL(request.url).hostname.split(".")[0], {}, { limits: { cpuMs: 5000, subRequests: 40 } }).fetch(request).catch((e) => new Response("caught: " + e.message));
	} };`, dispatchTo("NS", "production", nil))
	p.deploy("production/one", kvWorker, kvTo("KV", one))
	p.deploy("production/other", kvWorker, kvTo("KV", other))
	for _, s := range []struct{ url, want string }{
		{"http://one.test/types", `{"a":1}|1|1|2-3|7|{"a":1}|""||true`},
		{"http://one.test/metadata", `v|{"é€😀":"\n\"\u0001"}||{"value":null,"metadata":null,"cacheStatus":null}||true|true`},
		{"http://one.test/many", `true|[["j2","é"],["none",null],["j1",{"a":1}]]|[["j1",{"value":"{\"a\":1}","metadata":5}],["none",{"value":null,"metadata":null}]]`},
		{"http://one.test/list", `[[{"name":"l/a"},{"name":"l/b"}],false,[{"name":"l/c"},{"name":"l/é"}],{"keys":[{"name":"l/` + "\uffff" + `"}],"list_complete":true,"cacheStatus":null},[],null]`},
		{"http://one.test/streams", "stream|egress http://origin.test/a"},
		{"http://one.test/large", "true"},
		{"http://one.test/larger", "Error: KV PUT failed: 413 Value length of 26214401 exceeds limit of 26214400."},
		{"http://one.test/refused", strings.Join([]string{
			"TypeError: Key name cannot be empty.", `TypeError: "." is not allowed as a key name.`, `TypeError: ".." is not allowed as a key name.`,
			"Error: KV GET failed: 414 UTF-8 encoded length of 514 exceeds key length limit of 512.",
			"Error: KV DELETE failed: 414 UTF-8 encoded length of 514 exceeds key length limit of 512.",
			"TypeError: KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.",
			`TypeError: Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".`,
			"Error: KV PUT failed: 400 Invalid expiration_ttl of 5. Expiration TTL must be at least 60.",
			"Error: KV PUT failed: 400 Invalid expiration_ttl of 0. Please specify integer greater than 0.",
			"Error: KV PUT failed: 400 Invalid expiration of 5. Please specify integer greater than the current number of seconds since the UNIX epoch.",
			"Error: KV PUT failed: 413 Metadata length of 1025 exceeds limit of 1024.",
			"Error: KV GET failed: 400 Invalid cache_ttl of 5. Cache TTL must be at least 30.",
			"Error: KV GET failed: 400 Invalid key_count_limit of 0. Please specify an integer greater than 0.",
			"Error: KV GET failed: 400 Invalid key_count_limit of 1001. Please specify an integer less than 1000.",
			"Error: KV GET failed: 400 Invalid cursor.",
			`Error: KV GET_BULK failed: 400 "stream" is not a valid type. Use "json" or "text"`,
			"Error: KV GET_BULK failed: 400 You can request a maximum of 100 keys",
			"TypeError: get: 1 argument required, but only 0 present",
			"TypeError: put: 2 arguments required, but only 1 present",
			"Error: KV GET failed: 414 UTF-8 encoded length of 514 exceeds key length limit of 512.",
		}, "\n")},
		{"http://one.test/poisoned", "v1"},
	} {
		if got := p.get(s.url); got != s.want {
			t.Errorf("%s: got\n%s\nwant\n%s", s.url, got, s.want)
		}
	}
	if pairs, _, err := p.KVList(other.ID, "", "", 10); err != nil || len(pairs) != 0 {
		t.Errorf("another namespace has %v, %v", pairs, err)
	}
	if used := p.kv.values.used.Load(); used != 0 {
		t.Errorf("%d bytes are counted as being read", used)
	}
	if err := p.DeleteKVNamespace(t.Context(), one.ID); err != nil {
		t.Fatal(err)
	}
	if got := p.get("http://one.test/list"); !strings.Contains(got, "KV PUT failed: 404 Not Found") {
		t.Errorf("of a namespace that is gone: %s", got)
	}
}

func BenchmarkKV(b *testing.B) {
	p := openPlatform(b)
	n, err := p.CreateKVNamespace(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 1000)
	b.Run("put", func(b *testing.B) {
		for i := range b.N {
			if err := p.KVPut(b.Context(), n.ID, KVPair{Key: fmt.Sprint("key", i%1000), Value: value}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("put/parallel", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if err := p.KVPut(b.Context(), n.ID, KVPair{Key: fmt.Sprint("key", i%1000), Value: value}); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if p, err := p.KVGet(n.ID, "key1"); err != nil || p == nil {
				b.Fatal(err)
			}
		}
	})
}

// Namespaces that go while they are written to leave nothing behind.
func TestKVHammer(t *testing.T) {
	p, ctx := openPlatform(t), t.Context()
	var writers sync.WaitGroup
	for round := range 5 {
		n := p.kvNamespace(fmt.Sprint("round ", round))
		for w := range 4 {
			writers.Go(func() {
				for i := 0; ; i++ {
					key := fmt.Sprint(w, "/", i%10)
					err := p.KVPut(ctx, n.ID, KVPair{Key: key, Value: []byte(key)})
					if err == nil && i%3 == 0 {
						err = p.KVDelete(ctx, n.ID, key)
					} else if err == nil {
						if pair, getErr := p.KVGet(n.ID, key); getErr == nil && (pair == nil || string(pair.Value) != key) {
							t.Errorf("%s is not there after its put", key)
						}
					}
					if err != nil {
						wantErr(t, err, ErrKVNamespaceNotFound)
						return
					}
				}
			})
		}
		if _, _, err := p.KVList(n.ID, "", "", MaxKVList); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Millisecond) // some writes come before
		if err := p.DeleteKVNamespace(ctx, n.ID); err != nil {
			t.Error(err)
		}
		writers.Wait()
	}
	if err := p.store.Check(func(problem string) { t.Error(problem) }); err != nil {
		t.Error(err)
	}
}
