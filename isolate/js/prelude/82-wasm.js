// WebAssembly. What a module is, the host says in a description; its instances run in the host, in
// memory that is ours:
//
//   Memory     an ArrayBuffer, which the host reads and writes; growing moves it
//   Global     a cell of 8 bytes
//   functions  natives that call the host
//
// Objects of a module's instances last as long as the isolate.

const PAGE = 65536;
const MAX_PAGES = 65536;
const HOST_MEMORY = 0, HOST_INSTANTIATE = 1, HOST_GLOBAL = 2, HOST_CUSTOM = 3, HOST_VALIDATE = 4, HOST_COUNT = 5, HOST_ADDRESS = 6;
const KIND_FUNCTION = 0, KIND_TABLE = 1, KIND_MEMORY = 2, KIND_GLOBAL = 3;
const KINDS = ["function", "table", "memory", "global"];
const TABLE_CALLS = 1 << 30;
const NO_CODE = "Wasm code generation disallowed by embedder";

const wasmErrors = {};
for (const name of ["CompileError", "LinkError", "RuntimeError"]) {
  const cls = { [name]: class extends Error {} }[name];
  hidden(cls.prototype, "name", name);
  wasmErrors[name] = cls;
}
const { CompileError, LinkError, RuntimeError } = wasmErrors;

hooks.wasmError = (text) => {
  const colon = text.indexOf(": ");
  const cls = wasmErrors[text.slice(0, colon)] ?? RangeError;
  return new cls(text.slice(colon + 2));
};

hooks.wasmList = (value, count) => {
  const list = [...value];
  if (list.length !== count) throw new TypeError("multi-return length mismatch");
  return list;
};

// ---- functions

const wasmFunctions = new Map(); // handle → function
const wasmHandles = new WeakMap(); // function → handle
const handleOfFunction = uncurry(WeakMap.prototype.get).bind(undefined, wasmHandles);
const HANDLE = 2 ** 32;

// functionAt is the function of an instance: always the same object.
function functionAt(instance, index, type) {
  const handle = instance.id * HANDLE + index + 1;
  let fn = wasmFunctions.get(handle);
  if (fn === undefined) {
    fn = sw.wasmFunction(instance.id, index, type, String(index));
    wasmFunctions.set(handle, fn);
    wasmHandles.set(fn, handle);
  }
  return fn;
}

hooks.wasmHandle = (value) => {
  if (value === null) return 0;
  const handle = typeof value === "function" ? handleOfFunction(value) : undefined;
  if (handle === undefined) throw new TypeError("function-typed object expected");
  return handle;
};

const instances = [];

hooks.wasmFunction = (handle) => {
  const instance = instances[Math.floor(handle / HANDLE)];
  const index = (handle % HANDLE) - 1;
  return functionAt(instance, index, instance.types[instance.entries.indexOf(index)]);
};

// ---- memory

const memories = [];

// newMemory makes a memory's inner object, which its instances share.
function newMemory(pages, maximum, what) {
  let buffer;
  try {
    buffer = new ArrayBuffer(pages * PAGE);
  } catch {
    throw new RangeError(`${what}: could not allocate memory`);
  }
  pin(buffer);
  const memory = { id: memories.length, buffer, maximum, outer: undefined };
  memories.push(memory);
  sw.wasm(HOST_MEMORY, memory.id, buffer, bufferLength(buffer));
  return memory;
}

// growMemory returns the old size in pages; -1: there is no room.
function growMemory(memory, pages) {
  const old = bufferLength(memory.buffer) / PAGE;
  if (old + pages > Math.min(memory.maximum ?? MAX_PAGES, MAX_PAGES)) return -1;
  let grown;
  try {
    grown = moveBuffer(memory.buffer, (old + pages) * PAGE);
  } catch {
    return -1;
  }
  pin(grown);
  memory.buffer = grown;
  sw.wasm(HOST_MEMORY, memory.id, grown, bufferLength(grown));
  return old;
}

// The first import is memory.grow, which every module has.
sw.wasmImport((id, pages) => growMemory(memories[id], pages >>> 0), "ii>i");

