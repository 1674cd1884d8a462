// Signatures and RSA encryption of node:crypto.
import { Buffer } from "node:buffer";
import { Writable } from "node:stream";
import { coded } from "./errors.mjs";
import { algorithmOf, bytesOf } from "./hash.mjs";
import { ask, createPrivateKey, createPublicKey, keyBytes, KeyObject } from "./keys.mjs";

const SIGN = 4, VERIFY = 5, ENCRYPT = 6, DECRYPT = 7, AGREE = 15;

export const constants = {
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6,
  RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
};

const optionsOf = (key) => (typeof key === "object" && key !== null && !(key instanceof KeyObject) && !ArrayBuffer.isView(key) ? key : {});

function schemeOf(key) {
  const { padding, saltLength = constants.RSA_PSS_SALTLEN_AUTO, dsaEncoding = "der" } = optionsOf(key);
  return [padding === constants.RSA_PKCS1_PSS_PADDING ? "pss" : "pkcs1", saltLength, dsaEncoding];
}

const hashOf = (algorithm) => (algorithm === null || algorithm === undefined ? "sha256" : algorithmOf(algorithm));
const signed = (algorithm, data, key) => ask(SIGN, 0, keyBytes(createPrivateKey(key)), hashOf(algorithm), ...schemeOf(key), data);
const verified = (algorithm, data, key, signature) => ask(VERIFY, 0, keyBytes(createPublicKey(key)), hashOf(algorithm), ...schemeOf(key), data, signature)[0] === 1;
const shown = (bytes, encoding) => (encoding && encoding !== "buffer" ? bytes.toString(encoding) : bytes);

// answering calls back, when there is who to call, else returns or throws.
function answering(callback, work) {
  if (callback === undefined) return work();
  let error = null, value;
  try {
    value = work();
  } catch (e) {
    error = e;
  }
  queueMicrotask(() => (error === null ? callback(null, value) : callback(error)));
}

export const sign = (algorithm, data, key, callback) => answering(callback, () => signed(algorithm, bytesOf(data), key));
export const verify = (algorithm, data, key, signature, callback) => answering(callback, () => verified(algorithm, bytesOf(data), key, bytesOf(signature, undefined, "signature")));

class Gatherer extends Writable {
  #algorithm;
  #chunks = [];

  constructor(algorithm, options) {
    super(options);
    this.#algorithm = algorithmOf(algorithm);
  }

  update(data, encoding) {
    this.#chunks.push(Buffer.from(bytesOf(data, encoding)));
    return this;
  }

  _write(chunk, encoding, done) {
    this.update(chunk, encoding);
    done();
  }

  static gathered(of) { return [of.#algorithm, Buffer.concat(of.#chunks)]; }
}

const { gathered } = Gatherer;
delete Gatherer.gathered;

export class Sign extends Gatherer {
  sign(key, encoding) { return shown(signed(...gathered(this), key), encoding); }
}

export class Verify extends Gatherer {
  verify(key, signature, encoding) { return verified(...gathered(this), key, bytesOf(signature, encoding, "signature")); }
}

// ---- RSA

const paddingOf = (key, fallback) => {
  const padding = optionsOf(key).padding ?? fallback;
  if (padding === constants.RSA_PKCS1_OAEP_PADDING) return "oaep";
  if (padding === constants.RSA_PKCS1_PADDING) return "pkcs1";
  throw coded(Error, "ERR_OSSL_RSA_UNKNOWN_PADDING_TYPE", "error:02000076:rsa routines::unknown padding type");
};

function crypted(method, der, key, data) {
  const { oaepHash = "sha1", oaepLabel = new Uint8Array() } = optionsOf(key);
  return ask(method, 0, der, paddingOf(key, constants.RSA_PKCS1_OAEP_PADDING), algorithmOf(oaepHash), oaepLabel, bytesOf(data, undefined, "buffer"));
}

export const publicEncrypt = (key, data) => crypted(ENCRYPT, keyBytes(createPublicKey(key)), key, data);
export const privateDecrypt = (key, data) => crypted(DECRYPT, keyBytes(createPrivateKey(key)), key, data);
export const diffieHellman = ({ privateKey, publicKey }) => ask(AGREE, 0, keyBytes(privateKey), keyBytes(publicKey));
