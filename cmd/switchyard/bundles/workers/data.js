// Data in and out: superjson, immer, yaml, papaparse, qs, cookie, fflate, valibot, semver.
//> GET /superjson
//> GET /immer
//> GET /yaml
//> GET /papaparse
//> GET /qs?a[b]=c&d[]=1&d[]=2&e=%C3%A4
//> GET /cookie [cookie: a=1; b=%22x%22; c=]
//> GET /fflate
//> GET /valibot
//> GET /semver
//> GET /mime
import superjson from "superjson";
import { enableMapSet, enablePatches, produce, produceWithPatches } from "immer";
import YAML from "yaml";
import Papa from "papaparse";
import qs from "qs";
import * as cookie from "cookie";
import { deflateSync, gunzipSync, gzipSync, strFromU8, strToU8, unzipSync, zipSync, zlibSync } from "fflate";
import * as v from "valibot";
import semver from "semver";
import mime from "mime";
enableMapSet(); enablePatches();
const routes = {
  superjson() {
    const text = superjson.stringify({ d: new Date(0), m: new Map([["a", new Set([1n])]]), u: undefined, r: /x/g, n: NaN, e: new TypeError("t"), url: new URL("https://e.com/") });
    const back = superjson.parse(text);
    return { text, types: Object.entries(back).map(([k, x]) => [k, Object.prototype.toString.call(x)]) };
  },
  immer() {
    const base = { a: [{ b: 1 }], m: new Map([["x", { y: 1 }]]), s: new Set([1]) };
    const [next, patches, inverse] = produceWithPatches(base, (d) => { d.a[0].b++; d.a.push({ b: 5 }); d.m.get("x").y = 2; d.s.add(2); delete d.gone; });
    return { next: { ...next, m: [...next.m], s: [...next.s] }, patches, inverse, frozen: Object.isFrozen(next.a), shared: produce(base, () => {}) === base, error: (() => { try { next.a[0].b = 3; } catch (e) { return `${e.name}`; } })() };
  },
  yaml() {
    const source = "# c\na: &x {k: [1, 2.5, 0x1f, ~, true]}\nb: *x\nmulti: |\n  line 1\n  line 2\nfold: >-\n  f 1\n  f 2\ndate: 2024-02-29\n? complex\n: value\n";
    const doc = YAML.parseDocument(source);
    return { js: YAML.parse(source), text: String(doc), out: YAML.stringify({ s: "yes", n: null, l: [{ a: 1 }], m: "a\nb", u: "ü: x" }), error: YAML.parseDocument("a: [1").errors.map((e) => e.message) };
  },
  papaparse: () => ({ parse: Papa.parse('a,b,"c ""q"""\n1,2,"x\ny"\n3,,\n', { header: true, dynamicTyping: true, skipEmptyLines: true }), unparse: Papa.unparse([{ a: 1, b: "x,y" }, { a: null, b: 'q"' }]) }),
  qs: (r) => ({ in: qs.parse(new URL(r.url).search, { ignoreQueryPrefix: true }), out: qs.stringify({ a: { b: [1, 2] }, d: new Date(0), n: null, "ü": "&=" }, { arrayFormat: "brackets" }) }),
  cookie: (r) => ({ in: cookie.parse(r.headers.get("cookie")), out: cookie.serialize("n", "v w", { httpOnly: true, maxAge: 60, expires: new Date(0), sameSite: "lax", path: "/" }) }),
  fflate() {
    const data = strToU8("hello hello hello ".repeat(100)), zip = zipSync({ "a.txt": [data, { mtime: new Date(1980, 1, 1) }] });
    return { gzip: gunzipSync(gzipSync(data, { mtime: 0 })).length, small: gzipSync(data, { mtime: 0 }).length, deflate: [...deflateSync(data, { level: 9 })], zlib: zlibSync(data).length, zip: strFromU8(unzipSync(zip)["a.txt"]).slice(0, 11) };
  },
  valibot() {
    const schema = v.object({ email: v.pipe(v.string(), v.email()), n: v.optional(v.pipe(v.number(), v.minValue(3)), 5), when: v.pipe(v.string(), v.isoDate(), v.transform((s) => new Date(s))) });
    return [v.parse(schema, { email: "a@b.ch", when: "2024-02-29" }), v.flatten(v.safeParse(schema, { email: "x", n: 1, when: "y" }).issues)];
  },
  semver: () => [semver.satisfies("1.2.3", "^1.0.0 || >=3"), semver.sort(["1.10.0", "1.2.0", "1.2.0-beta.2", "1.2.0-beta.10"]), semver.inc("1.2.3", "preminor", "rc"), String(semver.coerce("v2 is 4")), semver.validRange(">=1 <2 x"), new semver.Range("~1.2").format()],
  mime: () => [mime.getType("a/b.json"), mime.getType("x.woff2"), mime.getExtension("text/html"), mime.getType("nope")],
};
export default { fetch: (request) => Response.json(routes[new URL(request.url).pathname.slice(1)](request)) };