function limit(descriptor, name, most, what) {
  const value = descriptor[name];
  if (value === undefined) return undefined;
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number <= most)) throw new TypeError(`${what}: Property '${name}': value ${String(value)} is ${number > most ? "above the upper" : "below the lower"} bound`);
  return number;
}

function limitsOf(descriptor, most, what) {
  if (typeof descriptor !== "object" || descriptor === null) throw new TypeError(`${what}: Argument 0 must be a descriptor`);
  const initial = limit(descriptor, "initial", most, what) ?? limit(descriptor, "minimum", most, what);
  if (initial === undefined) throw new TypeError(`${what}: Property 'initial' is required`);
  const maximum = limit(descriptor, "maximum", most, what);
  if (maximum !== undefined && maximum < initial) throw new RangeError(`${what}: Property 'maximum': value ${maximum} is below the lower bound ${initial}`);
  return { initial, maximum };
}

class Memory {
  #memory;

  constructor(descriptor, memory) {
    if (descriptor === SECRET) {
      this.#memory = memory;
      return;
    }
    const { initial, maximum } = limitsOf(descriptor, MAX_PAGES, "WebAssembly.Memory()");
    if (descriptor.shared) throw new TypeError("WebAssembly.Memory(): shared memory is not supported");
    this.#memory = newMemory(initial, maximum, "WebAssembly.Memory()");
    this.#memory.outer = this;
  }

  static inner(value) {
    return typeof value === "object" && value !== null && #memory in value ? value.#memory : undefined;
  }

  get buffer() {
    return this.#memory.buffer;
  }

  grow(delta) {
    const old = growMemory(this.#memory, enforce32(delta, "WebAssembly.Memory.grow()"));
    if (old < 0) throw new RangeError("WebAssembly.Memory.grow(): Maximum memory size exceeded");
    return old;
  }
}
const memoryOf = Memory.inner;
delete Memory.inner;

function enforce32(value, what) {
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number < HANDLE)) throw new TypeError(`${what}: Argument 0 must be convertible to a valid number`);
  return number;
}

// ---- globals

const cellTypes = {
  i: { get: (view) => view.getInt32(0, true), set: (view, value) => view.setInt32(0, value, true) },
  I: { get: (view) => view.getBigInt64(0, true), set: (view, value) => view.setBigInt64(0, BigInt.asIntN(64, toBigInt(value)), true) },
  f: { get: (view) => view.getFloat32(0, true), set: (view, value) => view.setFloat32(0, value, true) },
  F: { get: (view) => view.getFloat64(0, true), set: (view, value) => view.setFloat64(0, value, true) },
};
const valueTypes = { __proto__: null, i32: "i", i64: "I", f32: "f", f64: "F" };
const cells = []; // kept: the host has their addresses

function toBigInt(value) {
  if (typeof value === "number") throw new TypeError(`Cannot convert ${value} to a BigInt`);
  return BigInt(value);
}

function newCell(type, mutable) {
  const cell = { type, mutable, view: new DataView(new ArrayBuffer(8)), outer: undefined };
  cells.push(cell);
  return cell;
}

class Global {
  #cell;

