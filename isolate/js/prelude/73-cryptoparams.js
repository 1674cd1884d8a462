// Algorithm identifiers, Web Cryptography 18.4: a name, or a dictionary with one, becomes a record
// with the algorithm's own spelling and its parameters converted. `supported` is the registry:
// operation → name in capitals → [name, {parameter: conversion}].

const supported = { __proto__: null };

// offer registers what an algorithm can do: operation → its parameters, required but for `optional`.
function offer(name, operations) {
  for (const [operation, params] of Object.entries(operations)) {
    (supported[operation] ??= new Map()).set(name.toUpperCase(), [name, Object.entries(params)]);
  }
}

function bufferArgument(value, what) {
  if (isView(value) || isBuffer(value)) return bytesOf(value);
  throw new TypeError(`${what} is not an ArrayBuffer or a view of one`);
}

// copied is a parameter that a getter of a later one must not change.
const copied = (value, what) => bufferArgument(value, what).slice();

function integer(max) {
  return (value, what) => {
    const number = Math.trunc(Number(value));
    if (!(number >= 0 && number <= max)) throw new TypeError(`${what} is out of range`);
    return number + 0;
  };
}

const octet = integer(255);
const short = integer(65_535);
const long = integer(4_294_967_295);
const hashName = (value) => normalized("digest", value).name;
const optional = (convert) => ({ convert });

function bigInteger(value, what) {
  if (!isView(value) || typedTag(value) !== "Uint8Array") throw new TypeError(`${what} is not a Uint8Array`);
  return bytesOf(value).slice();
}

const curveArgument = (value) => `${value}`;

function normalized(operation, algorithm) {
  const object = typeof algorithm === "object" && algorithm !== null || typeof algorithm === "function";
  const given = object ? algorithm : { __proto__: null, name: `${algorithm}` };
  if (given.name === undefined) throw new TypeError("algorithm.name is missing");
  const wanted = `${given.name}`;
  const entry = supported[operation]?.get(wanted.toUpperCase());
  if (entry === undefined) throw cryptoError("NotSupportedError", `'${wanted}' is not an algorithm for ${operation}.`);
  const params = { __proto__: null, name: entry[0] };
  for (const [key, conversion] of entry[1]) {
    const value = given[key];
    if (value !== undefined) params[key] = (conversion.convert ?? conversion)(value, `algorithm.${key}`);
    else if (conversion.convert === undefined) throw new TypeError(`algorithm.${key} is missing`);
  }
  return params;
}

const hasAlgorithm = (operation, name) => supported[operation]?.has(name.toUpperCase()) === true;

for (const name of ["SHA-1", "SHA-256", "SHA-384", "SHA-512", "MD5"]) offer(name, { digest: {} });
const hashBlockBits = { __proto__: null, "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024, MD5: 512 };

// cryptoKinds: name → what an algorithm does. Members: generate, import, export, sign, verify, encrypt,
// decrypt, deriveBits, keyLength; each is given the normalised algorithm.
const cryptoKinds = { __proto__: null };
