// The pattern language of the URL Pattern standard: a pattern of one component of a URL becomes parts, the parts
// become a regular expression and, again, a pattern in its shortest form.
//
//   "/books/:id(\\d+)?" ─ tokens ─► parts: [{text "/books"}, {regexp "\\d+", name "id", prefix "/", modifier "?"}]

const patternRegExp = RegExp;
const execPattern = uncurry(RegExp.prototype.exec);
const nameStart = /^[$_\p{ID_Start}]$/u;
const namePart = /^[$_\u200c\u200d\p{ID_Continue}]$/u;
const asciiOnly = /^[\x00-\x7f]$/;
const asciiDigit = /^[0-9]/;
const isNameStart = (c) => execPattern(nameStart, c) !== null;
const isNamePart = (c) => execPattern(namePart, c) !== null;
const isAscii = (c) => execPattern(asciiOnly, c) !== null;

const patternFault = (what, where) => new TypeError(`URLPattern: ${what} at character ${where} of the pattern.`);

// maxPattern bounds the code points of a pattern: its regular expression is longer, and compiled in one go.
const maxPattern = 65_536;

function codePoints(text) {
  const points = [];
  for (let i = 0; i < text.length; i += points[points.length - 1].length) points.push(String.fromCodePoint(text.codePointAt(i)));
  if (points.length > maxPattern) throw new TypeError(`URLPattern: a pattern has at most ${maxPattern} characters.`);
  return points;
}

const singleTokens = { __proto__: null, "*": "asterisk", "+": "modifier", "?": "modifier", "{": "open", "}": "close" };

// patternTokens is "tokenize". Lenient, what is no token is an "invalid" one instead of an exception.
function patternTokens(points, lenient) {
  const tokens = [];
  const put = (type, index, end, value = points.slice(index, end).join("")) => {
    tokens.push({ type, index, value });
    return end;
  };
  const fault = (index, end, what) => {
    if (!lenient) throw patternFault(what, index);
    return put("invalid", index, end);
  };
  for (let i = 0; i < points.length;) {
    const point = points[i];
    if (point === "\\") {
      i = i + 1 < points.length ? put("escaped", i, i + 2, points[i + 1]) : fault(i, i + 1, "nothing follows the backslash");
    } else if (point === ":") {
      const end = nameEnd(points, i + 1);
      i = end > i + 1 ? put("name", i, end, points.slice(i + 1, end).join("")) : fault(i, i + 1, "a name is missing");
    } else if (point === "(") {
      const { end, what } = groupEnd(points, i + 1);
      i = end > 0 ? put("regexp", i, end, points.slice(i + 1, end - 1).join("")) : fault(i, i + 1, what);
    } else {
      i = put(singleTokens[point] ?? "char", i, i + 1);
    }
  }
  put("end", points.length, points.length);
  return tokens;
}

function nameEnd(points, from) {
  let end = from;
  while (end < points.length && (end === from ? isNameStart : isNamePart)(points[end])) end++;
  return end;
}

// groupEnd finds the end of a regular expression in parentheses: what is after its closing one, or what is wrong.
function groupEnd(points, from) {
  let depth = 1;
  for (let i = from; i < points.length; i++) {
    const point = points[i];
    if (!isAscii(point)) return { end: 0, what: "a regular expression must be ASCII" };
    if (i === from && point === "?") return { end: 0, what: "a regular expression cannot begin with '?'" };
    if (point === "\\") {
      i++;
      if (i < points.length && !isAscii(points[i])) return { end: 0, what: "a regular expression must be ASCII" };
    } else if (point === "(") {
      depth++;
      if (points[i + 1] !== "?") return { end: 0, what: "a group within a group must not capture" };
    } else if (point === ")" && --depth === 0) {
      return i > from ? { end: i + 1 } : { end: 0, what: "a group is empty" };
    }
  }
  return { end: 0, what: "a group is not closed" };
}

