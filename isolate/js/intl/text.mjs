import { ask, canonical, choice, COMPARE, optionsOf, PLURAL, resolve, section, SEGMENT, supportedLocalesOf } from "./locale.mjs";
import { digitsOf } from "./decimal.mjs";
import { digitOptions, NumberFormat, rounded, shownDigits } from "./number.mjs";

class Formatter {
  static supportedLocalesOf(tags) { return supportedLocalesOf(tags); }
  get [Symbol.toStringTag]() { return `Intl.${this.constructor.name}`; }
}

const DIGRAPHS = /^(cs|da|nb)/; // "ch" is a letter, or "aa"
const SENSITIVITY = ["base", "accent", "case", "variant"];

export class Collator extends Formatter {
  #locale; #o; #bound; #asked; #simple;

  constructor(locales, options) {
    super();
    const given = optionsOf(options);
    this.#locale = resolve(locales);
    this.#o = {
      usage: choice(given, "usage", ["sort", "search"], "sort"),
      sensitivity: choice(given, "sensitivity", SENSITIVITY, "variant"),
      ignorePunctuation: Boolean(given.ignorePunctuation ?? false),
      collation: "default",
      numeric: Boolean(given.numeric ?? this.#locale.extension("kn") === "true"),
      caseFirst: choice(given, "caseFirst", ["upper", "lower", "false"], "false"),
    };
    const { sensitivity, numeric, ignorePunctuation, caseFirst } = this.#o;
    this.#asked = [sensitivity, numeric, ignorePunctuation, caseFirst].join();
    this.#simple = numeric || ignorePunctuation || DIGRAPHS.test(this.#locale.data) ? /^$/ : /^[A-Za-z0-9 ]*$/;
  }

