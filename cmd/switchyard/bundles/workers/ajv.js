// ajv compiles each schema to code: here as on Workers that is an EvalError, and nothing else is lost.
//> GET /compile
//> GET /after
//> GET /formats
import Ajv from "ajv";
const ajv = new Ajv({ allErrors: true, logger: false });
const routes = {
  compile: () => ajv.compile({ type: "object", properties: { n: { type: "integer" } }, required: ["n"] })({ n: 1 }),
  after: () => ["still", "here"],
  formats: () => { const errors = []; for (const make of [() => new Function("return 1"), () => Function("a", "b", "return a"), () => (async () => {}).constructor("x"), () => (function* () {}).constructor(""), () => (0, eval)("1")]) { try { errors.push(typeof make()); } catch (e) { errors.push([e.name, e.message, e.constructor === EvalError]); } } return errors; },
};
export default {
  async fetch(request) {
    try { return Response.json(await routes[new URL(request.url).pathname.slice(1)]()); } catch (e) { return new Response(`${e.name}: ${e.message}`, { status: 500 }); }
  },
};
