import { describe, expect, it } from "vitest";
import { defaultLimits } from "../../src/index.ts";
import { receive } from "../../src/pipeline/receive.ts";

const request = (target: string, headers: [string, string][] = [], authority = "a.example.com") => ({
  method: "GET",
  target,
  authority,
  headers: [["Host", authority] as [string, string], ...headers],
});

const code = (...input: Parameters<typeof request>): string => {
  try {
    receive(request(...input), defaultLimits);
    return "received";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("receive", () => {
  it("keeps the target unchanged", () => {
    const raw = "/b/%2e%2e/x?y=%41&&z";
    expect(receive(request(raw), defaultLimits).request.target).toBe(raw);
  });

  it("returns the origin form of an absolute target for the same authority", () => {
    const target = (raw: string) => receive(request(raw), defaultLimits).request.target;
    expect(target("http://a.example.com/b/%2e?x")).toBe("/b/%2e?x");
    expect(target("HTTP://A.example.com")).toBe("/");
    expect(target("http://a.example.com?x")).toBe("/?x");
    expect(target("http://a.example.com?x=/y")).toBe("/?x=/y");
    expect(code("http://a.example.com/", [], "A.example.com")).toBe("received");
  });

  const refused: [string, string, [string, string][]][] = [
    ["another authority", "http://b.example.com/", []],
    ["user information", "http://a.example.com@b.example.com/", []],
    ["another scheme", "ftp://a.example.com/", []],
    ["the authority behind another", "ftp://b.example.com/http://a.example.com/", []],
    ["an asterisk", "*", []],
    ["a fragment", "/a#b", []],
    ["a backslash", "/a\\b", []],
    ["a second Host", "/", [["HOST", "a.example.com"]]],
    [
      "a second Content-Type",
      "/",
      [
        ["content-type", "a/b"],
        ["Content-Type", "a/b"],
      ],
    ],
    [
      "a second Content-Length",
      "/",
      [
        ["content-length", "1"],
        ["content-length", "1"],
      ],
    ],
    [
      "length and coding",
      "/",
      [
        ["content-length", "1"],
        ["transfer-encoding", "chunked"],
      ],
    ],
    ["another coding", "/", [["transfer-encoding", "gzip"]]],
    [
      "a second Range",
      "/",
      [
        ["range", "bytes=0-1"],
        ["range", "bytes=0-1"],
      ],
    ],
  ];
  it.each(refused)("refuses %s", (_, target, headers) => {
    expect(code(target, headers)).toBe("INVALID_REQUEST");
  });

  it("refuses a head without an authority", () => {
    expect(code("/", [], "")).toBe("INVALID_REQUEST");
  });

  it("accepts a length or chunked coding", () => {
    expect(code("/", [["content-length", "5"]])).toBe("received");
    for (const coding of ["chunked", "Chunked"]) expect(code("/", [["transfer-encoding", coding]])).toBe("received");
  });

  it.each(["If-Range", "If-Modified-Since", "If-Unmodified-Since", "Origin", "Transfer-Encoding"])(
    "refuses a second %s",
    (name) => {
      expect(code("/", [[name, "chunked"]])).toBe("received");
      expect(
        code("/", [
          [name, "chunked"],
          [name.toLowerCase(), "chunked"],
        ]),
      ).toBe("INVALID_REQUEST");
    },
  );

  it("joins a list of ETags in several fields", () => {
    for (const [name, field] of [
      ["If-Match", "ifMatch"],
      ["If-None-Match", "ifNoneMatch"],
    ] as const) {
      const { fields } = receive(
        request("/", [
          [name, '"a"'],
          [name, '"b"'],
        ]),
        defaultLimits,
      );
      expect(fields[field]).toBe('"a", "b"');
    }
  });

  it("refuses heads over the limits", () => {
    expect(code(`/${"a".repeat(defaultLimits.path)}`)).toBe("URI_TOO_LONG");
    expect(code(`/${"a".repeat(defaultLimits.path - 1)}`)).toBe("received");
    expect(code(`/?${"a".repeat(defaultLimits.query)}`)).toBe("received");
    expect(code(`/?${"a".repeat(defaultLimits.query + 1)}`)).toBe("URI_TOO_LONG");
    expect(
      code(
        "/",
        Array.from({ length: 100 }, () => ["a", "b"]),
      ),
    ).toBe("HEADERS_TOO_LARGE");
  });
});
