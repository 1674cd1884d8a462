// hono's router, context and helpers.
//> GET /
//> GET /users/42/posts/7?fields=a&fields=b
//> GET /files/a/b/c.txt
//> POST /json {"name":"Ada","tags":["x","y"]}
//> POST /form [content-type: application/x-www-form-urlencoded] a=1&b=two%20words&b=3
//> POST /multipart [content-type: multipart/form-data; boundary=XX] --XX\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--XX--\r\n
//> GET /html?name=%3Cb%3E
//> GET /stream
//> GET /sse
//> GET /redirect
//> GET /cookies [cookie: a=1; delicious=macha]
//> GET /error
//> GET /http-error
//> GET /accepts [accept-language: de;q=0.9, en;q=0.5]
//> DELETE /users/42/posts/7
//> OPTIONS /json
//> GET /missing
//> HEAD /
//> GET /css
//> GET /sub/deep
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { stream, streamSSE } from "hono/streaming";
import { html, raw } from "hono/html";
import { getCookie, setCookie, setSignedCookie, deleteCookie } from "hono/cookie";
import { accepts } from "hono/accepts";
import { css, Style } from "hono/css";
import { getRuntimeKey } from "hono/adapter";
import { getConnInfo } from "hono/cloudflare-workers";

const app = new Hono();
app.get("/", (c) => c.text(`Hono on ${getRuntimeKey()}`));
app.get("/users/:id{[0-9]+}/posts/:post", (c) => c.json({ ...c.req.param(), fields: c.req.queries("fields"), path: c.req.path }));
app.on(["DELETE"], "/users/:id/posts/:post", (c) => c.body(null, 204));
app.get("/files/*", (c) => c.text(c.req.path));
app.post("/json", async (c) => c.json({ got: await c.req.json(), type: c.req.header("content-type") ?? null }, 201, { "x-made": "yes" }));
app.post("/form", async (c) => c.json(await c.req.parseBody({ all: true })));
app.post("/multipart", async (c) => {
  const { f } = await c.req.parseBody();
  return c.json({ name: f.name, type: f.type, size: f.size, text: await f.text(), file: f instanceof File });
});
app.get("/html", (c) => c.html(html`<p>${c.req.query("name")} ${raw("<i>raw</i>")}</p>`));
app.get("/stream", (c) => stream(c, async (s) => {
  for (let i = 0; i < 5; i++) await s.write(`chunk ${i}\n`);
  await s.pipe(new Response("piped\n").body);
}));
app.get("/sse", (c) => streamSSE(c, async (s) => {
  for (let i = 0; i < 3; i++) { await s.writeSSE({ data: `tick ${i}`, event: "tick", id: String(i) }); await s.sleep(1); }
}));
app.get("/redirect", (c) => c.redirect("/elsewhere", 301));
app.get("/cookies", async (c) => {
  setCookie(c, "set", "a b", { path: "/", secure: true, httpOnly: true, sameSite: "Strict", maxAge: 1000 });
  await setSignedCookie(c, "signed", "blueberry", "secret");
  deleteCookie(c, "gone");
  return c.json(getCookie(c));
});
app.get("/error", () => { throw new TypeError("thrown by the handler"); });
app.get("/http-error", () => { throw new HTTPException(418, { message: "teapot" }); });
app.get("/accepts", (c) => c.text(accepts(c, { header: "Accept-Language", supports: ["en", "de"], default: "en" })));
app.get("/css", (c) => c.html(html`${Style()}<div class="${css`color: red; &:hover { color: ${"blue"}; }`}">x</div>`));
app.get("/conn", (c) => c.text(String(getConnInfo(c).remote.address)));
const sub = new Hono().get("/deep", (c) => c.text("deep"));
app.route("/sub", sub);
app.notFound((c) => c.json({ missing: c.req.path }, 404));
app.onError((e, c) => (e instanceof HTTPException ? e.getResponse() : c.json({ name: e.name, message: e.message }, 500)));
export default app;
