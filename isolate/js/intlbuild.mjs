// Makes engine/intl/LOCALE.SECTION.json: how a locale shows dates, numbers and lists, by asking the Intl of
// the Node that runs this (CLDR's data, as V8 has it). What is asked is few samples; patterns are made of
// their parts: {month: "long", day: "numeric"} of January 2nd is "{Ml} {d}".
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCALES = ["en-US", "en-GB", "en-CA", "en-AU", "en-IN", "de-DE", "fr-FR", "es-ES", "es-MX", "it-IT", "pt-BR", "pt-PT", "nl-NL", "sv-SE",
  "da-DK", "nb-NO", "fi-FI", "pl-PL", "cs-CZ", "tr-TR", "ru-RU", "uk-UA", "ja-JP", "ko-KR", "zh-CN", "zh-TW", "id-ID"];

const SAMPLE = new Date(Date.UTC(2024, 0, 2, 3, 4, 5)); // a Tuesday; every number has one digit
const STYLES = ["full", "long", "medium", "short"];
const WIDTHS = ["long", "short", "narrow"];
const range = (n) => Array.from({ length: n }, (_, i) => i);

export function buildIntl(here) {
  const to = join(here, "engine/intl");
  const stamp = process.versions.cldr + createHash("sha256").update(readFileSync(import.meta.filename)).digest("hex");
  if (existsSync(join(to, "stamp")) && readFileSync(join(to, "stamp"), "utf8") === stamp) return; // half a minute
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  let size = 0;
  for (const locale of LOCALES) {
    for (const [section, make] of Object.entries({ core, zones, units, relative, names })) {
      const text = JSON.stringify(make(locale));
      size += text.length;
      writeFileSync(join(to, `${locale}.${section}.json`), text);
    }
  }
  writeFileSync(join(to, "stamp"), stamp);
  console.log(`engine/intl: ${LOCALES.length} locales, ${size} bytes, CLDR ${process.versions.cldr}`);
}

function core(locale) {
  const names = nameLists(locale);
  return { ...names, ...datePatterns(locale, names), numbers: numberPatterns(locale), lists: listPatterns(locale), currencies: currencySymbols(locale) };
}

// ---- dates

const dateFormat = (locale, options) => new Intl.DateTimeFormat(locale, { timeZone: "UTC", calendar: "gregory", numberingSystem: "latn", ...options });
const partOf = (format, date, type) => format.formatToParts(date).find((part) => part.type === type)?.value ?? "";

function nameLists(locale) {
  const months = (options) => range(12).map((month) => partOf(dateFormat(locale, options), Date.UTC(2024, month, 15), "month"));
  const days = (options) => range(7).map((day) => partOf(dateFormat(locale, options), Date.UTC(2024, 8, 1 + day), "weekday"));
  const lists = { months: {}, alone: {}, days: {}, daysAlone: {} };
  for (const width of WIDTHS) {
    lists.months[width] = months({ month: width, day: "numeric" });
    lists.alone[width] = months({ month: width });
    lists.days[width] = days({ weekday: width, day: "numeric", month: "long" });
    lists.daysAlone[width] = days({ weekday: width });
  }
  const period = (hour) => partOf(dateFormat(locale, { hour: "numeric", hour12: true }), Date.UTC(2024, 0, 2, hour), "dayPeriod");
  lists.periods = [period(3), period(15)];
  lists.eras = Object.fromEntries(WIDTHS.map((era) => [era, [-1e15, 0].map((at) => partOf(dateFormat(locale, { era, year: "numeric" }), at, "era"))]));
  return lists;
}

function named(value, inDates, alone, index, letter, aloneLetter) {
  for (const [list, initial] of [[inDates, letter], [alone, aloneLetter]]) {
    const width = WIDTHS.find((w) => list[w][index] === value);
    if (width) return `{${initial}${width[0]}}`;
  }
  return `{${letter}${value.length > 5 ? "l" : "s"}}`; // a case of its own, as in Finnish
}

