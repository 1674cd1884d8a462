// RSA: RSASSA-PKCS1-v1_5 and RSA-PSS sign, RSA-OAEP encrypts. What uses a private key takes
// milliseconds and runs beside the isolate.

const rsaAlgs = {
  "RSASSA-PKCS1-v1_5": (hash) => (hash === "SHA-1" ? "RS1" : `RS${hash.slice(4)}`),
  "RSA-PSS": (hash) => (hash === "SHA-1" ? "PS1" : `PS${hash.slice(4)}`),
  "RSA-OAEP": (hash) => (hash === "SHA-1" ? "RSA-OAEP" : `RSA-OAEP-${hash.slice(4)}`),
};
const rsaMembers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];

// exportDER is a key in its own form: PKCS #8 is the private key's, SubjectPublicKeyInfo the public one's.
function exportDER(format, key) {
  needType(key, format === "pkcs8" ? "private" : "public");
  return key.data.slice().buffer;
}

const fieldsOfKey = (key) => fieldsIn(compute(host.fieldsOf, key.type === "private" ? 1 : 0, key.data));

function rsaKind(name, use, publicUses, privateUses, members) {
  const alg = rsaAlgs[name];
  const key = (type, { hash }, [data, , bits, publicExponent], extractable, usages) =>
    newKey(type, { name, modulusLength: wordAt(bits, 0), publicExponent, hash: { name: hash } }, data, extractable, usages);
  return {
    generate(algorithm, extractable, usages) {
      onlyUsages(usages, ...publicUses, ...privateUses);
      const { modulusLength, publicExponent } = algorithm;
      insideHandler();
      return then(computeLong(host.generateRSA, modulusLength, publicExponent), (bytes) => {
        const [privateData, publicData] = fieldsIn(bytes);
        const imported = (data, isPrivate) => fieldsIn(compute(host.importDER, isPrivate, data));
        return {
          publicKey: key("public", algorithm, imported(publicData, 0), true, usages.filter((u) => publicUses.includes(u))),
          privateKey: key("private", algorithm, imported(privateData, 1), extractable, usages.filter((u) => privateUses.includes(u))),
        };
      });
    },
    import(format, data, algorithm, extractable, usages) {
      if (format === "raw") throw refuseFormat(format, name);
      const isPrivate = format === "pkcs8" || format === "jwk" && data.d !== undefined;
      onlyUsages(usages, ...(isPrivate ? privateUses : publicUses));
      const parts = format === "jwk" ? this.fromJwk(data, algorithm, extractable, usages) : fieldsIn(compute(host.importDER, isPrivate ? 1 : 0, data));
      if (decodeText(parts[1]) !== "RSA") throw dataError("This is no RSA key.");
      return key(isPrivate ? "private" : "public", algorithm, parts, extractable, usages);
    },
    fromJwk(jwk, { hash }, extractable, usages) {
      checkJwk(jwk, "RSA", use, extractable, usages);
      checkAlg(jwk, alg(hash));
      if (jwk.oth) throw dataError("RSA keys of more than two primes are not supported.");
      const wanted = jwk.d === undefined ? ["n", "e"] : rsaMembers;
      const numbers = wanted.map((member) => base64urlBytes(jwk[member], member));
      return fieldsIn(compute(host.importRSA, ...numbers.slice(0, 5)));
    },
    export(format, inner) {
      if (format === "raw") throw refuseFormat(format, name);
      if (format !== "jwk") return exportDER(format, inner);
      const jwk = { kty: "RSA", alg: alg(inner.hash) };
      fieldsOfKey(inner).forEach((field, i) => { jwk[rsaMembers[i]] = base64url(field); });
      return newJwk(inner, jwk);
    },
    ...members,
  };
}

const signRSA = {
  sign({ name, saltLength = 0 }, key, data) {
    needType(key, "private");
    return computeLong(host.sign, name, key.hash, key.data, data, saltLength);
  },
  verify({ name, saltLength = 0 }, key, signature, data) {
    needType(key, "public");
    return truthOf(computeSized(data, host.verify, name, key.hash, key.data, data, saltLength, signature));
  },
};

cryptoKinds["RSASSA-PKCS1-v1_5"] = rsaKind("RSASSA-PKCS1-v1_5", "sig", ["verify"], ["sign"], signRSA);
cryptoKinds["RSA-PSS"] = rsaKind("RSA-PSS", "sig", ["verify"], ["sign"], signRSA);
cryptoKinds["RSA-OAEP"] = rsaKind("RSA-OAEP", "enc", ["encrypt", "wrapKey"], ["decrypt", "unwrapKey"], {
  encrypt({ label }, key, data) {
    needType(key, "public");
    return compute(host.encryptOAEP, key.hash, key.data, data, label);
  },
  decrypt({ label }, key, data) {
    needType(key, "private");
    return computeLong(host.decryptOAEP, key.hash, key.data, data, label);
  },
});

const rsaKeys = {
  generateKey: { hash: hashName, modulusLength: long, publicExponent: bigInteger },
  importKey: { hash: hashName }, exportKey: {},
};
const oaep = { label: optional(copied) };
offer("RSASSA-PKCS1-v1_5", { ...rsaKeys, sign: {}, verify: {} });
offer("RSA-PSS", { ...rsaKeys, sign: { saltLength: long }, verify: { saltLength: long } });
offer("RSA-OAEP", { ...rsaKeys, encrypt: oaep, decrypt: oaep });
