// Intl, and what toLocaleString and its like do. Loaded when it is first looked at.
import { canonicalList, DEFAULT, Locale, section } from "./locale.mjs";
import { NumberFormat } from "./number.mjs";
import { DateTimeFormat } from "./datetime.mjs";
import { Collator, DisplayNames, ListFormat, PluralRules, RelativeTimeFormat, Segmenter } from "./text.mjs";

// callable makes a class one that works without new, as the standard has some.
function callable(Class) {
  return new Proxy(Class, { apply: (target, self, args) => new target(...args) });
}

class PublicDateTimeFormat extends DateTimeFormat {
  constructor(locales, options) { super(locales, options); }
}
Object.defineProperty(PublicDateTimeFormat, "name", { value: "DateTimeFormat", configurable: true });

function getCanonicalLocales(locales) { return canonicalList(locales); }

const SUPPORTED = {
  calendar: () => ["gregory"], collation: () => ["default"], numberingSystem: () => ["latn"],
  currency: () => Object.keys(section(DEFAULT, "names").currency), timeZone: () => Object.values(section(DEFAULT, "zones")).flat(), unit: () => Object.keys(section(DEFAULT, "units")),
};

function supportedValuesOf(name) {
  if (!Object.hasOwn(SUPPORTED, name)) throw new RangeError(`Invalid key : ${name}`);
  return SUPPORTED[name]().sort();
}

const Intl = Object.create(Object.prototype, { [Symbol.toStringTag]: { value: "Intl", configurable: true } });
const members = {
  Collator: callable(Collator), DateTimeFormat: callable(PublicDateTimeFormat), DisplayNames, ListFormat, Locale, NumberFormat: callable(NumberFormat),
  PluralRules, RelativeTimeFormat, Segmenter, getCanonicalLocales, supportedValuesOf,
};
for (const [name, value] of Object.entries(members)) Object.defineProperty(Intl, name, { value, writable: true, configurable: true });

// A formatter without options is made once a locale: sort((a, b) => a.localeCompare(b)) asks for the same again and again.
function remembered(make) {
  const all = new Map();
  return (locales, options) => {
    if (options !== undefined || (locales !== undefined && typeof locales !== "string")) return make(locales, options);
    if (!all.has(locales)) all.set(locales, make(locales));
    return all.get(locales);
  };
}

const collator = remembered((locales, options) => new Collator(locales, options));
const numberFormat = remembered((locales, options) => new NumberFormat(locales, options));
const dateFormats = Object.fromEntries([["any", "all"], ["date", "date"], ["time", "time"]].map(([required, defaults]) =>
  [required, remembered((locales, options) => new DateTimeFormat(locales, options, required, defaults))]));

export default {
  Intl,
  compare: (a, b, locales, options) => collator(locales, options).compare(a, b),
  formatNumber: (n, locales, options) => numberFormat(locales, options).format(n),
  formatDate: (time, required, locales, options) => dateFormats[required](locales, options).format(time),
};
