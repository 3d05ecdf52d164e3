import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../../../tools/any-text.ts";
import type { WireRequest } from "../../src/index.ts";
import { decodeText, encodeText, isOrigin } from "../../src/schemes/url/canonical.ts";
import type { UrlSignRequest } from "../../src/schemes/url/index.ts";
import { AT, ORIGIN, outcome, request, sign, verify } from "./fixture.ts";

// Rule 3.3 of the specification, in the words of Unicode.
const isText = (value: string): boolean => value !== "" && !/[ \p{Cc}\p{Cs}]/u.test(value);

const text = anyText({ minLength: 1, maxLength: 12 }).filter((value) => isText(value));
const headerText = fc.stringMatching(/^[\x21-\x7e]{1,12}$/);
const name = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/);
const segment = text
  .map((value) => encodeURIComponent(value).replace(/[^A-Za-z0-9%\-._~]/g, ""))
  .filter((value) => value !== "" && value !== "." && value !== ".." && !/%(?:2F|5C)/.test(value));
const path = fc.array(segment, { minLength: 2, maxLength: 5 }).map((segments) => `/${segments.join("/")}`);
const query = fc
  .array(fc.tuple(name, text), { maxLength: 4 })
  .map((pairs) => pairs.map(([key, value]) => `${key}=${encodeText(value)}`).join("&"));
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const reading: fc.Arbitrary<UrlSignRequest> = fc.record({
  url: fc.tuple(path, query).map(([p, q]) => `${ORIGIN}${p}${q === "" ? "" : `?${q}`}`),
  methods: fc.constantFrom(["GET"], ["HEAD"], ["GET", "DELETE"]),
  expiresIn: fc.integer({ min: 1, max: 604_800 }),
  subject: optional(text),
  prefix: optional(fc.constant(1)),
  nonce: optional(fc.stringMatching(/^[A-Za-z0-9_-]{16,64}$/)),
  uses: optional(fc.integer({ min: 1 })),
  vary: optional(fc.uniqueArray(name, { minLength: 1, maxLength: 3 })),
  response: optional(fc.record({ contentType: headerText, cacheControl: headerText })),
  bind: optional(
    fc.record({
      headers: fc.dictionary(
        name.map((key) => `x-${key}`.toLowerCase()),
        headerText,
        { maxKeys: 3 },
      ),
    }),
  ),
});

const proof = (asked: UrlSignRequest): { readonly subject?: string } =>
  asked.subject === undefined ? {} : { subject: asked.subject };

