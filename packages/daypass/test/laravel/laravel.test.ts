import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Verifier } from "../../src/index.ts";
import { type LaravelVerifierOptions, laravelSigner, laravelVerifier } from "../../src/schemes/laravel/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

const secret = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const origins = ["https://app.example.com"];
const url = "https://app.example.com/unsubscribe/7?list=news%20letter&x=1&x=2";

const signer = laravelSigner({ secret, clock });
const verifier = (options: Partial<LaravelVerifierOptions> = {}): Verifier =>
  laravelVerifier({ secrets: secret, origins, clock, ...options });
const end = NOW.getTime() / 1000 + 60;
/** What `hasCorrectSignature` hashes, written out. */
const signed = (text: string): string =>
  `${text}${text.includes("?") ? "&" : "?"}signature=${createHmac("sha256", secret).update(text).digest("hex")}`;

// That PHP's own UrlGenerator agrees is tested in conformance/test/php.test.ts.
describe("URLs as Laravel makes them", () => {
  it("signs the same URL for the same parameters", () => {
    expect(signer.sign({ url: "https://app.example.com/a/7?user=1", expiresIn: 60 }).url).toBe(
      signed(`https://app.example.com/a/7?expires=${end}&user=1`),
    );
    expect(signer.sign({ url: "https://app.example.com/", expiresIn: 60 }).url).toBe(
      signed(`https://app.example.com?expires=${end}`).replace(".com?", ".com/?"),
    );
  });

  it.each([
    ["https://app.example.com/a|b/c@d;e?expires=END&q=a+b", "accepted"],
    ["https://app.example.com/a%20b?flag&expires=END", "accepted"],
    ["https://app.example.com/a?expires=END&&x=1", "accepted"],
    ["https://app.example.com?expires=END", "accepted"],
    ["https://app.example.com/a", "MALFORMED"],
  ])("%s: %s", async (text, expected) => {
    const made = signed(text.replace("END", String(end))).replace(/^(https:\/\/[^/?]+)\?/, "$1/?");
    expect(await outcome(verifier(), get(made))).toBe(expected);
  });

  it("accepts URLs without an expiry if withoutExpiry is set", async () => {
    const link = signer.sign({ url, withoutExpiry: "accept" });
    expect(link.warnings).toEqual([expect.stringContaining("never ends")]);
    expect(await outcome(verifier(), get(link.url))).toBe("MALFORMED");
    const grant = await verifier({ withoutExpiry: "accept" }).verify(get(link.url));
    expect(grant).toMatchObject({ weak: ["no-expiry"], target: "/unsubscribe/7?list=news%20letter&x=1&x=2" });
  });
});

describe("attacks on Laravel's signed routes", () => {
  it("laravel/framework#59860: an array of ends or signatures is refused, not skipped", async () => {
    const made = signed("https://app.example.com/a?expires[]=1");
    for (const options of [{}, { withoutExpiry: "accept" }] as const) {
      expect(await outcome(verifier(options), get(made))).toBe("MALFORMED");
      expect(await outcome(verifier(options), get(made.replace("expires[]", "expires%5B0%5D")))).toBe("MALFORMED");
      expect(await outcome(verifier(options), get(`${made}&signature[]=1`))).toBe("MALFORMED");
    }
  });

  it("refuses parameters that PHP reads as another expiry", async () => {
    for (const other of ["+expires=9999999999", "%20expires=9999999999", "expires%00=9999999999", "expires[a]=1"]) {
      expect(
        await outcome(verifier(), get(signed(`https://app.example.com/a?expires=1900000000&${other}`))),
        other,
      ).toBe("MALFORMED");
    }
    const harmless = signer.sign({
      url: "https://app.example.com/a?expires_in=1&xexpires[a]=%ff&signature.x=1",
      expiresIn: 60,
    });
    expect(await outcome(verifier(), get(harmless.url))).toBe("accepted");
  });

  it("laravel/framework#37370, #37432: no empty, repeated or re-ordered parameter goes through", async () => {
    const made = signer.sign({ url, expiresIn: 60 }).url;
    for (const other of [
      `${made}&x=`,
      `${made}&x`,
      `${made}&`,
      made.replace("?", "?&"),
      made.replace("x=1&x=2", "x=2&x=1"),
    ]) {
      expect(await outcome(verifier(), get(other)), other).not.toBe("accepted");
    }
  });

  it("a parameter that is ignored may be added, and no other spelling of it", async () => {
    const made = signer.sign({ url, expiresIn: 60 }).url;
    const ignoring = verifier({ ignoreQuery: ["utm_source"] });
    const grant = await laravelVerifier({ secrets: secret, origins, clock, ignoreQuery: ["utm_source"] }).verify(
      get(`${made}&utm_source=a%20b`),
    );
    expect(grant.unsignedParameters).toEqual([["utm_source", "a b"]]);
    expect(grant.target).not.toContain("utm_source");
    expect(await outcome(verifier(), get(`${made}&utm_source=a`))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(ignoring, get(`${made}&utm%5Fsource=a`))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(ignoring, get(`${made}&utm_source[]=a`))).toBe("SIGNATURE_MISMATCH");
    for (const ignoreQuery of [["expires"], ["signature"], [""]]) {
      expect(() => verifier({ ignoreQuery })).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
  });

  it("a slash at the end, which Laravel does not sign, is refused", async () => {
    const made = signer.sign({ url: "https://app.example.com/a", expiresIn: 60 }).url;
    expect(await outcome(verifier(), get(made.replace("/a?", "/a/?")))).toBe("MALFORMED");
    expect(await outcome(verifier({ relative: true }), get(made.replace("/a?", "//a?")))).toBe("MALFORMED");
  });

  it("a relative signature opens the path at every origin, an absolute one at its own", async () => {
    const both = { origins: ["https://app.example.com", "https://other.example.com"] };
    const absolute = get(signer.sign({ url, expiresIn: 60 }).url, { authority: "other.example.com" });
    expect(await outcome(verifier(both), absolute)).toBe("SIGNATURE_MISMATCH");
    const relative = laravelSigner({ secret, relative: true, clock }).sign({ url, expiresIn: 60 });
    expect(relative.unbound).toContain("host");
    expect(
      await outcome(verifier({ ...both, relative: true }), get(relative.url, { authority: "other.example.com" })),
    ).toBe("accepted");
    expect(await outcome(verifier(both), get(relative.url))).toBe("SIGNATURE_MISMATCH");
  });
});

it.each([
  ...["expires[]=1", "expires[a]=1", "expires%5B%5d=1", "+expires=9", "%20expires", "x&expires%00%ff=9"],
  ...["%65xpires=9", "signature[a]=1"],
])("refuses to sign what PHP reads as the signature's own: %s", (query) => {
  const ask = () => signer.sign({ url: `https://app.example.com/a?${query}`, expiresIn: 60 });
  expect(ask).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
});

it.each([
  [{ url: "https://app.example.com/a/" }, "INVALID_INPUT"],
  [{ url: "https://app.example.com/a?q=b?" }, "INVALID_INPUT"],
  [{ url: "https://app.example.com/a?signature=1" }, "INVALID_INPUT"],
  [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
  [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
])("refuses to sign %j with %s", (wish, code) => {
  expect(() => signer.sign({ url, expiresIn: 60, ...wish } as never)).toThrowError(expect.objectContaining({ code }));
});
