// console: every method ends as one line of the log, at a level the host knows.

const LOG_DEBUG = 0;
const LOG_INFO = 1;
const LOG_WARN = 2;
const LOG_ERROR = 3;
const LOG_LOG = 4;

const LABELS_MAX = 1_000; // of count and time, in one isolate
const INDENT_MAX = 40;

const counts = new Map();
const clocks = new Map();
let indent = "";

function print(level, args) {
  const text = capped(indented(format(args)));
  const message = args.length === 1 && typeof args[0] === "string" ? undefined : messageOf(args);
  if (message === undefined) sw.log(level, text);
  else sw.log(level, text, message);
}

const indented = (text) => (indent === "" ? text : indent + text.replaceAll("\n", `\n${indent}`));

const toJSON = JSON.stringify;
const MESSAGE_MAX = 16_000; // characters; a longer one is told of as its text alone

// messageOf is a line for machines: its arguments as a JSON array, what JSON has no word for as text.
function messageOf(args) {
  let all = "";
  for (let i = 0; i < args.length; i++) {
    all += `${i === 0 ? "" : ","}${argumentJSON(args[i])}`;
    if (all.length > MESSAGE_MAX) return undefined;
  }
  return `[${all}]`;
}

function argumentJSON(value) {
  try {
    const plain = typeof value !== "object" || value === null || isArray(value) || objectTag(value) === "[object Object]";
    const json = plain && !isError(value) && (typeof value !== "number" || value - value === 0) ? toJSON(value) : undefined;
    if (json !== undefined) return json;
  } catch {
    // A cycle, a BigInt, or a toJSON() of the tenant's that threw.
  }
  return toJSON(inspect(value));
}

function remember(map, label, value) {
  if (map.has(label) || map.size < LABELS_MAX) map.set(label, value);
}

function elapsed(label) {
  const started = clocks.get(label);
  if (started === undefined) print(LOG_WARN, [`Timer '${label}' does not exist`]);
  return started === undefined ? undefined : `${label}: ${sw.now() - started}ms`;
}

function openGroup(...args) {
  if (args.length > 0) print(LOG_INFO, args);
  if (indent.length < INDENT_MAX) indent += "  ";
}

const consoleMethods = {
  log(...args) { print(LOG_LOG, args); },
  info(...args) { print(LOG_INFO, args); },
  debug(...args) { print(LOG_DEBUG, args); },
  warn(...args) { print(LOG_WARN, args); },
  error(...args) { print(LOG_ERROR, args); },
  dirxml(...args) { print(LOG_INFO, args); },
  dir(value = undefined, options = undefined) {
    const depth = options?.depth;
    print(LOG_INFO, [inspect(value, depth === null ? Infinity : depth)]);
  },
  trace(...args) {
    const stack = new Error().stack ?? "";
    print(LOG_DEBUG, [`Trace${args.length > 0 ? `: ${format(args)}` : ""}\n${stack.trimEnd()}`]);
  },
  assert(condition = false, ...args) {
    if (condition) return;
    const [first, ...rest] = args;
    if (args.length === 0) print(LOG_ERROR, ["Assertion failed"]);
    else if (typeof first === "string") print(LOG_ERROR, [`Assertion failed: ${first}`, ...rest]);
    else print(LOG_ERROR, ["Assertion failed:", ...args]);
  },
  count(label = "default") {
    const n = (counts.get(`${label}`) ?? 0) + 1;
    remember(counts, `${label}`, n);
    print(LOG_INFO, [`${label}: ${n}`]);
  },
  countReset(label = "default") {
    if (!counts.delete(`${label}`)) print(LOG_WARN, [`Count for '${label}' does not exist`]);
  },
  time(label = "default") {
    if (clocks.has(`${label}`)) print(LOG_WARN, [`Timer '${label}' already exists`]);
    else remember(clocks, `${label}`, sw.now());
  },
  timeLog(label = "default", ...args) {
    const text = elapsed(`${label}`);
    if (text !== undefined) print(LOG_INFO, [text, ...args]);
  },
  timeEnd(label = "default") {
    const text = elapsed(`${label}`);
    if (text !== undefined) print(LOG_INFO, [text]);
    clocks.delete(`${label}`);
  },
  group: openGroup,
  groupCollapsed: openGroup,
  groupEnd() { indent = indent.slice(2); },
  table(value = undefined, columns = undefined) { print(LOG_INFO, [tableOf(value, columns)]); },
  clear() {},
  timeStamp() {},
  profile() {},
  profileEnd() {},
};

// tableOf draws rows with box characters, as Node does; what is not tabular is inspected.
function tableOf(value, columns) {
  if (typeof value !== "object" || value === null) return inspect(value);
  const names = columns === undefined ? [] : [...columns];
  const rows = [];
  for (const key of Object.keys(value).slice(0, ITEMS_MAX)) rows.push(tableRow(key, data(value, key), names, columns === undefined));
  const bare = rows.some((row) => row.bare !== undefined);
  const head = ["(index)", ...names, ...(bare ? ["Values"] : [])];
  const lines = rows.map((row) => [
    row.key, ...names.map((name) => row.cells.get(name) ?? ""), ...(bare ? [row.bare ?? ""] : []),
  ]);
  return drawTable(head, lines);
}

function tableRow(key, member, names, grow) {
  if (typeof member !== "object" || member === null) return { key, cells: new Map(), bare: inspect(member, 0) };
  const cells = new Map();
  for (const name of Object.keys(member).slice(0, ITEMS_MAX)) {
    if (grow && !names.includes(name)) names.push(name);
    cells.set(name, inspect(data(member, name), 0));
  }
  return { key, cells };
}

function drawTable(head, lines) {
  const widths = head.map((title, i) => lines.reduce((width, line) => Math.max(width, line[i].length + 2), title.length + 2));
  const rule = (left, cross, right) => left + widths.map((width) => "─".repeat(width)).join(cross) + right;
  const row = (cells) => `│${cells.map((cell, i) => ` ${cell}`.padEnd(widths[i])).join("│")}│`;
  return [rule("┌", "┬", "┐"), row(head), rule("├", "┼", "┤"), ...lines.map(row), rule("└", "┴", "┘")].join("\n");
}

// Web IDL's namespace object: its prototype is an empty object of its own.
const consoleObject = create(create(Object.prototype));
for (const name of ownKeys(consoleMethods)) {
  defineProperty(consoleObject, name, { value: consoleMethods[name], writable: true, enumerable: true, configurable: true });
}
tagged(consoleObject, "console");
expose("console", consoleObject);
