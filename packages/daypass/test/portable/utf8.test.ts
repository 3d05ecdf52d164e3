import { expect, test } from "vitest";
import { utf8 } from "../../src/wire/encoding.ts";

test("UTF-8 is what TextEncoder makes of every character", () => {
  const encoder = new TextEncoder();
  for (let start = 0; start < 0x110000; start += 0x400) {
    // The halves of pairs are no characters.
    if (start >= 0xd800 && start < 0xe000) continue;
    const text = String.fromCodePoint(...Array.from({ length: 0x400 }, (_, i) => start + i));
    // As one text: byte by byte, a comparison of a million elements takes ten seconds.
    expect(utf8(text).join()).toBe(encoder.encode(text).join());
  }
});

// By their numbers: a bundler spells the last as a half and a whole, which Deno's parser refuses.
test.each([
  [0x61, 0xd800],
  [0xdc00, 0x62],
  [0xd800, 0xd800, 0xdc00],
])("half of a pair has no bytes: %j", (...units) => {
  const text = String.fromCharCode(...units);
  expect(() => utf8(text)).toThrow(/^text is not valid\. Pass whole characters/);
});
