// Modules of Node's (compatibility flag nodejs_compat).
//! nodejs_compat
//> GET /buffer
//> GET /events
import { Buffer } from "node:buffer";
import { EventEmitter, once } from "node:events";
const routes = {
  buffer: () => [Buffer.from("aGk=", "base64").toString(), Buffer.from("ü").toString("hex"), Buffer.concat([Buffer.from([1]), Buffer.alloc(2)]).readUInt16BE(1), Buffer.byteLength("ü")],
  async events() { const e = new EventEmitter(); setTimeout(() => e.emit("x", 5), 1); return once(e, "x"); },
};
export default {
  async fetch(request) {
    try { return Response.json(await routes[new URL(request.url).pathname.slice(1)]()); } catch (e) { return new Response(`${e.name}: ${e.message}`, { status: 500 }); }
  },
};
