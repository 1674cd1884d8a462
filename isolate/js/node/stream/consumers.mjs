// node:stream/consumers.
import { Buffer } from "node:buffer";

export async function buffer(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}

export async function text(stream) { return new TextDecoder().decode(await buffer(stream)); }
export async function json(stream) { return JSON.parse(await text(stream)); }
export async function blob(stream) { return new Blob([await buffer(stream)]); }
export async function arrayBuffer(stream) { return new Uint8Array(await buffer(stream)).buffer; }
export default { arrayBuffer, blob, buffer, json, text };
