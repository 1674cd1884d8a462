// The host's side of crypto.subtle: ../../service/webcrypto, whose methods these are. Small work is
// done at once, since a promise of the host's costs more; what may take long runs beside the isolate.

const WEBCRYPTO = 1;
const host = {
  digest: 1, newDigest: 2, updateDigest: 3, endDigest: 4,
  signHMAC: 5, verifyHMAC: 6,
  encryptAES: 7, decryptAES: 8,
  sign: 9, verify: 10,
  encryptOAEP: 11, decryptOAEP: 12,
  generateRSA: 13, generateCurve: 14,
  importDER: 15, importRaw: 16, importRSA: 17, importCurve: 18,
  fieldsOf: 19,
  agree: 20, hkdf: 21, pbkdf2: 22,
  equal: 23,
};
const AT_ONCE = 262_144; // bytes that are worked on while the isolate waits

const compute = (method, ...parts) => service(WEBCRYPTO, method, 0, ...parts);
const computeLong = (method, ...parts) => serviceAsync(WEBCRYPTO, method, 0, ...parts);

// computeSized waits for a promise only when there is much data.
const computeSized = (data, method, ...parts) =>
  (data.byteLength > AT_ONCE ? computeLong : compute)(method, ...parts);

// mapped is fn of a value, or the promise of it.
const mapped = (value, fn) => (isPromise(value) ? then(value, fn) : fn(value));

const truthOf = (result) => mapped(result, (bytes) => bytes[0] === 1);
const viewBuffer = getterOf(TypedArrayProto, "buffer");
const bufferOf = (result) => mapped(result, viewBuffer);

// fieldsIn splits an answer of several byte strings.
function fieldsIn(bytes) {
  const list = [];
  for (let at = 0; at < bytes.length; ) {
    const from = at + 4;
    at = from + wordAt(bytes, at);
    list.push(bytes.slice(from, at));
  }
  return list;
}

const cryptoError = (name, message) => new DOMException(message, name);
