// structuredClone: the HTML standard's StructuredSerialize and StructuredDeserialize in one walk.

const brand = (getter) => (value) => {
  try {
    getter(value);
    return true;
  } catch {
    return false;
  }
};

const objectTag = uncurry(Object.prototype.toString);
const isException = brand(getterOf(DOMException.prototype, "name"));
const isError = ((isEngineError) => (value) => isEngineError(value) || isException(value))(Error.isError);
const engineStack = getterOf(Error.prototype, "stack");
const numberOf = uncurry(Number.prototype.valueOf);
const stringOf = uncurry(String.prototype.valueOf);
const booleanOf = uncurry(Boolean.prototype.valueOf);
const bigintOf = uncurry(BigInt.prototype.valueOf);
const timeOf = uncurry(Date.prototype.getTime);
const mapEach = uncurry(Map.prototype.forEach);
const setEach = uncurry(Set.prototype.forEach);
const regexpSource = getterOf(RegExp.prototype, "source");
const regexpFlags = getterOf(RegExp.prototype, "flags");
const bufferMax = getterOf(ArrayBuffer.prototype, "maxByteLength");
const isResizable = getterOf(ArrayBuffer.prototype, "resizable");
const sliceBuffer = uncurry(ArrayBuffer.prototype.slice);
const isMap = brand(getterOf(Map.prototype, "size"));
const isSet = brand(getterOf(Set.prototype, "size"));
const isDate = brand(timeOf);
const isRegExp = brand((value) => {
  if (value === RegExp.prototype) throw value;
  getterOf(RegExp.prototype, "global")(value);
});

const viewConstructors = new Map([
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float16Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
].map((ctor) => [ctor.name, ctor]));
const dataViewCtor = DataView;

const errorConstructors = new Map([Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]
  .map((ctor) => [ctor.name, ctor]));

const uncloneable = (what) => new DOMException(`${what} could not be cloned.`, "DataCloneError");

// Objects whose class only the engine or the platform can make: cloning would lose what they are.
const PLATFORM_TAGS = new Set([
  "WeakMap", "WeakSet", "WeakRef", "FinalizationRegistry", "Promise", "Generator", "AsyncGenerator", "Symbol", "Headers",
  "Request", "Response", "URL", "URLSearchParams", "FormData", "TextEncoder", "TextDecoder", "ReadableStream", "WritableStream",
  "TransformStream", "AbortSignal", "AbortController", "EventTarget", "Event", "Crypto", "CryptoKey", "Map Iterator",
  "Set Iterator", "Array Iterator", "String Iterator", "Fetcher", "DispatchNamespace", "MessagePort", "MessageChannel",
].map((tag) => `[object ${tag}]`));

class Cloner {
  constructor() {
    this.seen = new Map();
  }

  clone(value) {
    if (typeof value === "symbol") throw uncloneable("A symbol");
    if (typeof value === "function") throw uncloneable("A function");
    if (typeof value !== "object" || value === null) return value;
    return this.seen.has(value) ? this.seen.get(value) : this.object(value);
  }

  object(value) {
    if (isArray(value)) return this.properties(value, new Array(value.length));
    if (isBuffer(value)) return this.keep(value, copyBuffer(value));
    if (isView(value)) return this.view(value);
    if (isError(value)) return this.error(value);
    if (isBlob(value)) return this.keep(value, cloneBlob(value));
    const tag = objectTag(value);
    if (tag !== "[object Object]") {
      const copy = this.builtin(value, tag);
      if (copy !== undefined) return copy;
    }
    return this.properties(value, {});
  }

