import { bunnySigner, bunnyVerifier } from "daypass/bunny";
import { cloudCdnCookieSigner, cloudCdnSigner, cloudCdnVerifier } from "daypass/cloud-cdn";
import { cloudflareSigner, cloudflareVerifier } from "daypass/cloudflare";
import { fastlySigner, fastlyVerifier } from "daypass/fastly";
import { mediaCdnCookieSigner, mediaCdnSigner, mediaCdnVerifier } from "daypass/media-cdn";
import {
  mediaCdnEd25519TokenSigner,
  mediaCdnPublicKey,
  mediaCdnSha1Key,
  mediaCdnTokenSigner,
  mediaCdnTokenVerifier,
} from "daypass/media-cdn/token";
import { expect, test } from "vitest";
import { arrived, outcome } from "../edge.ts";
import {
  bunnyOpinion,
  cloudCdnSign,
  cloudflareOpinion,
  fastlyOpinion,
  googleCookie,
  googleUrl,
  hmacProof,
  mediaCdnPath,
  mediaCdnSign,
  mediaCdnTokenOpinion,
} from "../edge-opinions.ts";
import { randomEdgeWish, wishedClock, wishedEnd, wishedTarget, wishedUrl } from "../random/edge-wishes.ts";
import { runSeed, seeded } from "../random/seeded.ts";

// No client of these can be had, so a second opinion is asked, which shares no code with the library: the same text, for
// each of the random requests, and our verifier takes it.
const COUNT = 2_000;
const ED25519 = {
  privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};

test(`bunnySigner agrees on ${COUNT} random requests`, async () => {
  const random = seeded(runSeed());
  for (let left = COUNT; left > 0; left--) {
    const wish = randomEdgeWish(random, { value: (value) => !value.includes("&") });
    const expires = wish.signedAt + wish.expiresIn;
    const prefix = random.chance(0.3) ? "/" : undefined;
    const ip = random.chance(0.3) ? "203.0.113.9" : undefined;
    const countries = random.chance(0.2) ? ["CA", "US"] : undefined;
    const parameters = [
      ...wish.parameters,
      ...(prefix === undefined ? [] : [["token_path", prefix] as const]),
      ...(countries === undefined ? [] : [["token_countries", countries.join(",")] as const]),
    ];
    const token = bunnyOpinion("SecurityKey", {
      ...{ path: prefix ?? decodeURIComponent(wish.path), expires, parameters },
      ...(ip === undefined ? {} : { ip }),
    });
    const place = random.pick(["query", "path"] as const);
    const { url } = bunnySigner({ secret: "SecurityKey", clock: wishedClock(wish) }).sign({
      ...{ url: wishedUrl(wish), expiresAt: wishedEnd(wish), prefix, countries, place, bind: { ip } },
    });
    expect(/token=([^&/]+)/.exec(url)?.[1]).toBe(token);
    const verifier = bunnyVerifier({
      ...{ secrets: "SecurityKey", origins: [wish.origin], clock: wishedClock(wish), countryOf: () => "CA" },
    });
    expect([url, await outcome(verifier, arrived(url, { remoteAddress: ip }))]).toEqual([url, "accepted"]);
  }
});

test(`cloudflareSigner and fastlySigner agree on ${COUNT} random requests`, async () => {
  const random = seeded(runSeed());
  for (let left = COUNT; left > 0; left--) {
    const wish = randomEdgeWish(random);
    const { origin, path, signedAt, expiresIn } = wish;
    const clock = wishedClock(wish);
    const urlSafe = random.chance(0.5);
    const ttl = expiresIn + random.below(100);
    const cloudflare = cloudflareSigner({ secret: "s3cret", ttl, urlSafe, clock }).sign({
      ...{ url: wishedUrl(wish), expiresIn },
    }).url;
    const target = wishedTarget(wish);
    const token = cloudflareOpinion("s3cret", target, signedAt + expiresIn - ttl, urlSafe);
    expect(cloudflare).toBe(`${origin}${target}${target.includes("?") ? "&" : "?"}verify=${token}`);
    const rule = cloudflareVerifier({ secrets: "s3cret", ttl, urlSafe, origins: [origin], clock });
    expect([cloudflare, await outcome(rule, arrived(cloudflare))]).toEqual([cloudflare, "accepted"]);

    const hash = random.pick(["sha1", "sha256"] as const);
    const secret = "iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=";
    const fastly = fastlySigner({ secret, hash, clock }).sign({ url: origin + path, expiresIn }).url;
    expect(fastly).toBe(`${origin}${path}?token=${fastlyOpinion(secret, path, signedAt + expiresIn, hash)}`);
    const vcl = fastlyVerifier({ secrets: secret, hash, origins: [origin], clock });
    expect([fastly, await outcome(vcl, arrived(fastly))]).toEqual([fastly, "accepted"]);
  }
});

