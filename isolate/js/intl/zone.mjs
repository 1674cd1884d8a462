import { ask, OFFSET, section, ZONE } from "./locale.mjs";

const canonicalZones = new Map();

// zoneNamed is the zone's name as IANA writes it; a RangeError for none.
export function zoneNamed(name) {
  const text = String(name);
  if (!canonicalZones.has(text)) canonicalZones.set(text, ask(ZONE, text));
  return canonicalZones.get(text);
}

// offsetAt is [seconds east of UTC, whether it is summer time] at a time in milliseconds.
export function offsetAt(zone, time) {
  if (zone === "UTC") return [0, false];
  const [seconds, summer] = ask(OFFSET, zone, String(Math.floor(time / 1000))).split(" ");
  return [Number(seconds), summer === "1"];
}

const pad = (n) => String(n).padStart(2, "0");

function offsetName(seconds, long) {
  if (seconds === 0) return "GMT";
  const sign = seconds < 0 ? "-" : "+", size = Math.abs(seconds), h = Math.floor(size / 3600), m = Math.floor(size / 60) % 60;
  if (long) return `GMT${sign}${pad(h)}:${pad(m)}`;
  return `GMT${sign}${h}${m === 0 ? "" : `:${pad(m)}`}`;
}

const named = new Map();

function namesOf(locale, zone) {
  if (!named.has(locale)) {
    const zones = new Map();
    for (const [key, members] of Object.entries(section(locale, "zones"))) for (const member of members) zones.set(member, key.split("|"));
    named.set(locale, zones);
  }
  return named.get(locale).get(zone);
}

// zoneName is what a time zone is called at a time, in one of timeZoneName's ways.
export function zoneName(locale, zone, [seconds, summer], way) {
  if (way === "shortOffset" || way === "longOffset") return offsetName(seconds, way === "longOffset");
  const names = namesOf(locale, zone), long = way.startsWith("long");
  if (names === undefined) return offsetName(seconds, long);
  const name = names[(long ? 2 : 0) + (summer ? 1 : 0)];
  if (!way.endsWith("Generic")) return name;
  return long ? name.replace(/ (Standard|Daylight) Time$/, " Time") : name.replace(/^([A-Z]{1,2})[SD]T$/, "$1T");
}
