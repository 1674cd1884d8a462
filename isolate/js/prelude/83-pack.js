// What travels between Workers: values as structuredClone takes them, as bytes. Objects stand in a table, by number, so
// that cycles and shared parts stay what they are and nothing nests deeper than the table:
//
//	u32 length of the JSON · JSON [root, [tag, …], [tag, …], …] · bytes of all buffers
//
//	value   string, boolean, null, finite number as they are; [n]: object n of the table; ["u"] undefined;
//	        ["n", text] -0, NaN, Infinity; ["i", digits] a BigInt
//	object  ["A", length, key, value, …] array · ["O", key, value, …] · ["M", key, value, …] Map · ["S", value, …] Set
//	        ["D", ms] · ["R", source, flags] · ["P", value] wrapped primitive · ["B", length] ArrayBuffer
//	        ["V", class, buffer, offset, length] · ["E", class, message, stack, cause?] · ["X", name, message] DOMException

const PACK_OBJECTS = 1_000_000; // of one value
const packable = (value) => new DOMException(
  `Could not serialize object of type "${typeName(value)}". This type does not support serialization.`, "DataCloneError");

// typeName runs no getters of the tenant's own.
function typeName(value) {
  const proto = getPrototypeOf(value);
  const ctor = proto === null ? undefined : getOwnPropertyDescriptor(proto, "constructor")?.value;
  const name = typeof ctor === "function" ? getOwnPropertyDescriptor(ctor, "name")?.value : undefined;
  return typeof name === "string" ? name : "Object";
}

class Packer {
  constructor() {
    this.numbers = new Map();
    this.table = [undefined]; // root goes first
    this.queue = [];
    this.buffers = [];
    this.size = 0;
  }

  value(v) {
    switch (typeof v) {
      case "string": case "boolean": return v;
      case "number": return v - v === 0 && !Object.is(v, -0) ? v : ["n", Object.is(v, -0) ? "-0" : `${v}`];
      case "undefined": return ["u"];
      case "bigint": return ["i", `${v}`];
      case "symbol": throw uncloneable(Symbol.prototype.toString.call(v));
      case "function": throw uncloneable("A function");
    }
    if (v === null) return null;
    const known = this.numbers.get(v);
    if (known !== undefined) return [known];
    const n = this.table.length;
    if (n > PACK_OBJECTS) throw uncloneable(`A value of more than ${PACK_OBJECTS} objects`);
    this.numbers.set(v, n);
    this.table.push(undefined);
    this.queue.push(v, n);
    return [n];
  }

  pack(root) {
    this.table[0] = this.value(root);
    for (let i = 0; i < this.queue.length; i += 2) this.table[this.queue[i + 1]] = this.object(this.queue[i]);
    const json = encodeText(toJSON(this.table));
    const all = new Uint8Array(4 + json.length + this.size);
    new DataView(all.buffer).setUint32(0, json.length, true);
    all.set(json, 4);
    let at = 4 + json.length;
    for (const bytes of this.buffers) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
  }

  object(v) {
    if (isArray(v)) return this.properties(["A", v.length], v);
    if (isBuffer(v)) return this.buffer(v);
    if (isView(v)) return this.view(v);
    if (isException(v)) return ["X", v.name, v.message];
    if (isError(v)) return this.error(v);
    const builtin = this.builtin(v, objectTag(v));
    if (builtin !== undefined) return builtin;
    const proto = getPrototypeOf(v);
    if (proto !== null && proto !== Object.prototype) throw packable(v);
    return this.properties(["O"], v);
  }

  builtin(v, tag) {
    switch (tag) {
      case "[object Date]": return isDate(v) ? ["D", this.value(timeOf(v))] : undefined;
      case "[object RegExp]": return isRegExp(v) ? ["R", regexpSource(v), regexpFlags(v)] : undefined;
      case "[object Number]": return ["P", this.value(numberOf(v))];
      case "[object String]": return ["P", stringOf(v)];
      case "[object Boolean]": return ["P", booleanOf(v)];
      case "[object BigInt]": return ["P", this.value(bigintOf(v))];
      case "[object Map]": return isMap(v) ? this.members(["M"], v, mapEach) : undefined;
      case "[object Set]": return isSet(v) ? this.members(["S"], v, setEach) : undefined;
    }
    return undefined;
  }

