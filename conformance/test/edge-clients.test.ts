import { createRequire } from "node:module";
import { generateImageUrl } from "@imgproxy/imgproxy-node";
import { akamaiSigner, akamaiVerifier } from "daypass/akamai";
import { imgixSigner, imgixVerifier } from "daypass/imgix";
import { imgproxySigner, imgproxyVerifier } from "daypass/imgproxy";
import { describe, expect, test } from "vitest";
import { arrived, damaged, outcome } from "../edge.ts";
import { randomEdgeWish, wishedClock, wishedEnd } from "../random/edge-wishes.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";

// The client makes a URL or a token, we make one for the same wish, and both are the same text. Each of theirs is taken by our
// verifier, and refused with one character of its signature changed.
interface EdgeAuthOptions {
  readonly key: string;
  readonly algorithm: string;
  readonly salt?: string | undefined;
  readonly ip?: string | undefined;
  readonly startTime?: number | undefined;
  readonly endTime: number;
  readonly sessionId?: string | undefined;
  readonly payload?: string | undefined;
  readonly escapeEarly: boolean;
}
interface EdgeAuthToken {
  generateURLToken(url: string): string;
  generateACLToken(acl: string | readonly string[]): string;
}
interface Imgix {
  buildURL(path: string, parameters: object): string;
}
interface ImgixOptions {
  readonly domain: string;
  readonly secureURLToken: string;
  readonly includeLibraryParam: boolean;
}
// Both are CommonJS, whose declarations do not say so.
const require = createRequire(import.meta.url);
const ImgixClient: new (options: ImgixOptions) => Imgix = require("@imgix/js-core");
const EdgeAuth: new (options: EdgeAuthOptions) => EdgeAuthToken = require("akamai-edgeauth");
const count = runCount();

describe("akamai-edgeauth 0.2.0", () => {
  test(`makes the same ${count} tokens as akamaiSigner`, async () => {
    const random = seeded(runSeed());
    for (let left = count; left > 0; left--) {
      const wish = randomEdgeWish(random, { segment: (segment) => !segment.includes("~"), query: false });
      const escapeEarly = random.chance(0.5);
      const texts = escapeEarly ? ["a=b", "ü~&", "it's (1)*!"] : ["a=b", "x;y", "(1)*!"];
      const some = <T>(value: T): T | undefined => (random.chance(0.4) ? value : undefined);
      const key = random.pick(["52a152a152a152a152a152a152a152a1", "00ff"]);
      const hash = random.pick(["sha256", "sha1", "md5"] as const);
      const salt = some(random.pick(["salt", "s~alt=1"]));
      const ip = some(random.pick(["203.0.113.9", "2001:db8::1"]));
      const start = some(wish.signedAt);
      const sessionId = some(random.pick(texts));
      const data = some(random.pick(texts));
      const acl = some(random.pick([["/*"], [`${wish.path.slice(0, 3)}*`, "/other/?.ts"]]));

      const theirs = new EdgeAuth({
        ...{ key, algorithm: hash, salt, ip, escapeEarly, sessionId, payload: data },
        ...{ startTime: start, endTime: wish.signedAt + wish.expiresIn },
      });
      const token = acl === undefined ? theirs.generateURLToken(wish.path) : theirs.generateACLToken(acl);
      const { url } = akamaiSigner({ secret: key, hash, salt, escapeEarly, clock: wishedClock(wish) }).sign({
        ...{ url: wish.origin + wish.path, acl, sessionId, data, expiresAt: wishedEnd(wish), bind: { ip } },
        notBefore: start === undefined ? undefined : new Date(start * 1000),
      });
      expect(url).toBe(`${wish.origin}${wish.path}?__token__=${token}`);

      const verifier = akamaiVerifier({
        ...{ secrets: key, hash, salt, escapeEarly, origins: [wish.origin], clock: wishedClock(wish) },
      });
      const judge = (sent: string) => outcome(verifier, arrived(sent, { remoteAddress: ip }));
      expect([url, await judge(url)]).toEqual([url, "accepted"]);
      expect(await judge(damaged(url, "hmac"))).toBe("SIGNATURE_MISMATCH");
    }
  });
});

