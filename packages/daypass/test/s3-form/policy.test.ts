import { describe, expect, it } from "vitest";
import { isDaypassError } from "../../src/core/errors.ts";
import { checkConditions, decodePolicy, encodePolicy, escapeUnicode, expandFields } from "../../src/forms/policy.ts";
import { base64, utf8 } from "../../src/wire/encoding.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const decode = (text: string) => decodePolicy(base64(utf8(text)));
const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return isDaypassError(error) ? [error.code, error.details["problem"] ?? error.details] : error;
  }
};

const NOT_MET = ["POLICY_NOT_MET", expect.anything()];
const BAD = ["MALFORMED", expect.anything()];

describe("a policy document", () => {
  it.each([
    ["in UTF-8", undefined, "ü€𝄞\u007f"],
    ["in ASCII", escapeUnicode, "\\u00fc\\u20ac\\ud834\\udd1e\\u007f"],
  ])("writes %s and reads it back", (_, respell, bucket) => {
    const conditions = [
      { bucket: "ü€𝄞\u007f" },
      ["starts-with", "$key", 'a"\\'],
      ["content-length-range", 0, 9],
    ] as const;
    const encoded = encodePolicy(AT, conditions, respell);
    expect(Buffer.from(encoded, "base64").toString()).toBe(
      `{"conditions":[{"bucket":"${bucket}"},["starts-with","$key","a\\"\\\\"],["content-length-range",0,9]],` +
        '"expiration":"2026-01-02T03:04:05Z"}',
    );
    expect(decodePolicy(encoded)).toEqual({
      expiresAt: AT,
      conditions: [
        { operator: "eq", field: "bucket", value: "ü€𝄞\u007f" },
        { operator: "starts-with", field: "key", value: 'a"\\' },
        { operator: "content-length-range", min: 0, max: 9 },
      ],
    });
  });

  it("reads operators and field names in any case, numbers as text, and AWS's escaped dollar", () => {
    const text = String.raw`{"expiration":"2026-01-02T03:04:05.678Z","conditions":[["StArTs-WiTh","$KeY","a"],{"aCl":"X"},["Content-Length-Range","1","20"],["eq","$x","\$1 \\$2 \"\\"]]}`;
    expect(decode(text)).toEqual({
      expiresAt: new Date("2026-01-02T03:04:05.678Z"),
      conditions: [
        { operator: "starts-with", field: "key", value: "a" },
        { operator: "eq", field: "acl", value: "X" },
        { operator: "content-length-range", min: 1, max: 20 },
        { operator: "eq", field: "x", value: '$1 \\$2 "\\' },
      ],
    });
  });

  const E = '"expiration":"2026-01-02T03:04:05Z"';
  const conditions = (text: string): string => `{${E},"conditions":[${text}]}`;
  it.each<[string, string, string]>([
    ["no JSON", "x", "json"],
    ["nothing", "", "json"],
    ["a list", "[]", "expiration-missing"],
    ["null", "null", "expiration-missing"],
    ["a comment", `{${E},"conditions":[]} //`, "json"],
    ["a trailing comma", conditions('{"a":"b"},'), "json"],
    ["no expiration", '{"conditions":[]}', "expiration-missing"],
    ["no conditions", `{${E}}`, "conditions-missing"],
    ["conditions that are an object", `{${E},"conditions":{"a":"b"}}`, "conditions"],
    ["an expiration that is a number", '{"expiration":1,"conditions":[]}', "expiration"],
    ["an expiration in a list", '{"expiration":["2026-01-02T03:04:05Z"],"conditions":[]}', "expiration"],
    ["an operator in a list", conditions('[["eq"],"$a","b"]'), "operation-missing"],
    ["another member", `{${E},"conditions":[],"version":1}`, "members"],
    ["a member __proto__", `{${E},"conditions":[],"__proto__":{}}`, "members"],
    ["the expiration twice", `{${E},"expiration":"2027-01-02T03:04:05Z","conditions":[]}`, "members"],
    ["the conditions twice", `{"conditions":[],${E},"conditions":[{"a":"b"}]}`, "members"],
    ["the conditions twice, once escaped", `{"c\\u006fnditions":[],${E},"conditions":[{"a":"b"}]}`, "members"],
    ["a condition with one name twice", conditions('{"a":"b","a":"c"}'), "members"],
    ["a condition with two names", conditions('{"a":"b","c":"d"}'), "simple-condition"],
    ["a condition without a name", conditions("{}"), "simple-condition"],
    ["a condition with a number", conditions('{"a":1}'), "simple-value"],
    ["a condition with an object", conditions('{"a":{"b":"c"}}'), "simple-value"],
    ["a condition that is text", conditions('"a"'), "condition-type"],
    ["a condition that is null", conditions("null"), "condition-type"],
    ["an operator that nobody knows", conditions('["ends-with","$a","b"]'), "operation"],
    ["an operator on no field", conditions('["eq","$","b"]'), "condition"],
    ["an operator with too much", conditions('["eq","$a","b","c"]'), "arguments"],
    ["an operator with too little", conditions('["eq","$a"]'), "arguments"],
    ["a value that is a list", conditions('["eq","$a",["b"]]'), "condition"],
    ["a negative length", conditions('["content-length-range",-1,2]'), "condition"],
    ["a fractional length", conditions('["content-length-range",0,1.5]'), "condition"],
    ["lengths in the wrong order", conditions('["content-length-range",2,1]'), "condition"],
    ["a length that no number holds", conditions('["content-length-range",0,9007199254740993]'), "condition"],
    ["a length in another notation", conditions('["content-length-range","0x1","1e3"]'), "condition"],
    ["a length too many", conditions('["content-length-range",0,1,2]'), "arguments"],
    ["a date that is none", '{"expiration":"2026-02-30T00:00:00Z","conditions":[]}', "expiration"],
    ["a date of another zone", '{"expiration":"2026-01-02T03:04:05+01:00","conditions":[]}', "expiration"],
    ["a date without its zone", '{"expiration":"2026-01-02T03:04:05","conditions":[]}', "expiration"],
    ["a date without its time", '{"expiration":"2026-01-02","conditions":[]}', "expiration"],
    ["a date with a space", '{"expiration":" 2026-01-02T03:04:05Z","conditions":[]}', "expiration"],
    ["a date with a line feed", '{"expiration":"2026-01-02T03:04:05Z\\n","conditions":[]}', "expiration"],
    ["an end that never comes", '{"expiration":"","conditions":[]}', "expiration"],
  ])("is refused with %s", (_, text, problem) => {
    expect(codeOf(() => decode(text))).toEqual(["MALFORMED", problem]);
  });

  it("refuses another spelling of base64, invalid UTF-8, and text that is too long or too deep", () => {
    const encoded = encodePolicy(AT, [{ bucket: "b" }]);
    for (const other of [
      "",
      `${encoded}=`,
      `${encoded}\n`,
      encoded.slice(1),
      `A${encoded}`,
      encoded.replaceAll("=", ""),
    ]) {
      if (other !== encoded)
        expect(
          codeOf(() => decodePolicy(other)),
          other,
        ).toEqual(BAD);
    }
    expect(codeOf(() => decodePolicy("////"))).toEqual(["MALFORMED", "json"]);
    expect(codeOf(() => decodePolicy(encodePolicy(AT, [{ a: "x".repeat(20_000) }])))).toEqual(["MALFORMED", "base64"]);
    expect(codeOf(() => decode(`${"[".repeat(7000)}${"]".repeat(7000)}`))).toEqual(BAD);
    const deep = `${"[".repeat(7000)}${"]".repeat(7000)}`;
    expect(codeOf(() => decode(conditions(deep)))).toEqual(BAD);
    expect(codeOf(() => decode(conditions(`["eq","$a",${deep}]`)))).toEqual(BAD);
    expect(codeOf(() => decode(`{"expiration":${deep},"conditions":[]}`))).toEqual(BAD);
  });

  it("reads hostile text in linear time", () => {
    for (const part of ['"', "\\", '\\"', '" ', '":', "$", "[", "{", " 1"])
      expect(codeOf(() => decode(conditions(part.repeat(15_000 / part.length))))).toEqual(BAD);
    const spaced = conditions(`{"a":"${'\\"'.repeat(5000)}"${" ".repeat(4000)}}`);
    expect(codeOf(() => decode(spaced))).toHaveProperty("conditions");
  });
});

