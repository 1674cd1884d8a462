// Ciphers of node:crypto: AES in the modes CBC, CTR, ECB and GCM, on an object of the host's.
import { Buffer } from "node:buffer";
import { Transform } from "node:stream";
import { newObject } from "node-internal:runtime";
import { coded } from "./errors.mjs";
import { bytesOf } from "./hash.mjs";
import { ask, NODE_CRYPTO, secretOf } from "./keys.mjs";

const CIPHER = 9, UPDATE = 10, FINAL = 11, EXTRA = 12, TAG = 13;
const MODES = ["cbc", "ecb", "ctr", "gcm"];
export const CIPHERS = [128, 192, 256].flatMap((bits) => MODES.map((mode) => `aes-${bits}-${mode}`));

class Cipher extends Transform {
  #object;
  #pads = true;
  #tag = new Uint8Array();
  #ended = false;

  constructor(name, decrypts, key, iv, options) {
    super(options);
    const known = String(name).toLowerCase();
    if (!CIPHERS.includes(known)) throw coded(Error, "ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
    const vector = iv === null ? new Uint8Array() : bytesOf(iv, undefined, "iv");
    this.#object = newObject(NODE_CRYPTO, CIPHER, 0, known, Number(decrypts), secretOf(key), vector, options?.authTagLength ?? 0);
  }

  update(data, inputEncoding, outputEncoding) {
    this.#open("update");
    const out = ask(UPDATE, this.#object, bytesOf(data, inputEncoding));
    return outputEncoding && outputEncoding !== "buffer" ? out.toString(outputEncoding) : out;
  }

  final(encoding) {
    this.#open("final");
    const out = ask(FINAL, this.#object, Number(this.#pads), this.#tag);
    this.#ended = true;
    return encoding && encoding !== "buffer" ? out.toString(encoding) : out;
  }

  setAutoPadding(pads = true) {
    this.#pads = Boolean(pads);
    return this;
  }

  setAAD(data) {
    ask(EXTRA, this.#object, bytesOf(data, undefined, "buffer"));
    return this;
  }

  getAuthTag() {
    if (!this.#ended) throw coded(Error, "ERR_CRYPTO_INVALID_STATE", "Invalid state for operation getAuthTag");
    return ask(TAG, this.#object);
  }

  setAuthTag(tag, encoding) {
    this.#tag = Buffer.from(bytesOf(tag, encoding, "buffer"));
    return this;
  }

  #open(operation) {
    if (this.#ended) throw coded(Error, "ERR_CRYPTO_INVALID_STATE", operation === "final" ? "Unsupported state" : "Trying to add data in unsupported state");
  }

  _transform(chunk, encoding, done) {
    this.push(this.update(chunk, encoding));
    done();
  }

  _flush(done) {
    this.push(this.final());
    done();
  }
}

export class Cipheriv extends Cipher {
  constructor(name, key, iv, options) { super(name, false, key, iv, options); }
}

export class Decipheriv extends Cipher {
  constructor(name, key, iv, options) { super(name, true, key, iv, options); }
}