describe("@imgix/js-core 3.8.0", () => {
  test(`makes the same ${count} URLs as imgixSigner`, async () => {
    const random = seeded(runSeed());
    for (let left = count; left > 0; left--) {
      const wish = randomEdgeWish(random);
      const token = random.pick(["FOO123bar", "päss"]);
      const isEndless = random.chance(0.5);
      const client = new ImgixClient({ domain: "x.imgix.net", secureURLToken: token, includeLibraryParam: false });
      const expires = wish.signedAt + wish.expiresIn;
      const theirs = client.buildURL(decodeURIComponent(wish.path), {
        ...Object.fromEntries(wish.parameters),
        ...(isEndless ? {} : { expires }),
      });
      const plain = theirs.replace(/[?&]s=[^&]*$/, "").replace(/[?&]expires=[^&]*$/, "");
      const { url } = imgixSigner({ secret: token, clock: wishedClock(wish) }).sign({
        url: plain,
        ...(isEndless ? { withoutExpiry: "accept" } : { expiresAt: wishedEnd(wish) }),
      });
      expect(url).toBe(theirs);
      const verifier = imgixVerifier({
        ...{ secrets: token, origins: ["https://x.imgix.net"], withoutExpiry: "accept", clock: wishedClock(wish) },
      });
      expect([url, await outcome(verifier, arrived(url))]).toEqual([url, "accepted"]);
      expect(await outcome(verifier, arrived(damaged(url, "s")))).toBe("SIGNATURE_MISMATCH");
    }
  });
});

describe("@imgproxy/imgproxy-node 1.1.0", () => {
  test(`makes the same ${count} URLs as imgproxySigner`, async () => {
    const random = seeded(runSeed());
    const pair = { key: "943b421c9eb07c830af81030552c86009268de4e", salt: "520f986b998545b4785e0defbc4f3c1203f22de2" };
    for (let left = count; left > 0; left--) {
      const wish = randomEdgeWish(random);
      const displayAs = random.pick(["plain", "base64"] as const);
      // It does not encode a plain source.
      const source = displayAs === "plain" ? wish.path : decodeURIComponent(wish.path);
      const theirs = generateImageUrl({
        ...{ endpoint: wish.origin, ...pair },
        url: { value: `s3://bucket${source}`, displayAs },
        options: {
          ...(random.chance(0.7) ? { resizing_type: "fill", width: 1 + random.below(999) } : {}),
          ...(random.chance(0.3) ? { quality: 1 + random.below(99) } : {}),
        },
      });
      const path = theirs.slice(wish.origin.length).replace(/^\/[^/]*/, "");
      const signer = imgproxySigner({ ...pair, clock: wishedClock(wish) });
      const { url } = signer.sign({ url: wish.origin + path, withoutExpiry: "accept" });
      expect(url).toBe(theirs);
      const ending = signer.sign({ url: wish.origin + path, expiresAt: wishedEnd(wish) }).url;
      const theirEnding = generateImageUrl({
        ...{ endpoint: wish.origin, ...pair },
        url: { value: "s3://bucket/a.png", displayAs: "plain" },
        options: { width: 9, expires: wish.signedAt + wish.expiresIn },
      });
      const verifier = imgproxyVerifier({
        ...{ keys: pair, origins: [wish.origin], withoutExpiry: "accept", clock: wishedClock(wish) },
      });
      for (const made of [url, ending, theirEnding]) {
        expect([made, await outcome(verifier, arrived(made))]).toEqual([made, "accepted"]);
        const first = made[wish.origin.length + 1] === "A" ? "B" : "A";
        const bad = made.slice(0, wish.origin.length + 1) + first + made.slice(wish.origin.length + 2);
        expect(await outcome(verifier, arrived(bad))).toBe("SIGNATURE_MISMATCH");
      }
    }
  });
});
