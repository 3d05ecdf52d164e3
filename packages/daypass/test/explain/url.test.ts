import { type ExplainOptions, explain } from "daypass/explain";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { expectCause, named, type Refusal } from "./raw-requests.ts";

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

describe("explain for a changed Daypass URL", () => {
  it.each([
    ["a path encoded twice", replaced("a%20b", "a%2520b"), "PATH", /it was \/in\/a%20b\.pdf/],
    ["+ for a space in the path", replaced("a%20b", "a+b"), "PATH", /it was \/in\/a%20b\.pdf/],
    ["another form of Unicode", sign("https://api.example.com/%C3%A9").replace("%C3%A9", "e%CC%81"), "PATH", /%C3/],
    ["+ for a space in the query", replaced("x%20y", "x+y"), "QUERY", /with %20 for each \+/],
    ["a query encoded twice", replaced("x%20y", "x%2520y"), "MALFORMED", /encoded again/],
    ["a changed lifetime", replaced(/(dp-expires=\d+T)\d+/, "$1131500"), "EXPIRES_CHANGED", /from 20261124T121500Z/],
    ["+ in path and query", replaced(/%20/g, "+"), "QUERY", /%20 for each.*Also: The path/],
    ["two trackers", replaced("lang=de", "lang=de&utm_source=x&fbclid=y"), "QUERY", /utm_source and fbclid were added/],
    ["four unknown parameters", `${plain}&za=1&zb=2&zc=3&zd=4`, "QUERY", /za, zb, zc and zd were added/],
  ] as const)("returns the change: %s", async (_, url, code, says) => {
    const { cause } = await ask(url);
    expect(cause).toMatchObject({ code });
    expect(cause?.sentence).toMatch(says);
  });

  it("names each difference between the signed and the sent URL", async () => {
    const url = replaced("lang=de", "lang=fr").replace("/in/", "/out/");
    const { cause } = await ask(plain, { request: { url } });
    expect(cause?.sentence).toMatch(
      /path was \/in\/a%20b\.pdf and was sent as \/out\/.*; the query parameter lang was de and was sent as fr/,
    );
  });

  it("returns the changed case of a header without its value", async () => {
    const { cause } = await ask(bound, { request: { headers: { "x-tenant": "ACME" } } });
    expect(cause).toMatchObject({ code: "HEADER", sentence: "The header x-tenant was signed in lower case." });
  });

  it.each([
    ["methods=GET", "methods=GET.PUT", /the query parameter dp-methods was GET and was sent as GET\.PUT/],
    ["/in/", "/out/", /the path was \/in\/a%20b\.pdf and was sent as \/out\//],
  ])("names the part that changed in transit: %s", async (from, to, sentence) => {
    const { cause } = await ask(plain, { request: { url: replaced(from, to) } });
    expect(cause?.sentence).toMatch(sentence);
  });

  it("returns WRONG_SECRET for an unusual change", async () => {
    for (const url of [replaced("api.", "other."), replaced("/in/", "/out/"), replaced("lang=de", "lang=fr")]) {
      const { cause } = await ask(url);
      expect(cause).toMatchObject({ code: "WRONG_SECRET" });
      expect(cause?.sentence).toMatch(/a different key than the given one of k1, or changed/);
    }
  });
});

const invoice = sign("https://api.example.com/invoices/7.pdf?lang=de");

const REFUSALS: readonly Refusal[] = [
  [
    /^HOST: .*signed for https:\/\/api\.example\.com.*reached as https:\/\/backend:8080/,
    invoice,
    { keys, request: { headers: { host: "backend:8080" } } },
  ],
  [/^HOST: .*signed for https:\/\/api\.example\.com/, invoice.replace("https", "http"), { keys }],
  [/^QUERY: .*utm_source was added after signing/, invoice.replace("lang=de", "lang=de&utm_source=x"), { keys }],
  [/^METHOD: .*signed for GET, HEAD, but sent with DELETE/, invoice, { keys, request: { method: "DELETE" } }],
  [
    /^PATH: .*the path was \/invoices\/7\.pdf and was sent as/,
    invoice,
    { keys, request: { url: invoice.replace("7.pdf", "7.pdf/") } },
  ],
  [/^EXPIRED: .*was valid until/, invoice, { clock: () => new Date("2026-11-24T13:00:00Z") }],
  [/^UNKNOWN_KEY: .*names k1 and was signed with the key of k2/, invoice, { keys: [{ ...key, kid: "k2" }] }],
  [
    /^WRONG_SECRET: .*a different key than the given one of k1/,
    invoice,
    { keys: [{ ...key, k: "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }] },
  ],
  [/^MALFORMED: .*ascending order/, invoice.replace(/(dp-date=[^&]*)&(dp-expires=[^&]*)/, "$2&$1"), { keys }],
  [
    /^EXPIRED: .*expired/,
    invoice,
    { errorBody: JSON.stringify({ status: 403, code: "EXPIRED", detail: "the grant has expired" }) },
  ],
];

describe("explain for a refused Daypass URL", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, soon);
  });

  it("returns no cause for a good URL", async () => {
    const explanation = await ask(invoice);
    expect(explanation.cause).toBeUndefined();
    expect(explanation.grants.methods).toContain("GET");
  });
});
