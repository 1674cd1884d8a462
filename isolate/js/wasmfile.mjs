// Reads and rewrites the few sections of a wasm binary that linking touches.

const IMPORT = 2, TABLE = 4, GLOBAL = 6, EXPORT = 7;
const KIND_FUNCTION = 0, KIND_TABLE = 1, KIND_MEMORY = 2, KIND_GLOBAL = 3;
const I32 = 0x7f, MUTABLE = 1;

export class Module {
  constructor(bytes) {
    const reader = new Reader(bytes, 8);
    this.header = bytes.subarray(0, 8);
    this.sections = [];
    while (!reader.done()) {
      const id = reader.byte();
      this.sections.push({ id, body: reader.take(reader.u32()) });
    }
  }

  bytes() {
    const parts = this.sections.flatMap(({ id, body }) => [Uint8Array.of(id), u32(body.length), body]);
    return Buffer.concat([this.header, ...parts]);
  }

  section(id) {
    const found = this.sections.find((section) => section.id === id);
    if (!found) throw new Error(`no section ${id}`);
    return found;
  }

  imports() {
    const reader = new Reader(this.section(IMPORT).body);
    return reader.vector(() => {
      const module = reader.text(), name = reader.text(), start = reader.at;
      skipDescription(reader);
      return { module, name, description: reader.bytes.subarray(start, reader.at) };
    });
  }

  #setImports(imports) {
    const entries = imports.map(({ module, name, description }) => Buffer.concat([text(module), text(name), description]));
    this.section(IMPORT).body = vector(entries);
  }

  renameImports(moduleOf) {
    this.#setImports(this.imports().map((entry) => ({ ...entry, module: moduleOf(entry.module, entry.name) })));
  }

  // importGlobal turns the module's only global, a mutable i32, into an import. Imports come first
  // in the index space, so with one global no index moves.
  importGlobal(module, name) {
    const { body } = this.section(GLOBAL);
    if (body[0] !== 1 || body[1] !== I32 || body[2] !== MUTABLE) throw new Error("expected one mutable i32 global");
    this.sections = this.sections.filter((section) => section.id !== GLOBAL);
    this.#setImports([...this.imports(), { module, name, description: Uint8Array.of(KIND_GLOBAL, I32, MUTABLE) }]);
  }

  importedTableMinimum() {
    const table = this.imports().find(({ description }) => description[0] === KIND_TABLE);
    const reader = new Reader(table.description, 3);
    return reader.u32();
  }

  setTableMinimum(from, to) {
    const section = this.section(TABLE);
    const reader = new Reader(section.body, 3);
    if (section.body[0] !== 1 || section.body[2] !== 0 || reader.u32() !== from) throw new Error(`expected one table of ${from}`);
    section.body = Buffer.concat([section.body.subarray(0, 3), u32(to)]);
  }

  keepExports(names) {
    const reader = new Reader(this.section(EXPORT).body);
    const entries = reader.vector(() => {
      const start = reader.at, name = reader.text();
      reader.byte();
      reader.u32();
      return { name, bytes: reader.bytes.subarray(start, reader.at) };
    });
    this.section(EXPORT).body = vector(entries.filter(({ name }) => names.includes(name)).map(({ bytes }) => bytes));
  }
}

class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  done() { return this.at >= this.bytes.length; }
  byte() { return this.bytes[this.at++]; }
  take(n) { return this.bytes.subarray(this.at, (this.at += n)); }
  text() { return Buffer.from(this.take(this.u32())).toString("utf8"); }
  vector(item) { return Array.from({ length: this.u32() }, item); }
  u32() {
    let value = 0, shift = 0, byte;
    do {
      byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte & 0x80);
    return value;
  }
}

function skipDescription(reader) {
  const kind = reader.byte();
  if (kind === KIND_FUNCTION) return reader.u32();
  if (kind === KIND_GLOBAL) return reader.take(2);
  if (kind !== KIND_TABLE && kind !== KIND_MEMORY) throw new Error(`unknown import kind ${kind}`);
  if (kind === KIND_TABLE) reader.byte();
  const bounded = reader.byte() & 1;
  reader.u32();
  if (bounded) reader.u32();
}

function u32(value) {
  const out = [];
  do {
    const byte = value % 128;
    value = Math.floor(value / 128);
    out.push(value > 0 ? byte | 0x80 : byte);
  } while (value > 0);
  return Buffer.from(out);
}

const text = (value) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const vector = (entries) => Buffer.concat([u32(entries.length), ...entries]);
