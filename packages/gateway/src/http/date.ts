/**
 * HTTP dates, RFC 9110 §5.6.7: the three forms a recipient must accept, and the one a sender may write.
 * @module
 */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})";
const SHORT_DAY = `(?<weekday>${DAYS.map((day) => day.slice(0, 3)).join("|")})`;

// "HTTP-date is case sensitive": no `i` flag.
const IMF_FIXDATE = new RegExp(`^${SHORT_DAY}, (?<day>[0-9]{2}) ${MONTH} (?<year>[0-9]{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(`^(?<weekday>${DAYS.join("|")}), (?<day>[0-9]{2})-${MONTH}-(?<year>[0-9]{2}) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^${SHORT_DAY} ${MONTH} (?<day>[0-9]{2}| [0-9]) ${TIME} (?<year>[0-9]{4})$`);

/**
 * Parses an HTTP date to milliseconds since the epoch; `undefined` for anything else, also for a date that does not exist
 * or whose weekday is wrong.
 * @param now milliseconds; decides the century of the two-digit RFC 850 year
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  const parts = (IMF_FIXDATE.exec(text) ?? RFC_850.exec(text) ?? ASCTIME.exec(text))?.groups;
  if (parts === undefined) return undefined;
  const monthIndex = MONTHS.indexOf(parts["month"] ?? "");
  const digits = parts["year"] ?? "";
  const build = (year: number): number =>
    Date.UTC(
      year,
      monthIndex,
      Number(parts["day"]),
      Number(parts["hour"]),
      Number(parts["minute"]),
      Number(parts["second"]),
    );
  const written = digits.length === 4 ? Number(digits) : nearestCentury(Number(digits), now);
  const time = build(written);
  const date = new Date(time);
  // Date.UTC rolls 31 Feb over to March and reads years below 100 as 19xx; what does not round-trip did not exist.
  const exists =
    date.getUTCFullYear() === written &&
    date.getUTCMonth() === monthIndex &&
    date.getUTCDate() === Number(parts["day"]) &&
    Number(parts["hour"]) < 24 &&
    Number(parts["minute"]) < 60 &&
    Number(parts["second"]) < 60;
  if (!exists || !DAYS[date.getUTCDay()]?.startsWith(parts["weekday"] ?? "?")) return undefined;
  return time;
}

/**
 * RFC 9110 §5.6.7: "Recipients of a timestamp value in rfc850-date format … MUST interpret a timestamp that appears to be
 * more than 50 years in the future as representing the most recent year in the past that had the same last two digits."
 */
function nearestCentury(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

/** Formats milliseconds as IMF-fixdate, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatHttpDate(time: number): string {
  return new Date(time).toUTCString();
}
