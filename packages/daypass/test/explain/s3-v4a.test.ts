import { type CauseCode, type ExplainOptions, explain } from "daypass/explain";
import { s3ExpressSigner } from "daypass/s3/express";
import { type S3SignRequest, s3V4aSigner, s3V4aTexts } from "daypass/s3/v4a";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../cpu-time.ts";
import { credentials, errorXml } from "./broken-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => new Date("2026-11-24T12:05:00Z");
const at = { clock: () => signedAt };
const keys = [credentials];
const ask = (url: string, options: ExplainOptions = {}) => explain(url, { clock, ...options });
const alias = "mfzwi23gnjvgw.mrap";
const request = { bucket: alias, key: "a/b.txt", expiresIn: 900 };
const sign = async (extra: Partial<S3SignRequest> = {}, options: { readonly secret?: string } = {}) => {
  const { secret = credentials.secretAccessKey } = options;
  const signer = s3V4aSigner({ credentials: { ...credentials, secretAccessKey: secret }, ...at });
  return (await signer.sign({ ...request, ...extra })).url;
};

/** S3's answer to a signature that does not fit, with what it computed from the request that reached it. */
function mismatch(url: string, method: string): string {
  const { host, pathname, search } = new URL(url);
  const texts = s3V4aTexts({ method, target: pathname + search, authority: host, headers: [] });
  const escapeXml = (text: string): string => text.replaceAll("&", "&amp;");
  return errorXml("SignatureDoesNotMatch", "The request signature we calculated does not match.", {
    StringToSign: texts.stringToSign,
    CanonicalRequest: escapeXml(texts.canonicalRequest ?? ""),
  });
}

describe("explaining SigV4A", () => {
  it("says for which access point and regions it was signed, and when it ends", async () => {
    const url = await sign();
    const said = await ask(url);
    expect(said.scheme).toBe("s3/v4a");
    expect(said.summary).toBe(
      "An S3 presigned URL (Signature Version 4A) for object a/b.txt in bucket mfzwi23gnjvgw.mrap, signed by AKIDEXAMPLE for any region, valid until 2026-11-24T12:15:00.000Z.",
    );
    expect(said.binds).toContain("set of regions");
    expect(said.traps.map(({ name }) => name)).toEqual(["region-pattern"]);
    expect(said.cause).toBeUndefined();
    expect(JSON.stringify(said)).not.toContain(new URL(url).searchParams.get("X-Amz-Signature"));
  });

  it("names the set of regions, and has no trap for one without a pattern", async () => {
    const signer = s3V4aSigner({ credentials, regionSet: ["us-east-1", "eu-west-1"], ...at });
    const said = await ask((await signer.sign(request)).url);
    expect(said.summary).toContain("for us-east-1,eu-west-1, valid until");
    expect(said.traps).toEqual([]);
  });

  it("learns the method from the key, and shows the canonical request only then", async () => {
    const said = await ask(await sign({ method: "PUT" }), { keys });
    expect(said.grants.methods).toEqual(["PUT"]);
    expect(said.cause).toBeUndefined();
    expect(said.stringToSign).toMatch(/^AWS4-ECDSA-P256-SHA256\n20261124T120000Z\n20261124\/s3\/aws4_request\n/);
    expect(said.canonicalRequest).toMatch(/^PUT\n\/a\/b\.txt\n/);
  });

  const put = sign({ method: "PUT" });
  const get = sign();
  const broken: readonly (readonly [
    what: string,
    url: Promise<string>,
    cause: CauseCode,
    says: RegExp,
    options: (url: string) => ExplainOptions,
  ])[] = [
    ["another method", get, "METHOD", /signed for GET and sent with PUT/, () => ({ keys, request: { method: "PUT" } })],
    ["HEAD, by the server's answer", get, "METHOD", /HEAD/, (url) => ({ errorBody: mismatch(url, "HEAD") })],
    [
      "a space behind the secret",
      sign({}, { secret: `${credentials.secretAccessKey} ` }),
      "WRONG_SECRET",
      /a space at its end/,
      () => ({ keys }),
    ],
    ["a rotated secret", sign({}, { secret: "another" }), "WRONG_SECRET", /a different secret/, () => ({ keys })],
    [
      "a key that is not at hand",
      get,
      "UNKNOWN_KEY",
      /signed by AKIDEXAMPLE/,
      () => ({ keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: "x" }] }),
    ],
    [
      "a host that a proxy changed",
      get,
      "HOST",
      /reached as/,
      () => ({ keys, request: { method: "GET", headers: { host: "proxy.internal" } } }),
    ],
    [
      "a parameter that was added",
      get.then((url) => `${url}&utm_source=mail`),
      "QUERY",
      /utm_source was added after signing/,
      () => ({ keys, request: { method: "GET" } }),
    ],
    [
      "a life that was changed",
      get.then((url) => url.replace("X-Amz-Expires=900", "X-Amz-Expires=3600")),
      "EXPIRES_CHANGED",
      /from 900 to 3600/,
      () => ({ keys, request: { method: "GET" } }),
    ],
    ["a signature that was cut", put.then((url) => url.slice(0, -1)), "MALFORMED", /hexadecimal/, () => ({ keys })],
    ["an end that has come", get, "EXPIRED", /12:15/, () => ({ clock: () => new Date("2026-11-24T13:00:00Z") })],
  ];

  it.each(broken)("finds %s", async (_, url, cause, says, options) => {
    const signed = await url;
    const said = await ask(signed, options(signed));
    expect(said.cause).toMatchObject({ code: cause, sentence: expect.stringMatching(says) });
  });
});

describe("explaining URLs for S3 Express One Zone", () => {
  const session = { ...credentials, sessionToken: "TOKEN-of-this-session/+==" };
  const bucket = "media--use1-az4--x-s3";
  const express = s3ExpressSigner({ region: "us-east-1", credentials: session, ...at });
  const { url } = express.sign({ bucket, key: "clip.mp4", expiresIn: 300 });

  it("says that they end with their session, and hides its token", async () => {
    const said = await ask(url, { clock: () => signedAt });
    expect(said.scheme).toBe("s3/express");
    expect(said.summary).toContain(`object clip.mp4 in bucket ${bucket}, signed by AKIDEXAMPLE for us-east-1`);
    expect(said.mayEndEarlier).toContain("five minutes");
    expect(said.cause).toBeUndefined();
    expect(JSON.stringify(said)).not.toMatch(/TOKEN-of-this-session/);
  });

  it("finds a zone's host and region at odds, and the token of another session", async () => {
    const moved = await ask(url.replace(/us-east-1\.amazonaws/, "eu-west-1.amazonaws"), { clock: () => signedAt });
    expect(moved.cause?.code).toBe("REGION");
    const other = url.replace(/X-Amz-S3session-Token=[^&]*/, "X-Amz-S3session-Token=other-session-token");
    const said = await ask(other, { keys, clock: () => signedAt, request: { method: "GET" } });
    expect(said.cause?.code).toBe("WRONG_SECRET");
  });

  it("knows SigV4 for what it is still", async () => {
    const said = await ask(url.replace(/&?X-Amz-S3session-Token=[^&]*/, "").replace("s3express%2F", "s3%2F"));
    expect(said.scheme).toBe("s3");
  });
});

it("reads a host of ten thousand dashes in no time", async () => {
  const url = `https://a.s3${"-".repeat(10_000)}!.amazonaws.com.x/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0`;
  expect(await cpuMilliseconds(() => ask(url))).toBeLessThan(2000);
});
