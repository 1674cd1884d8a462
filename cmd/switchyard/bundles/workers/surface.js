// What programs look at besides the standards: stacks, phrases, dates, the global scope, rejections.
//> GET /stacks
//> GET /phrases
//> GET /shown
//> GET /scope
//> GET /misuse
//> GET /rejections
//> GET /modules
const told = [];
addEventListener("unhandledrejection", (event) => { told.push(`unhandled ${event.reason}`); event.preventDefault(); });
addEventListener("rejectionhandled", () => told.push("handled"));
class Custom extends Error { constructor(message) { super(message); this.name = "Custom"; } }
const failures = {
  setTimeout: () => setTimeout("x"), setInterval: () => setInterval({}), queueMicrotask: () => queueMicrotask(5),
  signal: () => new Request("http://a.b/", { signal: {} }), method: () => new Request("http://a.b/", { method: "a b" }), body: () => new Request("http://a.b/", { body: "x" }),
  header: () => new Headers({ "a b": "1" }), symbol: () => [...new Headers({ [Symbol("a")]: "b" })].length, status: () => new Response("x", { status: 99 }), null: () => new Response("x", { status: 204 }),
  immutable: () => Response.redirect("http://a.b/").headers.set("a", "b"), used: () => { const r = new Response("x"); r.text(); return r.text(); }, aborted: () => fetch("http://a.b/", { signal: AbortSignal.abort() }),
};
const routes = {
  stacks() {
    const plain = new Error("x"), custom = new Custom("m"), replaced = new Error("x"), captured = { name: "N", message: "m" };
    replaced.stack = undefined;
    Error.captureStackTrace(captured);
    return [plain.stack.split("\n")[0], custom.stack.split("\n")[0], typeof replaced.stack, Object.keys(replaced), typeof captured.stack, Object.keys(captured), plain.stack.includes("prelude")];
  },
  phrases: () => [200, 201, 204, 301, 304, 404, 413, 414, 416, 418, 422, 451, 503].map((status) => new Response(null, { status }).statusText).concat(new Response("", { statusText: "own" }).statusText, Response.error().type),
  shown: () => [String(new Date(0)), new Date(0).toTimeString(), new Date(NaN) + "", new Date(0).toLocaleString(), new Date(1e12).toLocaleDateString(), new Date(1e12).toLocaleTimeString(), (1234567.891).toLocaleString(), (-1234.5).toLocaleString(), (0).toLocaleString(), (1e21).toLocaleString(), (-Infinity).toLocaleString(), NaN.toLocaleString()],
  scope: () => [String(globalThis), globalThis.constructor.name, self instanceof ServiceWorkerGlobalScope, typeof WorkerGlobalScope, origin, navigator.userAgent, navigator.language, navigator.languages, navigator.hardwareConcurrency, typeof InternalError, "fileName" in (() => 1), new Request("http://a.b/", { method: "patch" }).method],
  async misuse() {
    const out = {};
    for (const [name, run] of Object.entries(failures)) {
      try { out[name] = await run(); } catch (e) { out[name] = [e.name, e.message]; }
    }
    return out;
  },
  async rejections() {
    const promise = Promise.reject(new Error("late"));
    await scheduler.wait(5);
    promise.catch(() => {});
    await scheduler.wait(5);
    return told;
  },
  modules: async () => [typeof import.meta, await import("./gone.js").catch(String)],
};
export default { fetch: async (request) => Response.json(await routes[new URL(request.url).pathname.slice(1)]()) };
