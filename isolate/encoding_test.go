package isolate

import "testing"

// TestLegacyDecoders: TextDecoder with an encoding that the host decodes.
func TestLegacyDecoders(t *testing.T) {
	const scope = `
const atScope = new TextDecoder("Shift-JIS"), half = atScope.decode(new Uint8Array([0x93]), { stream: true });
const said = (call) => { try { return call(); } catch (e) { return e.constructor.name + ": " + e.message; } };
`
	for _, s := range []struct{ name, body, want string }{
		{"a decoder of module scope, in the middle of a character", `return new Response(half + atScope.decode(new Uint8Array([0xfa])))`, "200 日"},
		{"its attributes", `const d = new TextDecoder("latin1", { fatal: true, ignoreBOM: true }); return new Response([d.encoding, d.fatal, d.ignoreBOM].join())`, "200 windows-1252,true,true"},
		{"chunks", `const d = new TextDecoder("gb18030"); let text = "";
			for (const b of [0x81, 0x30, 0x81, 0x30, 0xd6, 0xd0, 0x41]) text += d.decode(new Uint8Array([b]), { stream: true });
			return new Response(escape(text + d.decode()))`, "200 %80%u4E2DA"},
		{"fatal, then anew", `const d = new TextDecoder("euc-jp", { fatal: true });
			return new Response(said(() => d.decode(new Uint8Array([0xff]))) + " " + d.decode(new Uint8Array([0xc6, 0xfc])))`, "200 TypeError: The encoded data was not valid euc-jp. 日"},
		{"no such label", `return new Response(["latin9", "utf-7", "replacement", "iso-2022-cn"].map((l) => said(() => new TextDecoder(l).encoding)).join())`,
			"200 RangeError: The encoding \"latin9\" is not supported,RangeError: The encoding \"utf-7\" is not supported,RangeError: The encoding \"replacement\" is not supported,RangeError: The encoding \"iso-2022-cn\" is not supported"},
		{"a big text", `const d = new TextDecoder("koi8-r"), t = d.decode(new Uint8Array(200_000).fill(0xc1)); return new Response(t.length + t[199_999])`, "200 200000а"},
		{"a stream", `return new Response(new Response(new Uint8Array([0xe9])).body.pipeThrough(new TextDecoderStream("windows-1252")).pipeThrough(new TextEncoderStream()))`, "200 é"},
	} {
		t.Run(s.name, func(t *testing.T) {
			wants(t, newTestPool(t, jsSpec(scope+handler(s.body))), &fakeHost{}, testRequest("GET", "http://a.test/", ""), s.want)
		})
	}
}
