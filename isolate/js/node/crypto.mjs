// node:crypto: hashes, random numbers, key derivation, keys, signatures and ciphers.
import { Buffer } from "node:buffer";
import { WEBCRYPTO, host, inNextJob, insideHandler, random, service } from "node-internal:runtime";
import { CIPHERS, Cipheriv, Decipheriv } from "../nodelib/cipher.mjs";
import { coded, invalidArgument } from "../nodelib/errors.mjs";
import { HASHES, Hash, Hmac, algorithmOf, bytesOf, sumOf } from "../nodelib/hash.mjs";
import { KeyObject, ask, createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync, secretOf } from "../nodelib/keys.mjs";
import { Sign, Verify, constants, diffieHellman, privateDecrypt, publicEncrypt, sign, verify } from "../nodelib/sign.mjs";

export const webcrypto = globalThis.crypto;
export const { subtle } = webcrypto;
export { Hash, Hmac };

export const createHash = (algorithm, options) => new Hash(algorithm, undefined, options);
export const getHashes = () => [...HASHES];

export function createHmac(algorithm, key, options) {
  return new Hmac(algorithm, secretOf(key), options);
}

export function hash(algorithm, data, encoding = "hex") {
  const sum = sumOf(algorithmOf(algorithm), bytesOf(data));
  return encoding === "buffer" ? sum : sum.toString(encoding);
}

// ---- keys, signatures, ciphers

export { KeyObject, createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync, Sign, Verify, sign, verify, publicEncrypt, privateDecrypt, diffieHellman, constants, Cipheriv, Decipheriv };

export const createSign = (algorithm, options) => new Sign(algorithm, options);
export const createVerify = (algorithm, options) => new Verify(algorithm, options);
export const createCipheriv = (name, key, iv, options) => new Cipheriv(name, key, iv, options);
export const createDecipheriv = (name, key, iv, options) => new Decipheriv(name, key, iv, options);
export const getCiphers = () => [...CIPHERS], getCurves = () => ["prime256v1", "secp224r1", "secp384r1", "secp521r1"];

export function generateKeyPair(type, options, callback) {
  if (typeof options === "function") [options, callback] = [undefined, options];
  if (typeof callback !== "function") throw invalidArgument("callback", "function", callback);
  inNextJob(() => {
    let pair;
    try {
      pair = generateKeyPairSync(type, options);
    } catch (error) {
      return callback(error);
    }
    callback(null, pair.publicKey, pair.privateKey);
  });
}

// ---- random numbers

const RANDOM_PIECE = 65_536;
const BYTES_MAX = 2 ** 31 - 1;

function fill(bytes) {
  insideHandler();
  for (let at = 0; at < bytes.length; at += RANDOM_PIECE) random(bytes.subarray(at, at + RANDOM_PIECE));
}

// answered gives a result at once, or to a callback.
function answered(callback, make) {
  if (callback === undefined) return make();
  if (typeof callback !== "function") throw invalidArgument("callback", "function", callback);
  let outcome;
  try {
    outcome = [null, make()];
  } catch (error) {
    outcome = [error];
  }
  inNextJob(() => callback(...outcome));
  return undefined;
}

const outOfRange = (name, range, value) => coded(RangeError, "ERR_OUT_OF_RANGE", `The value of "${name}" is out of range. It must be ${range}. Received ${value}`);

export function randomBytes(size, callback) {
  if (typeof size !== "number") throw invalidArgument("size", "number", size);
  if (!(size >= 0 && size <= BYTES_MAX)) throw outOfRange("size", `>= 0 && <= ${BYTES_MAX}`, size);
  return answered(callback, () => {
    const bytes = Buffer.alloc(size);
    fill(bytes);
    return bytes;
  });
}
export const pseudoRandomBytes = randomBytes, rng = randomBytes, prng = randomBytes;

export function randomFillSync(target, offset = 0, size = undefined) {
  const bytes = ArrayBuffer.isView(target) ? new Uint8Array(target.buffer, target.byteOffset, target.byteLength) : new Uint8Array(target);
  fill(bytes.subarray(offset, size === undefined ? undefined : offset + size));
  return target;
}

export function randomFill(target, ...rest) {
  const callback = rest.pop();
  return answered(callback, () => randomFillSync(target, ...rest));
}

