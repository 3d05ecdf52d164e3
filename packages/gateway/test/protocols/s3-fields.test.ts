import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../../../tools/any-text.ts";
import { metadataHeader, metadataOfHeader, metadataOfParameter, metadataSize } from "../../src/http/metadata.ts";
import { continuationToken, readContinuationToken } from "../../src/protocols/s3/continuation.ts";
import { parseCopySource } from "../../src/protocols/s3/rows/copies.ts";
import { s3Rows } from "../../src/protocols/s3/table.ts";
import { readTaggingHeader } from "../../src/protocols/s3/tags.ts";

const text = anyText().filter((value) => !/\p{Surrogate}/u.test(value));

describe("user metadata", () => {
  it("comes back from a header as it went into one", () => {
    fc.assert(
      fc.property(text, (value) => {
        // What only looks like an encoded word is the one thing that no form can say.
        if (/^[\t\x20-\x7e]*$/.test(value) && value.includes("=?")) return;
        const header = metadataHeader(value);
        expect(header).toMatch(/^[\t\x20-\x7e]*$/);
        expect(metadataOfHeader(header)).toBe(value);
      }),
      { examples: [["\ufeff"], ["\ufeffa"]] },
    );
  });

  it("sent as bytes is UTF-8, and what is no UTF-8 is Latin-1", () => {
    for (const encoding of ["utf8", "latin1"] as const) {
      expect(metadataOfHeader(Buffer.from("größe", encoding).toString("latin1"))).toBe("größe");
    }
    // A parameter has been decoded already.
    expect(metadataOfParameter("grÃ¶Ã")).toBe("grÃ¶Ã");
  });

  it("is measured in bytes of UTF-8", () => {
    expect(
      metadataSize([
        ["ab", "ä"],
        ["c", "\u{1f511}"],
      ]),
    ).toBe(2 + 2 + 1 + 4);
  });

  it.each(["=?", "=?utf-8?b?", "=?utf-8?b?AAAA?= ", "=?utf-8?q?=", " \t"])(
    "reads metadata of repeated %j in linear time",
    (piece) => {
      // Quadratic time would exceed the timeout of the test.
      expect(metadataOfHeader(piece.repeat(200_000))).toBeTypeOf("string");
    },
  );
});

describe("a continuation token", () => {
  it("keeps its position, whatever the key is", () => {
    fc.assert(
      fc.property(text, (key) => {
        for (const position of [{ key }, { prefix: key }])
          expect(readContinuationToken(continuationToken(position, ["b"]), ["b"])).toEqual(position);
      }),
      { examples: [["\ufeffa"]] },
    );
  });
});

describe("a copy source", () => {
  it("is decoded exactly once, whatever the key is", () => {
    fc.assert(
      fc.property(text, (key) => {
        if (key === "") return;
        const encoded = encodeURIComponent(key);
        const plus = encoded.replaceAll("%20", "+");
        for (const source of [
          `b/${encoded}`,
          `/b/${encoded}`,
          `b/${encoded.replaceAll("%2F", "/")}?versionId=null`,
          `b%2F${encoded}`,
          `%2Fb%2F${plus}?versionId=null`,
          `b/${plus}`,
        ]) {
          expect(parseCopySource(source)).toEqual({ bucket: "b", key });
        }
      }),
    );
  });
});

describe("x-amz-tagging", () => {
  const part = fc.stringMatching(/^[A-Za-z0-9äö +\-=._:/@]{1,20}$/);
  it("gives the tags that it was made of, in their order", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(part, part), { selector: ([key]) => key, maxLength: 10 }), (tags) => {
        fc.pre(tags.every(([key]) => !/^aws:/i.test(key)));
        const header = new URLSearchParams(tags).toString();
        expect(Object.entries(readTaggingHeader(header) ?? {}).sort()).toEqual([...tags].sort());
      }),
    );
  });

  it("knows no key that an object has by itself", () => {
    expect(Object.entries(readTaggingHeader("__proto__=1&constructor=2") ?? {})).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
  });
});

describe("the list of operations", () => {
  it("asks first for what is asked for by more", () => {
    for (const [at, row] of s3Rows.entries()) {
      const same = s3Rows.slice(0, at).filter(({ method, on }) => method === row.method && on === row.on);
      for (const earlier of same) {
        const covers =
          (earlier.selectors ?? []).every((selector) => row.selectors?.includes(selector) === true) &&
          (earlier.header === undefined || earlier.header === row.header);
        expect([earlier.name, row.name, covers]).toEqual([earlier.name, row.name, false]);
      }
    }
  });
});
