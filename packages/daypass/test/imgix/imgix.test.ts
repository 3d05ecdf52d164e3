import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { imgixSigner, imgixVerifier } from "../../src/schemes/imgix/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

const secret = "FOO123bar";
const origins = ["https://my-social-network.imgix.net"];

// https://github.com/imgix/imgix-blueprint#securing-urls
const published = [
  ["/users/1.png", "6797c24146142d5b40bde3141fd3600c"],
  ["/http%3A%2F%2Favatars.com%2Fjohn-smith.png", "493a52f008c91416351f8b33d4883135"],
  ["/users/1.png?w=400&h=300", "c7b86f666a832434dd38577e38cf86d1"],
  ["/http%3A%2F%2Favatars.com%2Fjohn-smith.png?w=400&h=300", "61ea1cc7add87653bb0695fe25f2b534"],
] as const;

const signer = imgixSigner({ secret, clock });

describe("the URLs of imgix' blueprint", () => {
  it.each(published)("%s is signed and accepted", async (target, s) => {
    const url = `https://my-social-network.imgix.net${target}`;
    const link = signer.sign({ url, withoutExpiry: "accept" });
    expect(link.url).toBe(`${url}${target.includes("?") ? "&" : "?"}s=${s}`);
    expect(link.warnings).toHaveLength(2);
    const verifier = imgixVerifier({ secrets: secret, origins, clock, withoutExpiry: "accept" });
    expect((await verifier.verify(get(link.url))).target).toBe(target);
    expect(await outcome(imgixVerifier({ secrets: secret, origins, clock }), get(link.url))).toBe("MALFORMED");
  });
});

it("never ends, whatever is done to the date that says so", async () => {
  const ask = { url: "https://my-social-network.imgix.net/a.png", withoutExpiry: "accept" } as const;
  const link = signer.sign(ask);
  const never = link.expiresAt.getTime();
  link.expiresAt.setTime(0);
  expect(signer.sign(ask).expiresAt).toEqual(new Date(never));
  const verifier = imgixVerifier({ secrets: secret, origins, clock, withoutExpiry: "accept" });
  expect((await verifier.verify(get(link.url))).expiresAt).toEqual(new Date(never));
});

describe("what is weak about imgix' signature", () => {
  it("names its weakness in the types and in every grant", async () => {
    const link = signer.sign({ url: "https://my-social-network.imgix.net/a.png", expiresIn: 60 });
    const grant = await imgixVerifier({ secrets: secret, origins, clock }).verify(get(link.url));
    expect(grant.weak).toEqual(["plain-md5", "no-expiry"]);
    expect(link.warnings).toEqual([expect.stringContaining("MD5")]);
  });

  it("length extension (Flickr, 2009): a continued MD5 is refused, as its padding is no text", async () => {
    const known = "/users/1.png?w=400";
    // The padding that MD5 puts after the token and the text, and whatever an attacker puts after it.
    const length = secret.length + known.length;
    const padding = Buffer.alloc(64 - (length % 64));
    padding[0] = 0x80;
    padding.writeUInt32LE(length * 8, padding.length - 8);
    const continued = `${known}${padding.toString("latin1")}&w=9999`;
    const s = createHash("md5")
      .update(Buffer.from(secret + continued, "latin1"))
      .digest("hex");
    const request = get(`https://my-social-network.imgix.net${continued}&s=${s}`);
    const verifier = imgixVerifier({ secrets: secret, origins, clock, withoutExpiry: "accept" });
    expect(await outcome(verifier, request)).toBe("MALFORMED");
  });
});

it.each([
  [{ expiresIn: undefined }, "INVALID_INPUT"],
  [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
  [{ url: "https://my-social-network.imgix.net/a.png?s=1" }, "INVALID_INPUT"],
  [{ url: "https://my-social-network.imgix.net/a.png?expires=1" }, "INVALID_INPUT"],
  [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
])("refuses to sign %j with %s", (wish, code) => {
  const request = { url: "https://my-social-network.imgix.net/a.png", expiresIn: 60, ...wish };
  expect(() => signer.sign(request as never)).toThrowError(expect.objectContaining({ code }));
});