// token says how a part of the sample is shown.
function token({ type, value }, names) {
  const initials = { year: "y", month: "M", day: "d", hour: "h", minute: "m", second: "s" };
  if (type === "literal") return value.replaceAll("\u202f", " "); // as V8 has it in Workers, for parsers' sake
  if (type === "dayPeriod") return "{a}";
  if (type === "era") return "{G}";
  if (type === "weekday") return named(value, names.days, names.daysAlone, 2, "E", "F");
  if (type === "month" && !/^\d+$/.test(value)) return named(value, names.months, names.alone, 0, "M", "L");
  const initial = initials[type];
  if (initial === undefined) return value;
  return initial === "y" ? `{y${value.length === 2 ? "2" : ""}}` : `{${initial}${value.length === 2 ? "2" : ""}}`;
}

const pattern = (locale, options, names) => dateFormat(locale, options).formatToParts(SAMPLE).map((part) => token(part, names)).join("");

const FIELDS = {
  weekday: ["", "long", "short", "narrow"], era: ["", "short"], year: ["", "numeric", "2-digit"],
  month: ["", "numeric", "2-digit", "long", "short", "narrow"], day: ["", "numeric", "2-digit"],
};
const TIMES = { hour: ["", "numeric", "2-digit"], minute: ["", "numeric", "2-digit"], second: ["", "numeric", "2-digit"] };

// combinations are all choices of fields, as keys: the first letter of each width, "N" for narrow, "-" for none.
function combinations(fields) {
  let all = [["", {}]];
  for (const [name, widths] of Object.entries(fields)) {
    all = all.flatMap(([key, options]) => widths.map((w) => [key + (w === "" ? "-" : w === "narrow" ? "N" : w[0]), w === "" ? options : { ...options, [name]: w }]));
  }
  return all.filter(([, options]) => Object.keys(options).length > 0);
}

function datePatterns(locale, names) {
  const dates = {}, times = { h12: {}, h23: {} }, styles = { date: {}, time: {} }, glue = { style: {}, fields: {} };
  for (const [key, options] of combinations(FIELDS)) {
    dates[key] = pattern(locale, options, names);
  }
  for (const [key, options] of combinations(TIMES)) {
    for (const hourCycle of ["h12", "h23"]) times[hourCycle][key] = pattern(locale, { ...options, hourCycle }, names);
  }
  for (const style of STYLES) {
    const date = (styles.date[style] = pattern(locale, { dateStyle: style }, names));
    styles.time[style] = Object.fromEntries(["h12", "h23"].map((hourCycle) => [hourCycle, timeStyle(locale, style, hourCycle, names)]));
    const short = timeStyle(locale, "short", "h23", names);
    glue.style[style] = between(pattern(locale, { dateStyle: style, timeStyle: "short", hourCycle: "h23" }, names), date, short);
  }
  const time = { hour: "numeric", minute: "numeric", hourCycle: "h23" };
  for (const month of ["numeric", "short", "long"]) {
    for (const weekday of [undefined, "long"]) {
      const date = { year: "numeric", month, day: "numeric", weekday };
      glue.fields[month + (weekday ? "E" : "")] = between(pattern(locale, { ...date, ...time }, names), pattern(locale, date, names), pattern(locale, time, names));
    }
  }
  return { dates, times, styles, glue, hourCycle: dateFormat(locale, { hour: "numeric" }).resolvedOptions().hourCycle };
}

const timeStyle = (locale, style, hourCycle, names) =>
  dateFormat(locale, { timeStyle: style, hourCycle }).formatToParts(SAMPLE).map((part) => (part.type === "timeZoneName" ? "{z}" : token(part, names))).join("");

// between is how the two are put together.
function between(both, date, time) {
  const glue = both.replace(date, "{1}").replace(time, "{0}");
  return glue.includes("{1}") && glue.includes("{0}") ? glue : "{1}, {0}";
}

// ---- zones: "short standard|short summer|long standard|long summer" of each, by what is the same

// Names that V8 takes but does not list.
const OTHER_NAMES = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Yangon", "Asia/Ho_Chi_Minh", "Asia/Calcutta", "Europe/Kyiv", "Europe/Kiev", "America/Argentina/Buenos_Aires",
  "America/Nuuk", "America/Indiana/Indianapolis", "Atlantic/Faroe", "Pacific/Kanton", "Pacific/Pohnpei", "Pacific/Chuuk", "Africa/Asmara",
  "US/Eastern", "US/Central", "US/Mountain", "US/Pacific", "US/Alaska", "US/Hawaii", "US/Arizona", "Canada/Eastern", "Canada/Pacific", "Japan", "Singapore", "Hongkong", "Israel", "Turkey"];

