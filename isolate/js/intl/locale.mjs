// Locales: which there is data for, and what a list of tags asks for.
import { serviceText } from "node-internal:runtime";

const INTL = 7; // ../../service/intl
export const DATA = 1, ZONE = 2, OFFSET = 3, COMPARE = 4, PLURAL = 5, SEGMENT = 6, LIST = 7, TAG = 8;
export const ask = (method, ...parts) => serviceText(INTL, method, 0, ...parts);

export const DEFAULT = "en-US";
let available; // "de-DE" …

const locales = () => (available ??= ask(LIST).split(" "));

// canonical is a tag as BCP 47 writes it; it throws for one that is none.
export function canonical(tag) {
  if (typeof tag !== "string" && (typeof tag !== "object" || tag === null)) throw new TypeError("Incorrect locale information provided");
  if (tag instanceof Locale) return tag.toString();
  return ask(TAG, String(tag));
}

export function canonicalList(tags) {
  if (tags === undefined) return [];
  if (typeof tags === "string" || tags instanceof Locale) return [canonical(tags)];
  if (tags === null) throw new TypeError("Cannot convert undefined or null to object");
  return [...new Set(Array.from(tags, canonical))];
}

const withoutExtensions = (tag) => tag.replace(/-[a-wyz]-.*$|-x-.*$/, "");
const language = (tag) => tag.split("-", 1)[0];
const SAME = { no: "nb" };
const SCRIPTS = { "zh-Hant": "zh-TW", "zh-HK": "zh-TW", "zh-MO": "zh-TW", "zh-Hans": "zh-CN", "zh-SG": "zh-CN", "pt": "pt-BR", "en": "en-US", "es": "es-ES" };

// match is the tag that is answered with and the locale whose data it is: "de" and "de-DE". null: there is no data.
function match(tag) {
  const base = withoutExtensions(tag), all = locales();
  if (all.includes(base)) return { tag: base, data: base };
  const near = Object.keys(SCRIPTS).find((prefix) => base === prefix || base.startsWith(`${prefix}-`));
  const own = SAME[language(base)] ?? language(base);
  if (near !== undefined && near.includes("-")) return { tag: base, data: SCRIPTS[near] };
  if (own === "es" && base !== "es") return { tag: base, data: "es-MX" };
  const data = SCRIPTS[own] ?? all.find((locale) => language(locale) === own);
  return data === undefined ? null : { tag: base, data };
}

const extension = (tag, key) => new RegExp(`-u-(?:.*-)?${key}-([a-z0-9]{3,8})`).exec(tag)?.[1];

const resolved = new Map();
const MAX_RESOLVED = 100;

// resolve picks the first of the tags that there is data for.
export function resolve(tags) {
  if (tags !== undefined && typeof tags !== "string") return resolveList(tags);
  let found = resolved.get(tags);
  if (found === undefined) {
    found = resolveList(tags);
    if (resolved.size < MAX_RESOLVED) resolved.set(tags, found);
  }
  return found;
}

function resolveList(tags) {
  for (const tag of canonicalList(tags)) {
    const found = match(tag);
    if (found !== null) return { ...found, extension: (key) => extension(tag, key) };
  }
  return { tag: DEFAULT, data: DEFAULT, extension: () => undefined };
}

export function supportedLocalesOf(tags) { return canonicalList(tags).filter((tag) => match(tag) !== null); }

const sections = new Map();

export function section(locale, name) {
  const key = `${locale}.${name}`;
  if (!sections.has(key)) sections.set(key, JSON.parse(ask(DATA, key)));
  return sections.get(key);
}

// choice reads an option that has a list of values.
export function choice(options, name, values, fallback) {
  const value = options[name];
  if (value === undefined) return fallback;
  const text = typeof value === "boolean" && values.includes(value) ? value : String(value);
  if (!values.includes(text)) throw new RangeError(`Value ${text} out of range for Intl options property ${name}`);
  return text;
}

export function integer(options, name, min, max, fallback) {
  const value = options[name];
  if (value === undefined) return fallback;
  const n = Number(value);
  if (!(n >= min && n <= max)) throw new RangeError(`${name} value is out of range.`);
  return Math.floor(n);
}

export function optionsOf(options) {
  if (options === undefined) return Object.create(null);
  if (options === null) throw new TypeError("Cannot convert undefined or null to object");
  return Object(options);
}

export class Locale {
  #tag;
  constructor(tag, options) {
    if (typeof tag !== "string" && !(tag instanceof Locale)) throw new TypeError("First argument to Intl.Locale constructor can't be empty or missing");
    const given = optionsOf(options);
    let text = canonical(tag);
    const parts = withoutExtensions(text).split("-");
    if (given.language !== undefined) parts[0] = String(given.language);
    if (given.script !== undefined) parts.splice(1, /^[A-Z][a-z]{3}$/.test(parts[1] ?? "") ? 1 : 0, String(given.script));
    if (given.region !== undefined) {
      const at = parts.findIndex((part, i) => i > 0 && /^([A-Z]{2}|\d{3})$/.test(part));
      parts.splice(at < 0 ? parts.length : at, at < 0 ? 0 : 1, String(given.region));
    }
    const keys = { calendar: "ca", collation: "co", hourCycle: "hc", numberingSystem: "nu" };
    text = parts.join("-") + text.slice(withoutExtensions(text).length);
    for (const [name, key] of Object.entries(keys)) if (given[name] !== undefined) text += `${text.includes("-u-") ? "" : "-u"}-${key}-${given[name]}`;
    this.#tag = ask(TAG, text);
  }
  get baseName() { return withoutExtensions(this.#tag); }
  get language() { return language(this.#tag); }
  get script() { return this.baseName.split("-").slice(1).find((part) => part.length === 4 && /^[A-Z]/.test(part)); }
  get region() { return this.baseName.split("-").slice(1).find((part) => /^([A-Z]{2}|\d{3})$/.test(part)); }
  get calendar() { return extension(this.#tag, "ca"); }
  get collation() { return extension(this.#tag, "co"); }
  get hourCycle() { return extension(this.#tag, "hc"); }
  get numberingSystem() { return extension(this.#tag, "nu"); }
  toString() { return this.#tag; }
}
