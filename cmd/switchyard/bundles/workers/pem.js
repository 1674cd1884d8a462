//! nodejs_compat
// Keys in PEM, signatures and ciphers of node:crypto, as jsonwebtoken and hand-written code use them.
//> GET /jwt
//> GET /cipher
import crypto from "node:crypto";
import jwt from "jsonwebtoken";

const PRIVATE = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----
`;

const pages = {
  jwt: () => {
    const key = crypto.createPublicKey(PRIVATE), pem = key.export({ type: "spki", format: "pem" });
    const token = jwt.sign({ sub: "me", iat: 1700000000 }, PRIVATE, { algorithm: "ES256" });
    const { privateKey, publicKey } = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
    const rsa = jwt.sign({ sub: "you" }, privateKey, { algorithm: "RS256", noTimestamp: true });
    return [pem, jwt.verify(token, pem), token.split(".").slice(0, 2), jwt.verify(rsa, publicKey), rsa.split(".")[1]];
  },
  cipher: () => {
    const cipher = crypto.createCipheriv("aes-256-gcm", Buffer.alloc(32, 1), Buffer.alloc(12, 2)).setAAD(Buffer.from("head"));
    const sealed = cipher.update("some text", "utf8", "hex") + cipher.final("hex");
    const tag = cipher.getAuthTag();
    const decipher = crypto.createDecipheriv("aes-256-gcm", Buffer.alloc(32, 1), Buffer.alloc(12, 2)).setAAD(Buffer.from("head")).setAuthTag(tag);
    return [sealed, tag.toString("hex"), decipher.update(sealed, "hex", "utf8") + decipher.final("utf8"), crypto.scryptSync("p", "s", 16).toString("hex")];
  },
};

export default { fetch: (request) => Response.json(pages[new URL(request.url).pathname.slice(1)]()) };
