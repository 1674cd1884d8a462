package isolate

import (
	"context"
	"testing"
)

// cryptoTools are what the stories share.
const cryptoTools = `
const { subtle } = crypto, bytes = new TextEncoder().encode("the message"), hex = (b) => new Uint8Array(b).toHex();
const same = (a, b) => hex(a) === hex(b), text = (b) => new TextDecoder().decode(b);
const fails = (promise) => promise.then(() => "no failure", (e) => e.name);
const from = (h) => Uint8Array.fromHex(h);
`

func TestWebCrypto(t *testing.T) {
	rt := bridged(t)
	stories := []struct{ name, source, want string }{
		{"digest", `return new Response(hex(await subtle.digest("sha-256", new TextEncoder().encode("abc"))))`,
			"200 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"MD5", `return new Response(hex(await subtle.digest({ name: "MD5" }, new Uint8Array())))`, "200 d41d8cd98f00b204e9800998ecf8427e"},
		{"a big digest is as a small one's", `const all = new Uint8Array(1 << 20), s = new crypto.DigestStream("SHA-1"), w = s.getWriter();
for (let i = 0; i < 16; i++) w.write(all.subarray(0, 65536)); await w.close();
return new Response(same(await s.digest, await subtle.digest("SHA-1", all)) + " " + s.bytesWritten)`, "200 true 1048576"},
		{"HMAC", `const k = await subtle.importKey("raw", from("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), { name: "HMAC", hash: "SHA-256" }, true, ["sign", "verify"]);
const s = await subtle.sign("HMAC", k, new TextEncoder().encode("Hi There"));
return new Response(hex(s) + " " + await subtle.verify("HMAC", k, s, new TextEncoder().encode("Hi There")) + " " + await subtle.verify("HMAC", k, s, bytes) + " " + JSON.stringify(k.algorithm))`,
			`200 b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7 true false {"name":"HMAC","hash":{"name":"SHA-256"},"length":160}`},
		{"AES round trips", `const said = [];
for (const [name, more] of [["AES-CBC", { iv: new Uint8Array(16) }], ["AES-CTR", { counter: new Uint8Array(16).fill(255), length: 8 }],
  ["AES-GCM", { iv: new Uint8Array(12) }], ["AES-GCM", { iv: new Uint8Array(32), tagLength: 32, additionalData: bytes }]]) {
  const k = await subtle.generateKey({ name, length: 256 }, true, ["encrypt", "decrypt"]), data = new Uint8Array(100_000).fill(7);
  const small = name === "AES-CTR" ? data.subarray(0, 4000) : data;
  const c = await subtle.encrypt({ name, ...more }, k, small), p = await subtle.decrypt({ name, ...more }, k, c);
  said.push(same(p, small), c.byteLength - small.length);
}
return new Response(said.join())`, "200 true,16,true,0,true,16,true,4"},
		{"a changed text is refused", `const k = await subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt", "decrypt"]), iv = new Uint8Array(12);
const said = [];
for (const tagLength of [32, 128]) {
  const c = new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv, tagLength }, k, bytes));
  c[0] ^= 1;
  said.push(await fails(subtle.decrypt({ name: "AES-GCM", iv, tagLength }, k, c)));
}
return new Response(said.join())`, "200 OperationError,OperationError"},
		{"AES-KW of RFC 3394", `const k = await subtle.importKey("raw", from("000102030405060708090a0b0c0d0e0f"), "AES-KW", false, ["wrapKey", "unwrapKey"]);
const inner = await subtle.importKey("raw", from("00112233445566778899aabbccddeeff"), "AES-CBC", true, ["encrypt"]);
const w = await subtle.wrapKey("raw", inner, k, "AES-KW"), u = await subtle.unwrapKey("raw", w, k, "AES-KW", "AES-CBC", true, ["encrypt"]);
return new Response(hex(w) + " " + hex(await subtle.exportKey("raw", u)))`,
			"200 1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5 00112233445566778899aabbccddeeff"},
		{"curves sign, in every format", `const said = [];
for (const a of [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", namedCurve: "P-521" }, { name: "Ed25519" }, { name: "NODE-ED25519", namedCurve: "NODE-ED25519" }]) {
  const use = { name: a.name, hash: "SHA-384" }, pair = await subtle.generateKey(a, true, ["sign", "verify"]);
  for (const [out, back] of [["pkcs8", "spki"], ["jwk", "jwk"], ["jwk", "raw"]]) {
    const priv = await subtle.importKey(out, await subtle.exportKey(out, pair.privateKey), a, true, ["sign"]);
    const pub = await subtle.importKey(back, await subtle.exportKey(back, pair.publicKey), a, true, ["verify"]);
    said.push(await subtle.verify(use, pub, await subtle.sign(use, priv, bytes), bytes));
    said.push(await subtle.verify(use, pub, new Uint8Array(64), bytes));
  }
}
return new Response(said.join())`, "200 " + repeated("true,false", 12)},
		{"RSA, in every format", `const said = [];
for (const [name, more, uses] of [["RSASSA-PKCS1-v1_5", {}, ["sign", "verify"]], ["RSA-PSS", { saltLength: 0 }, ["sign", "verify"]], ["RSA-PSS", { saltLength: 32 }, ["sign", "verify"]]]) {
  const a = { name, hash: "SHA-256" }, pair = await subtle.generateKey({ ...a, modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, true, uses);
  for (const [out, back] of [["pkcs8", "spki"], ["jwk", "jwk"]]) {
    const priv = await subtle.importKey(out, await subtle.exportKey(out, pair.privateKey), a, true, ["sign"]);
    const pub = await subtle.importKey(back, await subtle.exportKey(back, pair.publicKey), a, true, ["verify"]);
    const s = await subtle.sign({ name, ...more }, priv, bytes);
    said.push(await subtle.verify({ name, ...more }, pub, s, bytes), await subtle.verify({ name, ...more, saltLength: 20 }, pub, s, bytes.subarray(1)));
  }
  said.push(pub => pub, pair.publicKey.algorithm.modulusLength);
}
return new Response(said.filter((x) => typeof x !== "function").join())`, "200 " + repeated("true,false,true,false,1024", 3)},
		{"RSA-OAEP", `const p = await subtle.generateKey({ name: "RSA-OAEP", hash: "SHA-1", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, false, ["encrypt", "decrypt"]);
const label = new Uint8Array(3), c = await subtle.encrypt({ name: "RSA-OAEP", label }, p.publicKey, bytes);
return new Response(text(await subtle.decrypt({ name: "RSA-OAEP", label }, p.privateKey, c)) + " " + await fails(subtle.decrypt("RSA-OAEP", p.privateKey, c)) + " " + await fails(subtle.exportKey("jwk", p.privateKey)))`,
			"200 the message OperationError InvalidAccessError"},
		{"agreement", `const said = [];
for (const a of [{ name: "ECDH", namedCurve: "P-384" }, { name: "X25519" }]) {
  const [x, y] = [await subtle.generateKey(a, false, ["deriveBits", "deriveKey"]), await subtle.generateKey(a, true, ["deriveBits"])];
  const s = await subtle.deriveBits({ name: a.name, public: y.publicKey }, x.privateKey, null);
  said.push(same(s, await subtle.deriveBits({ name: a.name, public: x.publicKey }, y.privateKey, null)), s.byteLength);
  const k = await subtle.deriveKey({ name: a.name, public: y.publicKey }, x.privateKey, { name: "AES-GCM", length: 128 }, true, ["encrypt"]);
  said.push(same(await subtle.exportKey("raw", k), s.slice(0, 16)));
}
return new Response(said.join())`, "200 true,48,true,true,32,true"},
		{"PBKDF2 of RFC 6070", `const k = await subtle.importKey("raw", new TextEncoder().encode("password"), "PBKDF2", false, ["deriveBits"]);
return new Response(hex(await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: new TextEncoder().encode("salt"), iterations: 4096 }, k, 160)))`,
			"200 4b007901b765489abead49d926f721d065a429c1"},
		{"HKDF of RFC 5869", `const k = await subtle.importKey("raw", new Uint8Array(22).fill(11), "HKDF", false, ["deriveBits"]);
return new Response(hex(await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: from("000102030405060708090a0b0c"), info: from("f0f1f2f3f4f5f6f7f8f9") }, k, 336)))`,
			"200 3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
		{"long iterations cost the caller", `const k = await subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveBits"]);
await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-512", salt: bytes, iterations: 4e9 }, k, 160); return new Response("?")`, "error: CPU"},
		{"failures by name", `const k = await subtle.generateKey({ name: "HMAC", hash: "SHA-1" }, false, ["sign"]);
return new Response([await fails(subtle.digest("SHA-3", bytes)), await fails(subtle.digest("SHA-1")), await fails(subtle.verify("HMAC", k, bytes, bytes)),
  await fails(subtle.exportKey("raw", k)), await fails(subtle.generateKey({ name: "AES-CBC", length: 100 }, true, ["encrypt"])),
  await fails(subtle.generateKey({ name: "AES-CBC", length: 128 }, true, [])), await fails(subtle.importKey("spki", bytes, "Ed25519", true, [])),
  await fails(subtle.importKey("jwk", { kty: "oct", k: "!" }, "AES-CBC", true, ["encrypt"])), await fails(subtle.generateKey("AES-CBC", true, ["fly"]))].join())`,
			"200 NotSupportedError,TypeError,InvalidAccessError,InvalidAccessError,OperationError,SyntaxError,DataError,DataError,TypeError"},
		{"timingSafeEqual", `try { subtle.timingSafeEqual(bytes, bytes.subarray(1)) } catch (e) { return new Response(subtle.timingSafeEqual(bytes, bytes.slice()) + " " + e.name) }`, "200 true TypeError"},
		{"a key shows nothing", `const k = await subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-1" }, false, ["sign"]);
return new Response(Reflect.ownKeys(k).length + " " + JSON.stringify(k) + " " + (k instanceof CryptoKey))`, "200 0 {} true"},
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			p, err := rt.NewPool(context.Background(), jsSpec(cryptoTools+handler(s.source)))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/", ""), s.want)
		})
	}
}

func repeated(s string, n int) string {
	all := s
	for range n - 1 {
		all += "," + s
	}
	return all
}

// A key that module scope imports is the snapshot's; what is random is not for module scope.
func TestWebCryptoAtModuleScope(t *testing.T) {
	rt := bridged(t)
	source := cryptoTools + `
const key = await subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveBits"]);
const bits = await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: bytes, iterations: 2 }, key, 160);
const refused = [await fails(subtle.generateKey({ name: "AES-CBC", length: 128 }, true, ["encrypt"])), await fails(subtle.generateKey("Ed25519", true, ["sign"]))];
export default { async fetch() {
	const again = await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: bytes, iterations: 2 }, key, 160);
	return new Response(same(bits, again) + " " + refused);
} }`
	p, err := rt.NewPool(context.Background(), jsSpec(source))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/", ""), "200 true Error,Error")
}