  get compare() { return (this.#bound ??= (a, b) => this.#compare(`${a}`, `${b}`)); }
  resolvedOptions() { return { locale: this.#locale.tag, ...this.#o }; }

  // Letters without accents are in the order of their codes, but for their case; the host knows the rest.
  #compare(a, b) {
    if (a === b) return 0;
    if (this.#simple.test(a + b)) {
      const low = a.toLowerCase(), lower = b.toLowerCase();
      if (low !== lower) return low < lower ? -1 : 1;
    }
    return Number(ask(COMPARE, this.#locale.data, this.#asked, a, b));
  }
}

export class PluralRules extends Formatter {
  #locale; #type; #digits;

  constructor(locales, options) {
    super();
    const given = optionsOf(options);
    this.#locale = resolve(locales);
    this.#type = choice(given, "type", ["cardinal", "ordinal"], "cardinal");
    this.#digits = digitOptions(given, 0, 3, "standard");
  }

  select(value) {
    const n = Number(value);
    if (!Number.isFinite(n)) return "other";
    const [whole, fraction] = shownDigits(rounded(digitsOf(n), this.#digits), this.#digits);
    return ask(PLURAL, this.#locale.tag, this.#type, `${whole}.${fraction}`);
  }

  resolvedOptions() {
    const pluralCategories = ["few", "many", "one", "two", "zero", "other"].filter((category) => this.#samples().has(category));
    return { locale: this.#locale.tag, type: this.#type, ...this.#digits, pluralCategories };
  }

  #samples() { return new Set([0, 1, 2, 3, 4, 5, 6, 8, 11, 21, 22, 23, 1.5, 80, 1000000].map((n) => this.select(n))); }
}

const UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];

export class RelativeTimeFormat extends Formatter {
  #locale; #o; #numbers;

  constructor(locales, options) {
    super();
    const given = optionsOf(options);
    this.#locale = resolve(locales);
    this.#o = { style: choice(given, "style", ["long", "short", "narrow"], "long"), numeric: choice(given, "numeric", ["always", "auto"], "always"), numberingSystem: "latn" };
    this.#numbers = new NumberFormat(this.#locale.tag);
  }

  format(value, unit) { return this.formatToParts(value, unit).map((part) => part.value).join(""); }

  formatToParts(value, unit) {
    const n = Number(value), name = `${unit}`.replace(/s$/, "");
    if (!UNITS.includes(name)) throw new RangeError(`Invalid unit argument for format() '${unit}'`);
    if (!Number.isFinite(n)) throw new RangeError("Invalid time value");
    const entry = section(this.#locale.data, "relative")[name][this.#o.style];
    const word = this.#o.numeric === "auto" ? entry.words[Object.is(n, -0) ? "0" : n] : undefined;
    if (word !== undefined) return [{ type: "literal", value: word }];
    const forms = n < 0 || Object.is(n, -0) ? entry.past : entry.future, size = Math.abs(n);
    const [whole, fraction] = shownDigits(rounded(digitsOf(size), { minimumIntegerDigits: 1, maximumFractionDigits: 3 }), { minimumIntegerDigits: 1 });
    const form = forms[ask(PLURAL, this.#locale.tag, "cardinal", `${whole}.${fraction}`)] ?? forms.other;
    const [before, after] = form.split("{0}");
    const parts = this.#numbers.formatToParts(size).map((part) => ({ ...part, unit: name }));
    const literal = (text) => (text ? [{ type: "literal", value: text }] : []);
    return [...literal(before), ...(after === undefined ? [] : parts), ...literal(after)];
  }

  resolvedOptions() { return { locale: this.#locale.tag, ...this.#o }; }
}

export class ListFormat extends Formatter {
  #locale; #o;

  constructor(locales, options) {
    super();
    const given = optionsOf(options);
    this.#locale = resolve(locales);
    this.#o = { type: choice(given, "type", ["conjunction", "disjunction", "unit"], "conjunction"), style: choice(given, "style", ["long", "short", "narrow"], "long") };
  }

  format(list) { return this.formatToParts(list).map((part) => part.value).join(""); }

  formatToParts(list) {
    const items = list === undefined ? [] : Array.from(list, (item) => {
      if (typeof item !== "string") throw new TypeError("Iterable yielded a non-String value");
      return item;
    });
    const [pair, first, middle, last] = section(this.#locale.data, "core").lists[this.#o.type[0] + this.#o.style[0]];
    return items.flatMap((value, i) => {
      const element = { type: "element", value };
      if (i === 0) return [element];
      return [{ type: "literal", value: items.length === 2 ? pair : i === items.length - 1 ? last : i === 1 ? first : middle }, element];
    });
  }

  resolvedOptions() { return { locale: this.#locale.tag, ...this.#o }; }
}

export class DisplayNames extends Formatter {
  #locale; #o;

  constructor(locales, options) {
    super();
    if (options === undefined) throw new TypeError("Cannot convert undefined or null to object");
    const given = optionsOf(options);
    this.#locale = resolve(locales);
    this.#o = {
      style: choice(given, "style", ["narrow", "short", "long"], "long"),
      type: choice(given, "type", ["language", "region", "script", "currency", "calendar", "dateTimeField"], undefined),
      fallback: choice(given, "fallback", ["code", "none"], "code"),
    };
    if (this.#o.type === undefined) throw new TypeError("Required option \"type\" must not be undefined");
  }

  of(code) {
    const { type, fallback } = this.#o;
    const text = type === "language" ? canonical(`${code}`) : `${code}`.toUpperCase();
    if (type === "region" && !/^([A-Z]{2}|\d{3})$/.test(text)) throw new RangeError(`Invalid argument to Intl.DisplayNames.prototype.of`);
    return section(this.#locale.data, "names")[type]?.[text] ?? (fallback === "code" ? text : undefined);
  }

  resolvedOptions() { return { locale: this.#locale.tag, ...this.#o }; }
}

export class Segmenter extends Formatter {
  #locale; #granularity;

  constructor(locales, options) {
    super();
    this.#locale = resolve(locales);
    this.#granularity = choice(optionsOf(options), "granularity", ["grapheme", "word", "sentence"], "grapheme");
  }

  segment(input) { return new Segments(`${input}`, this.#granularity); }
  resolvedOptions() { return { locale: this.#locale.tag, granularity: this.#granularity }; }
}

// Segments holds where the pieces of a text end, as the host tells: "3w 4" is a word of three, then what is none.
class Segments {
  #input; #ends; #words;

  constructor(input, granularity) {
    this.#input = input;
    const ends = input === "" ? [] : ask(SEGMENT, granularity, input.toWellFormed()).split(" ");
    this.#ends = ends.map((end) => parseInt(end, 10));
    this.#words = granularity === "word" ? ends.map((end) => end.endsWith("w")) : undefined;
  }

  containing(index = 0) {
    const at = Math.trunc(Number(index)) || 0;
    if (at < 0 || at >= this.#input.length) return undefined;
    return this.#at(this.#ends.findIndex((end) => at < end));
  }

  *[Symbol.iterator]() {
    for (let i = 0; i < this.#ends.length; i++) yield this.#at(i);
  }

  #at(i) {
    const index = i === 0 ? 0 : this.#ends[i - 1];
    const data = { segment: this.#input.slice(index, this.#ends[i]), index, input: this.#input };
    return this.#words === undefined ? data : { ...data, isWordLike: this.#words[i] };
  }
}
