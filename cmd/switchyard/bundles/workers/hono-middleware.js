// Every middleware of hono that answers the same twice.
//! nodejs_compat
//> GET /basic
//> GET /basic [authorization: Basic aG9ubzpzZWNyZXQ=]
//> GET /bearer [authorization: Bearer token]
//> GET /bearer [authorization: Bearer nope]
//> POST /limit 0123456789
//> POST /limit 01234567890123456789
//> GET /compress [accept-encoding: gzip]
//~ a body with a content-encoding is sent as it is
//> GET /context
//> GET /cors [origin: https://a.example]
//> OPTIONS /cors [origin: https://a.example] [access-control-request-method: PUT] [access-control-request-headers: x-a]
//> POST /csrf [content-type: application/x-www-form-urlencoded] [origin: https://evil.example] a=1
//> GET /etag
//> GET /etag [if-none-match: "a33aa3afdbd45ac9a96fee1b6f5b8fde92c17aa3"]
//> GET /jsx
//> GET /jwt
//> GET /jwt [authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEifQ.AGGI-yn8POOIZU6W6dRTBJnVTOX1nyPVDyaKTFhZeFM]
//> GET /language?lng=de
//> GET /logger
//> POST /override [content-type: application/x-www-form-urlencoded] _method=DELETE
//> GET /pretty?pretty
//> GET /id [x-request-id: abc-123]
//> GET /secure
//> GET /timeout
//> GET /timing
//> GET /slash/
//> GET /combine
//> GET /mount/anything?x=1
//> GET /ip
//> GET /sign
/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { jsx } from "hono/jsx";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { some, every } from "hono/combine";
import { compress } from "hono/compress";
import { contextStorage, getContext } from "hono/context-storage";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { etag } from "hono/etag";
import { ipRestriction } from "hono/ip-restriction";
import { jsxRenderer } from "hono/jsx-renderer";
import { jwt, sign, verify } from "hono/jwt";
import { languageDetector } from "hono/language";
import { logger } from "hono/logger";
import { methodOverride } from "hono/method-override";
import { poweredBy } from "hono/powered-by";
import { prettyJSON } from "hono/pretty-json";
import { requestId } from "hono/request-id";
import { secureHeaders, NONCE } from "hono/secure-headers";
import { timeout } from "hono/timeout";
import { setMetric, timing } from "hono/timing";
import { trimTrailingSlash } from "hono/trailing-slash";

const app = new Hono({ strict: true });
const lines = [];
app.use("*", poweredBy({ serverName: "tests" }), trimTrailingSlash());
app.use("/basic", basicAuth({ username: "hono", password: "secret" })).get("/basic", (c) => c.text("in"));
app.use("/bearer", bearerAuth({ token: "token" })).get("/bearer", (c) => c.text("in"));
app.use("/limit", bodyLimit({ maxSize: 12, onError: (c) => c.text("too large", 413) })).post("/limit", async (c) => c.text(await c.req.text()));
app.use("/compress", compress()).get("/compress", (c) => c.text("compress me ".repeat(500)));
app.use("/context", contextStorage()).get("/context", (c) => { c.set("k", "v"); return c.text(later()); });
const later = () => getContext().get("k");
app.use("/cors", cors({ origin: "https://a.example", allowHeaders: ["x-a"], allowMethods: ["GET", "PUT"], maxAge: 600, credentials: true })).get("/cors", (c) => c.text("ok"));
app.use("/csrf", csrf()).post("/csrf", (c) => c.text("ok"));
app.use("/etag", etag()).get("/etag", (c) => c.text("tagged"));
const Layout = ({ title, children }) => jsx("html", {}, jsx("title", {}, title), jsx("body", {}, children));
app.use("/jsx", jsxRenderer(Layout)).get("/jsx", (c) => c.render(jsx("p", { class: "a" }, "Hello <you>"), { title: "T&T" }));
app.use("/jwt", jwt({ secret: "secret", alg: "HS256" })).get("/jwt", (c) => c.json(c.get("jwtPayload")));
app.use("/language", languageDetector({ supportedLanguages: ["en", "de"], fallbackLanguage: "en", lookupQueryString: "lng" })).get("/language", (c) => c.text(c.get("language")));
app.use("/logger", logger((line) => lines.push(line.replace(/ \d+m?s/, " T")))).get("/logger", (c) => c.json(lines));
app.use("/override", methodOverride({ app })).delete("/override", (c) => c.text("deleted"));
app.use("/pretty", prettyJSON()).get("/pretty", (c) => c.json({ a: [1, { b: 2 }] }));
app.use("/id", requestId()).get("/id", (c) => c.text(c.get("requestId")));
app.use("/secure", secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'self'"] } })).get("/secure", (c) => c.text("ok"));
app.use("/timeout", timeout(20)).get("/timeout", async (c) => { await new Promise((r) => setTimeout(r, 2000)); return c.text("late"); });
app.use("/timing", timing({ total: false })).get("/timing", (c) => { setMetric(c, "region", "here"); return c.text("ok"); });
app.get("/slash", (c) => c.text("slash"));
app.use("/combine", some(every((c, next) => { if (!c.req.header("x-none")) throw new Error("no"); return next(); }), (c, next) => { c.header("x-second", "1"); return next(); })).get("/combine", (c) => c.text("combined"));
app.mount("/mount", (request) => new Response(`mounted ${new URL(request.url).pathname}${new URL(request.url).search}`));
app.use("/ip", ipRestriction(() => "10.1.2.3", { denyList: ["10.0.0.0/8"], allowList: [] }, () => new Response("denied", { status: 403 }))).get("/ip", (c) => c.text("in"));
app.get("/sign", async (c) => {
  const token = await sign({ sub: "ada", exp: 4102444800 }, "secret", "HS384");
  return c.json({ token, payload: await verify(token, "secret", "HS384"), bad: await verify(token, "other", "HS384").catch((e) => e.name + ": " + e.message) });
});
export default app;
