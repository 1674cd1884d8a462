import { ask, choice, integer, optionsOf, PLURAL, resolve, section, supportedLocalesOf } from "./locale.mjs";
import { digitsOf, roundAt, wholeAndFraction } from "./decimal.mjs";

// pieces cuts a pattern into its literals and its {fields}.
export function* pieces(pattern) {
  for (const [text, field] of pattern.matchAll(/\{([^{}]*)\}|[^{]+/g)) yield field === undefined ? { literal: text } : { field };
}

const ROUNDING = ["ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"];

// fractionOptions are what both numbers and plurals read of how many digits are shown.
export function digitOptions(options, minDefault, maxDefault, notation) {
  const digits = {
    minimumIntegerDigits: integer(options, "minimumIntegerDigits", 1, 21, 1),
    roundingMode: choice(options, "roundingMode", ROUNDING, "halfExpand"),
  };
  if (options.minimumSignificantDigits !== undefined || options.maximumSignificantDigits !== undefined) {
    digits.minimumSignificantDigits = integer(options, "minimumSignificantDigits", 1, 21, 1);
    digits.maximumSignificantDigits = integer(options, "maximumSignificantDigits", digits.minimumSignificantDigits, 21, 21);
    return digits;
  }
  const given = options.minimumFractionDigits !== undefined || options.maximumFractionDigits !== undefined;
  if (notation === "compact" && !given) return { ...digits, minimumFractionDigits: 0, maximumFractionDigits: 0, compactRounding: true };
  let min = integer(options, "minimumFractionDigits", 0, 100, undefined), max = integer(options, "maximumFractionDigits", 0, 100, undefined);
  if (min === undefined) min = Math.min(minDefault, max ?? minDefault);
  if (max === undefined) max = Math.max(maxDefault, min);
  if (min > max) throw new RangeError("maximumFractionDigits value is out of range.");
  return { ...digits, minimumFractionDigits: min, maximumFractionDigits: max };
}

export function rounded(n, o) {
  if (o.compactRounding) return roundAt(n, Math.max(n.point, 2), o.roundingMode);
  if (o.maximumSignificantDigits !== undefined) return roundAt(n, o.maximumSignificantDigits, o.roundingMode);
  return roundAt(n, n.point + o.maximumFractionDigits, o.roundingMode);
}

export function shownDigits(n, o) {
  const [whole, fraction] = wholeAndFraction(n, o.minimumIntegerDigits, o.minimumFractionDigits ?? 0);
  if (o.minimumSignificantDigits === undefined) return [whole, fraction];
  const significant = (whole + fraction).replace(/^0+/, "").length;
  return [whole, fraction + "0".repeat(Math.max(0, o.minimumSignificantDigits - significant))];
}

export class NumberFormat {
  #locale; #data; #o; #bound;

  constructor(locales, options) {
    if (new.target === undefined) return new NumberFormat(locales, options);
    const given = optionsOf(options), locale = resolve(locales);
    this.#locale = locale;
    this.#data = section(locale.data, "core");
    this.#o = readOptions(given, this.#data);
  }

  static supportedLocalesOf(tags) { return supportedLocalesOf(tags); }
  get [Symbol.toStringTag]() { return "Intl.NumberFormat"; }

  get format() { return (this.#bound ??= (value) => this.#text(value)); }
  formatToParts(value) { return this.#parts(numeric(value)); }
  formatRange(from, to) { return joined(this.#rangeParts(from, to)); }
  formatRangeToParts(from, to) { return this.#rangeParts(from, to); }

  resolvedOptions() {
    const { compactRounding, unitDisplay, currencyDisplay, currencySign, compactDisplay, currency, unit, roundingMode, ...rest } = this.#o;
    const shown = { locale: this.#locale.tag, numberingSystem: "latn", style: rest.style };
    if (rest.style === "currency") Object.assign(shown, { currency, currencyDisplay, currencySign });
    if (rest.style === "unit") Object.assign(shown, { unit, unitDisplay });
    for (const name of ["minimumIntegerDigits", "minimumFractionDigits", "maximumFractionDigits", "minimumSignificantDigits", "maximumSignificantDigits", "useGrouping", "notation"]) {
      if (rest[name] !== undefined) shown[name] = rest[name];
    }
    if (rest.notation === "compact") shown.compactDisplay = compactDisplay;
    return Object.assign(shown, { signDisplay: rest.signDisplay, roundingIncrement: 1, roundingMode, roundingPriority: compactRounding ? "morePrecision" : "auto", trailingZeroDisplay: rest.trailingZeroDisplay });
  }

  #text(value) { return joined(this.#parts(numeric(value))); }

  #rangeParts(from, to) {
    if (from === undefined || to === undefined) throw new TypeError("Invalid argument");
    const a = this.#parts(numeric(from)), b = this.#parts(numeric(to));
    const tag = (parts, source) => parts.map((part) => ({ ...part, source }));
    if (joined(a) === joined(b)) return tag([{ type: "approximatelySign", value: "~" }, ...a], "shared");
    return [...tag(a, "startRange"), { type: "literal", value: a.some((p) => p.type === "currency") ? " – " : "–", source: "shared" }, ...tag(b, "endRange")];
  }

  #parts(value) {
    const o = this.#o;
    const special = typeof value === "number" && !Number.isFinite(value) ? (value !== value ? "nan" : "infinity") : "";
    let n = special === "nan" ? { negative: false, digits: "", point: 0 } : special ? { negative: value < 0, digits: "1", point: 400 } : digitsOf(value);
    if (!special && o.style === "percent") n = { ...n, point: n.point + 2 };
    let exponent = 0, affixes;
    if (!special && o.notation !== "standard") [n, exponent, affixes] = this.#scaled(n);
    if (!special) n = rounded(n, o);
    const number = special === "nan" ? [{ type: "nan", value: this.#data.numbers.nan }] : special ? [{ type: "infinity", value: "∞" }] : this.#digits(n, affixes !== undefined);
    if (!special && (o.notation === "scientific" || o.notation === "engineering")) number.push(...exponentParts(exponent));
    return this.#around(n, special, number, affixes);
  }

  // scaled divides for scientific and compact notation.
  #scaled(n) {
    const o = this.#o, zero = n.digits === "";
    if (o.notation === "compact") return this.#compacted(n);
    let power = zero ? 0 : n.point - 1;
    if (o.notation === "engineering") power = Math.floor(power / 3) * 3;
    const at = rounded({ ...n, point: n.point - power }, o);
    if (!zero && at.point > (o.notation === "engineering" ? 3 : 1)) power += o.notation === "engineering" ? 3 : 1;
    return [{ ...n, point: n.point - power }, power];
  }

  #compacted(n) {
    const table = this.#data.numbers.compact[this.#o.compactDisplay];
    const place = (point) => {
      const power = Math.min(Math.max(point - 1, 0), 14), [digits, forms] = table[power];
      return { divide: power + 1 - digits, forms };
    };
    let { divide, forms } = place(n.digits === "" ? 0 : n.point);
    const shown = rounded({ ...n, point: n.point - divide }, this.#o);
    if (shown.digits !== "") ({ divide, forms } = place(shown.point + divide));
    return [{ ...n, point: n.point - divide }, 0, forms];
  }

  #digits(n, compact) {
    const o = this.#o, { numbers } = this.#data;
    let [whole, fraction] = shownDigits(n, o);
    if (o.trailingZeroDisplay === "stripIfInteger" && /^0*$/.test(fraction)) fraction = "";
    const parts = [];
    const groups = this.#groups(whole, compact);
    groups.forEach((group, i) => {
      if (i > 0) parts.push({ type: "group", value: numbers.group });
      parts.push({ type: "integer", value: group });
    });
    if (fraction !== "") parts.push({ type: "decimal", value: numbers.decimal }, { type: "fraction", value: fraction });
    return parts;
  }

  #groups(whole, compact) {
    const { useGrouping, notation } = this.#o, { minGroup, indian } = this.#data.numbers;
    const least = useGrouping === "min2" ? 2 : useGrouping === "always" ? 1 : minGroup;
    if (useGrouping === false || whole.length < 3 + least || notation === "scientific") return [whole];
    const groups = [whole.slice(-3)];
    const size = indian ? 2 : 3;
    for (let rest = whole.slice(0, -3); rest !== ""; rest = rest.slice(0, -size)) groups.unshift(rest.slice(-size));
    return groups;
  }

  // around puts sign, currency, unit and percent about the digits.
  #around(n, special, number, forms) {
    const o = this.#o, { numbers } = this.#data;
    const zero = n.digits === "";
    const sign = signOf(o.signDisplay, n.negative, zero, special === "nan");
    const base = numbers.patterns[patternName(o)];
    let pattern = sign === "-" ? base[1] : sign === "+" ? base[1].includes("{-}") ? base[1].replace("{-}", "{+}") : `{+}${base[0]}` : base[0];
    const plural = () => {
      const [whole, fraction] = special ? ["2", ""] : shownDigits(n, o);
      return ask(PLURAL, this.#locale.data, "cardinal", `${whole}.${fraction}`);
    };
    let compactText = "{n}";
    if (forms !== undefined) {
      const form = Object.keys(forms).length > 1 ? plural() : "other";
      compactText = (forms[form] ?? forms.other ?? Object.values(forms)[0]).replace("{0}", "{n}");
    }
    pattern = pattern.replace("{0}", () => compactText);
    if (o.style === "unit") {
      const units = section(this.#locale.data, "units")[o.unit][o.unitDisplay];
      const unit = units[plural()] ?? units.other ?? Object.values(units)[0];
      pattern = unit.replace("{0}", () => pattern);
    }
    if (o.style === "currency" && o.currencyDisplay === "name") {
      const names = section(this.#locale.data, "names").spoken[o.currency];
      pattern = `${pattern} {¤}`;
      return fill(pattern, number, numbers, names === undefined ? o.currency : names[plural()] ?? names.other);
    }
    return fill(spaced(pattern, this.#symbol()), number, numbers, this.#symbol());
  }

  #symbol() {
    const { currency, currencyDisplay } = this.#o;
    if (currency === undefined) return "";
    const symbols = this.#data.currencies[currency];
    if (currencyDisplay === "code" || symbols === undefined) return currency;
    return symbols[currencyDisplay === "narrowSymbol" ? 1 : 0];
  }
}

// A symbol that ends in a letter has a space between it and the digits.
const spaced = (pattern, symbol) => (/[A-Za-z]$/.test(symbol) ? pattern.replace(/\{¤\}\{n\}/, "{¤}\u00a0{n}") : pattern);

function fill(pattern, number, numbers, symbol) {
  const parts = [];
  const literal = (value) => {
    if (parts.at(-1)?.type === "literal") parts.at(-1).value += value;
    else parts.push({ type: "literal", value });
  };
  for (const piece of pieces(pattern)) {
    if (piece.literal !== undefined) literal(piece.literal);
    else if (piece.field === "n") parts.push(...number);
    else if (piece.field === "-") parts.push({ type: "minusSign", value: numbers.minus });
    else if (piece.field === "+") parts.push({ type: "plusSign", value: numbers.plus });
    else if (piece.field === "%") parts.push({ type: "percentSign", value: numbers.percent });
    else if (piece.field === "¤") parts.push({ type: "currency", value: symbol });
    else if (piece.field[0] === "c") parts.push({ type: "compact", value: piece.field.slice(1) });
    else if (piece.field[0] === "u") parts.push({ type: "unit", value: piece.field.slice(1) });
  }
  return parts;
}

function signOf(display, negative, zero, nan) {
  switch (display) {
    case "never": return "";
    case "always": return negative ? "-" : "+";
    case "exceptZero": return zero || nan ? "" : negative ? "-" : "+";
    case "negative": return negative && !zero ? "-" : "";
    default: return negative ? "-" : "";
  }
}

function patternName({ style, currencySign, currencyDisplay }) {
  if (style === "percent") return "percent";
  if (style !== "currency" || currencyDisplay === "name") return "decimal";
  if (currencySign === "accounting") return "accounting";
  return currencyDisplay === "code" ? "code" : "symbol";
}

const exponentParts = (exponent) => [
  { type: "exponentSeparator", value: "E" },
  ...(exponent < 0 ? [{ type: "exponentMinusSign", value: "-" }] : []),
  { type: "exponentInteger", value: String(Math.abs(exponent)) },
];

export const joined = (parts) => parts.reduce((text, part) => text + part.value, "");

function numeric(value) {
  if (typeof value === "bigint" || typeof value === "number") return value;
  if (typeof value === "object" && value !== null) value = value[Symbol.toPrimitive]?.("number") ?? value.valueOf();
  if (typeof value === "bigint") return value;
  if (typeof value === "string" && /^\s*-?\d{16,}\s*$/.test(value)) return BigInt(value.trim());
  return Number(value);
}

function readOptions(given, data) {
  const o = { style: choice(given, "style", ["decimal", "percent", "currency", "unit"], "decimal") };
  if (given.currency !== undefined && !/^[A-Za-z]{3}$/.test(given.currency)) throw new RangeError(`Invalid currency code : ${given.currency}`);
  o.currencyDisplay = choice(given, "currencyDisplay", ["code", "symbol", "narrowSymbol", "name"], "symbol");
  o.currencySign = choice(given, "currencySign", ["standard", "accounting"], "standard");
  if (o.style === "currency") {
    if (given.currency === undefined) throw new TypeError("Currency code is required with currency style.");
    o.currency = String(given.currency).toUpperCase();
  }
  o.unitDisplay = choice(given, "unitDisplay", ["short", "narrow", "long"], "short");
  if (o.style === "unit") {
    if (given.unit === undefined) throw new TypeError("Unit is required with unit style.");
    o.unit = String(given.unit);
    if (section("en-US", "units")[o.unit] === undefined) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${o.unit}'`);
  }
  o.notation = choice(given, "notation", ["standard", "scientific", "engineering", "compact"], "standard");
  const places = o.style === "currency" ? data.currencies[o.currency]?.[2] ?? 2 : 0;
  const money = o.style === "currency" && o.notation === "standard";
  Object.assign(o, digitOptions(given, money ? places : 0, money ? places : o.style === "percent" ? 0 : 3, o.notation));
  o.compactDisplay = choice(given, "compactDisplay", ["short", "long"], "short");
  o.useGrouping = grouping(given, o.notation);
  o.signDisplay = choice(given, "signDisplay", ["auto", "never", "always", "exceptZero", "negative"], "auto");
  o.trailingZeroDisplay = choice(given, "trailingZeroDisplay", ["auto", "stripIfInteger"], "auto");
  return o;
}

function grouping({ useGrouping }, notation) {
  const fallback = notation === "compact" ? "min2" : "auto";
  if (useGrouping === undefined || useGrouping === "true" || useGrouping === "false") return fallback;
  if (useGrouping === true) return "always";
  if (useGrouping === false) return false;
  return choice({ useGrouping }, "useGrouping", ["min2", "auto", "always"], fallback);
}