const escapeIn = (specials) => (text) => text.replace(specials, "\\$&");
const escapeSyntax = escapeIn(/[.+*?^${}()[\]|/\\]/g);
const classPunctuation = /[-&!#%,:;<=>@`~]/g; // the engine takes it for a class's outside of one, too
const hexEscape = (c) => `\\x${c.charCodeAt(0).toString(16)}`;
const escapeRegExp = (text) => escapeSyntax(text).replace(classPunctuation, hexEscape);
const escapePattern = escapeIn(/[+*?:{}()\\]/g);

// segmentOf is what a name without an expression stands for: as little as can be of one segment.
const segmentOf = (options) => `[^${escapeSyntax(options.delimiter)}]+?`;
const FULL = ".*";

// PatternParser makes parts of tokens. encode makes fixed text what a URL has for it.
class PatternParser {
  constructor(pattern, encode, options) {
    this.tokens = patternTokens(codePoints(pattern), false);
    this.at = 0;
    this.encode = encode;
    this.options = options;
    this.segment = segmentOf(options);
    this.parts = [];
    this.pending = ""; // fixed text that may go on
    this.numbered = 0;
    this.names = create(null);
  }

  take(type) {
    const token = this.tokens[this.at];
    if (token.type !== type) return undefined;
    this.at++;
    return token;
  }

  require(type) {
    const token = this.tokens[this.at];
    if (this.take(type) === undefined) throw patternFault(`"${token.value}" is not expected`, token.index);
  }

  takeMatcher(name) {
    return this.take("regexp") ?? (name === undefined ? this.take("asterisk") : undefined);
  }

  takeModifier() {
    return (this.take("modifier") ?? this.take("asterisk"))?.value ?? "";
  }

  takeText() {
    let text = "";
    for (let token; (token = this.take("char") ?? this.take("escaped")) !== undefined;) text += token.value;
    return text;
  }

  parse() {
    while (this.at < this.tokens.length) this.step();
    return this.parts;
  }

  step() {
    const char = this.take("char"), name = this.take("name"), matcher = this.takeMatcher(name);
    if (name !== undefined || matcher !== undefined) return this.matcher(char?.value ?? "", name, matcher);
    const fixed = char ?? this.take("escaped");
    if (fixed !== undefined) {
      this.pending += fixed.value;
    } else if (this.take("open") !== undefined) {
      this.group();
    } else {
      this.flush();
      this.require("end");
    }
  }

  matcher(char, name, matcher) {
    const prefix = char === this.options.prefix ? char : "";
    if (prefix === "") this.pending += char;
    this.flush();
    this.add(prefix, name, matcher, "", this.takeModifier());
  }

  group() {
    const prefix = this.takeText(), name = this.take("name"), matcher = this.takeMatcher(name), suffix = this.takeText();
    this.require("close");
    this.add(prefix, name, matcher, suffix, this.takeModifier());
  }

  flush() {
    if (this.pending !== "") this.parts.push({ type: "text", value: this.encode(this.pending), modifier: "" });
    this.pending = "";
  }

  add(prefix, name, matcher, suffix, modifier) {
    const fixed = name === undefined && matcher === undefined;
    if (fixed && modifier === "") {
      this.pending += prefix;
      return;
    }
    this.flush();
    if (!fixed) this.addMatcher(prefix, name, matcher, suffix, modifier);
    else if (prefix !== "") this.parts.push({ type: "text", value: this.encode(prefix), modifier });
  }

  addMatcher(prefix, token, matcher, suffix, modifier) {
    const value = matcher === undefined ? this.segment : matcher.type === "asterisk" ? FULL : matcher.value;
    const type = value === this.segment ? "segment" : value === FULL ? "full" : "regexp";
    const name = token === undefined ? `${this.numbered++}` : token.value;
    if (this.names[name]) throw new TypeError(`URLPattern: the name "${name}" is there twice.`);
    this.names[name] = true;
    this.parts.push({ type, value, name, modifier, prefix: this.encode(prefix), suffix: this.encode(suffix) });
  }
}

function partRegExp({ type, value, modifier, prefix, suffix }) {
  if (type === "text") return modifier === "" ? escapeRegExp(value) : `(?:${escapeRegExp(value)})${modifier}`;
  const before = escapeRegExp(prefix), after = escapeRegExp(suffix), repeated = modifier === "*" || modifier === "+";
  if (before === "" && after === "") return repeated ? `((?:${value})${modifier})` : `(${value})${modifier}`;
  if (!repeated) return `(?:${before}(${value})${after})${modifier}`;
  return `(?:${before}((?:${value})(?:${after}${before}(?:${value}))*)${after})${modifier === "*" ? "?" : ""}`;
}

// partPattern is a part as a pattern, between the parts before and after it.
function partPattern(part, before, after, options) {
  const { type, value, name, modifier, prefix, suffix } = part;
  if (type === "text") return modifier === "" ? escapePattern(value) : `{${escapePattern(value)}}${modifier}`;
  const named = execPattern(asciiDigit, name) === null;
  const grouped = needsGroup(part, named, before, after, options);
  const inner = escapePattern(prefix) + (named ? `:${name}` : "") + matcherPattern(part, named, before, grouped, options) +
    (type === "segment" && named && isNamePart(suffix.slice(0, 1)) ? "\\" : "") + escapePattern(suffix);
  return (grouped ? `{${inner}}` : inner) + modifier;
}

function needsGroup({ type, modifier, prefix, suffix }, named, before, after, options) {
  if (suffix !== "" || (prefix !== "" && prefix !== options.prefix)) return true;
  if (named && type === "segment" && modifier === "" && after !== undefined && !after.prefix && !after.suffix) {
    if (after.type === "text" ? isNamePart(String.fromCodePoint(after.value.codePointAt(0))) : execPattern(asciiDigit, after.name) !== null) return true;
  }
  return prefix === "" && before?.type === "text" && options.prefix !== "" && before.value.endsWith(options.prefix);
}

function matcherPattern({ type, value, prefix }, named, before, grouped, options) {
  if (type === "regexp") return `(${value})`;
  if (type === "segment") return named ? "" : `(${segmentOf(options)})`;
  const alone = !named && (before === undefined || before.type === "text" || before.modifier !== "" || grouped || prefix !== "");
  return alone ? "*" : `(${FULL})`;
}

// compileRegExp uses the flag of the standard, v, and u for what the engine wrongly refuses with it: class punctuation
// outside of a class.
function compileRegExp(source, flags, pattern) {
  try {
    return new patternRegExp(source, `v${flags}`);
  } catch {
    try {
      return new patternRegExp(source, `u${flags}`);
    } catch (error) {
      throw new TypeError(`URLPattern: the pattern "${pattern}" has an invalid regular expression: ${error.message}.`);
    }
  }
}

// PatternComponent is a compiled pattern of one component of a URL.
class PatternComponent {
  constructor(pattern, encode, options) {
    const parts = new PatternParser(pattern, encode, options).parse();
    this.names = parts.filter((part) => part.type !== "text").map((part) => part.name);
    this.hasRegExp = parts.some((part) => part.type === "regexp");
    this.pattern = parts.map((part, i) => partPattern(part, parts[i - 1], parts[i + 1], options)).join("");
    this.regExp = compileRegExp(`^${parts.map(partRegExp).join("")}$`, options.ignoreCase ? "i" : "", pattern);
  }

  // match is what exec shows of this component; null when input does not match.
  match(input) {
    const found = execPattern(this.regExp, input);
    if (found === null) return null;
    const groups = {};
    for (let i = 0; i < this.names.length; i++) {
      defineProperty(groups, this.names[i], { value: found[i + 1], writable: true, enumerable: true, configurable: true });
    }
    return { input, groups };
  }

  matchesSpecialScheme() {
    return specialSchemes.some((scheme) => execPattern(this.regExp, scheme) !== null);
  }
}