  constructor(descriptor, value, cell) {
    if (descriptor === SECRET) {
      this.#cell = cell;
      return;
    }
    if (typeof descriptor !== "object" || descriptor === null) throw new TypeError("WebAssembly.Global(): Argument 0 must be a global descriptor");
    const type = valueTypes[descriptor.value];
    if (type === undefined) throw new TypeError("WebAssembly.Global(): Descriptor property 'value' must be a WebAssembly type");
    this.#cell = newCell(type, Boolean(descriptor.mutable));
    this.#cell.outer = this;
    cellTypes[type].set(this.#cell.view, value ?? (type === "I" ? 0n : 0));
  }

  static inner(value) {
    return typeof value === "object" && value !== null && #cell in value ? value.#cell : undefined;
  }

  get value() {
    return cellTypes[this.#cell.type].get(this.#cell.view);
  }

  set value(value) {
    if (!this.#cell.mutable) throw new TypeError("set WebAssembly.Global.value: Can't set the value of an immutable global.");
    cellTypes[this.#cell.type].set(this.#cell.view, value);
  }

  valueOf() {
    return this.value;
  }
}
const cellOf = Global.inner;
delete Global.inner;

// ---- tables

// tableIn is a table of an instance; ownTable one that JavaScript made.
function tableIn(instance, index, { type, max }) {
  const at = (operation, signature) => sw.wasmFunction(instance.id, TABLE_CALLS + 4 * index + operation, signature, "");
  return { get: at(0, `i>${type}`), set: at(1, `i${type}>`), size: at(2, ">i"), grow: at(3, `${type}i>i`), maximum: max, type };
}

function ownTable(type, initial, maximum, value) {
  const list = new Array(initial).fill(value);
  const checked = (entry) => {
    if (type === "r") hooks.wasmHandle(entry);
    return entry;
  };
  checked(value);
  return {
    get: (i) => list[i],
    set: (i, entry) => void (list[i] = checked(entry)),
    size: () => list.length,
    grow(entry, n) {
      const old = list.length;
      if (old + n > (maximum ?? MAX_TABLE)) return -1;
      checked(entry);
      for (let i = 0; i < n; i++) list.push(entry);
      return old;
    },
    type,
  };
}

const MAX_TABLE = 1_000_000;
const tableTypes = { __proto__: null, anyfunc: "r", funcref: "r", externref: "x" };

class Table {
  #table;

  constructor(descriptor, value, table) {
    if (descriptor === SECRET) {
      this.#table = table;
      return;
    }
    const { initial, maximum } = limitsOf(descriptor, MAX_TABLE, "WebAssembly.Table()");
    const type = tableTypes[descriptor.element];
    if (type === undefined) throw new TypeError("WebAssembly.Table(): Descriptor property 'element' must be a WebAssembly reference type");
    this.#table = ownTable(type, initial, maximum, value === undefined && type === "r" ? null : value);
  }

  #index(index, what) {
    const i = enforce32(index, what);
    if (i >= this.length) throw new RangeError(`${what}: invalid address ${i} in ${this.#table.type === "r" ? "funcref" : "externref"} table of size ${this.length}`);
    return i;
  }

  get length() {
    return this.#table.size() >>> 0;
  }

  get(index) {
    return this.#table.get(this.#index(index, "WebAssembly.Table.get()"));
  }

  set(index, value) {
    const i = this.#index(index, "WebAssembly.Table.set()");
    this.#table.set(i, arguments.length < 2 && this.#table.type === "r" ? null : value);
  }

  grow(delta, value) {
    const n = enforce32(delta, "WebAssembly.Table.grow()");
    const old = this.#table.grow(value === undefined && this.#table.type === "r" ? null : value, n);
    if (old < 0) throw new RangeError(`WebAssembly.Table.grow(): failed to grow table by ${n}`);
    return old;
  }
}

// ---- modules

class Module {
  #description;

  constructor(bytes, description) {
    if (bytes !== SECRET) {
      wasmBytes(bytes, "WebAssembly.Module()");
      throw new CompileError(`WebAssembly.Module(): ${NO_CODE}`);
    }
    this.#description = description;
  }

  static inner(value) {
    return typeof value === "object" && value !== null && #description in value ? value.#description : undefined;
  }

  static exports(module) {
    return describedBy(module, "exports").exports.map(({ name, kind }) => ({ name, kind: KINDS[kind] }));
  }

  static imports(module) {
    return describedBy(module, "imports").imports.map(({ module, name, kind }) => ({ module, name, kind: KINDS[kind] }));
  }

  static customSections(module, name) {
    const description = describedBy(module, "customSections");
    if (name === undefined) throw new TypeError("WebAssembly.Module.customSections(): Argument 1 is required");
    const wanted = String(name);
    const found = [];
    description.custom.forEach((section, i) => {
      if (section.name !== wanted) return;
      const buffer = new ArrayBuffer(section.length);
      if (section.length > 0) sw.wasm(HOST_CUSTOM, description.id, i, buffer);
      found.push(buffer);
    });
    return found;
  }
}
const descriptionOf = Module.inner;
delete Module.inner;

function describedBy(module, what) {
  const description = descriptionOf(module);
  if (description === undefined) throw new TypeError(`WebAssembly.Module.${what}(): Argument 0 must be a WebAssembly.Module`);
  return description;
}

hooks.wasmModule = (description) => {
  for (const list of ["imports", "exports", "tables", "cells", "types", "entries", "custom"]) description[list] ??= [];
  return new Module(SECRET, description);
};

// ---- instances

class Instance {
  constructor(module, imports) {
    const description = descriptionOf(module);
    if (description === undefined) throw new TypeError("WebAssembly.Instance(): Argument 0 must be a WebAssembly.Module");
    defineProperty(this, "exports", { value: instantiate(description, imports, "WebAssembly.Instance()"), enumerable: true, configurable: true });
  }
}

// instantiate links a module and returns its instance's exports.
function instantiate(description, imports, what) {
  const links = link(description, imports, what);
  const memory = links.memory ?? (description.memory ? newMemory(description.memory.min, description.memory.max, what) : undefined);
  const own = description.cells.map((index) => {
    const { type } = description.exports.find((x) => x.kind === KIND_GLOBAL && x.index === index);
    return [index, newCell(type, true)];
  });
  const words = new BigUint64Array(1 + links.words.length + own.length);
  words[0] = memory ? BigInt(memory.id) : 0xffffffffn;
  links.words.forEach((word, i) => (words[1 + i] = BigInt.asUintN(64, word)));
  own.forEach(([index, cell], i) => {
    words[1 + links.words.length + i] = addressOf(cell.view);
    links.globals.set(index, cell);
  });
  const instance = { id: 0, entries: description.entries, types: description.types };
  instances.push(instance);
  try {
    instance.id = instances.length - 1;
    sw.wasm(HOST_INSTANTIATE, description.id, words);
  } catch (error) {
    instances.length = sw.wasm(HOST_COUNT);
    throw error;
  }
  return exportsOf(description, instance, memory, links);
}

const addressOf = (view) => BigInt(sw.wasm(HOST_ADDRESS, view) >>> 0);

function link(description, imports, what) {
  const links = { words: [], memory: undefined, globals: new Map(), functions: new Map() };
  if (description.imports.length > 0 && (typeof imports !== "object" && typeof imports !== "function" || imports === null))
    throw new TypeError(`${what}: Imports argument must be present and must be an object`);
  if (imports !== undefined && typeof imports !== "object" && typeof imports !== "function")
    throw new TypeError(`${what}: Argument 1 must be an object`);
  description.imports.forEach((x, i) => {
    const from = imports[x.module];
    const where = `${what}: Import #${i} "${x.module}"`;
    if ((typeof from !== "object" && typeof from !== "function") || from === null) throw new TypeError(`${where}: module is not an object or function`);
    links.words.push(linkers[x.kind](x, from[x.name], links, (reason) => new LinkError(`${where} "${x.name}": ${reason}`)));
  });
  return links;
}

const linkers = {
  [KIND_FUNCTION](x, value, links, failure) {
    if (typeof value !== "function") throw failure("function import requires a callable");
    const handle = handleOfFunction(value);
    if (handle !== undefined) {
      const instance = instances[Math.floor(handle / HANDLE)];
      if (instance.types[instance.entries.indexOf((handle % HANDLE) - 1)] !== x.type) throw failure("imported function does not match the expected type");
      links.functions.set(x.index, value);
    }
    return BigInt(sw.wasmImport(value, x.type));
  },
  [KIND_MEMORY](x, value, links, failure) {
    const memory = memoryOf(value);
    if (memory === undefined) throw failure("memory import must be a WebAssembly.Memory object");
    const pages = bufferLength(memory.buffer) / PAGE;
    if (pages < (x.min ?? 0)) throw failure(`memory import has ${pages} pages which is smaller than the declared initial of ${x.min}`);
    if (x.max !== undefined && memory.maximum === undefined) throw failure("memory import has no maximum limit, expected at most " + x.max);
    if (x.max !== undefined && memory.maximum > x.max) throw failure(`memory import has a larger maximum size ${memory.maximum} than the module's declared maximum ${x.max}`);
    links.memory = memory;
    return BigInt(memory.id);
  },
  [KIND_GLOBAL](x, value, links, failure) {
    let cell = cellOf(value);
    if (cell === undefined) {
      if (x.mutable) throw failure("imported mutable global must be a WebAssembly.Global object");
      if (x.type === "I" ? typeof value !== "bigint" : typeof value !== "number")
        throw failure(x.type === "I" ? "global import must be a BigInt" : "global import must be a number, valid Wasm reference, or WebAssembly.Global object");
      cell = { type: x.type, mutable: false, view: new DataView(new ArrayBuffer(8)) };
      cellTypes[x.type].set(cell.view, value);
    }
    if (cell.type !== x.type) throw failure("imported global does not match the expected type");
    if (cell.mutable !== Boolean(x.mutable)) throw failure("imported global does not match the expected mutability");
    links.globals.set(x.index, cell);
    return x.mutable ? addressOf(cell.view) : cell.view.getBigUint64(0, true);
  },
};

function exportsOf(description, instance, memory, links) {
  const exports = create(null);
  const tables = new Map();
  const exporters = {
    [KIND_FUNCTION]: (x) => links.functions.get(x.index) ?? functionAt(instance, x.index, x.type),
    [KIND_MEMORY]: () => (memory.outer ??= new Memory(SECRET, memory)),
    [KIND_GLOBAL](x) {
      let cell = links.globals.get(x.index);
      if (cell === undefined) {
        cell = newCell(x.type, false);
        if (x.type in cellTypes) sw.wasm(HOST_GLOBAL, instance.id, x.index, cell.view);
        links.globals.set(x.index, cell);
      }
      return (cell.outer ??= new Global(SECRET, undefined, cell));
    },
    [KIND_TABLE](x) {
      if (!tables.has(x.index)) tables.set(x.index, new Table(SECRET, undefined, tableIn(instance, x.index, x)));
      return tables.get(x.index);
    },
  };
  for (const x of description.exports) defineProperty(exports, x.name, { value: exporters[x.kind](x), enumerable: true });
  return freeze(exports);
}

// ---- the namespace

function wasmBytes(value, what) {
  if (!isBuffer(value) && !isView(value)) throw new TypeError(`${what}: Argument 0 must be a buffer source`);
  const bytes = bytesOf(value);
  if (bytes.byteLength === 0) throw new CompileError(`${what}: BufferSource argument is empty`);
  return bytes;
}

const WebAssembly = create(Object.prototype);
tagged(WebAssembly, "WebAssembly");
for (const cls of [Module, Instance, Memory, Table, Global]) hidden(WebAssembly, cls.name, interfaceOf(cls, `WebAssembly.${cls.name}`));
for (const cls of [CompileError, LinkError, RuntimeError]) hidden(WebAssembly, cls.prototype.name, cls);

for (const fn of [
  async function compile(bytes) {
    wasmBytes(bytes, "WebAssembly.compile()");
    throw new CompileError(`WebAssembly.compile(): ${NO_CODE}`);
  },
  async function instantiate_(source, imports) {
    const description = descriptionOf(source);
    if (description === undefined) {
      wasmBytes(source, "WebAssembly.instantiate()");
      throw new CompileError(`WebAssembly.instantiate(): ${NO_CODE}`);
    }
    return new Instance(source, imports);
  },
  function validate(bytes) {
    if (!isBuffer(bytes) && !isView(bytes)) throw new TypeError("WebAssembly.validate(): Argument 0 must be a buffer source");
    const binary = bytesOf(bytes);
    return sw.wasm(HOST_VALIDATE, binary, binary.byteLength) === 1;
  },
]) {
  const name = fn.name.replace("_", "");
  defineProperty(fn, "name", { value: name, configurable: true });
  defineProperty(fn, "length", { value: 1, configurable: true });
  defineProperty(WebAssembly, name, { value: fn, writable: true, enumerable: true, configurable: true });
}
expose("WebAssembly", WebAssembly);
