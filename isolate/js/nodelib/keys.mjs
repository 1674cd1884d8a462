// Keys of node:crypto. Their bytes are PKCS #8 and SPKI; the host reads and writes every other form.
import { Buffer } from "node:buffer";
import { service } from "node-internal:runtime";
import { coded, invalidArgument } from "./errors.mjs";
import { bytesOf } from "./hash.mjs";

export const NODE_CRYPTO = 8;
const IMPORT = 1, EXPORT = 2, PUBLIC = 3, GENERATE = 8;
export const ask = (...request) => Buffer.from(service(NODE_CRYPTO, ...request).buffer);

const MADE = Symbol();

export class KeyObject {
  #bytes;
  #type;

  constructor(type, bytes, made) {
    if (made !== MADE) throw coded(TypeError, "ERR_INVALID_ARG_VALUE", "KeyObject cannot be constructed: use createSecretKey and its like");
    this.#type = type;
    this.#bytes = bytes;
  }

  get type() { return this.#type; }
  get [Symbol.toStringTag]() { return "KeyObject"; }

  equals(other) {
    if (!(other instanceof KeyObject)) throw invalidArgument("otherKeyObject", "KeyObject", other);
    return this.#type === other.#type && this.#bytes.equals(other.#bytes);
  }

  static bytesOf(key) { return key.#bytes; }
  static from(key) { throw coded(Error, "ERR_METHOD_NOT_IMPLEMENTED", "KeyObject.from is not implemented: export the CryptoKey"); }
}

export const { bytesOf: keyBytes } = KeyObject;
delete KeyObject.bytesOf;

class SecretKeyObject extends KeyObject {
  constructor(bytes) { super("secret", bytes, MADE); }
  get symmetricKeySize() { return keyBytes(this).length; }
  export(options) { return options?.format === "jwk" ? { kty: "oct", k: keyBytes(this).toString("base64url") } : Buffer.from(keyBytes(this)); }
}

class AsymmetricKeyObject extends KeyObject {
  constructor({ type, kind, details, der }) {
    super(type, Buffer.from(der, "base64"), MADE);
    if (details.publicExponent !== undefined) details.publicExponent = BigInt(details.publicExponent);
    Object.defineProperties(this, { asymmetricKeyType: { value: kind }, asymmetricKeyDetails: { value: details } });
  }

  export(options) {
    if (typeof options !== "object" || options === null) throw invalidArgument("options", "object", options);
    const { format, type = this.type === "private" ? "pkcs8" : "spki", cipher } = options;
    if (cipher !== undefined) throw coded(Error, "ERR_METHOD_NOT_IMPLEMENTED", "Encrypted private keys are not implemented");
    if (format !== "pem" && format !== "der") throw coded(TypeError, "ERR_INVALID_ARG_VALUE", `The property 'options.format' is invalid. Received ${format === undefined ? "undefined" : `'${format}'`}`);
    const out = ask(EXPORT, 0, keyBytes(this), this.type, format, type);
    return format === "pem" ? out.toString() : out;
  }
}

// imported is a key of PEM or DER, of either side.
function imported(key, name) {
  const given = typeof key === "object" && key !== null && !ArrayBuffer.isView(key) && !(key instanceof ArrayBuffer) ? key : { key };
  if (given.key instanceof KeyObject) return given.key;
  if (given.format === "jwk") throw coded(Error, "ERR_METHOD_NOT_IMPLEMENTED", "Keys in JWK are not implemented: use crypto.subtle");
  const data = bytesOf(given.key, given.encoding, name);
  return new AsymmetricKeyObject(JSON.parse(ask(IMPORT, 0, data, given.format ?? "pem", given.type ?? "")));
}

function publicOf(key) {
  if (key.type !== "private") return key;
  return new AsymmetricKeyObject(JSON.parse(ask(IMPORT, 0, ask(PUBLIC, 0, keyBytes(key)), "der", "spki")));
}

export function createPrivateKey(key) {
  const found = key instanceof KeyObject ? key : imported(key, "key");
  if (found.type !== "private") throw coded(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${found.type}, expected private.`);
  return found;
}

export function createPublicKey(key) {
  const found = key instanceof KeyObject ? key : imported(key, "key");
  if (found.type === "secret") throw coded(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", "Invalid key object type secret, expected private.");
  return publicOf(found);
}

export const secretOf = (key, encoding) => (key instanceof KeyObject ? keyBytes(key) : bytesOf(key, encoding, "key"));
export const createSecretKey = (key, encoding) => new SecretKeyObject(Buffer.from(secretOf(key, encoding)));

// ---- new ones

const encoded = (key, encoding) => (encoding === undefined ? key : key.export(encoding));

export function generateKeyPairSync(type, options = {}) {
  if (!["rsa", "ec", "ed25519", "x25519"].includes(type)) throw coded(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'type' must be a supported key type. Received '${type}'`);
  const choice = type === "rsa" ? options.modulusLength : options.namedCurve;
  if (type === "rsa" && !Number.isInteger(choice)) throw invalidArgument("options.modulusLength", "number", choice);
  if (type === "ec" && typeof choice !== "string") throw invalidArgument("options.namedCurve", "string", choice);
  const privateKey = createPrivateKey({ key: ask(GENERATE, 0, type, String(choice ?? "")), format: "der", type: "pkcs8" });
  return { publicKey: encoded(publicOf(privateKey), options.publicKeyEncoding), privateKey: encoded(privateKey, options.privateKeyEncoding) };
}