describe("the fields of a form", () => {
  const policy = (...conditions: Parameters<typeof encodePolicy>[1]) =>
    decodePolicy(encodePolicy(AT, conditions)).conditions;
  const check = (conditions: ReturnType<typeof policy>, fields: Readonly<Record<string, string>>, bucket = "b") =>
    codeOf(() =>
      checkConditions(conditions, { fields: expandFields(Object.entries(fields), "f.txt"), bucket, exempt: /^sig$/ }),
    );
  const bucket = { bucket: "b" };

  it("match eq by the same text, and starts-with by its beginning, which may be empty", () => {
    expect(check(policy(bucket, ["eq", "$a", "x"]), { a: "x" })).toBeUndefined();
    expect(check(policy(bucket, ["eq", "$a", "x"]), { a: "xy" })).toEqual([
      "POLICY_NOT_MET",
      { condition: '["eq", "$a", "x"]' },
    ]);
    expect(check(policy(bucket, ["starts-with", "$a", "x"]), { a: "xy" })).toBeUndefined();
    expect(check(policy(bucket, ["starts-with", "$a", "x"]), { a: "yx" })).toEqual(NOT_MET);
    expect(check(policy(bucket, ["starts-with", "$a", ""]), { a: "" })).toBeUndefined();
  });

  it("match no condition if absent, not even starts-with an empty text", () => {
    for (const condition of [["starts-with", "$a", ""], ["eq", "$a", ""], { a: "x" }] as const) {
      expect(check(policy(bucket, condition), {})).toEqual(NOT_MET);
    }
  });

  it("match starts-with on Content-Type with every item of a list, and eq as a whole", () => {
    const images = policy(bucket, ["starts-with", "$Content-Type", "image/"]);
    expect(check(images, { "Content-Type": "image/png,image/jpg" })).toBeUndefined();
    expect(check(images, { "Content-Type": "image/png,text/html" })).toEqual(NOT_MET);
    expect(check(images, { "Content-Type": "image/png, image/jpg" })).toBeUndefined();
    expect(check(images, { "Content-Type": "image/png, text/html" })).toEqual(NOT_MET);
    expect(check(images, { "Content-Type": "image/png," })).toEqual(NOT_MET);
    expect(check(policy(bucket, ["starts-with", "$a", "x"]), { a: "x,y" })).toBeUndefined();
    expect(check(policy(bucket, { "content-type": "a,b" }), { "Content-Type": "a,b" })).toBeUndefined();
  });

  it("a condition on a name without its dollar is never met", () => {
    const bare = policy(bucket, ["EQ", "a", "b"] as never);
    expect(check(bare, { a: "b" })).toEqual(["POLICY_NOT_MET", { condition: '["eq", "a", "b"]' }]);
    expect(check(bare, { $a: "b" })).toEqual(["POLICY_NOT_MET", { condition: '["eq", "a", "b"]' }]);
  });

  it("must match all conditions on one field, and all ranges", () => {
    const both = policy(bucket, ["starts-with", "$a", "x"], ["starts-with", "$a", "xy"]);
    expect(check(both, { a: "xyz" })).toBeUndefined();
    expect(check(both, { a: "xz" })).toEqual(NOT_MET);
    const ranges = policy(bucket, ["content-length-range", 1, 10], ["content-length-range", 5, 20]);
    expect(check(ranges, {})).toEqual({ min: 5, max: 10 });
  });

  it("need a condition each, except the signature's, the policy, the file and x-ignore-*", () => {
    expect(check(policy(bucket), { sig: "1", policy: "p", "X-Ignore-Any": "1", file: "x" })).toBeUndefined();
    expect(check(policy(bucket), { a: "1" })).toEqual(["POLICY_NOT_MET", { field: "a" }]);
    for (const name of ["x-ignore", "my-x-ignore-a", "file2", "my-file", "policy2", "my-policy", "x-any"])
      expect(check(policy(bucket), { [name]: "1" }), name).toEqual(NOT_MET);
  });

  it("must be for a bucket that a condition names", () => {
    expect(check(policy(["starts-with", "$bucket", ""]), {}, "any")).toBeUndefined();
    expect(check(policy(bucket), {}, "other")).toEqual(["POLICY_NOT_MET", { condition: '["eq", "$bucket", "b"]' }]);
    expect(check(policy(), {})).toEqual(NOT_MET);
    expect(check(policy({ bucket: "other" }), { bucket: "other" })).toEqual(NOT_MET);
  });

  it("contain the file's name before the check", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
    const template = "u/${filename}";
    expect(check(policy(bucket, { a: "u/f.txt" }), { a: template })).toBeUndefined();
    expect(check(policy(bucket, { a: template }), { a: template })).toEqual(NOT_MET);
  });

  it("contain the last segment of the file's name, and no dot segment", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
    const named = (file: string) => codeOf(() => expandFields([["key", "u/${filename}"]], file));
    for (const file of ["a/b.txt", "a\\b.txt", "a\n../b.txt", "a\r\n..\\b.txt", "/b.txt"])
      expect(named(file), file).toEqual(new Map([["key", "u/b.txt"]]));
    for (const file of [".", "..", "a/.", "a\\..", "a\n/.."])
      expect(named(file), file).toEqual(["MALFORMED", "file-name"]);
  });

  it("never show a session token in a refusal", () => {
    const refused = check(policy(bucket, { "x-amz-security-token": "hunter2" }), { "x-amz-security-token": "x" });
    expect(JSON.stringify(refused)).not.toContain("hunter2");
    expect(refused).toEqual(NOT_MET);
  });
});
