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

// Local time is UTC, always. What is shown "by locale" is shown as in en-US; there is no Intl.

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
  hidden(Date.prototype, name, { [name]() { return timeOf(this) === timeOf(this) ? apply(show, this, []) : "Invalid Date"; } }[name]);
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

hidden(Number.prototype, "toLocaleString", function toLocaleString() { return groupedNumber(this); });
