// SubtleCrypto: the order of checks of Web Cryptography 14.3. The algorithms are the kinds in 74.

// answered runs the steps of a method and gives a promise of their result, or of their error.
function answered(self, given, wanted, what, steps) {
  return promised(() => {
    if (self !== subtle) throw new TypeError("Illegal invocation");
    need(given, wanted, what);
    const result = steps();
    return isPromise(result) ? result : resolvedWith(result);
  });
}

class SubtleCrypto {
  constructor(secret) {
    if (secret !== SECRET) throw illegal();
  }

  digest(algorithm, data) {
    return answered(this, arguments.length, 2, "digest", () => {
      const { name } = normalized("digest", algorithm);
      const bytes = bufferArgument(data, "data");
      return bufferOf(computeSized(bytes, host.digest, name, bytes));
    });
  }

  encrypt(algorithm, key, data) {
    return answered(this, arguments.length, 3, "encrypt", () => ciphered("encrypt", algorithm, key, data));
  }

  decrypt(algorithm, key, data) {
    return answered(this, arguments.length, 3, "decrypt", () => ciphered("decrypt", algorithm, key, data));
  }

  sign(algorithm, key, data) {
    return answered(this, arguments.length, 3, "sign", () => {
      const inner = keyArgument(key);
      const params = normalized("sign", algorithm);
      const bytes = bufferArgument(data, "data");
      needGranted(inner, params.name, "sign");
      return bufferOf(cryptoKinds[params.name].sign(params, inner, bytes));
    });
  }

  verify(algorithm, key, signature, data) {
    return answered(this, arguments.length, 4, "verify", () => {
      const inner = keyArgument(key);
      const params = normalized("verify", algorithm);
      const [signed, bytes] = [bufferArgument(signature, "signature"), bufferArgument(data, "data")];
      needGranted(inner, params.name, "verify");
      return cryptoKinds[params.name].verify(params, inner, signed, bytes);
    });
  }

  generateKey(algorithm, extractable, keyUsages) {
    return answered(this, arguments.length, 3, "generateKey", () => {
      const usages = usagesArgument(keyUsages);
      const params = normalized("generateKey", algorithm);
      return mapped(cryptoKinds[params.name].generate(params, Boolean(extractable), usages), usable);
    });
  }

  importKey(format, keyData, algorithm, extractable, keyUsages) {
    return answered(this, arguments.length, 5, "importKey", () => {
      const form = formatArgument(format);
      const usages = usagesArgument(keyUsages);
      const data = form === "jwk" ? jwkDictionary(keyData) : bufferArgument(keyData, "keyData").slice();
      return importedKey(form, data, normalized("importKey", algorithm), Boolean(extractable), usages);
    });
  }

  exportKey(format, key) {
    return answered(this, arguments.length, 2, "exportKey", () => exportedKey(formatArgument(format), keyArgument(key)));
  }

  deriveBits(algorithm, baseKey, length = null) {
    return answered(this, arguments.length, 2, "deriveBits", () => {
      const inner = keyArgument(baseKey, "baseKey");
      const bits = length === null || length === undefined ? null : long(length, "length");
      const params = normalized("deriveBits", algorithm);
      needGranted(inner, params.name, "deriveBits");
      return bufferOf(cryptoKinds[params.name].deriveBits(params, inner, bits));
    });
  }

  deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
    return answered(this, arguments.length, 5, "deriveKey", () => {
      const inner = keyArgument(baseKey, "baseKey");
      const usages = usagesArgument(keyUsages);
      const params = normalized("deriveBits", algorithm);
      const wanted = normalized("importKey", derivedKeyType);
      const sized = normalized("keyLength", derivedKeyType);
      needGranted(inner, params.name, "deriveKey");
      const bits = cryptoKinds[sized.name].keyLength(sized);
      return mapped(cryptoKinds[params.name].deriveBits(params, inner, bits), (bytes) =>
        importedKey("raw", bytes, wanted, Boolean(extractable), usages));
    });
  }

  wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    return answered(this, arguments.length, 4, "wrapKey", () => {
      const form = formatArgument(format);
      const [inner, wrapping] = [keyArgument(key), keyArgument(wrappingKey, "wrappingKey")];
      const params = wrapParams("wrapKey", "encrypt", wrapAlgorithm);
      needGranted(wrapping, params.name, "wrapKey");
      const exported = exportedKey(form, inner);
      const bytes = form === "jwk" ? jwkBytes(exported) : new Uint8Array(exported);
      return bufferOf(cryptoKinds[params.name].encrypt(params, wrapping, bytes));
    });
  }

  unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages) {
    return answered(this, arguments.length, 7, "unwrapKey", () => {
      const form = formatArgument(format);
      const wrapped = bufferArgument(wrappedKey, "wrappedKey");
      const unwrapping = keyArgument(unwrappingKey, "unwrappingKey");
      const usages = usagesArgument(keyUsages);
      const params = wrapParams("unwrapKey", "decrypt", unwrapAlgorithm);
      const wanted = normalized("importKey", unwrappedKeyAlgorithm);
      needGranted(unwrapping, params.name, "unwrapKey");
      return mapped(cryptoKinds[params.name].decrypt(params, unwrapping, wrapped), (bytes) =>
        importedKey(form, form === "jwk" ? jwkDictionary(jwkFromBytes(bytes)) : bytes, wanted, Boolean(extractable), usages));
    });
  }

  // timingSafeEqual is Workers' own.
  timingSafeEqual(a, b) {
    const [left, right] = [bufferArgument(a, "a"), bufferArgument(b, "b")];
    if (left.length !== right.length) throw new TypeError("Input buffers must have the same byte length.");
    return compute(host.equal, left, right)[0] === 1;
  }
}

publish(SubtleCrypto);
const subtle = new SubtleCrypto(SECRET);

function ciphered(operation, algorithm, key, data) {
  const inner = keyArgument(key);
  const params = normalized(operation, algorithm);
  const bytes = bufferArgument(data, "data");
  needGranted(inner, params.name, operation);
  return bufferOf(cryptoKinds[params.name][operation](params, inner, bytes));
}

// wrapParams: an algorithm that only encrypts may wrap, too.
function wrapParams(operation, fallback, algorithm) {
  const name = typeof algorithm === "object" && algorithm !== null ? algorithm.name : algorithm;
  return normalized(hasAlgorithm(operation, `${name}`) ? operation : fallback, algorithm);
}

// usable refuses a key that nothing could be done with.
function usable(made) {
  const inner = innerKey(made.privateKey ?? made);
  if (inner.type !== "public" && inner.usages.length === 0) throw cryptoError("SyntaxError", "A key without usages is of no use.");
  return made;
}

function importedKey(format, data, params, extractable, usages) {
  return usable(cryptoKinds[params.name].import(format, data, params, extractable, usages));
}

function exportedKey(format, key) {
  const kind = cryptoKinds[key.name];
  if (kind.export === undefined) throw cryptoError("NotSupportedError", `${key.name} keys cannot be exported.`);
  if (!key.extractable) throw cryptoError("InvalidAccessError", "The key is not extractable.");
  return kind.export(format, key);
}
