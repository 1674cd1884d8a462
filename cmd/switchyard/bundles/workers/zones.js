// Time zones and locales: what dayjs, luxon and programs ask Intl for.
//> GET /dayjs
//> GET /luxon
//> GET /intl
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";
import { DateTime, Info, Interval } from "luxon";

dayjs.extend(utc);
dayjs.extend(timezone);
const AT = "2024-03-31T00:30:15.042Z";

const pages = {
  dayjs: () => ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"].flatMap((zone) => [
    dayjs(AT).tz(zone).format("YYYY-MM-DD HH:mm:ss Z"), dayjs.tz("2024-07-01 12:00", zone).toISOString(), dayjs(AT).tz(zone).add(1, "day").utcOffset(), dayjs(AT).tz(zone).offsetName("long"),
  ]),
  luxon: () => {
    const at = DateTime.fromISO(AT, { zone: "Europe/Paris" });
    return [at.toISO(), at.plus({ hours: 2 }).toISO(), at.setLocale("fr").toLocaleString(DateTime.DATETIME_FULL), at.setLocale("de").toFormat("cccc, d. LLLL yyyy"), at.toFormat("ZZZZ z"),
      at.setZone("America/Los_Angeles").toLocaleString(DateTime.DATETIME_MED_WITH_WEEKDAY), DateTime.fromISO("nope").isValid, DateTime.fromISO(AT, { zone: "Mars/Phobos" }).invalidReason,
      Info.months("short", { locale: "es" }), Info.weekdays("long", { locale: "ja" }), at.toRelative({ base: at.plus({ days: 3 }) }), Interval.after(at, { days: 2 }).length("hours")];
  },
  intl: () => {
    const money = (locale, currency) => new Intl.NumberFormat(locale, { style: "currency", currency }).format(-1234.5);
    const zoned = new Intl.DateTimeFormat("en-US", { timeZone: "America/New_York", dateStyle: "full", timeStyle: "long" });
    return [money("en-US", "USD"), money("de-DE", "EUR"), money("ja-JP", "JPY"), money("pt-BR", "BRL"), zoned.format(new Date(AT)), zoned.formatToParts(new Date(AT)),
      (0.256).toLocaleString("en", { style: "percent" }), new Intl.NumberFormat("en", { notation: "compact" }).format(1_234_567), new Intl.ListFormat("en").format(["a", "b", "c"]),
      new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-1, "day"), new Intl.PluralRules("pl").select(3), ["ä", "z", "a"].sort(new Intl.Collator("de").compare)];
  },
};

export default { fetch: (request) => Response.json(pages[new URL(request.url).pathname.slice(1)]()) };
