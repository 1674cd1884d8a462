// node:util/types: what a value is, whatever its prototype says.
import { brands } from "node-internal:runtime";

const { isMap, isSet, isDate, isRegExp, isError, isPromise, isBuffer, isView, typedTag } = brands;
export { isMap, isSet, isDate, isRegExp, isPromise };

const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
const isTagged = (tag) => (value) => typeof value === "object" && value !== null && tagOf(value) === tag;

// throwsNot makes a brand check of a method that throws for what is of another class.
const throwsNot = (method) => (value) => {
  try {
    method.call(value);
    return true;
  } catch {
    return false;
  }
};

export const isNativeError = isError;
export const isArrayBufferView = (value) => isView(value);
export const isTypedArray = (value) => typedTag(value) !== undefined;
export const isDataView = (value) => isView(value) && typedTag(value) === undefined;
export const isArrayBuffer = isBuffer;
export const isSharedArrayBuffer = isTagged("SharedArrayBuffer");
export const isAnyArrayBuffer = (value) => isArrayBuffer(value) || isSharedArrayBuffer(value);
export const isWeakMap = (value) => typeof value === "object" && value !== null && throwsNot(function () { WeakMap.prototype.has.call(this, {}); })(value);
export const isWeakSet = (value) => typeof value === "object" && value !== null && throwsNot(function () { WeakSet.prototype.has.call(this, {}); })(value);
export const isNumberObject = (value) => typeof value === "object" && throwsNot(Number.prototype.valueOf)(value);
export const isStringObject = (value) => typeof value === "object" && throwsNot(String.prototype.valueOf)(value);
export const isBooleanObject = (value) => typeof value === "object" && throwsNot(Boolean.prototype.valueOf)(value);
export const isBigIntObject = (value) => typeof value === "object" && throwsNot(BigInt.prototype.valueOf)(value);
export const isSymbolObject = (value) => typeof value === "object" && throwsNot(Symbol.prototype.valueOf)(value);
export const isBoxedPrimitive = (value) =>
  isNumberObject(value) || isStringObject(value) || isBooleanObject(value) || isBigIntObject(value) || isSymbolObject(value);
export const isArgumentsObject = isTagged("Arguments");
export const isGeneratorObject = isTagged("Generator");
export const isMapIterator = isTagged("Map Iterator");
export const isSetIterator = isTagged("Set Iterator");
export const isModuleNamespaceObject = isTagged("Module");
export const isAsyncFunction = (value) => typeof value === "function" && /^Async/.test(tagOf(value));
export const isGeneratorFunction = (value) => typeof value === "function" && /GeneratorFunction$/.test(tagOf(value));
export const isExternal = () => false;
export const isProxy = () => false; // the language has no way to tell
export const isKeyObject = () => false;
export const isCryptoKey = (value) => typeof CryptoKey === "function" && value instanceof CryptoKey;

const typed = (name) => (value) => typedTag(value) === name;
export const isUint8Array = typed("Uint8Array"), isUint8ClampedArray = typed("Uint8ClampedArray"), isUint16Array = typed("Uint16Array");
export const isUint32Array = typed("Uint32Array"), isInt8Array = typed("Int8Array"), isInt16Array = typed("Int16Array");
export const isInt32Array = typed("Int32Array"), isFloat32Array = typed("Float32Array"), isFloat64Array = typed("Float64Array");
export const isBigInt64Array = typed("BigInt64Array"), isBigUint64Array = typed("BigUint64Array");

export default {
  isMap, isSet, isDate, isRegExp, isPromise, isNativeError, isArrayBufferView, isTypedArray, isDataView, isArrayBuffer,
  isSharedArrayBuffer, isAnyArrayBuffer, isWeakMap, isWeakSet, isNumberObject, isStringObject, isBooleanObject,
  isBigIntObject, isSymbolObject, isBoxedPrimitive, isArgumentsObject, isGeneratorObject, isMapIterator, isSetIterator,
  isModuleNamespaceObject, isAsyncFunction, isGeneratorFunction, isExternal, isProxy, isKeyObject, isCryptoKey,
  isUint8Array, isUint8ClampedArray, isUint16Array, isUint32Array, isInt8Array, isInt16Array, isInt32Array,
  isFloat32Array, isFloat64Array, isBigInt64Array, isBigUint64Array,
};
