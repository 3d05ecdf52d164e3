import { type ExplainOptions, explain } from "daypass/explain";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../cpu-time.ts";
import type { Broken } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const keys = [key];
const sign = (url: string, more: { readonly bind?: { readonly headers: Readonly<Record<string, string>> } } = {}) =>
  urlSigner({ key, clock }).sign({ url, expiresIn: 900, ...more }).url;
const plain = sign("https://api.example.com/in/a%20b.pdf?lang=de&q=x%20y");
const bound = sign("https://api.example.com/a", { bind: { headers: { "x-tenant": "acme" } } });

const ask = (url: string, options: ExplainOptions = {}) => explain(url, { clock: soon, keys, ...options });
const replaced = (from: string | RegExp, to: string) => plain.replace(from, to);

describe("a Daypass URL that was changed", () => {
  it.each([
    ["a path encoded twice", replaced("a%20b", "a%2520b"), "PATH", /it was \/in\/a%20b\.pdf/],
    ["+ for a space in the path", replaced("a%20b", "a+b"), "PATH", /it was \/in\/a%20b\.pdf/],
    ["another form of Unicode", sign("https://api.example.com/%C3%A9").replace("%C3%A9", "e%CC%81"), "PATH", /%C3/],
    ["+ for a space in the query", replaced("x%20y", "x+y"), "QUERY", /with %20 for each \+/],
    ["a query encoded twice", replaced("x%20y", "x%2520y"), "QUERY", /decoded once more/],
    [
      "a life that was changed",
      replaced(/(dp-expires=\d+T)\d+/, "$1131500"),
      "EXPIRES_CHANGED",
      /from 20261124T121500Z/,
    ],
    ["+ in path and query", replaced(/%20/g, "+"), "QUERY", /%20 for each.*Also: The path/],
    ["two trackers", replaced("lang=de", "lang=de&utm_source=x&fbclid=y"), "QUERY", /utm_source and fbclid were added/],
    ["four parameters that nobody knows", `${plain}&za=1&zb=2&zc=3&zd=4`, "QUERY", /za, zb, zc and zd were added/],
  ] as const)("is found by %s", async (_, url, code, says) => {
    const { cause } = await ask(url);
    expect(cause).toMatchObject({ code });
    expect(cause?.sentence).toMatch(says);
  });

  it("names what differs between the URL that was signed and the one that was sent", async () => {
    const url = replaced("lang=de", "lang=fr").replace("/in/", "/out/");
    const { cause } = await ask(plain, { request: { url } });
    expect(cause?.sentence).toMatch(
      /path was \/in\/a%20b\.pdf and was sent as \/out\/.*; the query parameter lang was de and was sent as fr/,
    );
  });

  it("finds a header that a proxy has written otherwise, and shows nothing of it", async () => {
    const { cause } = await ask(bound, { request: { headers: { "x-tenant": "ACME" } } });
    expect(cause).toMatchObject({ code: "HEADER", sentence: "The header x-tenant was signed in lower case." });
  });

  it.each([
    ["methods=GET", "methods=GET.PUT", /the query parameter dp-methods was GET and was sent as GET\.PUT/],
    ["/in/", "/out/", /the path was \/in\/a%20b\.pdf and was sent as \/out\//],
  ])("says what was sent otherwise than it was signed: %s", async (from, to, sentence) => {
    const { cause } = await ask(plain, { request: { url: replaced(from, to) } });
    expect(cause?.sentence).toMatch(sentence);
  });

  it("says what else may have been changed, where it is none of the usual ways", async () => {
    for (const url of [replaced("api.", "other."), replaced("/in/", "/out/"), replaced("lang=de", "lang=fr")]) {
      const { cause } = await ask(url);
      expect(cause).toMatchObject({ code: "WRONG_SECRET" });
      expect(cause?.sentence).toMatch(/a different key than the given one of k1, or changed/);
    }
  });

  it("is searched in a short time", async () => {
    expect(await cpuMilliseconds(() => ask(replaced("lang=de", "lang=fr")))).toBeLessThan(1000);
  });
});

const invoice = sign("https://api.example.com/invoices/7.pdf?lang=de");

const refused: readonly Broken[] = [
  {
    what: "a server that is reached by another name",
    url: invoice,
    options: { keys, request: { headers: { host: "backend:8080" } } },
    cause: "HOST",
    says: /signed for https:\/\/api\.example\.com.*reached as https:\/\/backend:8080/,
  },
  {
    what: "https in front, http behind",
    url: invoice.replace("https", "http"),
    options: { keys },
    cause: "HOST",
    says: /signed for https:\/\/api\.example\.com/,
  },
  {
    what: "a tracking parameter",
    url: invoice.replace("lang=de", "lang=de&utm_source=x"),
    options: { keys },
    cause: "QUERY",
    says: /utm_source was added after signing/,
  },
  {
    what: "a method that was not granted",
    url: invoice,
    options: { keys, request: { method: "DELETE" } },
    cause: "METHOD",
    says: /signed for GET, HEAD, but sent with DELETE/,
  },
  {
    what: "a slash at the end",
    url: invoice,
    options: { keys, request: { url: invoice.replace("7.pdf", "7.pdf/") } },
    cause: "PATH",
    says: /the path was \/invoices\/7\.pdf and was sent as/,
  },
  {
    what: "an expired URL",
    url: invoice,
    options: { clock: () => new Date("2026-11-24T13:00:00Z") },
    cause: "EXPIRED",
    says: /was valid until/,
  },
  {
    what: "another key at hand",
    url: invoice,
    options: { keys: [{ ...key, kid: "k2" }] },
    cause: "UNKNOWN_KEY",
    says: /names k1 and was signed with the key of k2/,
  },
  {
    what: "another secret under the same kid",
    url: invoice,
    options: { keys: [{ ...key, k: "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }] },
    cause: "WRONG_SECRET",
    says: /a different key than the given one of k1/,
  },
  {
    what: "parameters that a proxy put into another order",
    url: invoice.replace(/(dp-date=[^&]*)&(dp-expires=[^&]*)/, "$2&$1"),
    options: { keys },
    cause: "MALFORMED",
    says: /ascending order/,
  },
  {
    what: "a server's problem details",
    url: invoice,
    options: { errorBody: JSON.stringify({ status: 403, code: "EXPIRED", detail: "the grant has ended" }) },
    cause: "EXPIRED",
    says: /expired/,
  },
];

describe("the cause of a refused Daypass URL", () => {
  it.each(refused)("$what: $cause", async ({ url, options, cause, says }) => {
    const explanation = await explain(url, { clock: soon, ...options });
    expect(explanation.cause?.sentence ?? "none").toMatch(says);
    expect(explanation.cause?.code).toBe(cause);
  });

  it("is missing where nothing is wrong", async () => {
    const explanation = await ask(invoice);
    expect(explanation.cause).toBeUndefined();
    expect(explanation.grants.methods).toContain("GET");
  });
});
