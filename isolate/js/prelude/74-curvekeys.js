// Keys on curves: ECDSA and ECDH on NIST's, Ed25519 and X25519. Workers' older NODE-ED25519 is Ed25519
// under another name.

const curveSizes = { __proto__: null, "P-256": 32, "P-384": 48, "P-521": 66, Ed25519: 32, X25519: 32 };
const isNist = (curve) => curve !== "Ed25519" && curve !== "X25519";

function nistCurve({ namedCurve }) {
  if (curveSizes[namedCurve] === undefined || !isNist(namedCurve)) throw cryptoError("NotSupportedError", `The curve '${namedCurve}' is not supported.`);
  return namedCurve;
}

function nodeCurve({ namedCurve, name }) {
  if (namedCurve !== undefined && namedCurve !== name) throw cryptoError("NotSupportedError", `The curve '${namedCurve}' is not supported.`);
  return "Ed25519";
}

// curveKind is an algorithm: how it names its curve, its usages, and what it does.
function curveKind(name, curveOf, use, publicUses, privateUses, members) {
  const algorithmOf = ({ namedCurve }) => (namedCurve === undefined ? { name } : { name, namedCurve });
  const key = (type, algorithm, data, extractable, usages) => newKey(type, algorithmOf(algorithm), data, extractable, usages);
  return {
    generate(algorithm, extractable, usages) {
      const curve = curveOf(algorithm);
      onlyUsages(usages, ...publicUses, ...privateUses);
      insideHandler();
      const [privateData, publicData] = fieldsIn(compute(host.generateCurve, curve));
      return {
        publicKey: key("public", algorithm, publicData, true, usages.filter((u) => publicUses.includes(u))),
        privateKey: key("private", algorithm, privateData, extractable, usages.filter((u) => privateUses.includes(u))),
      };
    },
    import(format, data, algorithm, extractable, usages) {
      const curve = curveOf(algorithm);
      const isPrivate = format === "pkcs8" || format === "jwk" && data.d !== undefined;
      onlyUsages(usages, ...(isPrivate ? privateUses : publicUses));
      const [der, found] = importedCurve(format, data, curve, isPrivate, () => checkCurveJwk(data, name, curve, use, extractable, usages));
      if (decodeText(found) !== curve) throw dataError(`This is no key for ${name} with ${curve}.`);
      return key(isPrivate ? "private" : "public", algorithm, der, extractable, usages);
    },
    export(format, inner) {
      if (format === "spki" || format === "pkcs8") return exportDER(format, inner);
      if (format === "jwk") return curveJwk(inner, curveOf(inner.algorithm));
      needType(inner, "public");
      return fieldsOfKey(inner)[0].buffer;
    },
    ...members,
  };
}

function importedCurve(format, data, curve, isPrivate, checkedJwk) {
  if (format === "raw") return fieldsIn(compute(host.importRaw, curve, data));
  if (format !== "jwk") return fieldsIn(compute(host.importDER, isPrivate ? 1 : 0, data));
  checkedJwk();
  const raw = rawPoint(data, curve);
  if (!isPrivate) return fieldsIn(compute(host.importRaw, curve, raw));
  return fieldsIn(compute(host.importCurve, curve, coordinate(data, "d", curve), raw));
}

const ecdsaAlgs = { __proto__: null, "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };

function checkCurveJwk(jwk, name, curve, use, extractable, usages) {
  checkJwk(jwk, isNist(curve) ? "EC" : "OKP", use, extractable, usages);
  if (jwk.crv !== curve) throw dataError(`The JWK's "crv" is not "${curve}".`);
  if (name === "ECDSA") checkAlg(jwk, ecdsaAlgs[curve]);
  if (curve === "Ed25519" && jwk.alg !== undefined && jwk.alg !== "Ed25519") checkAlg(jwk, "EdDSA");
}

function coordinate(jwk, member, curve) {
  const bytes = base64urlBytes(jwk[member], member);
  if (bytes.length !== curveSizes[curve]) throw dataError(`The JWK's "${member}" has the wrong length.`);
  return bytes;
}

function rawPoint(jwk, curve) {
  const x = coordinate(jwk, "x", curve);
  if (!isNist(curve)) return x;
  return concatBytes([new Uint8Array([4]), x, coordinate(jwk, "y", curve)], 1 + 2 * x.length);
}

function curveJwk(key, curve) {
  const [point, d] = fieldsOfKey(key);
  const size = curveSizes[curve];
  const jwk = isNist(curve)
    ? { kty: "EC", crv: curve, x: base64url(point.subarray(1, 1 + size)), y: base64url(point.subarray(1 + size)) }
    : { kty: "OKP", crv: curve, x: base64url(point) };
  if (d !== undefined) jwk.d = base64url(d);
  return newJwk(key, jwk);
}

const signCurve = {
  sign({ hash }, key, data) {
    needType(key, "private");
    return computeSized(data, host.sign, this.signature, hash, key.data, data, 0);
  },
  verify({ hash }, key, signature, data) {
    needType(key, "public");
    return truthOf(computeSized(data, host.verify, this.signature, hash, key.data, data, 0, signature));
  },
};

// The other side's key has to be of the same algorithm and curve.
const agreement = {
  deriveBits(algorithm, key, length) {
    needType(key, "private");
    const other = keyArgument(algorithm.public, "algorithm.public");
    needType(other, "public");
    if (other.name !== key.name || other.curve !== key.curve) throw cryptoError("InvalidAccessError", "The keys are of different kinds.");
    const secret = compute(host.agree, key.data, other.data);
    if (length === null) return secret;
    if (length > secret.length * 8) throw cryptoError("OperationError", `The secret has ${secret.length * 8} bits, not ${length}.`);
    return cutBits(secret, length);
  },
};

const derives = ["deriveKey", "deriveBits"];
cryptoKinds.ECDSA = curveKind("ECDSA", nistCurve, "sig", ["verify"], ["sign"], { signature: "ECDSA", ...signCurve });
cryptoKinds.ECDH = curveKind("ECDH", nistCurve, "enc", [], derives, agreement);
cryptoKinds.Ed25519 = curveKind("Ed25519", () => "Ed25519", "sig", ["verify"], ["sign"], { signature: "Ed25519", ...signCurve });
cryptoKinds["NODE-ED25519"] = curveKind("NODE-ED25519", nodeCurve, "sig", ["verify"], ["sign"], { signature: "Ed25519", ...signCurve });
cryptoKinds.X25519 = curveKind("X25519", () => "X25519", "enc", [], derives, agreement);

function otherKey(value) {
  keyArgument(value, "algorithm.public");
  return value;
}

const curved = { generateKey: { namedCurve: curveArgument }, importKey: { namedCurve: curveArgument }, exportKey: {} };
const uncurved = { generateKey: {}, importKey: {}, exportKey: {} };
const named = { generateKey: { namedCurve: optional(curveArgument) }, importKey: { namedCurve: optional(curveArgument) }, exportKey: {} };
offer("ECDSA", { ...curved, sign: { hash: hashName }, verify: { hash: hashName } });
offer("ECDH", { ...curved, deriveBits: { public: otherKey } });
offer("Ed25519", { ...uncurved, sign: {}, verify: {} });
offer("NODE-ED25519", { ...named, sign: {}, verify: {} });
offer("X25519", { ...uncurved, deriveBits: { public: otherKey } });
