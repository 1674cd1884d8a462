// jose: tokens in every family of algorithms, keys in every format.
//> GET /jwt/HS256
//> GET /jwt/HS512
//> GET /verify
//> GET /jwe
//> GET /pairs/RS256
//> GET /pairs/PS384
//> GET /pairs/ES256
//> GET /pairs/ES512
//> GET /pairs/EdDSA
//> GET /encrypt/RSA-OAEP-256
//> GET /encrypt/ECDH-ES+A256KW
//> GET /encrypt/A128GCMKW
//> GET /encrypt/PBES2-HS256+A128KW
//> GET /jwks
//> GET /thumbprint
//> GET /errors
import * as jose from "jose";
const secret = new TextEncoder().encode("cc7e0d44fd473002f1c42167459001140ec6389b7353f8088f4d9a95f2f596f2".repeat(2));
const PKCS8 = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----`;
const routes = {
  async jwt(alg) {
    return new jose.SignJWT({ "urn:example:claim": true }).setProtectedHeader({ alg, typ: "JWT" }).setIssuedAt(1700000000).setIssuer("urn:i").setAudience("urn:a").setExpirationTime(4102444800).sign(secret);
  },
  async verify() {
    const token = await routes.jwt("HS256");
    const { payload, protectedHeader } = await jose.jwtVerify(token, secret, { issuer: "urn:i", audience: "urn:a" });
    return { payload, protectedHeader, decoded: jose.decodeJwt(token), header: jose.decodeProtectedHeader(token) };
  },
  async jwe() {
    const key = secret.slice(0, 32), out = {};
    for (const enc of ["A256GCM", "A128CBC-HS256"]) {
      const token = await new jose.EncryptJWT({ a: 1 }).setProtectedHeader({ alg: "dir", enc }).encrypt(key);
      out[enc] = [token.split(".").length, (await jose.jwtDecrypt(token, key)).payload];
    }
    return out;
  },
  async pairs(alg) {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
    const token = await new jose.CompactSign(new TextEncoder().encode("text")).setProtectedHeader({ alg }).sign(privateKey);
    const jwk = await jose.exportJWK(publicKey), spki = await jose.exportSPKI(publicKey), pkcs8 = await jose.exportPKCS8(privateKey);
    const again = await jose.importSPKI(spki, alg), privateAgain = await jose.importPKCS8(pkcs8, alg);
    const { payload } = await jose.compactVerify(token, again);
    const second = await new jose.CompactSign(payload).setProtectedHeader({ alg }).sign(privateAgain);
    await jose.compactVerify(second, await jose.importJWK(jwk, alg));
    const [head, , signature] = token.split(".");
    return { head, payload: new TextDecoder().decode(payload), signature: jose.base64url.decode(signature).length, jwk: Object.keys(jwk).sort(), begins: spki.slice(0, 26), algorithm: publicKey.algorithm.name, usages: privateKey.usages, type: again.type };
  },
  async encrypt(alg) {
    let publicKey = secret.slice(0, 16), privateKey = publicKey;
    if (!alg.startsWith("A") && !alg.startsWith("P")) ({ publicKey, privateKey } = await jose.generateKeyPair(alg));
    const jwe = await new jose.CompactEncrypt(new TextEncoder().encode("secret text")).setProtectedHeader({ alg, enc: "A128GCM" }).encrypt(publicKey);
    const { plaintext, protectedHeader } = await jose.compactDecrypt(jwe, privateKey, { keyManagementAlgorithms: [alg] });
    return { plaintext: new TextDecoder().decode(plaintext), header: Object.keys(protectedHeader).sort() };
  },
  async jwks() {
    const key = await jose.importPKCS8(PKCS8, "ES256", { extractable: true });
    const { d, ...jwk } = await jose.exportJWK(key);
    const set = jose.createLocalJWKSet({ keys: [{ ...jwk, alg: "ES256", kid: "one" }] });
    const token = await new jose.SignJWT({ ok: 1 }).setProtectedHeader({ alg: "ES256", kid: "one" }).sign(key);
    return { jwk, payload: (await jose.jwtVerify(token, set)).payload };
  },
  async thumbprint() {
    const key = await jose.importPKCS8(PKCS8, "ES256", { extractable: true });
    const { d, ...jwk } = await jose.exportJWK(key);
    return [await jose.calculateJwkThumbprint(jwk), await jose.calculateJwkThumbprintUri(jwk, "sha512")];
  },
  async errors() {
    const token = await routes.jwt("HS256"), of = (p) => p.then(String, (e) => [e.name, e.code, e.message, e.claim, e.reason]);
    return [
      await of(jose.jwtVerify(token, secret.slice(1))),
      await of(jose.jwtVerify(token, secret, { audience: "urn:b" })),
      await of(jose.jwtVerify(token, secret, { currentDate: new Date(5e12) })),
      await of(jose.jwtVerify("a.b", secret)),
      await of(jose.jwtVerify(token, secret, { algorithms: ["HS512"] })),
      await of(jose.importPKCS8("nonsense", "ES256")),
      await of(new jose.SignJWT({}).setProtectedHeader({ alg: "ES256" }).sign(secret)),
      await of(jose.importJWK({ kty: "oct" }, "HS256")),
    ];
  },
};
export default {
  async fetch(request) {
    const [, name, arg] = decodeURIComponent(new URL(request.url).pathname).split("/");
    return Response.json(await routes[name](arg));
  },
};
