import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { boto3Urls, narrowForBoto3 } from "../oracles/boto3.ts";
import { daypassUrl } from "../oracles/daypass.ts";
import { draft, finish, queryObject, targetOf } from "../oracles/oracle.ts";
import { randomWish, type S3Wish } from "../random/requests.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";
import { decodeToken, urlParts } from "../url-parts.ts";

const missing = needs("python3");

describe.skipIf(missing)(`boto3 of Debian${missing ?? ""}`, () => {
  const wishes = (): readonly S3Wish[] => {
    const random = seeded(runSeed());
    return Array.from({ length: runCount() }, () => narrowForBoto3(randomWish(random)));
  };

  test(`SigV4: the same URLs as s3Signer for ${runCount()} random requests`, () => {
    const asked = wishes();
    const urls = boto3Urls(asked, "v4");
    let compared = 0;
    for (const [at, url] of urls.entries()) {
      const wish = { ...(asked[at] as S3Wish), signedAt: basicTime(/X-Amz-Date=(\w+)/.exec(url)?.[1] ?? "") };
      const context = JSON.stringify(wish);
      const theirs = urlParts(url);
      expect(finish(draft(wish, [])), context).toEqual(theirs);
      expect(urlParts(daypassUrl(wish, [])), context).toEqual(theirs);
      compared += 1;
    }
    console.log(`boto3, SigV4, seed ${runSeed()}: ${compared} of ${runCount()} equal`);
    expect(compared).toBe(runCount());
  });

  test(`SigV2: the same URLs as s3V2Signer for ${runCount()} random requests`, () => {
    const asked = wishes();
    const urls = boto3Urls(asked, "v2");
    let compared = 0;
    let copied = 0;
    let refused = 0;
    for (const [at, url] of urls.entries()) {
      const wish = asked[at] as S3Wish;
      const end = Number(/[?&]Expires=(\d+)/.exec(url)?.[1]);
      const signedAt = new Date((end - wish.expiresIn) * 1000);
      // Values go decoded into the string to sign, where a line feed begins another line: these are for SigV4.
      if (wish.query.some(([, value]) => /\p{Cc}/u.test(value))) {
        expect(() => daypassV2Url({ ...wish, signedAt }), JSON.stringify(wish)).toThrow("control characters");
        refused += 1;
        continue;
      }
      const theirs = v2Parts(url);
      const copies = theirs.tokens.filter((token) => /^content-(?:md5|type)=/.test(token));
      expect(copies.map((token) => decodeToken(token)[0])).toEqual(Object.keys(wish.headers).sort());
      // Signed, and repeated outside the signature: harmless, because a verifier reads the headers.
      const own = { ...theirs, tokens: theirs.tokens.filter((token) => !copies.includes(token)) };
      expect(v2Parts(daypassV2Url({ ...wish, signedAt })), JSON.stringify(wish)).toEqual(own);
      copied += copies.length > 0 ? 1 : 0;
      compared += 1;
    }
    console.log(`boto3, SigV2, seed ${runSeed()}: ${compared} of ${runCount()} equal`);
    console.log(`  ${refused} × a sub-resource with control characters: signed by boto3, refused by Daypass`);
    console.log(`  ${copied} × a signed Content-Type or Content-MD5: repeated in the query, beside the signature`);
    expect(compared + refused).toBe(runCount());
    expect(compared).toBeGreaterThanOrEqual(runCount() / 2);
  });
});

function daypassV2Url({ endpoint, region, addressing, credentials, signedAt, ...wish }: S3Wish): string {
  const signer = s3V2Signer({ endpoint, region, addressing, credentials, clock: () => signedAt });
  const { method, bucket, key, headers, expiresIn } = wish;
  const query = queryObject(wish.query);
  return signer.sign({ method, bucket, ...targetOf(key), headers, expiresIn, query, dotSegments: "sign" }).url;
}

function v2Parts(url: string): { readonly beforeQuery: string; readonly tokens: readonly string[] } {
  const [beforeQuery = "", query = ""] = url.split("?");
  // A call on the bucket is signed with a slash at its end, whether it is sent or not.
  return { beforeQuery: beforeQuery.replace(/^(https?:\/\/[^/]+\/?[^/]*)\/$/, "$1"), tokens: query.split("&").sort() };
}

function basicTime(text: string): Date {
  return new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
