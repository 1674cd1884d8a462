// Secret keys: HMAC, AES, and the passwords and secrets that HKDF and PBKDF2 derive from.

function randomBytes(length) {
  insideHandler();
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_MAX) sw.random(bytes.subarray(at, at + RANDOM_MAX));
  return bytes;
}

// secretBytes takes a secret out of a raw key or a JWK of type oct.
function secretBytes(format, data, { use, alg, extractable, usages }, name) {
  if (format === "raw") return data;
  if (format !== "jwk") throw refuseFormat(format, name);
  const bytes = data.kty === "oct" ? base64urlBytes(data.k, "k") : undefined;
  checkJwk(data, "oct", use, extractable, usages);
  checkAlg(data, alg(bytes));
  return bytes;
}

function exportSecret(format, key, alg) {
  if (format === "raw") return key.data.slice().buffer;
  if (format !== "jwk") throw refuseFormat(format, key.name);
  return newJwk(key, { kty: "oct", k: base64url(key.data), alg });
}

const MAX_HMAC = 8_388_608; // bits of a key that is made

const hmacLength = ({ hash, length }) => {
  if (length === 0) throw cryptoError("OperationError", "An HMAC key of no bits cannot be made.");
  if (length > MAX_HMAC) throw cryptoError("OperationError", `An HMAC key of ${length} bits cannot be made.`);
  return length ?? hashBlockBits[hash];
};

// cutBits is the secret of length bits: bits past it are 0.
function cutBits(bytes, bits) {
  const cut = bytes.slice(0, Math.ceil(bits / 8));
  if (bits % 8) cut[cut.length - 1] &= 0xff << (8 - (bits % 8));
  return cut;
}

const hmacAlg = (hash) => `HS${hash.slice(hash.indexOf("-") + 1)}`;

cryptoKinds.HMAC = {
  generate(algorithm, extractable, usages) {
    onlyUsages(usages, "sign", "verify");
    const length = hmacLength(algorithm);
    return this.key(algorithm, cutBits(randomBytes(Math.ceil(length / 8)), length), length, extractable, usages);
  },
  import(format, data, algorithm, extractable, usages) {
    onlyUsages(usages, "sign", "verify");
    const bytes = secretBytes(format, data, { use: "sig", alg: () => hmacAlg(algorithm.hash), extractable, usages }, "HMAC");
    const bits = bytes.length * 8;
    if (bits === 0) throw dataError("An HMAC key has at least one bit.");
    const length = algorithm.length ?? bits;
    if (length > bits || length <= bits - 8) throw dataError("The length is not the key's.");
    return this.key(algorithm, cutBits(bytes, length), length, extractable, usages);
  },
  key({ name, hash }, bytes, length, extractable, usages) {
    return newKey("secret", { name, hash: { name: hash }, length }, bytes, extractable, usages);
  },
  export: (format, key) => exportSecret(format, key, hmacAlg(key.hash)),
  sign: (_, key, data) => computeSized(data, host.signHMAC, key.hash, key.data, data),
  verify: (_, key, signature, data) => truthOf(computeSized(data, host.verifyHMAC, key.hash, key.data, data, signature)),
  keyLength: hmacLength,
};
const hmacParams = { hash: hashName, length: optional(long) };
offer("HMAC", { sign: {}, verify: {}, generateKey: hmacParams, importKey: hmacParams, exportKey: {}, keyLength: hmacParams });

const aesLengths = new Set([128, 192, 256]);

function aesLength({ length }) {
  if (!aesLengths.has(length)) throw cryptoError("OperationError", `AES keys have 128, 192 or 256 bits, not ${length}.`);
  return length;
}

