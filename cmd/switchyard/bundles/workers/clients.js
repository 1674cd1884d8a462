// Packages that fetch: ky with retries and hooks, toucan-js (Sentry) with a transport of its own. Origins are functions here.
//> GET /ky
//> GET /ky-error
//> GET /sentry
import ky, { HTTPError } from "ky";
import { Toucan } from "toucan-js";
const seen = [];
let calls = 0;
async function origin(request) {
  seen.push([request.method, new URL(request.url).pathname, request.headers.get("x-a"), await request.text()]);
  if (request.url.endsWith("/flaky") && calls++ < 2) return new Response("busy", { status: 503, headers: { "retry-after": "0" } });
  if (request.url.endsWith("/404")) return Response.json({ error: "none" }, { status: 404 });
  return Response.json({ ok: true });
}
const routes = {
  async ky() {
    const api = ky.create({ prefixUrl: "https://api.example/v1", fetch: origin, retry: { limit: 3, delay: () => 1 }, hooks: { beforeRequest: [(r) => r.headers.set("x-a", "1")] }, timeout: 5000 });
    return { post: await api.post("things", { json: { n: 1 }, searchParams: { q: "ä" } }).json(), flaky: await api.get("flaky").json(), seen, calls };
  },
  async "ky-error"() {
    try { await ky("https://api.example/404", { fetch: origin, retry: 0 }); } catch (e) { return { http: e instanceof HTTPError, name: e.name, message: e.message, status: e.response.status }; }
  },
  async sentry(request, env, ctx) {
    const envelopes = [];
    const sentry = new Toucan({ dsn: "https://k@o1.ingest.example/2", request, context: ctx, transportOptions: { fetcher: async (url, init) => { envelopes.push(await new Response(init.body).text()); return new Response("{}"); } } });
    sentry.setTag("t", "v");
    sentry.setUser({ id: "1" });
    try { null.x; } catch (e) { sentry.captureException(e); }
    sentry.captureMessage("hello", "warning");
    await new Promise((r) => setTimeout(r, 20));
    const events = envelopes.map((text) => JSON.parse(text.split("\n")[2]));
    return events.map((e) => ({ type: e.exception?.values[0].type, frames: (e.exception?.values[0].stacktrace?.frames.length ?? 0) > 0, message: e.message, level: e.level, tags: e.tags, user: e.user, url: e.request?.url.replace(/\/\/[^/]*/, ""), method: e.request?.method }));
  },
};
export default { fetch: async (request, env, ctx) => Response.json(await routes[new URL(request.url).pathname.slice(1)](request, env, ctx)) };
