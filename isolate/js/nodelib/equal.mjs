// Deep equality as node:assert and util.isDeepStrictEqual define it.
import types from "node:util/types";

const { is, getPrototypeOf, hasOwn } = Object;

// isDeepEqual compares strictly (by Object.is, prototypes too) or loosely (by ==).
export function isDeepEqual(a, b, strict) {
  return new Comparison(strict).equal(a, b);
}

const enumerableSymbols = (value) => Object.getOwnPropertySymbols(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
const isObject = (value) => typeof value === "object" && value !== null;
const tagOf = (value) => Object.prototype.toString.call(value);

class Comparison {
  constructor(strict) {
    this.strict = strict;
    this.pairs = new Map(); // a → set of b: pairs on the way down, taken to be equal
  }

  equal(a, b) {
    if (a === b) return a !== 0 || !this.strict || is(a, b);
    if (!isObject(a) || !isObject(b)) return this.plain(a, b);
    if (this.strict && getPrototypeOf(a) !== getPrototypeOf(b)) return false;
    if (tagOf(a) !== tagOf(b) || Array.isArray(a) !== Array.isArray(b)) return false;
    const seen = this.pairs.get(a);
    if (seen?.has(b)) return true;
    if (seen) seen.add(b);
    else this.pairs.set(a, new Set([b]));
    const same = this.contents(a, b) && this.members(a, b);
    this.pairs.get(a).delete(b);
    return same;
  }

  plain(a, b) {
    if (this.strict || typeof a === "function" || typeof b === "function") return is(a, b);
    if (isObject(a) || isObject(b)) return false;
    return a == b || (a !== a && b !== b);
  }

  // contents compares what is not a property.
  contents(a, b) {
    if (types.isBoxedPrimitive(a)) return types.isBoxedPrimitive(b) && is(a.valueOf(), b.valueOf());
    if (types.isDate(a)) return is(a.getTime(), b.getTime());
    if (types.isRegExp(a)) return a.source === b.source && a.flags === b.flags && a.lastIndex === b.lastIndex;
    if (types.isNativeError(a)) return a.message === b.message && a.name === b.name && this.equal(a.cause, b.cause) && this.equal(a.errors, b.errors);
    if (types.isAnyArrayBuffer(a)) return this.bytes(new Uint8Array(a), new Uint8Array(b));
    if (types.isArrayBufferView(a)) return types.isTypedArray(a) ? this.items(a, b) : this.bytes(viewBytes(a), viewBytes(b));
    if (types.isSet(a)) return a.size === b.size && this.sets(a, b);
    if (types.isMap(a)) return a.size === b.size && this.maps(a, b);
    if (types.isWeakMap(a) || types.isWeakSet(a) || types.isPromise(a)) return false;
    return true;
  }

  bytes(a, b) {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  }

  items(a, b) {
    return a.length === b.length && a.every((item, i) => (this.strict ? is(item, b[i]) : item === b[i] || (item !== item && b[i] !== b[i])));
  }

  sets(a, b) {
    const rest = new Set(b);
    for (const value of a) {
      if (rest.delete(value)) continue;
      if (this.strict && !isObject(value)) return false;
      const match = [...rest].find((other) => this.equal(value, other));
      if (match === undefined && !rest.has(undefined)) return false;
      rest.delete(match);
    }
    return true;
  }

  maps(a, b) {
    const rest = new Map(b);
    for (const [key, value] of a) {
      if (rest.has(key) && this.equal(value, rest.get(key))) {
        rest.delete(key);
        continue;
      }
      if (this.strict && !isObject(key)) return false;
      const match = [...rest].find(([otherKey, other]) => this.equal(key, otherKey) && this.equal(value, other));
      if (!match) return false;
      rest.delete(match[0]);
    }
    return true;
  }

  members(a, b) {
    if (types.isTypedArray(a) && a.length > 0) return true;
    const keys = Object.keys(a);
    if (Array.isArray(a) && a.length !== b.length) return false;
    if (keys.length !== Object.keys(b).length || !keys.every((key) => hasOwn(b, key) && this.equal(a[key], b[key]))) return false;
    if (!this.strict) return true;
    const symbols = enumerableSymbols(a);
    return symbols.length === enumerableSymbols(b).length && symbols.every((key) => hasOwn(b, key) && this.equal(a[key], b[key]));
  }
}

const viewBytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
