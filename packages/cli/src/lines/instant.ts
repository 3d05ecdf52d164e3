import { DaypassError } from "daypass";

// Python writes microseconds, as of the end of credentials, and Go nanoseconds. What is finer than a millisecond is cut off.
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

const FIRST = Date.parse("0000-01-01T00:00:00Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");

let lastText: string | undefined;
let lastTime = Number.NaN;

/**
 * Reads an instant in the form of RFC 3339, such as `2026-01-02T03:04:05Z`. Other forms that `Date.parse` would accept
 * are refused: a text without zone means another instant on another machine. Batches repeat the same instant often.
 */
export function instant(name: string, text: string): Date {
  if (text !== lastText) {
    const time = INSTANT.test(text) && isRealDay(text) ? Date.parse(text) : Number.NaN;
    // A zone may move it out of the years that have four digits, in which it would be written.
    if (!(time >= FIRST && time <= LAST)) {
      throw new DaypassError(
        "INVALID_INPUT",
        `expected ${name} as an instant such as "2026-01-02T03:04:05Z", found ${JSON.stringify(text)}`,
      );
    }
    lastText = text;
    lastTime = time;
  }
  return new Date(lastTime);
}

// Date.parse reads 31 February as 3 March.
function isRealDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month, 0)).getUTCDate() >= day && day > 0 && month <= 12;
}