  builtin(value, tag) {
    switch (tag) {
      case "[object Date]": if (isDate(value)) return this.keep(value, new Date(timeOf(value))); break;
      case "[object RegExp]": if (isRegExp(value)) return this.keep(value, new RegExp(regexpSource(value), regexpFlags(value))); break;
      case "[object Map]": if (isMap(value)) return this.map(value); break;
      case "[object Set]": if (isSet(value)) return this.set(value); break;
      case "[object Number]": return this.keep(value, Object(numberOf(value)));
      case "[object String]": return this.keep(value, Object(stringOf(value)));
      case "[object Boolean]": return this.keep(value, Object(booleanOf(value)));
      case "[object BigInt]": return this.keep(value, Object(bigintOf(value)));
    }
    if (PLATFORM_TAGS.has(tag)) throw uncloneable(`A ${tag.slice(8, -1)}`);
    return undefined;
  }

  keep(value, copy) {
    this.seen.set(value, copy);
    return copy;
  }

  properties(value, copy) {
    this.keep(value, copy);
    const keys = Object.keys(value);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (!hasOwn(value, key)) continue; // a getter of an earlier key may have removed it
      const member = this.clone(value[key]);
      defineProperty(copy, key, { value: member, writable: true, enumerable: true, configurable: true });
    }
    return copy;
  }

  // Entries are taken before any is cloned: cloning may run getters that change the collection.
  map(value) {
    const copy = this.keep(value, new Map());
    const entries = [];
    mapEach(value, (member, key) => { entries.push([key, member]); });
    for (const [key, member] of entries) copy.set(this.clone(key), this.clone(member));
    return copy;
  }

  set(value) {
    const copy = this.keep(value, new Set());
    const members = [];
    setEach(value, (member) => { members.push(member); });
    for (const member of members) copy.add(this.clone(member));
    return copy;
  }

  view(value) {
    const Ctor = viewConstructors.get(typedTag(value)) ?? dataViewCtor;
    const unit = Ctor.BYTES_PER_ELEMENT ?? 1;
    const buffer = this.clone(value.buffer);
    return this.keep(value, new Ctor(buffer, value.byteOffset, value.byteLength / unit));
  }

  error(value) {
    if (isException(value)) return this.keep(value, new DOMException(value.message, value.name));
    const Ctor = errorConstructors.get(`${value.name}`) ?? Error;
    const copy = this.keep(value, new Ctor());
    const message = getOwnPropertyDescriptor(value, "message");
    if (message && "value" in message) hidden(copy, "message", `${message.value}`);
    const stack = stackOf(value);
    hidden(copy, "stack", hasOwn(value, "stack") ? stack : titledStack(value, stack));
    if (hasOwn(value, "cause")) hidden(copy, "cause", this.clone(value.cause));
    return copy;
  }
}

// stackOf runs none of the tenant's code.
function stackOf(error) {
  const own = getOwnPropertyDescriptor(error, "stack");
  const stack = own ? own.value : isException(error) ? "" : engineStack(error);
  return typeof stack === "string" ? stack : "";
}

function copyBuffer(buffer) {
  if (isDetached(buffer)) throw uncloneable("A detached ArrayBuffer");
  if (!isResizable(buffer)) return sliceBuffer(buffer, 0);
  const copy = new ArrayBuffer(bufferLength(buffer), { maxByteLength: bufferMax(buffer) });
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return copy;
}

// Transferred buffers are moved last, after everything that can throw.
function structuredCloneOf(value, transfer) {
  const cloner = new Cloner();
  for (const item of transfer) {
    if (!isBuffer(item)) throw uncloneable("Value not transferable:");
    if (isDetached(item) || cloner.seen.has(item)) throw uncloneable("A detached or repeated ArrayBuffer");
    cloner.seen.set(item, copyBuffer(item));
  }
  const copy = cloner.clone(value);
  for (const item of transfer) transferBuffer(item);
  return copy;
}

expose("structuredClone", function structuredClone(value, options = undefined) {
  need(arguments.length, 1, "structuredClone");
  const { transfer } = dictionary(options, "options");
  return structuredCloneOf(value, transfer === undefined ? [] : [...transfer]);
});
