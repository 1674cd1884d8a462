// What console prints: values as Node and workerd show them. It never runs a tenant's getter,
// survives any tenant's toString, and stops at ceilings in every direction.

const DEPTH_MAX = 2;        // nested objects below the first
const ITEMS_MAX = 100;      // of an array, typed array, Map or Set
const KEYS_MAX = 200;       // of an object
const STRING_MAX = 10_000;  // characters of one string
const TEXT_MAX = 16_384;    // characters of one line of the log
const WIDTH = 72;           // what may stand on one line

const functionText = uncurry(Function.prototype.toString);
const symbolText = uncurry(Symbol.prototype.toString);
const regexpText = (value) => `/${regexpSource(value)}/${regexpFlags(value)}`;
const isPromise = (value) => value instanceof PromiseCtor;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const CLASS = /^class\b/;
const STACK_LINE = /^\s*at /;

const capped = (text) => (text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}… ${text.length - TEXT_MAX} more characters`);

function quoted(text) {
  const shown = text.length > STRING_MAX ? text.slice(0, STRING_MAX) : text;
  const mark = !shown.includes("'") ? "'" : !shown.includes('"') ? '"' : !shown.includes("`") ? "`" : "'";
  const body = shown.replace(/[\\\x00-\x1f\x7f'"`]/g, (c) => escaped(c, mark));
  return `${mark}${body}${mark}${shown === text ? "" : `... ${text.length - STRING_MAX} more characters`}`;
}

const ESCAPES = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\\": "\\\\" };

