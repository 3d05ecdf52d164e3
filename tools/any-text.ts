import fc from "fast-check";

const SURROGATES = 0x800;

/**
 * Any character of Unicode, as a unit of `fc.string`: what fast-check's own unit "binary" draws. That one begins with a table of all
 * 1.1 million of them, for which a process takes most of a second.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.integer({ min: 0, max: 0x10ffff - SURROGATES }).map(
  (number) => String.fromCodePoint(number < 0xd800 ? number : number + SURROGATES),
  (text) => {
    const point = typeof text === "string" ? text.codePointAt(0) : undefined;
    if (point === undefined || String.fromCodePoint(point) !== text || /\p{Cs}/u.test(text)) {
      throw new Error("expected one character");
    }
    return point < 0xd800 ? point : point - SURROGATES;
  },
);

/** Text of any characters. */
export const anyText = (length: Omit<fc.StringConstraints, "unit"> = {}): fc.Arbitrary<string> =>
  fc.string({ ...length, unit: anyCharacter });
