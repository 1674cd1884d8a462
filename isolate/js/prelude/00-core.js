// Ground rules of the prelude.
//
// Every file here is part of one function body: `(function (sw) { "use strict"; … })`, called once
// while the base image is made. What is declared at the top of a file is visible in all later ones
// and nowhere else. Public classes are thin: a brand check and a call. What they do lives in an
// inner object behind a private field, which tenants cannot reach or replace:
//
//   ReadableStream (public) ──#inner──► Readable (ours) ──controller──► DefaultSource | ByteSource
//
// Tenants may patch any built-in after us, so what the algorithms depend on is taken here, first.

const hooks = (sw.hooks = {});

const uncurry = (method) => Function.prototype.call.bind(method);
const { apply, ownKeys, getPrototypeOf, setPrototypeOf } = Reflect;
const { defineProperty, defineProperties, freeze, getOwnPropertyDescriptor, create } = Object;
const hasOwn = Object.hasOwn;
const { isArray } = Array;
const { isView } = ArrayBuffer;

const PromiseCtor = Promise;
const then = uncurry(Promise.prototype.then);
const withResolvers = Promise.withResolvers.bind(Promise);
const promiseResolve = Promise.resolve.bind(Promise);
const rejected = Promise.reject.bind(Promise);

const getterOf = (proto, name) => uncurry(getOwnPropertyDescriptor(proto, name).get);
const TypedArrayProto = getPrototypeOf(Uint8Array.prototype);
const typedTag = getterOf(TypedArrayProto, Symbol.toStringTag);
const isDetached = getterOf(ArrayBuffer.prototype, "detached");
const moveBuffer = uncurry(ArrayBuffer.prototype.transfer);
const bufferLength = getterOf(ArrayBuffer.prototype, "byteLength");

// pinned are the buffers of WebAssembly.Memory, which nothing but its growth may move.
const pinned = new WeakSet();
const isPinned = uncurry(WeakSet.prototype.has).bind(undefined, pinned);
const pin = uncurry(WeakSet.prototype.add).bind(undefined, pinned);

function unpinned(buffer) {
  if (isPinned(buffer)) throw new TypeError("a WebAssembly.Memory's buffer cannot be detached");
}

function transferBuffer(buffer, ...length) {
  unpinned(buffer);
  return moveBuffer(buffer, ...length);
}

for (const name of ["transfer", "transferToFixedLength", "transferToImmutable"]) {
  const moves = ArrayBuffer.prototype[name];
  if (moves === undefined) continue;
  const guarded = {
    [name](newLength) {
      unpinned(this);
      return apply(moves, this, arguments);
    },
  }[name];
  defineProperty(guarded, "length", { value: 0, configurable: true });
  hidden(ArrayBuffer.prototype, name, guarded);
}

const noop = () => {};
const RESOLVED = promiseResolve(undefined);

// resolvedWith is Web IDL's "a promise resolved with": always a new promise.
function resolvedWith(value) {
  return value === undefined ? RESOLVED : new PromiseCtor((resolve) => resolve(value));
}

// upon is Web IDL's "upon fulfillment / rejection": its result is not for tenants.
function upon(promise, ok, fail) {
  then(promise, ok, fail);
}

// handled keeps a promise that nobody may be looking at from being reported as unhandled.
function handled(promise) {
  then(promise, undefined, noop);
  return promise;
}

// promiseCall calls a tenant's callback that is declared to return a promise.
function promiseCall(fn, self, ...args) {
  try {
    return resolvedWith(apply(fn, self, args));
  } catch (error) {
    return rejected(error);
  }
}

// method reads an optional callback from a tenant's dictionary.
function method(object, name) {
  const fn = object[name];
  if (fn !== undefined && typeof fn !== "function") throw new TypeError(`${name} is not a function`);
  return fn;
}

const EMPTY = freeze(create(null));

// dictionary is Web IDL's conversion to one: undefined and null are empty, primitives are refused.
function dictionary(value, what) {
  if (value === undefined || value === null) return EMPTY;
  if (typeof value !== "object" && typeof value !== "function") throw new TypeError(`${what} is not an object`);
  return value;
}

// ownMembers is a dictionary of ours, out of reach of what a tenant put on Object.prototype.
const ownMembers = (members) => ({ __proto__: null, ...members });

// need refuses a call with too few arguments.
function need(given, wanted, what) {
  if (given >= wanted) return;
  throw new TypeError(`${what}: ${wanted} argument${wanted > 1 ? "s" : ""} required, but only ${given} present`);
}

const illegal = () => new TypeError("Illegal constructor");

// SECRET tells our own calls of a constructor from a tenant's, where those are refused.
const SECRET = Symbol("switchyard");

function bytesOf(view) {
  if (isView(view)) return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return new Uint8Array(view);
}

const isBuffer = (value) => typeof value === "object" && value !== null && isArrayBuffer(value);

function isArrayBuffer(value) {
  try {
    bufferLength(value);
    return true;
  } catch {
    return false;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encodeText = uncurry(TextEncoder.prototype.encode).bind(undefined, encoder);
const decodeText = uncurry(TextDecoder.prototype.decode).bind(undefined, decoder);
const decodeWith = uncurry(TextDecoder.prototype.decode);

function concatBytes(chunks, length) {
  const all = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < chunks.length; i++) {
    all.set(chunks[i], at);
    at += chunks[i].byteLength;
  }
  return all;
}

// hidden defines a property as Web IDL defines a global: there, writable, not enumerated.
function hidden(object, name, value) {
  defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
}

const expose = (name, value) => hidden(globalThis, name, value);

function tagged(object, tag) {
  defineProperty(object, Symbol.toStringTag, { value: tag, configurable: true });
}

// interfaceOf gives a class the shape of a Web IDL interface: enumerable members, a tag.
function interfaceOf(cls, name = cls.name) {
  enumerableMembers(cls.prototype);
  enumerableMembers(cls);
  tagged(cls.prototype, name);
  return cls;
}

function enumerableMembers(object) {
  for (const key of ownKeys(object)) {
    const member = getOwnPropertyDescriptor(object, key);
    const method = typeof member.value === "function" || member.get !== undefined;
    if (typeof key !== "string" || key === "constructor" || !method) continue;
    defineProperty(object, key, { enumerable: true });
  }
}

function publish(...classes) {
  for (const cls of classes) expose(cls.name, interfaceOf(cls));
}

const GLOBAL_SCOPE =
  "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), setting a timeout, " +
  "and generating random values are not allowed within global scope. To fix this error, perform this operation within a handler.";

// enforceRange is Web IDL's [EnforceRange] unsigned long long.
function enforceRange(value, what) {
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER)) throw new TypeError(`${what} is out of range`);
  return number;
}

function insideHandler() {
  if (sw.moduleScope()) throw new Error(GLOBAL_SCOPE);
}

const FOREIGN =
  "Cannot perform I/O on behalf of a different request. I/O objects (such as streams, request/response bodies, and others) " +
  "created in the context of one request handler cannot be accessed from a different request's handler.";

// foreign is the error of using what belongs to request id in another; undefined in its own.
const foreign = (id) => (id === 0 || id === sw.request() ? undefined : new Error(FOREIGN));

// requestBound runs fn as part of request id, whichever request's event is being run.
function requestBound(id, fn) {
  return sw.request() === id ? fn() : sw.asRequest(id, fn);
}
