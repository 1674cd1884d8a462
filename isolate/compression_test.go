package isolate

import "testing"

// TestCompressionStreams: from text to compressed bytes and back, and what goes wrong on the way.
func TestCompressionStreams(t *testing.T) {
	const tools = `
const through = (bytes, stream) => new Response(new Response(bytes).body.pipeThrough(stream)).bytes();
const pack = (format, text) => through(text, new CompressionStream(format));
const unpack = (format, bytes) => through(bytes, new DecompressionStream(format));
const text = (bytes) => new TextDecoder().decode(bytes);
const refused = (promise) => promise.then(() => "taken", (e) => e.constructor.name + ": " + e.message);
`
	for _, s := range []struct{ name, body, want string }{
		{"there and back", `const long = "abc ".repeat(100_000), out = [];
			for (const f of ["gzip", "deflate", "deflate-raw"]) { const p = await pack(f, long); out.push(p.length < 5000, text(await unpack(f, p)) === long); }
			return new Response(out.join())`, "200 true,true,true,true,true,true"},
		{"gzip's magic", `return new Response((await pack("gzip", "x")).slice(0, 3).join())`, "200 31,139,8"},
		{"nothing", `return new Response(String((await unpack("deflate", await pack("deflate", ""))).length))`, "200 0"},
		{"a cut end", `return new Response(await refused(unpack("gzip", (await pack("gzip", "hello")).slice(0, -1))))`, "200 TypeError: Decompression failed: the data ends too early."},
		{"trailing bytes", `const p = await pack("gzip", "hello"); return new Response(await refused(unpack("gzip", new Uint8Array([...p, 0]))))`, "200 TypeError: Decompression failed: there are bytes after the end of the data."},
		{"no data at all", `return new Response(await refused(unpack("deflate", "not compressed")))`, "200 TypeError: Decompression failed: the data is not valid."},
		{"an unknown format", `return new Response(await refused((async () => new CompressionStream("brotli"))()))`, "200 TypeError: CompressionStream: the format must be either 'deflate', 'deflate-raw' or 'gzip'."},
		{"a chunk that is text", `const s = new CompressionStream("gzip"); s.readable.getReader().read().catch(() => {}); return new Response(await refused(s.writable.getWriter().write("x")))`, "200 TypeError: The chunk is no ArrayBuffer and no view of one."},
		{"a streamed response", `return new Response(new Blob(["hi"]).stream().pipeThrough(new CompressionStream("deflate")).pipeThrough(new DecompressionStream("deflate")))`, "200 hi"},
	} {
		t.Run(s.name, func(t *testing.T) {
			p := newTestPool(t, jsSpec(tools+handler(s.body)))
			wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/", ""), s.want)
		})
	}
}

// A bomb ends by the CPU limit or by its reader, not by the memory of the host.
func TestDecompressionBomb(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`
const zeros = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65_536)); } });
let n = 0;
for await (const piece of zeros.pipeThrough(new CompressionStream("gzip")).pipeThrough(new DecompressionStream("gzip"))) n += piece.length;
return new Response(String(n))`)))
	wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/", ""), "error: CPU")
}
