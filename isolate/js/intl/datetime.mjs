import { choice, integer, optionsOf, resolve, section, supportedLocalesOf } from "./locale.mjs";
import { joined, pieces } from "./number.mjs";
import { offsetAt, zoneName, zoneNamed } from "./zone.mjs";

const NUMERIC = ["numeric", "2-digit"], WIDTHS = ["long", "short", "narrow"];
const DATE_FIELDS = { weekday: WIDTHS, era: WIDTHS, year: NUMERIC, month: [...NUMERIC, ...WIDTHS], day: NUMERIC };
const TIME_FIELDS = { hour: NUMERIC, minute: NUMERIC, second: NUMERIC };
const STYLES = ["full", "long", "medium", "short"];
const ZONE_NAMES = ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"];
const DEFAULTS = { date: ["year", "month", "day"], time: ["hour", "minute", "second"], any: ["year", "month", "day"], all: ["year", "month", "day", "hour", "minute", "second"] };

const key = (fields, o) => Object.keys(fields).map((name) => (o[name] === undefined ? "-" : o[name] === "narrow" ? "N" : o[name][0])).join("");

export class DateTimeFormat {
  #locale; #data; #o; #pattern; #bound;

  // required and defaults are Date.prototype.toLocaleString's and its like's: what of a date is shown when no option says so.
  constructor(locales, options, required = "any", defaults = "date") {
    if (new.target === undefined) return new DateTimeFormat(locales, options, required, defaults);
    const locale = resolve(locales), given = optionsOf(options);
    this.#locale = locale;
    this.#data = section(locale.data, "core");
    this.#o = readOptions(given, locale, this.#data, required, defaults);
    this.#pattern = patternOf(this.#o, this.#data);
  }

  static supportedLocalesOf(tags) { return supportedLocalesOf(tags); }
  get [Symbol.toStringTag]() { return "Intl.DateTimeFormat"; }

