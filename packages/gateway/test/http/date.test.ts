import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../../../tools/any-text.ts";
import { formatHttpDate, parseHttpDate } from "../../src/http/date.ts";

const NOW = Date.UTC(2026, 10, 24);
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);

describe("HTTP dates", () => {
  it("reads the three forms of RFC 9110 §5.6.7", () => {
    expect(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", NOW)).toBe(EXAMPLE);
    expect(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", NOW)).toBe(EXAMPLE);
    expect(parseHttpDate("Sun Nov  6 08:49:37 1994", NOW)).toBe(EXAMPLE);
  });

  it("puts a two-digit year more than fifty years ahead into the past century", () => {
    expect(parseHttpDate("Tuesday, 24-Nov-76 00:00:00 GMT", NOW)).toBe(Date.UTC(2076, 10, 24));
    expect(parseHttpDate("Thursday, 24-Nov-77 00:00:00 GMT", NOW)).toBe(Date.UTC(1977, 10, 24));
  });

  it.each([
    "",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT",
    "Mon, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:60 GMT",
    "Thu, 31 Feb 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "1994-11-06T08:49:37Z",
    "784111777",
    "NaN",
  ])("refuses %j", (text) => {
    expect(parseHttpDate(text, NOW)).toBeUndefined();
  });

  it("reads back every date that it writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253402300799 }), (seconds) => {
        expect(parseHttpDate(formatHttpDate(seconds * 1000), NOW)).toBe(seconds * 1000);
      }),
    );
  });

  it("never throws for any text", () => {
    fc.assert(fc.property(anyText(), (text) => void parseHttpDate(text, NOW)));
  });
});
