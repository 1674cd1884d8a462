// Hash and Hmac of node:crypto. Data is gathered, and hashed at once by the host; much data, or a
// copy's, goes to an object of the host's, which module scope cannot have.
import { Buffer } from "node:buffer";
import { Transform } from "node:stream";
import { freeObject, moduleScope, newObject, service } from "node-internal:runtime";
import { coded, invalidArgument } from "./errors.mjs";

const NODE_HASH = 6;
const SUM = 1, NEW = 2, UPDATE = 3, DIGEST = 4, COPY = 5;
const GATHERED_MAX = 65_536; // bytes

export const HASHES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-224", "sha512-256", "sha3-224", "sha3-256", "sha3-384", "sha3-512"];

// algorithmOf gives the host's name of an algorithm.
export function algorithmOf(name) {
  if (typeof name !== "string") throw invalidArgument("algorithm", "string", name);
  const plain = name.toLowerCase().replace(/^rsa-/, "").replace(/^sha-(?=\d)/, "sha").replace("/", "-");
  if (HASHES.includes(plain)) return plain;
  throw coded(Error, "ERR_OSSL_EVP_UNSUPPORTED", "Digest method not supported");
}

export function bytesOf(data, encoding, name = "data") {
  if (typeof data === "string") return Buffer.from(data, encoding === "buffer" ? "utf8" : encoding);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  throw invalidArgument(name, "string or an instance of Buffer, TypedArray, or DataView", data);
}

export function sumOf(algorithm, data) {
  return Buffer.from(service(NODE_HASH, SUM, 0, algorithm, 0, null, data).buffer);
}

class Hasher extends Transform {
  #algorithm;
  #key; // null: no HMAC
  #chunks = [];
  #length = 0;
  #object = 0;
  #ended = false;

  constructor(algorithm, key, options) {
    super(options);
    this.#algorithm = algorithmOf(algorithm);
    this.#key = key;
  }

  update(data, encoding) {
    if (this.#ended) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    const bytes = bytesOf(data, encoding);
    this.#chunks.push(typeof data === "string" ? bytes : Uint8Array.prototype.slice.call(bytes)); // the caller may write to its own
    this.#length += bytes.length;
    if (this.#length > GATHERED_MAX && !moduleScope()) this.#send();
    return this;
  }

  #send() {
    this.#object ||= newObject(NODE_HASH, NEW, 0, this.#algorithm, Number(this.#key !== null), this.#key);
    service(NODE_HASH, UPDATE, this.#object, Buffer.concat(this.#chunks));
    this.#chunks = [];
    this.#length = 0;
  }

  digest(encoding) {
    if (this.#ended) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.#ended = true;
    const sum = Buffer.from(this.#sum().buffer);
    return encoding && encoding !== "buffer" ? sum.toString(encoding) : sum;
  }

  #sum() {
    const rest = Buffer.concat(this.#chunks);
    if (this.#object === 0) return service(NODE_HASH, SUM, 0, this.#algorithm, Number(this.#key !== null), this.#key, rest);
    service(NODE_HASH, UPDATE, this.#object, rest);
    const sum = service(NODE_HASH, DIGEST, this.#object);
    freeObject(NODE_HASH, this.#object);
    return sum;
  }

  static copyOf(from, options) {
    if (from.#ended) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    const copy = new from.constructor(from.#algorithm, null, options);
    copy.#chunks = [...from.#chunks];
    copy.#length = from.#length;
    if (from.#object !== 0) copy.#object = newObject(NODE_HASH, COPY, from.#object);
    return copy;
  }

  _transform(chunk, encoding, done) {
    this.update(chunk, encoding);
    done();
  }

  _flush(done) {
    this.push(this.digest());
    done();
  }
}

const { copyOf } = Hasher;
delete Hasher.copyOf;

export class Hash extends Hasher {
  constructor(algorithm, _, options) { super(algorithm, null, options); }
  copy(options) { return copyOf(this, options); }
}

export class Hmac extends Hasher {}