  get format() { return (this.#bound ??= (date) => joined(this.#parts(timeOf(date)))); }
  formatToParts(date) { return this.#parts(timeOf(date)); }
  formatRange(from, to) { return joined(this.formatRangeToParts(from, to)); }

  formatRangeToParts(from, to) {
    if (from === undefined || to === undefined) throw new TypeError("startDate or endDate cannot be undefined");
    const tag = (parts, source) => parts.map((part) => ({ ...part, source }));
    const a = this.#parts(timeOf(from)), b = this.#parts(timeOf(to));
    if (joined(a) === joined(b)) return tag(a, "shared");
    return [...tag(a, "startRange"), { type: "literal", value: "\u2009–\u2009", source: "shared" }, ...tag(b, "endRange")];
  }

  resolvedOptions() {
    const o = this.#o, shown = { locale: this.#locale.tag, calendar: "gregory", numberingSystem: "latn", timeZone: o.timeZone };
    if (/\{h2?\}/.test(this.#pattern)) Object.assign(shown, { hourCycle: o.hourCycle, hour12: o.hourCycle === "h12" || o.hourCycle === "h11" });
    if (o.dateStyle !== undefined || o.timeStyle !== undefined) {
      for (const name of ["dateStyle", "timeStyle"]) if (o[name] !== undefined) shown[name] = o[name];
      return shown;
    }
    const initials = { year: "y", month: "M", day: "d", hour: "h", minute: "m", second: "s" };
    for (const name of ["weekday", "era", "year", "month", "day", "hour", "minute", "second"]) {
      if (o[name] === undefined) continue;
      const numeric = NUMERIC.includes(o[name]) && initials[name] !== undefined;
      shown[name] = numeric ? (this.#pattern.includes(`{${initials[name]}2}`) ? "2-digit" : "numeric") : o[name];
    }
    for (const name of ["fractionalSecondDigits", "timeZoneName"]) if (o[name] !== undefined) shown[name] = o[name];
    return shown;
  }

  #parts(time) {
    const offset = offsetAt(this.#o.timeZone, time), local = new Date(time + offset[0] * 1000);
    const parts = [];
    for (const { literal, field } of pieces(this.#pattern)) {
      const part = literal === undefined ? this.#part(field, local, offset) : { type: "literal", value: literal };
      if (part.value === "") continue;
      if (part.type === "literal" && parts.at(-1)?.type === "literal") parts.at(-1).value += part.value;
      else parts.push(part);
    }
    return parts;
  }

  #part(field, local, offset) {
    const { months, alone, days, daysAlone, periods, eras } = this.#data, o = this.#o;
    const width = { l: "long", s: "short", n: "narrow" }[field[1]];
    const number = (type, n) => ({ type, value: field[1] === "2" ? String(n).padStart(2, "0") : String(n) });
    const year = local.getUTCFullYear(), hour = local.getUTCHours();
    switch (field[0]) {
      case "y": return { type: "year", value: field[1] === "2" ? String(Math.abs(year) % 100).padStart(2, "0") : String(o.era !== undefined && year <= 0 ? 1 - year : year) };
      case "M": return width ? { type: "month", value: months[width][local.getUTCMonth()] } : number("month", local.getUTCMonth() + 1);
      case "L": return { type: "month", value: alone[width][local.getUTCMonth()] };
      case "d": return number("day", local.getUTCDate());
      case "E": return { type: "weekday", value: days[width][local.getUTCDay()] };
      case "F": return { type: "weekday", value: daysAlone[width][local.getUTCDay()] };
      case "G": return { type: "era", value: eras[o.era][year > 0 ? 1 : 0] };
      case "h": return number("hour", cycled(hour, o.hourCycle));
      case "m": return number("minute", local.getUTCMinutes());
      case "s": return number("second", local.getUTCSeconds());
      case "S": return { type: "fractionalSecond", value: String(local.getUTCMilliseconds()).padStart(3, "0").slice(0, o.fractionalSecondDigits) };
      case "a": return { type: "dayPeriod", value: periods[hour < 12 ? 0 : 1] };
      case "z": return { type: "timeZoneName", value: zoneName(this.#locale.data, o.timeZone, offset, o.timeZoneName ?? (o.timeStyle === "full" ? "long" : "short")) };
    }
    return { type: "literal", value: `{${field}}` };
  }
}

function cycled(hour, cycle) {
  switch (cycle) {
    case "h12": return hour % 12 || 12;
    case "h11": return hour % 12;
    case "h24": return hour || 24;
    default: return hour;
  }
}

const MAX_TIME = 8.64e15;

function timeOf(date) {
  const time = date === undefined ? Date.now() : Number(date);
  if (!(Math.abs(time) <= MAX_TIME)) throw new RangeError("Invalid time value");
  return Math.trunc(time);
}

function readOptions(given, locale, data, required, defaults) {
  const o = {};
  const hour12 = given.hour12 === undefined ? undefined : Boolean(given.hour12);
  const cycle = choice(given, "hourCycle", ["h11", "h12", "h23", "h24"], locale.extension("hc"));
  o.hourCycle = hour12 === undefined ? cycle ?? data.hourCycle : hour12 ? "h12" : "h23";
  o.timeZone = given.timeZone === undefined ? "UTC" : zoneNamed(given.timeZone);
  for (const [name, values] of Object.entries({ ...DATE_FIELDS, ...TIME_FIELDS })) {
    const value = choice(given, name, values, undefined);
    if (value !== undefined) o[name] = value;
  }
  const digits = integer(given, "fractionalSecondDigits", 1, 3, undefined);
  if (digits !== undefined) o.fractionalSecondDigits = digits;
  const zone = choice(given, "timeZoneName", ZONE_NAMES, undefined);
  if (zone !== undefined) o.timeZoneName = zone;
  for (const style of ["dateStyle", "timeStyle"]) {
    const value = choice(given, style, STYLES, undefined);
    if (value !== undefined) o[style] = value;
  }
  checkStyles(o, required);
  if (o.dateStyle === undefined && o.timeStyle === undefined) addDefaults(o, required, defaults);
  return o;
}

function checkStyles(o, required) {
  if (o.dateStyle === undefined && o.timeStyle === undefined) return;
  const field = [...Object.keys(DATE_FIELDS), ...Object.keys(TIME_FIELDS), "fractionalSecondDigits", "timeZoneName"].find((name) => o[name] !== undefined);
  if (field !== undefined) throw new TypeError(`Can't set option ${field} when ${o.dateStyle === undefined ? "timeStyle" : "dateStyle"} is used`);
  if (required === "date" && o.timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
  if (required === "time" && o.dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
}

function addDefaults(o, required, defaults) {
  const wanted = [...(required !== "time" ? ["weekday", "year", "month", "day"] : []), ...(required !== "date" ? ["hour", "minute", "second", "fractionalSecondDigits"] : [])];
  if (wanted.some((name) => o[name] !== undefined)) return;
  for (const name of DEFAULTS[defaults]) o[name] = "numeric";
}

function patternOf(o, data) {
  const cycle = o.hourCycle === "h12" || o.hourCycle === "h11" ? "h12" : "h23";
  if (o.dateStyle !== undefined || o.timeStyle !== undefined) {
    const date = data.styles.date[o.dateStyle], time = data.styles.time[o.timeStyle]?.[cycle];
    return date === undefined ? time : time === undefined ? date : glued(data.glue.style[o.dateStyle], date, time);
  }
  const date = data.dates[dateKey(o)];
  let time = data.times[cycle][key(TIME_FIELDS, o)];
  if (o.fractionalSecondDigits !== undefined) time = time === undefined ? "{S}" : time.replace(/\{s2?\}/, (token) => `${token}${data.numbers.decimal}{S}`);
  if (o.timeZoneName !== undefined && time !== undefined) time += " {z}";
  if (date === undefined) return time ?? "{z}";
  if (time === undefined) return o.timeZoneName === undefined ? date : `${date}, {z}`;
  const month = { long: "long", short: "short" }[o.month] ?? "numeric";
  return glued(data.glue.fields[month + (o.weekday === undefined ? "" : "E")], date, time);
}

const glued = (glue, date, time) => glue.replace("{1}", () => date).replace("{0}", () => time);

const dateKey = (o) => key(DATE_FIELDS, { ...o, era: o.era === undefined ? undefined : "short" });
