import { describe, expect, it } from "vitest";
import type { UseStore } from "../../src/index.ts";
import { type RouteItem, signedRoute } from "../../src/routes/index.ts";
import { urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";
import { codeOf, verdictOf } from "../code-of.ts";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const pair = {
  ...({ kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid: "edge-1" } as const),
  ...{ x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
} as const;
const origin = "https://api.example.com";
const clock = (): Date => new Date("2026-12-01T08:00:00Z");
const signer = urlSigner({ key, clock });
const verifier = urlVerifier({ keys: [key], origins: [origin], clock });
const invoice = signedRoute({ path: "/invoices/:id", signer, verifier });
const shop = signedRoute({ path: "/shops/:shop/items/:item/", mount: "/api/v1", signer, verifier });
const ask = { expiresIn: 900 };

describe("signedRoute", () => {
  it.each([
    ["7", "/invoices/7"],
    [7, "/invoices/7"],
    ["a b.pdf", "/invoices/a%20b.pdf"],
    ["Zürich+50%;@'()*!", "/invoices/Z%C3%BCrich%2B50%25%3B%40%27%28%29%2A%21"],
    ["...", "/invoices/..."],
  ])("signs the parameter %j as one segment, and verifies it as the same text", async (id, path) => {
    const { url } = invoice.sign({ id }, ask);
    expect(url.slice(origin.length).split("?")[0]).toBe(path);
    expect((await invoice.verify(url)).params).toEqual({ id: String(id) });
  });

  it.each([
    ["", "INVALID_INPUT"],
    ["a/b", "INVALID_INPUT"],
    ["a\\b", "INVALID_INPUT"],
    ["a\nb", "INVALID_INPUT"],
    ["\ud800", "INVALID_INPUT"],
    [Number.NaN, "INVALID_INPUT"],
    [1.5, "INVALID_INPUT"],
    [undefined as never, "INVALID_INPUT"],
    [".", "DOT_SEGMENTS"],
    ["..", "DOT_SEGMENTS"],
  ])("refuses to sign the parameter %j", (id, code) => {
    expect(codeOf(() => invoice.sign({ id }, ask))).toBe(code);
  });

  it("refuses parameters that the path does not have", () => {
    expect(codeOf(() => invoice.sign({ id: "7", extra: "1" } as never, ask))).toBe("INVALID_INPUT");
  });

  it("puts the mount before the path, and keeps a slash at its end", async () => {
    const { url } = shop.sign({ shop: "x", item: 2 }, { ...ask, query: { lang: "de" } });
    expect(url).toContain(`${origin}/api/v1/shops/x/items/2/?lang=de&dp-`);
    const { params, parameters } = await shop.verify(url);
    expect([shop.path, params, parameters]).toEqual([
      "/shops/:shop/items/:item/",
      { shop: "x", item: "2" },
      [["lang", "de"]],
    ]);
  });

  it.each(["invoices/:id", "/a/:id.pdf", "/a/:id?", "/a/*", "/a//b", "/a/:id/:id", "/a/{b}", "/a b", "", "/a/:"])(
    "refuses the path %j, which frameworks read in different ways",
    (path) => {
      expect(codeOf(() => signedRoute({ path, signer, verifier }))).toBe("INVALID_INPUT");
    },
  );

  it("asks for the origin unless its verifier has exactly one", async () => {
    const two = urlVerifier({ keys: [key], origins: [origin, "https://other.example"], clock });
    expect(codeOf(() => signedRoute({ path: "/", signer, verifier: two }))).toBe("INVALID_INPUT");
    expect(signedRoute({ path: "/", signer, origin }).sign({}, ask).url).toContain(`${origin}/?dp-`);
    const reader = signedRoute({ path: "/invoices/:id", verifier: two });
    expect((await reader.verify(invoice.sign({ id: 7 }, ask).url)).params.id).toBe("7");
    expect(codeOf(() => reader.sign({ id: 7 }, ask))).toBe("INVALID_INPUT");
  });

  it("signs with a promise when its key is an Ed25519 pair", async () => {
    const publicVerifier = urlVerifier({ keys: [pair], origins: [origin], clock });
    const route = signedRoute({ path: "/jobs/:id", signer: urlSigner({ key: pair, clock }), verifier: publicVerifier });
    const { url } = await route.sign({ id: 1 }, ask);
    expect((await route.verify(url)).params.id).toBe("1");
  });

  it("signs many in order, and yields the error of a bad item", async () => {
    async function* rows(): AsyncGenerator<RouteItem<"/invoices/:id">> {
      for (const id of ["1", "", "3"]) yield [{ id }, ask];
    }
    const seen: unknown[] = [];
    for await (const item of invoice.signMany(rows())) seen.push("url" in item ? item.url.slice(23, 34) : item.error);
    expect(seen).toEqual(["/invoices/1", expect.objectContaining({ code: "INVALID_INPUT" }), "/invoices/3"]);
  });
});

describe("verify of a signed route, without a request", () => {
  const { url } = invoice.sign({ id: 7 }, ask);
  const prefix = signer.sign({ ...ask, url: `${origin}/invoices/7`, prefix: "/invoices/" }).url;

  it.each([
    ["another id", url.replace("/7", "/8"), {}, "SIGNATURE_MISMATCH"],
    ["the URL of another route", shop.sign({ shop: 1, item: 2 }, ask).url, {}, "WRONG_AUDIENCE"],
    ["a prefix that leads below the route", prefix.replace("/7", "/7/8"), {}, "WRONG_AUDIENCE"],
    ["a slash at the end below a prefix", prefix.replace("/7", "/7/"), {}, "WRONG_AUDIENCE"],
    ["another letter case below a prefix", prefix.replace("/invoices", "/Invoices"), {}, "SIGNATURE_MISMATCH"],
    ["http in the place of https", url.replace("https:", "http:"), {}, "WRONG_ORIGIN"],
    ["another host", url.replace("api.", "evil."), {}, "WRONG_ORIGIN"],
    ["text that is no URL", "7", {}, "MALFORMED"],
    ["no signature", `${origin}/invoices/7`, {}, "NO_SIGNATURE"],
    ["a disguised letter", url.replace("/7", "/%37"), {}, "MALFORMED"],
    ["another method", url, { method: "POST" }, "METHOD_NOT_GRANTED"],
    [
      "a URL for somebody else",
      invoice.sign({ id: 7 }, { ...ask, subject: "a" }).url,
      { subject: "b" },
      "WRONG_SUBJECT",
    ],
    ["uses without a store", invoice.sign({ id: 7 }, { ...ask, uses: 1 }).url, {}, "UNENFORCED_CONSTRAINT"],
  ])("refuses %s", async (_, given, use, code) => {
    expect(await verdictOf(invoice.verify(given, use))).toBe(code);
  });

  it("accepts the path of the route below a prefix", async () => {
    expect((await invoice.verify(prefix.replace("/7", "/8"))).params.id).toBe("8");
  });

  it("counts a use only of a URL that passes every other check", async () => {
    const claims: string[] = [];
    const uses: UseStore = {
      async claim(kid, grantId, limit) {
        claims.push(kid);
        return claims.length <= limit && grantId !== "";
      },
    };
    const once = signedRoute({ path: "/jobs/:id", methods: ["POST"], signer, verifier, uses });
    const job = once.sign({ id: 1 }, { ...ask, uses: 1 }).url;
    expect(await verdictOf(once.verify(job.replace("https:", "http:")))).toBe("WRONG_ORIGIN");
    expect((await once.verify(job)).params.id).toBe("1");
    expect(await verdictOf(once.verify(job))).toBe("USES_SPENT");
    expect(claims).toEqual(["k1", "k1"]);
  });

  it("grants the fixed route when a parameter equals its segment, unless the audiences differ", async () => {
    const audience = "export";
    const strict = urlVerifier({ keys: [key], origins: [origin], audience, clock });
    const exporting = {
      open: signedRoute({ path: "/invoices/all", verifier }),
      strict: signedRoute({ path: "/invoices/all", verifier: strict }),
    };
    const confused = invoice.sign({ id: "all" }, ask).url;
    expect((await exporting.open.verify(confused)).params).toEqual({});
    expect(await verdictOf(exporting.strict.verify(confused))).toBe("WRONG_AUDIENCE");
  });
});
