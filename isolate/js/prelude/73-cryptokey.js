// CryptoKey: a name for key material, which only the algorithms see. The material is bytes of ours
// in the isolate's memory, so that a key made at module scope is part of the snapshot.

const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
const KEY_FORMATS = new Set(["raw", "pkcs8", "spki", "jwk"]);

class CryptoKey {
  #key;

  constructor(secret, key) {
    if (secret !== SECRET) throw illegal();
    this.#key = key;
  }

  get type() { return this.#key.type; }
  get extractable() { return this.#key.extractable; }
  get algorithm() { return this.#key.algorithm; }
  get usages() { return this.#key.usages; }

  static isCryptoKey(value) { return typeof value === "object" && value !== null && #key in value; }
  static innerKey(key) { return key.#key; }
}

const { isCryptoKey, innerKey } = CryptoKey;
delete CryptoKey.isCryptoKey;
delete CryptoKey.innerKey;
publish(CryptoKey);

// newKey makes the public key object. name is kept beside algorithm, which tenants may write to.
function newKey(type, algorithm, data, extractable, usages) {
  const { name, hash, namedCurve, length } = algorithm;
  const ordered = USAGES.filter((usage) => usages.includes(usage));
  return new CryptoKey(SECRET, {
    type, algorithm, data, extractable, usages: ordered, granted: new Set(ordered),
    name, hash: hash?.name, curve: namedCurve ?? name, length,
  });
}

// keyArgument converts a CryptoKey argument.
function keyArgument(value, what = "key") {
  if (!isCryptoKey(value)) throw new TypeError(`${what} is not a CryptoKey`);
  return innerKey(value);
}

// granted refuses a key that is of another algorithm, or not for this use.
function needGranted(key, name, usage) {
  if (key.name !== name) throw cryptoError("InvalidAccessError", `The key is for ${key.name}, not for ${name}.`);
  if (!key.granted.has(usage)) throw cryptoError("InvalidAccessError", `The key does not permit ${usage}.`);
}

function needType(key, type) {
  if (key.type !== type) throw cryptoError("InvalidAccessError", `This needs a ${type} key.`);
}

// onlyUsages refuses usages that a key of this kind cannot have.
function onlyUsages(usages, ...allowed) {
  for (const usage of usages) {
    if (!allowed.includes(usage)) throw cryptoError("SyntaxError", `This kind of key is not for ${usage}.`);
  }
}

// usagesArgument is Web IDL's sequence<KeyUsage>.
function usagesArgument(value) {
  if (typeof value !== "object" && typeof value !== "function" || value === null || typeof value[Symbol.iterator] !== "function") {
    throw new TypeError("keyUsages is not a sequence");
  }
  const usages = [];
  for (const item of value) {
    const usage = `${item}`;
    if (!USAGES.includes(usage)) throw new TypeError(`'${usage}' is no key usage`);
    usages.push(usage);
  }
  return usages;
}

function formatArgument(value) {
  const format = `${value}`;
  if (!KEY_FORMATS.has(format)) throw new TypeError(`'${format}' is no key format`);
  return format;
}

const refuseFormat = (format, name) => cryptoError("NotSupportedError", `${name} keys have no format '${format}'.`);