function zones(locale) {
  const groups = {};
  for (const timeZone of new Set([...Intl.supportedValuesOf("timeZone"), ...OTHER_NAMES])) {
    const name = (timeZoneName, date) => partOf(dateFormat(locale, { timeZone, timeZoneName }), date, "timeZoneName");
    const dates = winterAndSummer(timeZone);
    const key = ["short", "long"].flatMap((width) => dates.map((date) => name(width, date))).join("|");
    (groups[key] ??= []).push(timeZone);
  }
  return groups;
}

const seasons = new Map();

// winterAndSummer are two dates, the one with the lesser offset first.
function winterAndSummer(timeZone) {
  if (!seasons.has(timeZone)) seasons.set(timeZone, findSeasons(timeZone));
  return seasons.get(timeZone);
}

function findSeasons(timeZone) {
  const offset = (date) => new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).formatToParts(date).find((p) => p.type === "timeZoneName").value;
  const minutes = (text) => { const m = /([+-])(\d+):(\d+)/.exec(text); return m ? (m[1] === "-" ? -1 : 1) * (m[2] * 60 + +m[3]) : 0; };
  const january = Date.UTC(2024, 0, 10), july = Date.UTC(2024, 6, 10);
  return minutes(offset(january)) <= minutes(offset(july)) ? [january, july] : [july, january];
}

// ---- numbers

const numberParts = (locale, options, n) => new Intl.NumberFormat(locale, { numberingSystem: "latn", ...options }).formatToParts(n);

// shape is a number's pattern with {0} where its digits are.
function shape(parts) {
  const NUMBER = new Set(["integer", "group", "decimal", "fraction", "infinity"]);
  const SIGNS = { minusSign: "{-}", plusSign: "{+}", percentSign: "{%}", currency: "{¤}", compact: "{c}", unit: "{u}" };
  return parts.map(({ type, value }) => (NUMBER.has(type) ? "{0}" : SIGNS[type] ?? value)).join("").replace(/(\{0\})+/g, "{0}");
}

function numberPatterns(locale) {
  const valueOf = (type, options, n) => numberParts(locale, options, n).find((part) => part.type === type)?.value;
  const grouped = (n) => numberParts(locale, {}, n).filter((p) => p.type === "group" || p.type === "integer");
  const currency = { style: "currency", currency: "USD" };
  return {
    decimal: valueOf("decimal", {}, 1.5), group: valueOf("group", {}, 1234567), minus: valueOf("minusSign", {}, -1), plus: valueOf("plusSign", { signDisplay: "always" }, 1),
    nan: valueOf("nan", {}, NaN), percent: valueOf("percentSign", { style: "percent" }, 1), minGroup: grouped(1234).length === 1 ? 2 : 1, indian: grouped(12345678).length === 7,
    patterns: {
      decimal: [1, -1].map((n) => shape(numberParts(locale, {}, n))),
      percent: [1, -1].map((n) => shape(numberParts(locale, { style: "percent" }, n))),
      symbol: [1, -1].map((n) => shape(numberParts(locale, currency, n))),
      code: [1, -1].map((n) => shape(numberParts(locale, { ...currency, currencyDisplay: "code" }, n))),
      accounting: [1, -1].map((n) => shape(numberParts(locale, { ...currency, currencySign: "accounting" }, n))),
    },
    compact: { short: compact(locale, "short"), long: compact(locale, "long") },
  };
}

// compact says for each power of ten how many of its digits are shown, and what around them by plural form.
function compact(locale, compactDisplay) {
  const plural = new Intl.PluralRules(locale);
  return range(15).map((power) => {
    const forms = {};
    let digits = 0;
    for (const k of [1, 2, 5]) {
      const parts = numberParts(locale, { notation: "compact", compactDisplay, maximumFractionDigits: 0, useGrouping: false }, k * 10 ** power);
      const shown = parts.find((part) => part.type === "integer")?.value ?? "1"; // French "mille"
      digits = shown.length;
      forms[plural.select(+shown)] ??= parts.map(({ type, value }) => (type === "integer" ? "{0}" : type === "compact" ? `{c${value}}` : value)).join("");
    }
    return [digits, forms];
  });
}

