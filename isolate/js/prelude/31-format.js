// format is console's: the first argument may hold %s %d %i %f %j %o %O %c.
function format(args) {
  const [first, ...rest] = args;
  if (typeof first !== "string") return args.map(bare).join(" ");
  let used = 0;
  const text = rest.length === 0 ? first : first.replace(/%[sdifjoOc%]/g, (mark) => {
    if (mark === "%%") return "%";
    return used < rest.length ? directive(mark, rest[used++]) : mark;
  });
  return [text, ...rest.slice(used).map(bare)].join(" ");
}

const bare = (value) => (typeof value === "string" ? value : inspect(value));

function directive(mark, value) {
  switch (mark) {
    case "%s": return typeof value === "object" && value !== null ? inspect(value, 0) : bare(value);
    case "%d": return numeric(value, Number);
    case "%i": return numeric(value, (v) => Math.trunc(Number.parseFloat(v)));
    case "%f": return numeric(value, Number.parseFloat);
    case "%j": return jsonText(value);
    case "%c": return "";
    default: return inspect(value, mark === "%o" ? 4 : DEPTH_MAX);
  }
}

function numeric(value, convert) {
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" || typeof value === "symbol" ? "NaN" : `${convert(value)}`;
}

function jsonText(value) {
  try {
    return JSON.stringify(value) ?? "undefined";
  } catch {
    return "[Circular]";
  }
}

hooks.inspect = (args) => capped(format(args));
