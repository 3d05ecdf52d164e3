import { createVerify } from "node:crypto";
import { existsSync } from "node:fs";
import { cloudfrontCookieSigner, cloudfrontSigner, cloudfrontVerifier } from "daypass/cloudfront";
import { describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { hasHiddenDotSegment } from "../dot-segments.ts";
import { boto3Urls, KEYS, keyPairId, sdkCookies, sdkPolicyCookies, sdkUrl } from "../oracles/cloudfront.ts";
import { CLOUDFRONT_ORIGIN, type CloudfrontWish, randomCloudfrontWish } from "../random/cloudfront-wishes.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";

// Both are asked the same. RSA signs the same bytes alike; ECDSA draws a random number, so there the rest of the URL is
// compared, and each has to take the other's signature.

// RSA takes its time.
const count = Math.ceil(runCount() / 2);
const authority = CLOUDFRONT_ORIGIN.slice("https://".length);

function signing({ key, hash, end }: CloudfrontWish) {
  return { keyPairId, privateKey: KEYS[key].privateKey, hash, clock: () => new Date((end - 60) * 1000) };
}

function limits({ end, start, ip, resource }: CloudfrontWish) {
  return {
    expiresAt: new Date(end * 1000),
    ...(start === undefined ? {} : { notBefore: new Date(start * 1000) }),
    ...(ip === undefined ? {} : { bind: { ip } }),
    ...(resource === undefined ? {} : { resource }),
  };
}

function verifierFor({ key, hash, end }: CloudfrontWish) {
  return cloudfrontVerifier({
    keys: { keyPairId, publicKey: KEYS[key].publicKey, hashes: [hash] },
    origins: [CLOUDFRONT_ORIGIN],
    clock: () => new Date((end - 1) * 1000),
  });
}

function wire(url: string, { ip }: CloudfrontWish, cookies?: Readonly<Record<string, string | number>>) {
  const remoteAddress = ip?.includes(":") ? "2001:db8::7" : ip?.startsWith("192") ? "192.0.2.129" : "203.0.113.9";
  const cookie = Object.entries(cookies ?? {}).map(([name, value]) => `${name}=${value}`);
  return {
    method: "GET",
    target: url.slice(CLOUDFRONT_ORIGIN.length),
    authority,
    headers: cookie.length > 0 ? [["cookie", cookie.join("; ")] as const] : [],
    remoteAddress,
  };
}

const fromUrlText = (text: string): Buffer =>
  Buffer.from(text.replaceAll("-", "+").replaceAll("_", "=").replaceAll("~", "/"), "base64");
const policyOf = (url: string): string | undefined => {
  const text = /[?&]Policy=([^&]*)/.exec(url)?.[1];
  return text === undefined ? undefined : fromUrlText(text).toString();
};
const withoutSignature = (url: string): string => url.replace(/(Signature=)[^&]*/, "$1");

/** What OpenSSL says of the signature of a URL of ours. */
function opensslAccepts(url: string, base: string, { key, hash, end }: CloudfrontWish): boolean {
  const canned = `{"Statement":[{"Resource":"${base}","Condition":{"DateLessThan":{"AWS:EpochTime":${end}}}}]}`;
  const signature = fromUrlText(/[?&]Signature=([^&]*)/.exec(url)?.[1] ?? "");
  return createVerify(hash)
    .update(policyOf(url) ?? canned)
    .verify(KEYS[key].publicKey, signature);
}

test(`@aws-sdk/cloudfront-signer 3.1166: the same URLs as cloudfrontSigner for ${count} random requests`, async () => {
  const random = seeded(runSeed() + 4);
  const seen = { "rsa sha1": 0, "rsa sha256": 0, "ec sha1": 0, "ec sha256": 0 };
  const differs = { "IPv6: refused by the SDK": 0, "URL spelt anew by the SDK": 0, "a literal *: refused here": 0 };
  for (let left = count; left > 0; left--) {
    const wish = randomCloudfrontWish(random);
    const context = JSON.stringify(wish);
    const signer = cloudfrontSigner(signing(wish));
    const ownPolicy = wish.resource && policyOf((await signer.sign({ url: wish.url, ...limits(wish) })).url);
    if (wish.ip?.includes(":") && ownPolicy === undefined) {
      expect(() => sdkUrl(wish), context).toThrow(/does not contain four octets/);
      differs["IPv6: refused by the SDK"] += 1;
      continue;
    }
    const theirs = sdkUrl(wish, ownPolicy);
    const base = theirs.replace(/[?&](?:Expires|Policy)=.*/, "");
    if (base !== wish.url) differs["URL spelt anew by the SDK"] += 1;
    if (ownPolicy !== undefined && !covers(wish, base)) continue;
    // The SDK also rewrites `%2A` in a query as `*`.
    if (hasLiteralStar({ ...wish, url: base })) {
      await expect(signer.sign({ url: base, ...limits(wish) }), context).rejects.toMatchObject(STAR_REFUSED);
      differs["a literal *: refused here"] += 1;
      continue;
    }

    const link = await signer.sign({ url: base, ...limits(wish) });
    if (wish.key === "rsa") expect(link.url, context).toBe(theirs);
    else expect(withoutSignature(link.url), context).toBe(withoutSignature(theirs));
    expect(opensslAccepts(link.url, base, wish), context).toBe(true);
    const grant = verifierFor(wish).verify(wire(theirs, wish));
    // What a server could read as another path is refused here.
    if (isRefused(wish)) await expect(grant, context).rejects.toMatchObject({ code: "MALFORMED" });
    else expect(await grant, context).toMatchObject({ url: base, id: link.id });
    seen[`${wish.key} ${wish.hash}`] += 1;
  }
  console.log(`@aws-sdk/cloudfront-signer, seed ${runSeed()}:`, seen, differs);
  expect(Object.values({ ...seen, ...differs }).every((times) => times > count / 100)).toBe(true);
});

/** In a custom policy, which a canned one can be sent as, a `*` of the URL would stand for any characters. */
const hasLiteralStar = ({ url, resource }: CloudfrontWish): boolean => resource === undefined && url.includes("*");
const STAR_REFUSED = { code: "INVALID_INPUT", message: expect.stringContaining("%2A") };

const isRefused = ({ url }: CloudfrontWish): boolean => hasHiddenDotSegment(url.replace(/\?.*/, ""));

/** The SDK signs `x%2b` as `x%2B`, which a pattern for `x%2` and one more character does not cover, for instance. */
function covers({ resource = "", url }: CloudfrontWish, base: string): boolean {
  return resource.endsWith("*") || base === url;
}

test(`@aws-sdk/cloudfront-signer 3.1166: the same cookies as cloudfrontCookieSigner for ${count} random requests`, async () => {
  const random = seeded(runSeed() + 5);
  const seen = { equal: 0, "canned policy for a pattern": 0, "either scheme: refused by the SDK": 0 };
  for (let left = count; left > 0; left--) {
    const wish = randomCloudfrontWish(random);
    const { url, ip, start } = wish;
    if (ip?.includes(":") || isRefused(wish) || url.includes("*")) continue;
    // The rest of the resource decides whether ? alone is a wildcard.
    const resource = wish.resource?.includes("*") ? wish.resource : url;
    const context = JSON.stringify(wish);
    const ours = await cloudfrontCookieSigner(signing(wish)).sign({ ...limits(wish), resource });
    const verifier = verifierFor(wish);
    expect(await verifier.verify(wire(url, wish, ours.cookies)), context).toMatchObject({
      id: ours.id,
      via: "cookies",
    });
    if (resource.startsWith("*")) {
      expect(() => sdkCookies({ ...wish, resource }), context).toThrow(/Invalid URI scheme/);
      seen["either scheme: refused by the SDK"] += 1;
      continue;
    }
    const theirs = sdkCookies({ ...wish, resource });
    if (resource.includes("*") && start === undefined && ip === undefined) {
      // A canned policy is built again from the URL that is asked for, which is never the pattern.
      await expect(verifier.verify(wire(url, wish, theirs)), context).rejects.toThrow();
      expect(theirs["CloudFront-Policy"], context).toBe(undefined);
      seen["canned policy for a pattern"] += 1;
      continue;
    }
    const signatures = wish.key === "rsa" ? {} : { "CloudFront-Signature": expect.any(String) };
    const expires = ours.cookies["CloudFront-Expires"];
    const numeric = expires === undefined ? {} : { "CloudFront-Expires": Number(expires) };
    expect({ ...ours.cookies, ...numeric }, context).toEqual({ ...theirs, ...signatures });
    expect(await verifier.verify(wire(url, wish, theirs)), context).toMatchObject({ id: ours.id });
    seen.equal += 1;
  }
  console.log(`@aws-sdk/cloudfront-signer cookies, seed ${runSeed()}:`, seen);
  expect(Object.values(seen).every((times) => times > count / 50)).toBe(true);
});

const packages = "/usr/lib/python3/dist-packages";
const missing =
  needs("python3") ??
  (existsSync(`${packages}/botocore`) ? undefined : needs("python3-boto3")) ??
  (existsSync(`${packages}/cryptography`) ? undefined : needs("python3-cryptography"));

test("signs the same cookies as the SDK for a custom policy, with and without a URL", async () => {
  const policy = `{"Statement":[{"Resource":"${CLOUDFRONT_ORIGIN}/*","Condition":{"DateLessThan":{"AWS:EpochTime":1900000000}}}]}`;
  const signer = cloudfrontCookieSigner({ keyPairId, privateKey: KEYS.rsa.privateKey, hash: "sha256" });
  const url = `${CLOUDFRONT_ORIGIN}/x`;
  expect((await signer.sign({ url, policy })).cookies).toEqual(sdkPolicyCookies(policy, url));
  expect((await signer.sign({ policy })).cookies).toEqual(sdkPolicyCookies(policy));
});

describe.skipIf(missing)(`CloudFrontSigner of python3-boto3${missing ?? ""}`, () => {
  test(`the same bytes as cloudfrontSigner for ${count} random requests but for the order of parameters`, async () => {
    const random = seeded(runSeed() + 6);
    const wishes = Array.from({ length: count }, (): CloudfrontWish => {
      const wish = randomCloudfrontWish(random);
      return { ...wish, key: "rsa", hash: "sha1", ip: wish.ip?.includes(":") ? undefined : wish.ip };
    });
    const seen = { equal: 0, "address before start in the policy": 0 };
    for (const [at, theirs] of boto3Urls(wishes).entries()) {
      const wish = wishes[at] as CloudfrontWish;
      const context = JSON.stringify(wish);
      const signed = cloudfrontSigner(signing(wish)).sign({ url: wish.url, ...limits(wish) });
      if (hasLiteralStar(wish)) {
        await expect(signed, context).rejects.toMatchObject(STAR_REFUSED);
        continue;
      }
      const link = await signed;
      if (isRefused(wish)) continue;
      const grant = await verifierFor(wish).verify(wire(theirs, wish));
      if (wish.ip !== undefined && wish.start !== undefined) {
        // Either order is a policy; we write the one of the JavaScript SDK.
        expect(JSON.parse(policyOf(theirs) ?? ""), context).toEqual(JSON.parse(policyOf(link.url) ?? ""));
        seen["address before start in the policy"] += 1;
        continue;
      }
      expect(theirs.split(/[?&]/).sort(), context).toEqual(link.url.split(/[?&]/).sort());
      expect(grant, context).toMatchObject({ url: wish.url, id: link.id });
      seen.equal += 1;
    }
    console.log(`CloudFrontSigner of boto3, seed ${runSeed()}:`, seen);
    expect(seen.equal).toBeGreaterThan(count / 2);
    expect(seen["address before start in the policy"]).toBeGreaterThan(0);
  });
});
