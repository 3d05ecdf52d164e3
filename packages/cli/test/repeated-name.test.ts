import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { repeatedName } from "../src/lines/repeated-name.ts";

const found = (text: string): string | undefined => repeatedName(text, JSON.parse(text));

describe("a name that comes twice", () => {
  test.each([
    ['{"a":1,"a":2}', "a"],
    ['{"x":{"b":1,"c":2,"b":3}}', "b"],
    ['{"x":[{"b":1},{"b" : 1 ,\n"b"\t:2}]}', "b"],
    // The same name in another spelling.
    [`{"${String.fromCharCode(97)}":1,"\\u0061":2}`, "a"],
    ['{"__proto__":1,"__proto__":2}', "__proto__"],
    ['{"a\\\\":1,"a\\\\":2}', "a\\"],
  ])("is found in %s", (text, name) => {
    expect(found(text)).toBe(name);
  });

  test.each([
    '{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}',
    String.raw`{"a":"\"b\":1,\"b\":2","c\"":":","d\\":"e"}`,
    '{"a":":","b":["c",":"]}',
  ])("is not seen where there is none: %s", (text) => {
    expect(found(text)).toBeUndefined();
  });

  test("is found in no text that JSON.stringify has written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3), (value, space) => found(JSON.stringify(value, null, space)) === undefined),
    );
  });
});