test(`the signers of Cloud CDN and Media CDN agree on ${COUNT} random requests`, async () => {
  const random = seeded(runSeed());
  const key = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
  const signing = { keyName: "my-key", privateKey: ED25519.privateKey };
  for (let left = COUNT; left > 0; left--) {
    const isPrefix = random.chance(0.5);
    const wish = randomEdgeWish(random, { query: !isPrefix });
    const { origin, signedAt, expiresIn } = wish;
    const clock = wishedClock(wish);
    const padded = random.chance(0.5);
    const prefix = isPrefix ? wish.path.replace(/[^/]*$/, "") : undefined;
    const asked = {
      ...{ url: wishedUrl(wish), expires: signedAt + expiresIn, keyName: "my-key" },
      prefix: prefix && origin + prefix,
    };
    const request = { url: wishedUrl(wish), prefix, expiresAt: wishedEnd(wish) };
    const cookieRequest = { url: `${origin}${prefix}`, expiresAt: wishedEnd(wish) };

    const sha1 = cloudCdnSign(key.key);
    const cloudUrl = cloudCdnSigner({ ...key, clock }).sign(request).url;
    expect(cloudUrl).toBe(googleUrl(sha1, { ...asked, isPadded: true }));
    const cloud = cloudCdnVerifier({ keys: key, origins: [origin], clock });
    expect([cloudUrl, await outcome(cloud, arrived(cloudUrl))]).toEqual([cloudUrl, "accepted"]);

    const eddsa = mediaCdnSign(ED25519.privateKey, padded);
    const signer = mediaCdnSigner({ ...signing, padded, clock });
    const media = mediaCdnVerifier({
      ...{ keys: { keyName: "my-key", publicKey: ED25519.publicKey }, padded, origins: [origin], clock },
    });
    const urls = [[(await signer.sign(request)).url, googleUrl(eddsa, { ...asked, isPadded: padded })]];
    if (prefix !== undefined) {
      const inPath = (await signer.sign({ ...request, place: "path" })).url;
      urls.push([inPath, mediaCdnPath(eddsa, { ...asked, isPadded: padded })]);
      const cloudCookie = cloudCdnCookieSigner({ ...key, clock }).sign(cookieRequest).cookies;
      expect(cloudCookie).toEqual({ "Cloud-CDN-Cookie": googleCookie(sha1, { ...asked, isPadded: true }) });
      const { cookies } = await mediaCdnCookieSigner({ ...signing, padded, clock }).sign(cookieRequest);
      expect(cookies).toEqual({ "Edge-Cache-Cookie": googleCookie(eddsa, { ...asked, isPadded: padded }) });
    }
    for (const [ours = "", theirs] of urls) {
      expect(ours).toBe(theirs);
      expect([ours, await outcome(media, arrived(ours))]).toEqual([ours, "accepted"]);
    }
  }
});

test(`the signers of Media CDN's tokens agree on ${COUNT} random requests`, async () => {
  const random = seeded(runSeed());
  const secret = "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8";
  for (let left = COUNT; left > 0; left--) {
    // A comma separates names of headers and patterns, so no path may contain one.
    const wish = randomEdgeWish(random, { segment: (segment) => !segment.includes(","), query: false });
    const { origin, path, signedAt, expiresIn } = wish;
    const clock = wishedClock(wish);
    const some = <T>(value: T): T | undefined => (random.chance(0.4) ? value : undefined);
    const scope = random.pick(["FullPath", "PathGlobs", "URLPrefix"] as const);
    const prefix = path.replace(/[^/]*$/, "");
    const starts = some(signedAt);
    const sessionId = some("session-1");
    const data = some("a=b");
    const header = some("a b");
    const ranges = some("203.0.113.0/24,2001:db8::/32");
    const encoded = (text: string): string => Buffer.from(text).toString("base64url");
    const fields: (readonly [string, string | undefined, string])[] = [
      scope === "FullPath"
        ? ["FullPath", undefined, path]
        : scope === "PathGlobs"
          ? ["PathGlobs", "/*,/b?", "/*,/b?"]
          : ["URLPrefix", encoded(origin + prefix), encoded(origin + prefix)],
    ];
    const add = (name: string, value: string | undefined, signed = value): void => {
      if (value !== undefined && signed !== undefined) fields.push([name, value, signed]);
    };
    add("Starts", starts === undefined ? undefined : String(starts));
    add("Expires", String(signedAt + expiresIn));
    add("SessionID", sessionId);
    add("Data", data);
    add("Headers", header && "x-tenant", header && `x-tenant=${header}`);
    add("IPRanges", ranges && encoded(ranges));
    const request = {
      ...{ url: origin + path, expiresAt: wishedEnd(wish), sessionId, data },
      notBefore: starts === undefined ? undefined : new Date(starts * 1000),
      prefix: scope === "URLPrefix" ? prefix : undefined,
      pathGlobs: scope === "PathGlobs" ? ["/*", "/b?"] : undefined,
      bind: { ip: ranges?.split(","), headers: header === undefined ? undefined : { "x-tenant": header } },
    };
    const eddsa = mediaCdnSign(ED25519.privateKey, false);
    const kinds = [
      {
        signed: mediaCdnTokenSigner({ key: { secret }, clock }).sign(request),
        prove: hmacProof("sha256", secret),
        keys: { secret },
      },
      {
        signed: mediaCdnTokenSigner({ key: mediaCdnSha1Key({ secret }), clock }).sign(request),
        prove: hmacProof("sha1", secret),
        keys: mediaCdnSha1Key({ secret }),
      },
      {
        signed: await mediaCdnEd25519TokenSigner({ privateKey: ED25519.privateKey, clock }).sign(request),
        prove: (text: string) => `Signature=${eddsa(text)}`,
        keys: mediaCdnPublicKey(ED25519.publicKey),
      },
    ];
    for (const { signed, prove, keys } of kinds) {
      const token = mediaCdnTokenOpinion(prove, fields);
      expect(signed.url).toBe(`${origin}${path}?edge-cache-token=${token}`);
      const verifier = mediaCdnTokenVerifier({ keys, origins: [origin], clock });
      const sent = { remoteAddress: "203.0.113.9", headers: Object.entries(signed.headers) };
      expect([signed.url, await outcome(verifier, arrived(signed.url, sent))]).toEqual([signed.url, "accepted"]);
    }
  }
});
