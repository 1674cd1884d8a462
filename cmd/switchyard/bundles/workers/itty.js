// itty-router in its three sizes.
//> GET /
//> GET /users/9?x=1&x=2
//> POST /echo {"a":[1,2,3]}
//> GET /error
//> GET /throw
//> GET /missing
//> OPTIONS /echo [origin: https://a.example] [access-control-request-method: POST]
import { AutoRouter, cors, error, html, json, StatusError, withParams, withContent } from "itty-router";
const { preflight, corsify } = cors();
const router = AutoRouter({ before: [preflight, withParams], finally: [corsify] });
router
  .get("/", () => html("<h1>itty</h1>"))
  .get("/users/:id", ({ id, query }) => ({ id, query }))
  .post("/echo", withContent, ({ content }) => json(content, { status: 201 }))
  .get("/error", () => error(422, { reason: "bad" }))
  .get("/throw", () => { throw new StatusError(409, "conflict"); });
export default { ...router, fetch: (...args) => router.fetch(...args) };
