// Where the engine's own objects differ from V8's in what programs look at: an error's stack, names
// that only this engine has, and how dates and numbers are shown.

// Frames of these files say nothing to a tenant.
const OWN_FRAME = /^ *at .*\(prelude:\d+:\d+\)\n?/gm;

const replacePattern = uncurry(String.prototype.replace);
const startsWith = uncurry(String.prototype.startsWith);
const trimEnd = uncurry(String.prototype.trimEnd);

// framesOf is the stack as the engine keeps it: frames only, no title.
const framesOf = (stack) => trimEnd(replacePattern(stack, OWN_FRAME, ""));

// titledStack puts name and message above the frames, as V8 has it. A stack that is no string, or
// has its title already, comes from the tenant's Error.prepareStackTrace. No code of theirs runs.
function titledStack(error, stack) {
  if (typeof stack !== "string") return stack;
  const title = describeError(error);
  if (startsWith(stack, title)) return stack;
  const frames = framesOf(stack);
  return frames === "" ? title : `${title}\n${frames}`;
}

// An error's stack can be replaced by any value, as if it were a property of its own.
defineProperty(Error.prototype, "stack", {
  get() {
    const stack = isError(this) || isException(this) ? engineStack(this) : undefined;
    return stack === undefined ? undefined : titledStack(this, stack);
  },
  set(value) {
    if (typeof this === "object" && this !== null) hidden(this, "stack", value);
  },
});

const captureFrames = Error.captureStackTrace;
hidden(Error, "captureStackTrace", function captureStackTrace(object, above = undefined) {
  captureFrames(object, above ?? captureStackTrace);
  const stack = getOwnPropertyDescriptor(object, "stack")?.value;
  if (typeof stack === "string") hidden(object, "stack", titledStack(object, stack));
});

delete globalThis.InternalError;
for (const name of ["fileName", "lineNumber", "columnNumber"]) delete Function.prototype[name];

// Local time is UTC, always. What is shown by locale without saying which is shown as in en-US, here; all else
// is Intl's, a module that is loaded when it is first wanted.

const intl = () => requireNode("node-internal:intl");
hooks.loadIntl = () => { intl(); };
const isPlain = (locales, options) => (locales === undefined || locales === "en-US") && options === undefined;

const isoDate = uncurry(Date.prototype.toISOString);
const ZONE = " (Coordinated Universal Time)";

for (const name of ["toString", "toTimeString"]) {
  const native = uncurry(Date.prototype[name]);
  hidden(Date.prototype, name, { [name]() { const text = native(this); return text === "Invalid Date" ? text : text + ZONE; } }[name]);
}

// usDate and usTime read "2024-02-29T13:05:09.042Z" and its like, of years before 0 and past 9999 too.
function usDate(iso) {
  const [year, month, day] = iso.slice(0, iso.indexOf("T")).split(/(?<=\d)-/);
  return `${Number(month)}/${Number(day)}/${Number(year)}`;
}

function usTime(iso) {
  const at = iso.indexOf("T") + 1, hour = Number(iso.slice(at, at + 2));
  return `${hour % 12 || 12}${iso.slice(at + 2, at + 8)} ${hour < 12 ? "AM" : "PM"}`;
}

const shownDates = {
  toLocaleDateString() { return usDate(isoDate(this)); },
  toLocaleTimeString() { return usTime(isoDate(this)); },
  toLocaleString() { const iso = isoDate(this); return `${usDate(iso)}, ${usTime(iso)}`; },
};
for (const name of ownKeys(shownDates)) {
  const show = shownDates[name];
  const required = { toLocaleDateString: "date", toLocaleTimeString: "time", toLocaleString: "any" }[name];
  const shown = {
    [name](locales = undefined, options = undefined) {
      const time = timeOf(this);
      if (time !== time) return "Invalid Date";
      return isPlain(locales, options) ? apply(show, this, []) : intl().formatDate(time, required, locales, options);
    },
  }[name];
  hidden(Date.prototype, name, shown);
}

const fixed = uncurry(Number.prototype.toFixed);
const TOO_LARGE = 1e21; // from here on toFixed gives an exponent

function groupedNumber(value) {
  const n = numberOf(value), sign = n < 0 || Object.is(n, -0) ? "-" : "";
  if (n !== n) return "NaN";
  const size = n < 0 ? -n : n;
  if (size === Infinity) return `${sign}∞`;
  const [whole, part = ""] = (size < TOO_LARGE ? fixed(size, 3) : `${BigInt(size)}`).split(".");
  const digits = replacePattern(part, /0+$/, "");
  return `${sign}${replacePattern(whole, /\B(?=(?:\d{3})+$)/g, ",")}${digits === "" ? "" : `.${digits}`}`;
}

hidden(Number.prototype, "toLocaleString", function toLocaleString(locales = undefined, options = undefined) {
  return isPlain(locales, options) ? groupedNumber(this) : intl().formatNumber(numberOf(this), locales, options);
});

hidden(Array.prototype, "toLocaleString", function toLocaleString(...args) {
  let text = "";
  for (let i = 0; i < this.length; i++) {
    const value = this[i];
    text += (i === 0 ? "" : ",") + (value === undefined || value === null ? "" : value.toLocaleString(...args));
  }
  return text;
});

const bigOf = uncurry(BigInt.prototype.valueOf);
hidden(BigInt.prototype, "toLocaleString", function toLocaleString(locales = undefined, options = undefined) { return intl().formatNumber(bigOf(this), locales, options); });

hidden(String.prototype, "localeCompare", function localeCompare(that, locales = undefined, options = undefined) {
  if (this === undefined || this === null) throw new TypeError("String.prototype.localeCompare called on null or undefined");
  return intl().compare(`${this}`, `${that}`, locales, options);
});

lazyGlobal("Intl", () => intl().Intl);
