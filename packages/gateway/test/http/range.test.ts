import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentRange, ifRangeHolds, resolveRange, unsatisfiedContentRange } from "../../src/http/range.ts";

describe("Range", () => {
  it.each([
    ["bytes=0-499", { start: 0, end: 499 }],
    ["bytes=500-999", { start: 500, end: 999 }],
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=9500-", { start: 9500, end: 9999 }],
    ["bytes=-500", { start: 9500, end: 9999 }],
    ["bytes=-99999", { start: 0, end: 9999 }],
    ["bytes=9000-99999999999999999999", { start: 9000, end: 9999 }],
    ["BYTES=0-0", { start: 0, end: 0 }],
    ["bytes= 0-0 ", { start: 0, end: 0 }],
  ])("resolves %j", (header, range) => {
    expect(resolveRange(header, 10_000)).toEqual(range);
  });

  it.each(["bytes=10000-", "bytes=10000-20000", "bytes=-0", "bytes=99999999999999999999-"])(
    "says that %j cannot be satisfied",
    (header) => {
      expect(resolveRange(header, 10_000)).toBe("unsatisfiable");
    },
  );

  it.each(["bytes=0-", "bytes=-5", "bytes=0-0"])("satisfies no range of an empty object: %j", (header) => {
    expect(resolveRange(header, 0)).toBe("unsatisfiable");
  });

  it.each([
    undefined,
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=5-2",
    "bytes=a-b",
    "bytes=0-1x",
    "bytes=+0-1",
    "bytes =0-1",
    "bytes=0 - 1",
    "bytes=0x0-0x1",
    "lines=0-1",
    "kilobytes=0-1",
    "0-1",
  ])("ignores %j", (header) => {
    expect(resolveRange(header, 10_000)).toBeUndefined();
  });

  it.each(["bytes=0-0,-1", "bytes=0-1, 5-6", "bytes=,0-1", "bytes=20000-,0-1"])(
    "answers several ranges whole: %j",
    (header) => {
      expect(resolveRange(header, 10_000)).toBeUndefined();
    },
  );

  it("never leaves the object", () => {
    const header = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.option(fc.nat())).map(([a, b]) => `bytes=${a}-${b ?? ""}`),
    );
    fc.assert(
      fc.property(header, fc.nat(), (text, size) => {
        const range = resolveRange(text, size);
        if (range === undefined || range === "unsatisfiable") return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThanOrEqual(range.start);
        expect(range.end).toBeLessThan(size);
      }),
    );
  });

  it("writes Content-Range for 206 and 416", () => {
    expect(contentRange({ start: 0, end: 4 }, 10)).toBe("bytes 0-4/10");
    expect(unsatisfiedContentRange(10)).toBe("bytes */10");
  });
});

describe("If-Range", () => {
  const lastModified = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  const current = { etag: "abc", lastModified };
  const later = lastModified.getTime() + 60_000;

  it.each([undefined, '"abc"', "Fri, 02 Jan 2026 03:04:05 GMT"])("holds for %j", (header) => {
    expect(ifRangeHolds(header, current, later)).toBe(true);
  });

  it.each([
    '"abd"',
    'W/"abc"',
    'x"abc"',
    "abc",
    "Fri, 02 Jan 2026 03:04:06 GMT",
    "Fri, 02 Jan 2026 03:04:04 GMT",
    "",
    '"abc", "abd"',
  ])("fails for %j", (header) => {
    expect(ifRangeHolds(header, current, later)).toBe(false);
  });

  it("treats a date as weak within the second in which the object changed", () => {
    const header = "Fri, 02 Jan 2026 03:04:05 GMT";
    const second = Date.UTC(2026, 0, 2, 3, 4, 5);
    for (const later of [678, 778, 999]) expect(ifRangeHolds(header, current, second + later)).toBe(false);
    expect(ifRangeHolds(header, current, second + 1000)).toBe(true);
  });
});
