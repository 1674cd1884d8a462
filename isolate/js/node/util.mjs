// node:util.
import { NodeInspector, format as formatArguments, reportException } from "node-internal:runtime";
import { isDeepEqual } from "../nodelib/equal.mjs";
import { parseArgs } from "../nodelib/parseargs.mjs";
import { invalidArgument } from "../nodelib/errors.mjs";
import types from "node:util/types";

export { parseArgs, types };
export const { TextEncoder, TextDecoder } = globalThis;

export function inspect(value, options = {}, depth = undefined) {
  const given = typeof options === "object" && options !== null ? options : { showHidden: options, depth };
  return new NodeInspector(given, inspect).show(value);
}
inspect.custom = Symbol.for("nodejs.util.inspect.custom");
inspect.defaultOptions = { depth: 2, colors: false };

export const format = (...args) => formatArguments(args);
export const formatWithOptions = (_, ...args) => formatArguments(args);

const customPromisify = Symbol.for("nodejs.util.promisify.custom");

function needFunction(name, value) {
  if (typeof value !== "function") throw invalidArgument(name, "function", value);
}

export function promisify(original) {
  needFunction("original", original);
  const custom = original[customPromisify];
  if (custom !== undefined) {
    needFunction("util.promisify.custom", custom);
    return Object.defineProperty(custom, customPromisify, { value: custom, configurable: true });
  }
  function promised(...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value)));
    });
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  Object.defineProperty(promised, customPromisify, { value: promised, configurable: true });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = customPromisify;

// A callback's exception is nobody's promise's: it is reported as uncaught.
export function callbackify(original) {
  needFunction("original", original);
  return function callbackified(...args) {
    const callback = args.pop();
    needFunction("last argument", callback);
    const call = (...result) => {
      try {
        callback.apply(this, result);
      } catch (error) {
        reportException(error);
      }
    };
    original.apply(this, args).then((value) => call(null, value), (error) => call(error || falsyRejection(error)));
  };
}

function falsyRejection(reason) {
  return Object.assign(new Error("Promise was rejected with falsy value"), { code: "ERR_FALSY_VALUE_REJECTION", reason });
}

export function inherits(constructor, parent) {
  needFunction("ctor", constructor);
  needFunction("superCtor", parent);
  Object.defineProperty(constructor, "super_", { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

const warned = new Set();

export function deprecate(fn, message, code) {
  let told = false;
  function deprecated(...args) {
    if (!told && !(code && warned.has(code))) console.warn(`${code ? `[${code}] ` : ""}DeprecationWarning: ${message}`);
    told = true;
    if (code) warned.add(code);
    return new.target ? Reflect.construct(fn, args, new.target) : fn.apply(this, args);
  }
  Object.setPrototypeOf(deprecated, fn);
  if (fn.prototype) deprecated.prototype = fn.prototype;
  return deprecated;
}

// Nothing here sets NODE_DEBUG.
export function debuglog() {
  return Object.defineProperty(() => {}, "enabled", { value: false });
}
export const debug = debuglog;

export const isDeepStrictEqual = (a, b) => isDeepEqual(a, b, true);
export const stripVTControlCharacters = (text) => `${text}`.replace(/[\u001b\u009b][[\]()#;?]*(?:(?:(?:[^\u0007\u001b]*)?\u0007)|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-ntqry=><~]))/g, "");
export const styleText = (_, text) => `${text}`; // the log has no colours
export const toUSVString = (text) => `${text}`.toWellFormed();

export function aborted(signal, resource) {
  if (!(signal instanceof AbortSignal)) throw invalidArgument("signal", "AbortSignal", signal);
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

export const isArray = Array.isArray;
const isType = (type) => (value) => typeof value === type;
export const isBoolean = isType("boolean"), isNumber = isType("number"), isString = isType("string"), isSymbol = isType("symbol");
export const isFunction = isType("function"), isUndefined = isType("undefined");
export const isNull = (value) => value === null;
export const isNullOrUndefined = (value) => value === null || value === undefined;
export const isObject = (value) => value !== null && typeof value === "object";
export const isPrimitive = (value) => value === null || (typeof value !== "object" && typeof value !== "function");
export const isRegExp = types.isRegExp, isDate = types.isDate, isError = types.isNativeError;
export const _extend = (target, source) => Object.assign(target, source);

export default {
  inspect, promisify, callbackify, inherits, deprecate, debuglog, aborted, TextEncoder, TextDecoder, format,
  formatWithOptions, debug, isDeepStrictEqual, stripVTControlCharacters, styleText, toUSVString, isArray, isBoolean, isNumber,
  isString, isSymbol, isFunction, isUndefined, isNull, isNullOrUndefined, isObject, isPrimitive, isRegExp, isDate,
  isError, _extend, parseArgs, types,
};