function currencySymbols(locale) {
  const symbols = {};
  for (const currency of Intl.supportedValuesOf("currency")) {
    const of = (currencyDisplay) => numberParts(locale, { style: "currency", currency, currencyDisplay }, 1).find((part) => part.type === "currency").value;
    const digits = new Intl.NumberFormat(locale, { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
    const entry = [of("symbol"), of("narrowSymbol"), digits];
    if (entry[0] !== currency || entry[1] !== currency || digits !== 2) symbols[currency] = entry;
  }
  return symbols;
}

// byPlural is what make says of numbers of every plural form.
function byPlural(locale, make) {
  const plural = new Intl.PluralRules(locale), forms = {};
  for (const n of [1, 2, 5, 0, 11, 21, 1.5, 1000000]) forms[plural.select(n)] ??= make(n);
  return forms;
}

const UNITS = ["bit", "byte", "kilobit", "kilobyte", "megabit", "megabyte", "gigabit", "gigabyte", "terabyte", "petabyte", "celsius", "fahrenheit", "percent", "degree",
  "millisecond", "microsecond", "nanosecond", "second", "minute", "hour", "day", "week", "month", "year", "millimeter", "centimeter", "meter", "kilometer", "inch", "foot", "yard", "mile",
  "gram", "kilogram", "ounce", "pound", "stone", "milliliter", "liter", "gallon", "fluid-ounce", "acre", "hectare", "kilometer-per-hour", "mile-per-hour", "meter-per-second", "liter-per-kilometer", "mile-per-gallon"];

function units(locale) {
  return Object.fromEntries(UNITS.map((unit) => [unit, Object.fromEntries(WIDTHS.map((unitDisplay) =>
    [unitDisplay, byPlural(locale, (n) => numberParts(locale, { style: "unit", unit, unitDisplay, useGrouping: false }, n).map(({ type, value }) =>
      (type === "unit" ? `{u${value}}` : ["integer", "decimal", "fraction"].includes(type) ? "{0}" : value)).join("").replace(/(\{0\})+/, "{0}"))]))]));
}

// ---- relative times and lists

const RELATIVE = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];

function relative(locale) {
  return Object.fromEntries(RELATIVE.map((unit) => [unit, Object.fromEntries(WIDTHS.map((style) => {
    const always = new Intl.RelativeTimeFormat(locale, { style }), auto = new Intl.RelativeTimeFormat(locale, { style, numeric: "auto" });
    const form = (sign) => byPlural(locale, (n) => always.formatToParts(sign * n, unit).map((p) => (p.type === "literal" ? p.value : "{0}")).join("").replace(/(\{0\})+/, "{0}"));
    const words = {};
    for (const n of [-2, -1, 0, 1, 2]) {
      const parts = auto.formatToParts(n, unit);
      if (parts.length === 1) words[n] = parts[0].value;
    }
    return [style, { past: form(-1), future: form(1), words }];
  }))]));
}

function listPatterns(locale) {
  const all = {};
  for (const type of ["conjunction", "disjunction", "unit"]) {
    for (const style of WIDTHS) {
      const literals = (n) => new Intl.ListFormat(locale, { type, style }).formatToParts(range(n).map(String)).filter((p) => p.type === "literal").map((p) => p.value);
      const [first, middle, last] = literals(4);
      all[type[0] + style[0]] = [literals(2)[0], first, middle, last];
    }
  }
  return all;
}

// ---- names

function names(locale) {
  const of = (type, codes) => {
    const display = new Intl.DisplayNames(locale, { type, fallback: "none" });
    return Object.fromEntries(codes.map((code) => [code, display.of(code)]).filter(([, name]) => name !== undefined));
  };
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"], pairs = letters.flatMap((a) => letters.map((b) => a + b));
  const currencies = Intl.supportedValuesOf("currency");
  const spoken = Object.fromEntries(currencies.map((currency) => [currency, byPlural(locale, (n) => numberParts(locale, { style: "currency", currency, currencyDisplay: "name" }, n).find((p) => p.type === "currency").value)]));
  return { region: of("region", pairs), language: of("language", [...pairs.map((p) => p.toLowerCase()), "zh-Hans", "zh-Hant", "en-US", "en-GB", "pt-BR", "es-MX", "fr-CA"]), currency: of("currency", currencies), spoken };
}