function escaped(c, mark) {
  if (c === "'" || c === '"' || c === "`") return c === mark ? `\\${c}` : c;
  return ESCAPES[c] ?? `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

// data reads a property only where that runs none of the tenant's code.
function data(object, name) {
  for (let o = object; o !== null; o = getPrototypeOf(o)) {
    const property = getOwnPropertyDescriptor(o, name);
    if (property) return property.value;
  }
  return undefined;
}

// className is the constructor's name, null for an object without one.
function className(object) {
  for (let o = object; o !== null; o = getPrototypeOf(o)) {
    const property = getOwnPropertyDescriptor(o, "constructor");
    const name = typeof property?.value === "function" && data(property.value, "name");
    if (typeof name === "string" && name !== "") return name;
  }
  return null;
}

const exceptionName = getterOf(DOMException.prototype, "name");
const exceptionMessage = getterOf(DOMException.prototype, "message");

function describeError(error) {
  const [name, message] = isException(error)
    ? [exceptionName(error), exceptionMessage(error)]
    : [data(error, "name"), data(error, "message")];
  const title = typeof name === "string" ? name : "Error";
  return typeof message === "string" && message !== "" ? `${title}: ${message}` : title;
}

// errorText is the error's stack below its name and message; the engine's own lack that line.
function errorText(error, level) {
  const title = describeError(error);
  const stack = stackOf(error);
  if (stack === "") return `[${title}]`;
  const text = STACK_LINE.test(stack) ? `${title}\n${framesOf(stack)}` : stack.trimEnd();
  return level === 0 ? text : text.replaceAll("\n", `\n${"  ".repeat(level)}`);
}

class Inspector {
  constructor(depth = DEPTH_MAX) {
    this.depth = depth;
    this.path = [];
    this.circular = new Map();
    this.left = TEXT_MAX * 2; // of output: what is cut anyway need not be made
  }

  show(value, level = 0) {
    const text = this.text(value, level);
    this.left -= text.length;
    return text;
  }

  text(value, level) {
    switch (typeof value) {
      case "string": return quoted(value);
      case "bigint": return `${value}n`;
      case "symbol": return symbolText(value);
      case "number": return Object.is(value, -0) ? "-0" : `${value}`;
      case "function":
      case "object": return value === null ? "null" : this.reference(value, level);
      default: return `${value}`;
    }
  }

  reference(value, level) {
    if (this.path.includes(value)) return this.back(value);
    this.path.push(value);
    const text = this.guarded(value, level);
    this.path.pop();
    const mark = this.circular.get(value);
    return mark === undefined ? text : `<ref *${mark}> ${text}`;
  }

  back(value) {
    if (!this.circular.has(value)) this.circular.set(value, this.circular.size + 1);
    return `[Circular *${this.circular.get(value)}]`;
  }

  // A revoked Proxy, or one whose traps throw, is all that can fail here.
  guarded(value, level) {
    try {
      return this.object(value, level);
    } catch {
      return "[object that cannot be inspected]";
    }
  }

  object(value, level) {
    const name = className(value);
    const { head, open, close, inline } = this.kind(value, name, level);
    if (level > this.depth) return inline ?? `[${isArray(value) ? "Array" : name ?? "Object: null prototype"}]`;
    const parts = this.members(value, level);
    const title = inline ?? head;
    if (parts.length === 0 && inline !== undefined) return inline;
    if (parts.length === 0) return `${title}${title ? " " : ""}${open}${close}`.trim();
    const many = isArray(value) || typedTag(value) !== undefined;
    const shown = many && parts.length > GROUP_MIN ? grouped(parts, value, level) : parts;
    return `${title}${title ? " " : ""}${layOut(shown, open, close, level, shown !== parts || title.includes("\n"))}`;
  }

  // kind decides what stands before the members, and how they are bracketed. Values with an
  // `inline` text have members only when a tenant gave them some.
  kind(value, name, level) {
    const plain = (head) => ({ head, open: "{", close: "}" });
    const alone = (inline) => ({ inline, open: "{", close: "}" });
    if (typeof value === "function") return alone(functionTitle(value));
    if (isArray(value)) return { head: name === "Array" ? "" : `${name}(${value.length})`, open: "[", close: "]" };
    if (isError(value)) return alone(errorText(value, level));
    if (name === "Buffer" && typedTag(value) === "Uint8Array") return { inline: bufferText(value), open: "{", close: "}" };
    if (isView(value)) return typedTag(value) ? { head: `${typedTag(value)}(${value.length})`, open: "[", close: "]" } : plain("DataView");
    if (isMap(value)) return plain(`${name}(${value.size})${name === "Map" ? "" : " [Map]"}`);
    if (isSet(value)) return plain(`${name}(${value.size})${name === "Set" ? "" : " [Set]"}`);
    if (isWeak(value)) return alone(`${name} { <items unknown> }`);
    if (isDate(value)) return alone(Number.isNaN(timeOf(value)) ? "Invalid Date" : isoDate(value));
    if (isRegExp(value)) return alone(regexpText(value));
    const boxed = boxedText(value);
    if (boxed) return alone(boxed);
    const listed = listedFields.find(({ cls }) => value instanceof cls);
    if (listed) return plain(`${name}(${listed.list(value).length})`);
    if (name === null) return plain("[Object: null prototype]");
    const tag = data(value, Symbol.toStringTag);
    const shown = typeof tag === "string" && tag !== "" && tag !== name ? `${name} [${tag}]` : name;
    return plain(shown === "Object" ? "" : shown);
  }

  members(value, level) {
    const parts = [];
    const bytes = className(value) === "Buffer";
    const list = isArray(value) || (typedTag(value) !== undefined && !bytes);
    const indexed = list || bytes || isBoxedString(value);
    if (list) this.items(parts, value, level);
    else if (isMap(value)) this.entries(parts, value, level);
    else if (isSet(value)) this.elements(parts, value, level);
    else if (isBuffer(value)) parts.push(`[Uint8Contents]: <${hexText(new Uint8Array(value))}>`, `byteLength: ${bufferLength(value)}`);
    else this.platform(parts, value, level);
    if (isError(value)) this.cause(parts, value, level);
    this.properties(parts, value, level, indexed);
    return parts;
  }

  // An array's holes are counted, not walked: `new Array(1e9)` must print at once.
  items(parts, value, level) {
    const shown = Math.min(value.length, ITEMS_MAX);
    let holes = 0;
    for (let i = 0; i < shown && this.left > 0; i++) {
      const property = getOwnPropertyDescriptor(value, i);
      if (property === undefined) { holes++; continue; }
      if (holes > 0) parts.push(holesText(holes));
      holes = 0;
      parts.push(this.property(property, level));
    }
    if (holes > 0) parts.push(holesText(holes + (holes === shown ? value.length - shown : 0)));
    if (value.length > shown && holes !== shown) parts.push(moreText(value.length - shown, "item"));
  }

  entries(parts, value, level) {
    mapEach(value, (member, key) => {
      if (parts.length >= ITEMS_MAX || this.left <= 0) return;
      parts.push(`${this.show(key, level + 1)} => ${this.show(member, level + 1)}`);
    });
    if (value.size > parts.length) parts.push(moreText(value.size - parts.length, "item"));
  }

  elements(parts, value, level) {
    setEach(value, (member) => {
      if (parts.length >= ITEMS_MAX || this.left <= 0) return;
      parts.push(this.show(member, level + 1));
    });
    if (value.size > parts.length) parts.push(moreText(value.size - parts.length, "item"));
  }

  // What an error hides from enumeration is what its reader looks for.
  cause(parts, value, level) {
    for (const key of ["cause", "errors"]) {
      const property = getOwnPropertyDescriptor(value, key);
      if (property && !property.enumerable) parts.push(`[${key}]: ${this.property(property, level)}`);
    }
  }

  // The platform's own classes keep everything behind getters: those, and only those, are run.
  platform(parts, value, level) {
    const listed = listedFields.find(({ cls }) => value instanceof cls);
    if (listed) {
      for (const [key, member] of listed.list(value).slice(0, ITEMS_MAX)) parts.push(`${quoted(key)} => ${this.show(member, level + 1)}`);
      return;
    }
    for (const { cls, fields } of platformFields) {
      if (!(value instanceof cls)) continue;
      for (const [name, get] of fields) {
        try {
          parts.push(`${name}: ${this.show(get(value), level + 1)}`);
        } catch {
          return; // an object that only inherits from the class
        }
      }
      return;
    }
  }

  properties(parts, value, level, indexed) {
    let count = 0;
    for (const key of ownKeys(value)) {
      if (indexed && typeof key === "string" && /^\d+$/.test(key)) continue;
      const property = getOwnPropertyDescriptor(value, key);
      if (!property?.enumerable || (key === "name" && saysName(value, property))) continue;
      if (++count > KEYS_MAX || this.left <= 0) {
        parts.push("...");
        return;
      }
      parts.push(`${keyText(key)}: ${this.property(property, level)}`);
    }
  }

  property(property, level) {
    if (property.get) return property.set ? "[Getter/Setter]" : "[Getter]";
    if (property.set) return "[Setter]";
    return this.show(property.value, level + 1);
  }
}

// saysName: an error's own name is in its first line already.
const saysName = (value, property) => isError(value) && typeof property.value === "string" && stackOf(value).includes(property.value);

const BYTES_MAX = 50;
const hexText = (bytes) => {
  const shown = Array.from(bytes.subarray(0, BYTES_MAX), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > BYTES_MAX ? `${shown} ... ${moreText(bytes.length - BYTES_MAX, "byte").slice(4)}` : shown;
};
const bufferText = (buffer) => `<Buffer${buffer.length === 0 ? "" : ` ${hexText(buffer)}`}>`;
const isWeak = (value) => value instanceof WeakMap || value instanceof WeakSet;

const holesText = (n) => `<${n} empty item${n > 1 ? "s" : ""}>`;
const moreText = (n, what) => `... ${n} more ${what}${n > 1 ? "s" : ""}`;

function keyText(key) {
  if (typeof key === "symbol") return `[${symbolText(key)}]`;
  return IDENTIFIER.test(key) ? key : quoted(key);
}

function functionTitle(fn) {
  const name = data(fn, "name");
  const named = typeof name === "string" && name !== "";
  if (CLASS.test(functionText(fn))) return named ? `[class ${name}]` : "[class (anonymous)]";
  const kind = objectTag(fn).slice(8, -1);
  return named ? `[${kind}: ${name}]` : `[${kind} (anonymous)]`;
}

const isBoxedString = brand(stringOf);

function boxedText(value) {
  switch (objectTag(value)) {
    case "[object Number]": return `[Number: ${numberOf(value)}]`;
    case "[object Boolean]": return `[Boolean: ${booleanOf(value)}]`;
    case "[object String]": return `[String: ${quoted(stringOf(value))}]`;
    case "[object BigInt]": return `[BigInt: ${bigOf(value)}n]`;
    case "[object Symbol]": return `[Symbol: ${symbolText(value)}]`;
    default: return undefined;
  }
}

const GROUP_MIN = 6, COLUMNS_MAX = 16, COMPACT = 3, LINE_MAX = 80, BIAS = 2.5;

// grouped sets the items of an array in columns, as Node does, when they are short and alike. What is no item, as
// "... 5 more items", gets a line of its own.
function grouped(parts, value, level) {
  const extra = parts.length > 0 && parts.at(-1).startsWith("... ") ? 1 : 0, count = parts.length - extra;
  const lengths = parts.slice(0, count).map((part) => part.length + 2);
  const total = lengths.reduce((sum, length) => sum + length, 0), longest = Math.max(...lengths);
  if (parts.some((part) => part.includes("\n")) || longest * COMPACT + 2 * level >= LINE_MAX || !(total / longest > 5 || longest <= 8)) return parts;
  const bias = Math.sqrt(longest - total / parts.length), width = Math.max(longest - 3 - bias, 1);
  const columns = Math.min(Math.round(Math.sqrt(BIAS * width * count) / width), Math.floor((LINE_MAX - 2 * level) / longest), COMPACT * 4, COLUMNS_MAX - 1);
  if (columns <= 1) return parts;
  const widths = Array.from({ length: columns }, (_, column) => Math.max(0, ...lengths.filter((length, i) => i % columns === column)));
  const right = value !== undefined && parts.slice(0, count).every((part) => /^-?[\d.]+(e[+-]\d+)?n?$|^-?Infinity$|^NaN$/.test(part));
  const rows = [];
  for (let i = 0; i < count; i += columns) {
    const row = parts.slice(i, Math.min(i + columns, count));
    rows.push(row.map((part, j) => {
      const last = j === row.length - 1, text = last ? part : `${part}, `;
      return right ? text.padStart(last ? widths[j] - 2 : widths[j]) : last ? text : text.padEnd(widths[j]);
    }).join(""));
  }
  return extra ? [...rows, parts.at(-1)] : rows;
}

function layOut(parts, open, close, level, lines = false) {
  const length = parts.reduce((sum, part) => sum + part.length + 2, 0);
  const inline = !lines && length <= WIDTH && !parts.some((part) => part.includes("\n"));
  if (inline) return `${open} ${parts.join(", ")} ${close}`;
  const indent = "  ".repeat(level + 1);
  return `${open}\n${indent}${parts.join(`,\n${indent}`)}\n${"  ".repeat(level)}${close}`;
}

const getters = (cls, names) => ({
  cls,
  fields: names.map((name) => [name, getOwnPropertyDescriptor(cls.prototype, name)?.get])
    .filter(([, get]) => get).map(([name, get]) => [name, uncurry(get)]),
});

// What lists pairs is shown as a Map is.
const pairsOf = (cls) => {
  const entries = uncurry(cls.prototype.entries);
  return {
    cls,
    list(value) {
      try {
        return [...entries(value)];
      } catch {
        return []; // an object that only inherits from the class
      }
    },
  };
};
const listedFields = [pairsOf(Headers), pairsOf(URLSearchParams)];
const platformFields = [
  getters(Request, ["method", "url", "headers", "redirect", "bodyUsed"]),
  getters(Response, ["status", "statusText", "ok", "headers", "url", "redirected", "bodyUsed"]),
  getters(URL, ["origin", "href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash", "searchParams"]),
  getters(AbortSignal, ["aborted", "reason"]),
  getters(Event, ["type", "defaultPrevented", "timeStamp"]),
];

const inspect = (value, depth) => new Inspector(depth).show(value);
