// node:buffer: the npm package's, its conversions on the engine's own.
import * as npm from "buffer/index.js";

const { Buffer: NpmBuffer, kMaxLength, INSPECT_MAX_BYTES } = npm.default ?? npm;
export { NpmBuffer as Buffer, kMaxLength, INSPECT_MAX_BYTES };

const Buffer = NpmBuffer;
const slowFrom = Buffer.from, slowLength = Buffer.byteLength, slowWrite = Buffer.prototype.write;
const slowText = Buffer.prototype.toString;
const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const ENCODINGS = {
  __proto__: null,
  "utf8": "utf8", "utf-8": "utf8", "hex": "hex", "base64": "base64", "base64url": "base64url", "ascii": "ascii", "latin1": "latin1",
  "binary": "latin1", "ucs2": "utf16le", "ucs-2": "utf16le", "utf16le": "utf16le", "utf-16le": "utf16le",
};

const encodingOf = (name) => (typeof name === "string" ? ENCODINGS[name] ?? ENCODINGS[name.toLowerCase()] : undefined);

function knownEncoding(name) {
  if (name === undefined || name === null || name === "") return "utf8";
  const encoding = encodingOf(name);
  if (encoding !== undefined) return encoding;
  throw Object.assign(new TypeError(`Unknown encoding: ${name}`), { code: "ERR_UNKNOWN_ENCODING" });
}

const asBuffer = (bytes) => Object.setPrototypeOf(bytes, Buffer.prototype);
const NOT_BASE64 = /[^A-Za-z0-9+/]/g;

// Node's base64 takes both alphabets, skips what is in neither, and ends at the first "=".
function fromBase64(text) {
  const end = text.indexOf("=");
  let plain = (end < 0 ? text : text.slice(0, end)).replaceAll("-", "+").replaceAll("_", "/").replace(NOT_BASE64, "");
  if (plain.length % 4 === 1) plain = plain.slice(0, -1);
  return Uint8Array.fromBase64(plain);
}

function fromHex(text) {
  const bad = text.search(/[^0-9a-fA-F]/);
  const length = bad < 0 ? text.length : bad;
  return Uint8Array.fromHex(text.slice(0, length - (length % 2)));
}

function bytesOfText(text, encoding) {
  switch (encoding) {
    case "utf8": return encoder.encode(text);
    case "hex": return fromHex(text);
    case "base64":
    case "base64url": return fromBase64(text);
    default: return slowFrom(text, encoding);
  }
}

Object.defineProperty(Buffer, "name", { value: "Buffer" });

Buffer.from = function from(value, encodingOrOffset, length) {
  if (typeof value === "string") return asBuffer(bytesOfText(value, knownEncoding(encodingOrOffset)));
  return slowFrom(value, encodingOrOffset, length);
};

Buffer.isEncoding = (name) => encodingOf(name) !== undefined;

Buffer.byteLength = function byteLength(value, encodingName) {
  if (typeof value !== "string") return slowLength(value);
  const encoding = encodingOf(encodingName) ?? "utf8";
  if (encoding === "base64url") return Math.floor((value.replace(/=+$/, "").length * 3) / 4);
  return slowLength(value, encoding);
};

const limit = (n, fallback, most) => (n === undefined ? fallback : Math.min(Math.max(Math.trunc(n) || 0, 0), most));

Buffer.prototype.toString = function toString(encodingName, start, end) {
  const encoding = knownEncoding(encodingName);
  const from = limit(start, 0, this.length), to = limit(end, this.length, this.length);
  if (to <= from) return "";
  const bytes = new Uint8Array(this.buffer, this.byteOffset + from, to - from);
  switch (encoding) {
    case "utf8": return decoder.decode(bytes);
    case "hex": return bytes.toHex();
    case "base64": return bytes.toBase64();
    case "base64url": return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    default: return slowText.call(this, encoding, from, to);
  }
};
Buffer.prototype.toLocaleString = Buffer.prototype.toString;

// write(text[, offset[, length]][, encoding])
Buffer.prototype.write = function write(text, offset, length, encodingName) {
  if (typeof text !== "string") throw Object.assign(new TypeError('The "string" argument must be of type string'), { code: "ERR_INVALID_ARG_TYPE" });
  if (typeof offset === "string") [offset, length, encodingName] = [undefined, undefined, offset];
  else if (typeof length === "string") [length, encodingName] = [undefined, length];
  const encoding = knownEncoding(encodingName), at = offset ?? 0;
  const room = Math.min(length ?? Infinity, this.length - at);
  if (encoding !== "base64" && encoding !== "base64url") return slowWrite.call(this, text, at, room, encoding);
  const bytes = fromBase64(text).subarray(0, Math.max(room, 0));
  this.set(bytes, at);
  return bytes.length;
};

for (const [name, value] of Object.entries(Object.getOwnPropertyDescriptors(Buffer.prototype))) {
  const alias = name.replace("UInt", "Uint");
  if (alias !== name && !(alias in Buffer.prototype)) Object.defineProperty(Buffer.prototype, alias, value);
}

Buffer.prototype[Symbol.for("nodejs.util.inspect.custom")] = function () {
  const shown = this.subarray(0, INSPECT_MAX_BYTES).toString("hex").match(/../g) ?? [];
  const more = this.length - shown.length;
  return `<Buffer${shown.map((byte) => ` ${byte}`).join("")}${more > 0 ? ` ... ${more} more byte${more > 1 ? "s" : ""}` : ""}>`;
};

Buffer.poolSize = 8192;
Buffer.copyBytesFrom = function copyBytesFrom(view, offset = 0, length = view.length - offset) {
  return Buffer.from(view.slice(offset, offset + length).buffer);
};

export function SlowBuffer(size) { return Buffer.allocUnsafeSlow(size); }

const bytes = (input) => (ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input));

export function isUtf8(input) {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes(input));
    return true;
  } catch {
    return false;
  }
}

export const isAscii = (input) => bytes(input).every((byte) => byte < 128);

export function transcode(source, from, to) {
  return Buffer.from(Buffer.from(source).toString(from), to);
}

export function resolveObjectURL() { return undefined; } // no object URLs are made here

export const { Blob, File, atob, btoa } = globalThis;
export const kStringMaxLength = 2 ** 29 - 24;
export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength };

export default {
  Buffer, SlowBuffer, kMaxLength, kStringMaxLength, INSPECT_MAX_BYTES, constants, Blob, File, atob, btoa,
  isUtf8, isAscii, transcode, resolveObjectURL,
};
