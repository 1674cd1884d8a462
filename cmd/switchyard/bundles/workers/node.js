// jsonwebtoken, which stands on Node's crypto, streams and util; and those by hand.
//! nodejs_compat
//> GET /jsonwebtoken
//> GET /hash
//> GET /stream
//> GET /buffer
//> GET /events
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import jwt from "jsonwebtoken";
import { Buffer } from "node:buffer";
import { EventEmitter, once } from "node:events";
const routes = {
  jsonwebtoken() {
    const token = jwt.sign({ sub: "ada", iat: 1700000000 }, "secret");
    const fails = [["other"], ["secret", { audience: "x" }]].map((args) => { try { jwt.verify(token, ...args); } catch (e) { return [e.name, e.message]; } });
    return { token, payload: jwt.verify(token, "secret"), complete: jwt.decode(token, { complete: true }).header, fails };
  },
  hash: () => [createHash("sha256").update("a").digest("hex"), createHmac("sha1", "k").update("a").digest("base64"), timingSafeEqual(Buffer.from("a"), Buffer.from("a"))],
  async stream() {
    const parts = [], upper = new Transform({ transform(chunk, _, done) { done(null, String(chunk).toUpperCase()); } });
    upper.on("data", (chunk) => parts.push(String(chunk)));
    await pipeline(Readable.from(["a", "b"]), upper);
    return parts;
  },
  buffer: () => [Buffer.from("aGk=", "base64").toString(), Buffer.from("ü").toString("hex"), Buffer.concat([Buffer.from([1]), Buffer.alloc(2)]).readUInt16BE(1), Buffer.byteLength("ü")],
  async events() { const e = new EventEmitter(); setTimeout(() => e.emit("x", 5), 1); return once(e, "x"); },
};
export default {
  async fetch(request) {
    try { return Response.json(await routes[new URL(request.url).pathname.slice(1)]()); } catch (e) { return new Response(`${e.name}: ${e.message}`, { status: 500 }); }
  },
};
