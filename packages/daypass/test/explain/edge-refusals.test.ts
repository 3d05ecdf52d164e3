import { createSign } from "node:crypto";
import type { ExplainOptions } from "daypass/explain";
import { imgproxySigner } from "daypass/imgproxy";
import { describe, it } from "vitest";
import { RSA } from "../cloudfront/keys.ts";
import { answer, errorXml, expectCause, named, type Refusal } from "./raw-requests.ts";
import {
  AT,
  cannedUrl,
  clock,
  DISTRIBUTION,
  END,
  expiresIn,
  imgproxyKey,
  imgproxyUrl,
  LARAVEL_PAGE,
  laravel,
  laravelKeys,
  now,
  symfony,
  symfonySecret,
  toUrlText,
} from "./refusal-fixtures.ts";

const REFUSALS: readonly Refusal[] = [
  [
    /^TIME: .*milliseconds/,
    cannedUrl(DISTRIBUTION, END * 1000),
    answer("MalformedPolicy", "Malformed Policy"),
    /cut off|renamed|encoded again/,
  ],
  [
    /^ENDPOINT: .*(?:S3.*CloudFront|CloudFront.*S3)/,
    cannedUrl("http://my-s3-domain.s3.amazonaws.com/my-great-file.txt", END),
    answer("AccessDenied", "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"),
  ],
  [
    /^UNKNOWN_KEY: .*access key/,
    cannedUrl(DISTRIBUTION, END, "AKIAIOSFODNN7EXAMPLE"),
    answer("InvalidKey", "Unknown Key"),
  ],
  [
    /^MALFORMED: .*(?:no Key-Pair-Id|lacks Key-Pair-Id)/,
    cannedUrl(DISTRIBUTION, END).split("&Key-Pair-Id")[0] ?? "",
    answer("MissingKey", "Missing Key-Pair-Id query parameter or cookie value"),
  ],
  [
    /^EXPIRED: .*has expired/,
    DISTRIBUTION,
    {
      errorBody: errorXml("AccessDenied", "Access denied"),
      request: {
        method: "GET",
        headers: {
          cookie: (() => {
            const policy = `{"Statement":[{"Resource":"http*://d111111abcdef8.cloudfront.net/*","Condition":{"DateLessThan":{"AWS:EpochTime":${AT.getTime() / 1000 + 1}}}}]}`;
            const signature = toUrlText(createSign("sha1").update(policy).sign(RSA.privateKey));
            return `CloudFront-Policy=${toUrlText(Buffer.from(policy))}; CloudFront-Signature=${signature}; CloudFront-Key-Pair-Id=K2JCJMDEHXQW5F`;
          })(),
        },
      },
    },
  ],
  [
    /^PATH: .*(?:canned policy|pattern)/,
    DISTRIBUTION,
    {
      errorBody: errorXml("AccessDenied", "Access denied"),
      keys: [{ keyPairId: "K2JCJMDEHXQW5F", publicKey: RSA.publicKey }],
      request: {
        method: "GET",
        headers: {
          cookie: `CloudFront-Expires=${END}; CloudFront-Signature=${(/Signature=([^&]*)/.exec(cannedUrl("https://*", END)) ?? [])[1]}; CloudFront-Key-Pair-Id=K2JCJMDEHXQW5F`,
        },
      },
    },
  ],
  [
    /^HOST: .*(?:another (?:address|origin|scheme)|http)/,
    laravel,
    { errorBody: LARAVEL_PAGE, keys: laravelKeys, request: { method: "GET", headers: {} } },
  ],
  [/^HOST: .*proxy/, laravel, { errorBody: '{"message":"Invalid signature."}' }],
  [
    /^QUERY: .*fbclid was added after signing/,
    `${laravel}&fbclid=IwAR0`,
    { keys: laravelKeys, errorBody: LARAVEL_PAGE },
  ],
  [
    /^PATH: .*path/,
    imgproxyUrl("/fn:%28name%29/plain/gs://media/a.png").replace("%28name%29", "(name)"),
    { keys: [{ scheme: "imgproxy", ...imgproxyKey }] },
  ],
  [
    /^SIGNATURE: .*cut to 8 bytes/,
    imgproxySigner({ ...imgproxyKey, signatureSize: 8, clock }).sign({
      ...{ url: "https://img.example.com/rs:fit:300/plain/https://example.com/hero.jpg", expiresIn },
    }).url,
    { keys: [{ scheme: "imgproxy", ...imgproxyKey, signatureSize: 32 }] as ExplainOptions["keys"] & object },
  ],
  [
    /^SIGNATURE: .*as texts/,
    imgproxySigner({
      key: Buffer.from(imgproxyKey.key).toString("hex"),
      salt: Buffer.from(imgproxyKey.salt).toString("hex"),
      clock,
    }).sign({ url: "https://img.example.com/rs:fit:300/plain/https://example.com/a.jpg", expiresIn }).url,
    { keys: [{ scheme: "imgproxy", ...imgproxyKey }] },
  ],
  [
    /^QUERY: .*order/,
    symfony.replace(/\?(.*)$/, (_, query: string) => `?${query.split("&").reverse().join("&")}`),
    { keys: [{ scheme: "symfony", secret: symfonySecret }] },
  ],
  ...["<html><title>Invalid Signature</title></html>", '{"message":"Invalid signature."}'].map(
    (errorBody): Refusal => [/^EXPIRED: /, laravel, { errorBody, clock: () => new Date("2026-11-24T13:00:00Z") }],
  ),
];

describe("explain with a refusal of a CDN or an application", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, () => now);
  });
});