  members(row, v, each) {
    each(v, (member, key) => {
      if (row[0] === "M") row.push(this.value(key));
      row.push(this.value(member));
    });
    return row;
  }

  properties(row, v) {
    for (const key of Object.keys(v)) if (hasOwn(v, key)) row.push(key, this.value(v[key]));
    return row;
  }

  buffer(v) {
    if (isDetached(v)) throw uncloneable("A detached ArrayBuffer");
    const bytes = new Uint8Array(v);
    this.buffers.push(bytes);
    this.size += bytes.length;
    return ["B", bytes.length];
  }

  view(v) {
    const Ctor = viewConstructors.get(typedTag(v)) ?? dataViewCtor;
    return ["V", Ctor.name, this.value(v.buffer), v.byteOffset, v.byteLength / (Ctor.BYTES_PER_ELEMENT ?? 1)];
  }

  error(v) {
    const row = ["E", errorConstructors.has(`${v.name}`) ? `${v.name}` : "Error", `${v.message}`, stackOf(v)];
    if (hasOwn(v, "cause")) row.push(this.value(v.cause));
    return row;
  }
}

// Unpacker makes all objects first and then puts them into each other.
class Unpacker {
  constructor(bytes) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    this.table = fromJSON(decodeText(bytes.subarray(4, 4 + length)));
    this.bytes = bytes;
    this.at = 4 + length;
    this.objects = [];
  }

  unpack() {
    const { table, objects } = this;
    for (let n = 1; n < table.length; n++) objects[n] = this.made(table[n]);
    for (let n = 1; n < table.length; n++) if (table[n][0] === "V") objects[n] = this.view(table[n]);
    for (let n = 1; n < table.length; n++) this.fill(objects[n], table[n]);
    return this.value(table[0]);
  }

  value(v) {
    if (typeof v !== "object" || v === null) return v;
    switch (v[0]) {
      case "u": return undefined;
      case "n": return Number(v[1]);
      case "i": return BigInt(v[1]);
    }
    return this.objects[v[0]];
  }

  made(row) {
    switch (row[0]) {
      case "A": return new Array(row[1]);
      case "O": return {};
      case "M": return new Map();
      case "S": return new Set();
      case "D": return new Date(this.value(row[1]));
      case "R": return new RegExp(row[1], row[2]);
      case "P": return Object(this.value(row[1]));
      case "X": return new DOMException(row[2], row[1]);
      case "E": return new (errorConstructors.get(row[1]))(row[2]);
      case "B": return this.bytes.slice(this.at, this.at += row[1]).buffer;
    }
    return undefined; // a view: its buffer may not be there yet
  }

  view([, name, buffer, offset, length]) {
    const Ctor = viewConstructors.get(name) ?? dataViewCtor;
    return new Ctor(this.value(buffer), offset, length);
  }

  fill(object, row) {
    switch (row[0]) {
      case "A": this.define(object, row, 2); break;
      case "O": this.define(object, row, 1); break;
      case "M": for (let i = 1; i < row.length; i += 2) object.set(this.value(row[i]), this.value(row[i + 1])); break;
      case "S": for (let i = 1; i < row.length; i++) object.add(this.value(row[i])); break;
      case "E":
        hidden(object, "stack", row[3]);
        if (row.length > 4) hidden(object, "cause", this.value(row[4]));
    }
  }

  define(object, row, from) {
    for (let i = from; i < row.length; i += 2) {
      defineProperty(object, row[i], { value: this.value(row[i + 1]), writable: true, enumerable: true, configurable: true });
    }
  }
}

const fromJSON = JSON.parse;