export function randomInt(low, high, callback) {
  if (high === undefined || typeof high === "function") [low, high, callback] = [0, low, high];
  if (!Number.isSafeInteger(low)) throw invalidArgument("min", "safe integer", low);
  if (!Number.isSafeInteger(high)) throw invalidArgument("max", "safe integer", high);
  const range = high - low;
  if (!(range > 0)) throw outOfRange("max", `greater than the value of "min" (${low})`, high);
  if (range > 2 ** 48 - 1) throw outOfRange("max - min", `<= ${2 ** 48 - 1}`, range);
  return answered(callback, () => low + below(range));
}

// below draws evenly: what lies past the last whole multiple of the range is drawn again.
function below(range) {
  const bytes = Buffer.alloc(6);
  const end = 2 ** 48 - (2 ** 48 % range);
  for (;;) {
    fill(bytes);
    const drawn = bytes.readUIntBE(0, 6);
    if (drawn < end) return drawn % range;
  }
}

export const randomUUID = () => webcrypto.randomUUID();
export const getRandomValues = (array) => webcrypto.getRandomValues(array);

export function timingSafeEqual(a, b) {
  const [left, right] = [bytesOf(a, undefined, "buf1"), bytesOf(b, undefined, "buf2")];
  if (left.length !== right.length) throw coded(RangeError, "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", "Input buffers must have the same byte length");
  return service(WEBCRYPTO, host.equal, 0, left, right)[0] === 1;
}

// ---- key derivation

const WEB_NAMES = { __proto__: null, md5: "MD5", sha1: "SHA-1", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };

function webName(digest) {
  const name = WEB_NAMES[algorithmOf(digest)];
  if (name === undefined) throw coded(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${digest}`);
  return name;
}

export function pbkdf2Sync(password, salt, iterations, length, digest) {
  if (!(Number.isInteger(iterations) && iterations >= 1 && iterations <= BYTES_MAX)) throw outOfRange("iterations", `>= 1 && <= ${BYTES_MAX}`, iterations);
  if (!(Number.isInteger(length) && length >= 0)) throw outOfRange("keylen", `>= 0 && <= ${BYTES_MAX}`, length);
  const key = service(WEBCRYPTO, host.pbkdf2, 0, webName(digest), bytesOf(password, undefined, "password"), bytesOf(salt, undefined, "salt"), iterations, length);
  return Buffer.from(key.buffer);
}

export function pbkdf2(password, salt, iterations, length, digest, callback) {
  if (typeof callback !== "function") throw invalidArgument("callback", "function", callback);
  answered(callback, () => pbkdf2Sync(password, salt, iterations, length, digest));
}

export function hkdfSync(digest, key, salt, info, length) {
  return service(WEBCRYPTO, host.hkdf, 0, webName(digest), secretOf(key), bytesOf(salt, undefined, "salt"), bytesOf(info, undefined, "info"), length).buffer;
}

export function hkdf(digest, key, salt, info, length, callback) {
  if (typeof callback !== "function") throw invalidArgument("callback", "function", callback);
  answered(callback, () => hkdfSync(digest, key, salt, info, length));
}

const SCRYPT = 14;

export function scryptSync(password, salt, length, options = {}) {
  const { N = options.cost ?? 16_384, r = options.blockSize ?? 8, p = options.parallelization ?? 1 } = options;
  if (N < 2 || (N & (N - 1)) !== 0) throw coded(RangeError, "ERR_CRYPTO_INVALID_SCRYPT_PARAMS", "Invalid scrypt params");
  return ask(SCRYPT, 0, bytesOf(password, undefined, "password"), bytesOf(salt, undefined, "salt"), N, r, p, length);
}

export function scrypt(password, salt, length, options, callback) {
  if (typeof options === "function") [options, callback] = [undefined, options];
  if (typeof callback !== "function") throw invalidArgument("callback", "function", callback);
  answered(callback, () => scryptSync(password, salt, length, options));
}

export default {
  Cipheriv, Decipheriv, Hash, Hmac, KeyObject, Sign, Verify, constants, createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, createSecretKey,
  createSign, createVerify, diffieHellman, generateKeyPair, generateKeyPairSync, getCiphers, getCurves, getHashes, getRandomValues, hash, hkdf, hkdfSync, pbkdf2,
  pbkdf2Sync, privateDecrypt, prng, pseudoRandomBytes, publicEncrypt, randomBytes, randomFill, randomFillSync, randomInt, randomUUID, rng, scrypt, scryptSync, sign, subtle,
  timingSafeEqual, verify, webcrypto,
};
