// JSON Web Keys (RFC 7517, 7518, 8037) as Web Cryptography reads and writes them.

const JWK_TEXT = ["kty", "use", "alg", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k"];
const dataError = (message) => cryptoError("DataError", message);

// jwkDictionary converts what a tenant gives.
function jwkDictionary(value) {
  if (typeof value !== "object" || value === null || isView(value) || isBuffer(value)) throw new TypeError("The key data is not a JsonWebKey");
  const jwk = { __proto__: null };
  for (const name of JWK_TEXT) if (value[name] !== undefined) jwk[name] = `${value[name]}`;
  if (value.ext !== undefined) jwk.ext = Boolean(value.ext);
  if (value.key_ops !== undefined) jwk.key_ops = Array.from(value.key_ops, (op) => `${op}`);
  if (value.oth !== undefined) jwk.oth = true;
  return jwk;
}

// checkJwk holds the members that say what a key is against what it is asked to become.
function checkJwk(jwk, kty, use, extractable, usages) {
  if (jwk.kty !== kty) throw dataError(`The JWK's "kty" is not "${kty}".`);
  if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) throw dataError(`The JWK's "use" is not "${use}".`);
  if (jwk.key_ops !== undefined) {
    const repeated = new Set(jwk.key_ops).size !== jwk.key_ops.length;
    if (repeated || !usages.every((usage) => jwk.key_ops.includes(usage))) throw dataError('The JWK\'s "key_ops" do not permit this use.');
  }
  if (jwk.ext === false && extractable) throw dataError("The JWK is not extractable.");
}

function checkAlg(jwk, alg) {
  if (jwk.alg !== undefined && jwk.alg !== alg) throw dataError(`The JWK's "alg" is not "${alg}".`);
}

const URL_TEXT = /^[A-Za-z0-9_-]*$/;

function base64urlBytes(text, member) {
  if (text === undefined) throw dataError(`The JWK has no "${member}".`);
  if (!URL_TEXT.test(text)) throw dataError(`The JWK's "${member}" is not base64url.`);
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    throw dataError(`The JWK's "${member}" is not base64url.`);
  }
}

const base64url = (bytes) => bytes.toBase64({ alphabet: "base64url", omitPadding: true });

// newJwk is what an export gives.
function newJwk(key, members) {
  return { ...members, key_ops: [...key.usages], ext: key.extractable };
}

// jwkBytes and jwkFromBytes carry a JWK through wrapKey and unwrapKey.
const jwkBytes = (jwk) => encodeText(JSON.stringify(jwk));

function jwkFromBytes(bytes) {
  try {
    const jwk = JSON.parse(decodeText(bytes));
    if (jwk === null || typeof jwk !== "object" || jwk.kty === undefined) throw jwk;
    return jwk;
  } catch {
    throw dataError("What was unwrapped is no JWK.");
  }
}
