/**
 * HTTP dates, RFC 9110 §5.6.7: the three forms a recipient must accept, and the one a sender may write.
 * @module
 */

const RFC_850 = /^(Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day, (\d\d)-(\w{3})-(\d\d) (\d\d:\d\d:\d\d) GMT$/;
const ASCTIME = /^(\w{3}) (\w{3}) (\d\d| \d) (\d\d:\d\d:\d\d) (\d{4})$/;
const IMF_FIXDATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;

/**
 * Parses an HTTP date to milliseconds since the epoch. Returns `undefined` for any other text, and for a date that does not exist or has the
 * wrong weekday.
 * @param now milliseconds; decides the century of the two-digit RFC 850 year
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  const fixdate = text
    .replace(RFC_850, (_, day, date, month, year, time) => {
      return `${day.slice(0, 3)}, ${date} ${month} ${fullYear(Number(year), now)} ${time} GMT`;
    })
    .replace(ASCTIME, (_, day, month, date, time, year) => {
      return `${day}, ${date.replace(" ", "0")} ${month} ${year} ${time} GMT`;
    });
  if (!IMF_FIXDATE.test(fixdate)) return undefined;
  const time = Date.parse(fixdate);
  // `Date.parse` reads 31 Feb as 3 March and ignores the weekday and the case: only a valid date is written the same.
  return formatHttpDate(time) === fixdate ? time : undefined;
}

/**
 * RFC 9110 §5.6.7: "Recipients of a timestamp value in rfc850-date format … MUST interpret a timestamp that appears to be
 * more than 50 years in the future as representing the most recent year in the past that had the same last two digits."
 */
function fullYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

/** Formats milliseconds as IMF-fixdate, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatHttpDate(time: number): string {
  return new Date(time).toUTCString();
}