// aesKind is a mode: its usages, the suffix of its JWK name, and what the cipher is given.
function aesKind(name, uses, suffix, given) {
  const alg = (bytes) => (bytes === undefined ? suffix : `A${bytes.length * 8}${suffix}`);
  const key = (bytes, extractable, usages) => newKey("secret", { name, length: bytes.length * 8 }, bytes, extractable, usages);
  const run = (method) => (algorithm, { data: secret }, data) => computeSized(data, method, name, secret, data, ...given(algorithm));
  return {
    generate(algorithm, extractable, usages) {
      onlyUsages(usages, ...uses);
      return key(randomBytes(aesLength(algorithm) / 8), extractable, usages);
    },
    import(format, data, _, extractable, usages) {
      onlyUsages(usages, ...uses);
      const bytes = secretBytes(format, data, { use: "enc", alg, extractable, usages }, name);
      if (!aesLengths.has(bytes.length * 8)) throw dataError("AES keys have 128, 192 or 256 bits.");
      return key(bytes, extractable, usages);
    },
    export: (format, inner) => exportSecret(format, inner, alg(inner.data)),
    encrypt: run(host.encryptAES),
    decrypt: run(host.decryptAES),
    keyLength: aesLength,
  };
}

function ivOf({ iv }) {
  if (iv.length !== 16) throw cryptoError("OperationError", "The initialization vector must have 16 bytes.");
  return [iv];
}

function counterOf({ counter, length }) {
  if (counter.length !== 16) throw cryptoError("OperationError", "The counter block must have 16 bytes.");
  if (length < 1 || length > 128) throw cryptoError("OperationError", "The counter must have 1 to 128 bits.");
  return [counter, length];
}

const gcmTags = new Set([32, 64, 96, 104, 112, 120, 128]);

function gcmOf({ iv, tagLength = 128, additionalData }) {
  if (!gcmTags.has(tagLength)) throw cryptoError("OperationError", `A tag cannot have ${tagLength} bits.`);
  return [iv, tagLength, additionalData];
}

const cipherUses = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];
cryptoKinds["AES-CBC"] = aesKind("AES-CBC", cipherUses, "CBC", ivOf);
cryptoKinds["AES-CTR"] = aesKind("AES-CTR", cipherUses, "CTR", counterOf);
cryptoKinds["AES-GCM"] = aesKind("AES-GCM", cipherUses, "GCM", gcmOf);
cryptoKinds["AES-KW"] = aesKind("AES-KW", ["wrapKey", "unwrapKey"], "KW", () => []);

const aesModes = {
  "AES-CBC": { iv: copied },
  "AES-CTR": { counter: copied, length: octet },
  "AES-GCM": { iv: copied, additionalData: optional(copied), tagLength: optional(octet) },
};
const aesKeys = { generateKey: { length: short }, importKey: {}, exportKey: {}, keyLength: { length: short } };
for (const [name, params] of Object.entries(aesModes)) offer(name, { ...aesKeys, encrypt: params, decrypt: params });
offer("AES-KW", { ...aesKeys, wrapKey: {}, unwrapKey: {} });

// passwordKind is what bits are derived from.
function passwordKind(name, deriveBits) {
  return {
    import(format, data, _, extractable, usages) {
      if (format !== "raw") throw refuseFormat(format, name);
      onlyUsages(usages, "deriveKey", "deriveBits");
      if (extractable) throw cryptoError("SyntaxError", `${name} keys are not extractable.`);
      return newKey("secret", { name }, data, false, usages);
    },
    deriveBits(algorithm, key, length) {
      if (length === null || length % 8 !== 0) throw cryptoError("OperationError", "The length must be a multiple of 8 bits.");
      return deriveBits(algorithm, key.data, length / 8);
    },
    keyLength: () => null,
  };
}

cryptoKinds.HKDF = passwordKind("HKDF", ({ hash, salt, info }, key, length) => {
  return compute(host.hkdf, hash, key, salt, info, length);
});
cryptoKinds.PBKDF2 = passwordKind("PBKDF2", ({ hash, salt, iterations }, key, length) => {
  if (iterations === 0) throw cryptoError("OperationError", "PBKDF2 needs at least one iteration.");
  return computeLong(host.pbkdf2, hash, key, salt, iterations, length);
});
offer("HKDF", { importKey: {}, deriveBits: { hash: hashName, info: copied, salt: copied }, keyLength: {} });
offer("PBKDF2", { importKey: {}, deriveBits: { hash: hashName, iterations: long, salt: copied }, keyLength: {} });
