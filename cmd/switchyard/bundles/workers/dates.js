// Date libraries: date-fns, dayjs with plugins, luxon.
//> GET /date-fns
//> GET /dayjs
//> GET /luxon
//> GET /native
import * as fns from "date-fns";
import { de } from "date-fns/locale";
import dayjs from "dayjs";
import utc from "dayjs/plugin/utc";
import relativeTime from "dayjs/plugin/relativeTime";
import customParseFormat from "dayjs/plugin/customParseFormat";
import duration from "dayjs/plugin/duration";
import { DateTime, Duration, Interval } from "luxon";
dayjs.extend(utc); dayjs.extend(relativeTime); dayjs.extend(customParseFormat); dayjs.extend(duration);
const at = new Date(Date.UTC(2024, 1, 29, 13, 5, 9, 42));
const routes = {
  "date-fns": () => ({
    format: fns.format(at, "EEEE, do MMMM yyyy HH:mm:ss.SSS 'week' I xxx"), de: fns.format(at, "PPPPpppp", { locale: de }), add: fns.addMonths(at, 12), start: fns.startOfISOWeek(at),
    distance: fns.formatDistance(at, fns.addDays(at, 40)), strict: fns.formatDistanceStrict(at, fns.addHours(at, 30)), parse: fns.parse("29.02.2024 17:30", "dd.MM.yyyy HH:mm", at), iso: fns.formatISO(at), valid: fns.isValid(fns.parseISO("2024-13-01")),
    days: fns.eachDayOfInterval({ start: at, end: fns.addDays(at, 2) }), diff: fns.differenceInBusinessDays(fns.addDays(at, 30), at), duration: fns.formatDuration(fns.intervalToDuration({ start: at, end: fns.addSeconds(at, 100000) })),
    bad: (() => { try { return fns.format(new Date(NaN), "P"); } catch (e) { return String(e); } })(),
  }),
  dayjs: () => ({ format: dayjs(at).format("YYYY-MM-DDTHH:mm:ss.SSSZ[Z] dddd"), add: dayjs.utc(at).add(1, "month").endOf("month").toISOString(), from: dayjs(at).from(dayjs(at).add(3, "day")), parse: dayjs("05/02/69 1:02:03 PM -05:00", "MM/DD/YY H:mm:ss A Z").toISOString(), duration: dayjs.duration(123456789).toISOString(), diff: dayjs(at).diff("2020-01-01", "week", true), invalid: String(dayjs("x")) }),
  luxon: () => {
    const t = DateTime.fromJSDate(at, { zone: "utc" });
    return { iso: t.toISO(), week: t.toISOWeekDate(), plus: t.plus({ months: 1, hours: 3 }).toISO(), format: t.toFormat("yyyy LL dd HH:mm:ss"), end: t.endOf("quarter").toISO(), duration: Duration.fromObject({ hours: 30 }).shiftTo("days", "hours").toISO(), interval: Interval.after(t, { days: 1 }).toISO(), http: t.toHTTP(), bad: DateTime.fromISO("2024-02-31").invalidExplanation };
  },
  native: () => [at.toString(), at.toUTCString(), at.toISOString(), at.toDateString(), at.toTimeString(), at.getTimezoneOffset(), Date.parse("Thu, 01 Jan 1970 00:00:01 GMT"), Date.parse("2024-02-29"), Date.parse("2024-02-29T10:00"), Date.parse("Feb 29 2024 10:00 PST"), String(new Date("nope")), at.toJSON(), JSON.stringify({ d: new Date(NaN) })],
};
export default { fetch: (request) => Response.json(routes[new URL(request.url).pathname.slice(1)]()) };