describe("any URL that the signer makes", () => {
  it("writes URLs as a URL parser does, and verifies them to the requested grant", async () => {
    await fc.assert(
      fc.asyncProperty(reading, async (asked) => {
        const link = sign(asked);
        expect(new URL(link.url).href).toBe(link.url);
        const dp = (from: string): readonly string[] => from.split("&").filter((token) => token.startsWith("dp-"));
        const search = new URL(link.url).search.slice(1);
        expect(dp(new URLSearchParams(search).toString())).toEqual(dp(search));
        const grant = await verify(request(link), proof(asked));
        expect(grant.id).toBe(link.id);
        expect(grant.expiresAt).toEqual(link.expiresAt);
        expect(grant.methods).toEqual(expect.arrayContaining([link.method]));
        expect(grant.subject).toBe(asked.subject);
        expect(grant.signedHeaders).toEqual(Object.keys(link.headers));
        expect(grant.target).not.toContain("dp-");
      }),
      { numRuns: 300 },
    );
  });

  it("returns the same grant or none when one byte of the target changes", async () => {
    const bit = fc.constantFrom(1, 2, 4, 8, 16, 32, 64);
    await fc.assert(
      fc.asyncProperty(reading, fc.nat(), bit, async (asked, position, mask) => {
        const received = request(sign(asked));
        const at = position % received.target.length;
        const byte = String.fromCharCode(received.target.charCodeAt(at) ^ mask);
        const target = received.target.slice(0, at) + byte + received.target.slice(at + 1);
        const found = await outcome({ ...received, target }, proof(asked));
        if (typeof found === "string") return;
        // Only what the grant leaves to the holder may have changed: tokens that vary, and the path below a prefix.
        const original = await verify(received, proof(asked));
        expect(found.id).toBe(original.id);
        expect(found.obligations).toEqual(original.obligations);
        if (found.target !== original.target) expect(asked.prefix).toBe(1);
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses one changed byte of an exact URL without varying tokens", async () => {
    const received = request(
      sign({ url: `${ORIGIN}/a%20b/c.pdf?x=%C3%BC&y`, subject: "s", bind: { headers: { "x-a": "b c" } } }),
    );
    for (let at = 0; at < received.target.length; at++) {
      for (let mask = 1; mask < 128; mask++) {
        const byte = String.fromCharCode(received.target.charCodeAt(at) ^ mask);
        const target = received.target.slice(0, at) + byte + received.target.slice(at + 1);
        expect(typeof (await outcome({ ...received, target }, { subject: "s" })), target).toBe("string");
      }
    }
  });

  it("refuses one changed byte of authority, method or a bound header", async () => {
    const link = sign({ bind: { headers: { "x-tenant": "acme" } } });
    const received = request(link);
    const flips = (value: string): readonly string[] =>
      [...value].flatMap((char, at) =>
        Array.from(
          { length: 127 },
          (_, i) => value.slice(0, at) + String.fromCharCode(char.charCodeAt(0) ^ (i + 1)) + value.slice(at + 1),
        ),
      );
    const changed: readonly WireRequest[] = [
      ...flips(received.authority).map((authority) => ({ ...received, authority })),
      ...flips(received.method).map((method) => ({ ...received, method })),
      ...flips("acme").map((value) => ({ ...received, headers: [["x-tenant", value]] as const })),
      ...flips("x-tenant").map((field) => ({ ...received, headers: [[field, "acme"]] as const })),
    ];
    for (const other of changed) {
      const found = await outcome(other);
      // A Host and a header's name are the same in either case.
      if (typeof found !== "string") {
        expect(other.authority.toLowerCase()).toBe(received.authority);
        expect(other.headers[0]?.[0].toLowerCase()).toBe("x-tenant");
        expect(found.id).toBe(link.id);
      }
    }
  });

  it("gives the same grant when a proxy sorts a query whose other tokens are sorted", async () => {
    const received = request(sign({ url: `${ORIGIN}/a?a=1&lang=de&z=2`, subject: "s" }));
    const [path = "", search = ""] = received.target.split("?");
    const sorted = `${path}?${search.split("&").sort().join("&")}`;
    expect(sorted).not.toBe(received.target);
    const options = { subject: "s" };
    expect((await verify({ ...received, target: sorted }, options)).id).toBe((await verify(received, options)).id);
  });
});

describe("any input", () => {
  const junk = fc.oneof(anyText(), fc.stringMatching(/^[!-~]{0,40}$/));
  const token = fc
    .tuple(
      fc.constantFrom(
        "dp-date",
        "dp-expires",
        "dp-ip",
        "dp-length",
        "dp-methods",
        "dp-prefix",
        "dp-vary",
        "dp-headers",
        "dp-subject",
        "DP-v",
        "a",
      ),
      junk,
    )
    .map((pair) => pair.join("="));

  it("ends in a grant or a DaypassError", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(token, junk), { maxLength: 8 }),
        junk,
        junk,
        junk,
        async (tokens, path, method, host) => {
          const received = request(sign());
          const own = received.target.slice(received.target.indexOf("?") + 1).split("&");
          const headers = [[host, path]] as const;
          for (const target of [
            `/${path}?${tokens.join("&")}`,
            `/?${[...own, ...tokens].join("&")}`,
            `/?${[...own, ...tokens].sort().join("&")}`,
          ]) {
            const found = await outcome({
              method,
              target,
              authority: received.authority,
              headers,
              remoteAddress: host,
            });
            expect(typeof found).toBe("string");
          }
          expect(typeof (await outcome({ ...received, authority: host, remoteAddress: path }))).toBe("string");
        },
      ),
      { numRuns: 500 },
    );
  });

  it("accepts at most one spelling of any text", () => {
    fc.assert(
      fc.property(anyText(), fc.stringMatching(/^[!-~]{0,12}$/), (value, raw) => {
        if (isText(value)) {
          expect(decodeText(encodeText(value))).toBe(value);
          expect(new URLSearchParams([["", value]]).toString()).toBe(`=${encodeText(value)}`);
        }
        if (/%(?![0-9A-Fa-f]{2})|%[89A-Fa-f]/.test(raw)) return;
        const decoded = decodeText(raw);
        if (decoded !== undefined) expect(encodeText(decoded)).toBe(raw);
      }),
    );
  });

  it("accepts an origin only if URL parsers write it the same way", () => {
    const host = fc.oneof(
      fc.stringMatching(/^[a-z0-9.-]{1,12}$/),
      fc.stringMatching(/^[0-9a-fx.]{1,16}$/),
      fc.stringMatching(/^\[[0-9a-f:]{2,20}\]$/),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
    );
    const port = fc.constantFrom("", ":80", ":443", ":8080", ":080", ":65536", ":0");
    fc.assert(
      fc.property(fc.constantFrom("http", "https"), host, port, (scheme, name, suffix) => {
        const origin = `${scheme}://${name}${suffix}`;
        // xn-- labels are checked by parsers alone: an invalid one is not an origin.
        if (!isOrigin(origin) || name.includes("xn--")) return;
        expect(new URL(origin).origin).toBe(origin);
      }),
      { numRuns: 3000 },
    );
  });

  it("refuses any URL with a broken clock", async () => {
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await outcome(request(sign()), { clock: () => new Date(time) })).toBe("NOT_YET_VALID");
    }
    expect(AT.getTime()).toBeGreaterThan(0);
  });
});
