// Each kind is what a request makes and keeps in module state, and what another request does with it.
import { AsyncLocalStorage } from "node:async_hooks";
const held = {};
const als = new AsyncLocalStorage();
const enc = new TextEncoder();
const kinds = {
  promise: [() => scheduler.wait(60).then(() => "value"), async (p) => { const v = await p; return v + " " + (await io()); }],
  deferred: [() => { const d = Promise.withResolvers(); scheduler.wait(60).then(() => d.resolve("value")); return d.promise; }, async (p) => { const v = await p; return v + " " + (await io()); }],
  fetchPromise: [(r, env) => env.O.fetch("http://o/slow"), async (p) => (await p).status],
  bodyPromise: [(r) => r.text(), async (p) => await p],
  requestText: [(r) => r, async (r) => await r.text()],
  requestClone: [(r) => r, async (r) => await r.clone().text()],
  requestHeaders: [(r) => r, async (r) => r.headers.get("x") + " " + r.url],
  requestStream: [(r) => r, async (r) => { const { value } = await r.body.getReader().read(); return new TextDecoder().decode(value); }],
  reader: [(r) => r.body.getReader(), async (r) => new TextDecoder().decode((await r.read()).value)],
  readerCancel: [(r) => r.body.getReader(), async (r) => "cancelled " + (await r.cancel())],
  response: [async (r, env) => env.O.fetch("http://o/"), async (r) => await r.text()],
  responseReturn: [async (r, env) => env.O.fetch("http://o/"), (r) => r],
  responseHeaders: [async (r, env) => env.O.fetch("http://o/"), async (r) => r.status + " " + r.headers.get("content-type")],
  responseClone: [async (r, env) => env.O.fetch("http://o/"), async (r) => await r.clone().text()],
  madeResponse: [() => new Response("made"), async (r) => await r.text()],
  madeReturn: [() => new Response("made"), (r) => r],
  requestPass: [(r) => r, async (r, env) => await (await env.O.fetch(r)).text()],
  controllerAbort: [() => new AbortController(), async (c) => { let n = 0; c.signal.addEventListener("abort", () => n++); c.abort(); return "aborted " + n; }],
  signalTimeout: [() => AbortSignal.timeout(300), async (s) => await new Promise((ok) => s.addEventListener("abort", () => ok("abort event")))],
  signalFetch: [() => AbortSignal.timeout(100000), async (s, env) => (await env.O.fetch("http://o/", { signal: s })).status],
  requestSignal: [(r) => r.signal, async (s, env) => "aborted " + s.aborted],
  timerClear: [() => ({ id: setTimeout(() => { held.fired = true; }, 300) }), async (t) => { clearTimeout(t.id); return "cleared"; }],
  interval: [() => ({ id: setInterval(() => { held.n = (held.n ?? 0) + 1; }, 10) }), async (t) => { const a = held.n ?? 0; await scheduler.wait(100); const b = held.n ?? 0; clearInterval(t.id); return b > a ? "runs" : "stands"; }],
  env: [(r, env) => env, async (e) => await (await e.O.fetch("http://o/")).text()],
  fetcher: [(r, env) => env.O, async (o) => await (await o.fetch("http://o/")).text()],
  bound: [(r, env) => env.O.fetch.bind(env.O), async (f) => await (await f("http://o/")).text()],
  als: [() => als.run("A's store", () => ({ snap: AsyncLocalStorage.snapshot(), get: () => als.getStore() })), async (x) => x.get() + "," + x.snap(() => als.getStore()) + "," + als.getStore()],
  alsPromise: [() => als.run("A's store", () => scheduler.wait(60)), async (p) => { await p; return String(als.getStore()); }],
  waitUntil: [(r, env, ctx) => ctx, async (ctx) => { ctx.waitUntil(scheduler.wait(10).then(() => { held.late = true; })); return "accepted"; }],
  waitUntilForeign: [() => scheduler.wait(60), async (p, env, ctx) => { ctx.waitUntil(p); return "accepted"; }],
  passThrough: [(r, env, ctx) => ctx, async (ctx) => { ctx.passThroughOnException(); return "accepted"; }],
  compression: [() => new CompressionStream("gzip"), async (c) => { const w = c.writable.getWriter(); w.write(enc.encode("x")).catch(() => {}); w.close().catch(() => {}); return (await new Response(c.readable).arrayBuffer()).byteLength; }],
  digest: [() => new crypto.DigestStream("SHA-256"), async (d) => { const w = d.getWriter(); await w.write(enc.encode("x")); await w.close(); return (await d.digest).byteLength; }],
  rewriter: [() => new HTMLRewriter().on("p", { element(e) { e.setInnerContent("new"); } }), async (h) => await h.transform(new Response("<p>old</p>")).text()],
  rewritten: [() => new HTMLRewriter().on("p", { element(e) { e.setInnerContent("new"); } }).transform(new Response("<p>old</p>")), async (r) => await r.text()],
  element: [async () => { let kept; await new HTMLRewriter().on("p", { element(e) { kept = e; } }).transform(new Response("<p>old</p>")).text(); return kept; }, async (e) => e.tagName],
  jsStream: [() => { let c; const s = new ReadableStream({ start(x) { c = x; } }); return { s, c }; }, async ({ s, c }) => { c.enqueue("chunk"); return (await s.getReader().read()).value; }],
  jsStreamRead: [() => { let c; const s = new ReadableStream({ start(x) { c = x; } }); scheduler.wait(60).then(() => c.enqueue("chunk")); return s; }, async (s) => (await s.getReader().read()).value + " " + (await io())],
  transform: [() => new TransformStream(), async (t) => { const w = t.writable.getWriter(); w.write("chunk").catch(() => {}); return (await t.readable.getReader().read()).value; }],
  identity: [() => new IdentityTransformStream(), async (t) => { const w = t.writable.getWriter(); w.write(enc.encode("chunk")).catch(() => {}); return new TextDecoder().decode((await t.readable.getReader().read()).value); }],
  pipe: [(r) => r.body, async (b) => await new Response(b.pipeThrough(new TransformStream())).text()],
  tee: [(r) => r.body, async (b) => await new Response(b.tee()[0]).text()],
  key: [() => crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]), async (k) => (await crypto.subtle.sign("HMAC", k, enc.encode("x"))).byteLength],
  formData: [() => { const f = new FormData(); f.append("a", "b"); return f; }, async (f) => f.get("a")],
  blob: [() => new Blob(["blob"]), async (b) => await b.text()],
  functionOfA: [(r, env) => async () => (await env.O.fetch("http://o/")).status, async (f) => await f()],
  resolveB: [() => ({}), async (o) => { const before = "before"; const p = new Promise((ok) => { o.resolve = ok; }); held.waits = o; await p; return before + " " + (await io()); }],
};
const settled = new Set(["response", "responseReturn", "responseHeaders", "responseClone", "element", "key"]);
const io = async () => { await scheduler.wait(1); return "io"; };
const limit = (p) => Promise.race([p, scheduler.wait(600).then(() => "nothing happened")]);
export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url), kind = url.searchParams.get("kind"), mode = url.searchParams.get("mode");
    const [make, use] = kinds[kind];
    if (url.pathname === "/owner") {
      const value = make(request, env, ctx);
      held[kind + mode] = { value: settled.has(kind) ? await value : value };
      console.log("made");
      if (mode === "during") {
        for (let i = 0; i < 200 && !held[kind + "done"]; i++) {
          await scheduler.wait(10);
          held.waits?.resolve("from A");
        }
      }
      return new Response("owner done");
    }
    try {
      const used = await limit((async () => { const r = await use(held[kind + mode].value, env, ctx); return r instanceof Response ? r : String(r); })());
      held[kind + "done"] = true;
      return used instanceof Response ? used : new Response("= " + used);
    } catch (e) {
      held[kind + "done"] = true;
      return new Response("! " + e);
    }
  },
};
