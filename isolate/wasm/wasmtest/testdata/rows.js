// The rows of what metering costs QuickJS: requests as a Worker might answer them, with small
// stand-ins for the classes of the standard library, and kernels. Each is called with a count.
"use strict";
class Headers {
  constructor(init) { this.map = new Map(Object.entries(init ?? {}).map(([k, v]) => [k.toLowerCase(), String(v)])); }
  get(name) { return this.map.get(name.toLowerCase()) ?? null; }
}
class Response {
  constructor(body, init) { this.body = body; this.status = init?.status ?? 200; this.headers = new Headers(init?.headers); }
}
class Request { constructor(url) { this.url = url; this.method = "GET"; this.headers = new Headers({ accept: "text/html" }); } }
function pathname(url) { const at = url.indexOf("/", 8); const q = url.indexOf("?", at); return url.slice(at, q < 0 ? url.length : q); }
const routes = [/^\/$/, /^\/users\/(\d+)$/, /^\/posts\/([a-z-]+)$/, /^\/posts\/([a-z-]+)\/comments\/(\d+)$/, /^\/static\/(.*)$/];
const items = Array.from({ length: 60 }, (_, i) => ({ id: i, name: "item " + i, price: i * 1.25, tags: ["a", "b<c", "d&e"] }));
const text = JSON.stringify(items);
const escaped = (s) => s.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
const page = () => "<ul>" + items.map((i) => `<li id="i${i.id}">${escaped(i.name)} ${i.price.toFixed(2)} ${i.tags.map(escaped).join(", ")}</li>`).join("") + "</ul>";
const user = { fetch: async (r) => new Response("user " + pathname(r.url)) };
const handlers = {
  floor: () => new Response("hello"),
  async: async () => new Response("hello"),
  pathname: async (r) => new Response(pathname(r.url)),
  await: async (r) => { await null; return new Response(pathname(r.url)); },
  headers: async (r) => new Response(r.headers.get("Accept"), { status: 201, headers: { "content-type": "text/html", "x-a": "1" } }),
  json: async (r) => { const list = JSON.parse(text.slice(0, 500).replace(/,\{[^}]*$/, "]")); return new Response(JSON.stringify({ path: pathname(r.url), list })); },
  router: async (r) => { const p = pathname(r.url); for (const re of routes) { const m = re.exec(p); if (m) return new Response(m[1]); } return new Response("no", { status: 404 }); },
  page: async () => new Response(page()),
  dispatcher: async (r) => { const name = pathname(r.url).split("/")[1]; return name ? user.fetch(new Request(r.url)) : new Response("none"); },
  tryAwait: async (r) => { try { return await user.fetch(r); } catch (e) { return new Response(String(e), { status: 500 }); } },
};
let answered = 0;
function requests(name, n) {
  for (let i = 0; i < n; i++) {
    const r = handlers[name](new Request("https://example.com/posts/some-post/comments/" + (i % 10) + "?q=1"));
    if (r instanceof Promise) r.then(() => answered++); else answered++;
  }
  return 0;
}
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
function sha256(bytes) {
  const k = [], h = []; let found = 0;
  for (let c = 2; found < 64; c++) {
    let prime = true;
    for (let d = 2; d * d <= c; d++) if (c % d === 0) prime = false;
    if (prime) { if (found < 8) h[found] = (c ** 0.5 * 4294967296) | 0; k[found++] = (c ** (1 / 3) * 4294967296) | 0; }
  }
  const w = new Int32Array(64);
  for (let at = 0; at < bytes.length; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = bytes[at + 4 * i] << 24 | bytes[at + 4 * i + 1] << 16 | bytes[at + 4 * i + 2] << 8 | bytes[at + 4 * i + 3];
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + ((a >>> 7 | a << 25) ^ (a >>> 18 | a << 14) ^ a >>> 3) + ((b >>> 17 | b << 15) ^ (b >>> 19 | b << 13) ^ b >>> 10) | 0;
    }
    let [a, b, c, d, e, f, g, j] = h;
    for (let i = 0; i < 64; i++) {
      const t = j + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + k[i] + w[i] | 0;
      const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
      j = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
    }
    [a, b, c, d, e, f, g, j].forEach((v, i) => { h[i] = h[i] + v | 0; });
  }
  return h[0];
}
const block = Uint8Array.from({ length: 4096 }, (_, i) => i * 7);
const kernels = {
  fib: () => fib(20),
  jsonParse: () => JSON.parse(text).length,
  jsonStringify: () => JSON.stringify(items).length,
  regex: () => { let n = 0; for (const m of text.matchAll(/"(\w+)":(\d+(?:\.\d+)?)/g)) n += m[1].length; return n; },
  html: () => page().length,
  mapset: () => { const m = new Map(), s = new Set(); for (let i = 0; i < 1000; i++) { m.set("k" + i % 100, i); s.add(i % 77); } return m.size + s.size; },
  sha256: () => sha256(block),
  sort: () => { let x = 1; return Array.from({ length: 1000 }, () => (x = x * 1103515245 + 12345 & 0x7fffffff)).sort((a, b) => a - b)[5]; },
  objects: () => { let n = 0; for (let i = 0; i < 1000; i++) { const o = { a: i, b: { c: [i, i + 1] } }; n += { ...o, d: 1 }.b.c[1]; } return n; },
  strsplit: () => "a,b,c,d,e,f,g,h".repeat(20).split(",").map((s) => s + "x").join(";").length,
};
function repeated(name, n) { let sum = 0; for (let i = 0; i < n; i++) sum = sum + kernels[name]() | 0; return sum; }
0;
