import { type ExplainOptions, explain } from "daypass/explain";
import { s3ExpressSigner } from "daypass/s3/express";
import { type S3ObjectRequest, s3V4aSigner, s3V4aTexts } from "daypass/s3/v4a";
import { describe, expect, it } from "vitest";
import { credentials, errorXml, expectCause, named } from "./raw-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => new Date("2026-11-24T12:05:00Z");
const at = { clock: () => signedAt };
const keys = [credentials];
const ask = (url: string, options: ExplainOptions = {}) => explain(url, { clock, ...options });
const alias = "mfzwi23gnjvgw.mrap";
const request = { bucket: alias, key: "a/b.txt", expiresIn: 900 };
const sign = async (extra: Partial<S3ObjectRequest> = {}, options: { readonly secret?: string } = {}) => {
  const { secret = credentials.secretAccessKey } = options;
  const signer = s3V4aSigner({ credentials: { ...credentials, secretAccessKey: secret }, ...at });
  return (await signer.sign({ ...request, ...extra })).url;
};

/** S3's answer to a mismatch, with the texts of the server. */
function mismatch(url: string, method: string): string {
  const { host, pathname, search } = new URL(url);
  const texts = s3V4aTexts({ method, target: pathname + search, authority: host, headers: [] });
  const escapeXml = (text: string): string => text.replaceAll("&", "&amp;");
  return errorXml("SignatureDoesNotMatch", "The request signature we calculated does not match.", {
    StringToSign: texts.stringToSign,
    CanonicalRequest: escapeXml(texts.canonicalRequest ?? ""),
  });
}

describe("explain for a URL of SigV4A", async () => {
  it("returns access point, regions and expiry", async () => {
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

  it("returns the set of regions without a trap", async () => {
    const signer = s3V4aSigner({ credentials, regionSet: ["us-east-1", "eu-west-1"], ...at });
    const said = await ask((await signer.sign(request)).url);
    expect(said.summary).toContain("for us-east-1,eu-west-1, valid until");
    expect(said.traps).toEqual([]);
  });

  it("returns method and canonical request with the key", async () => {
    const said = await ask(await sign({ method: "PUT" }), { keys });
    expect(said.grants.methods).toEqual(["PUT"]);
    expect(said.cause).toBeUndefined();
    expect(said.stringToSign).toMatch(/^AWS4-ECDSA-P256-SHA256\n20261124T120000Z\n20261124\/s3\/aws4_request\n/);
    expect(said.canonicalRequest).toMatch(/^PUT\n\/a\/b\.txt\n/);
  });

  const url = await sign();
  const get = { keys, request: { method: "GET" } };
  it.each(
    named([
      [/^METHOD: .*signed for GET and sent with PUT/, url, { keys, request: { method: "PUT" } }],
      [/^METHOD: .*HEAD/, url, { errorBody: mismatch(url, "HEAD") }],
      [/^WRONG_SECRET: .*a space at its end/, await sign({}, { secret: `${credentials.secretAccessKey} ` }), { keys }],
      [/^WRONG_SECRET: .*a different secret/, await sign({}, { secret: "another" }), { keys }],
      [/^UNKNOWN_KEY: .*signed by AKIDEXAMPLE/, url, { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: "x" }] }],
      [/^HOST: .*reached as/, url, { keys, request: { method: "GET", headers: { host: "proxy.internal" } } }],
      [/^QUERY: .*utm_source was added after signing/, `${url}&utm_source=mail`, get],
      [/^EXPIRES_CHANGED: .*from 900 to 3600/, url.replace("X-Amz-Expires=900", "X-Amz-Expires=3600"), get],
      [/^MALFORMED: .*hexadecimal/, url.slice(0, -1), { keys }],
      [/^EXPIRED: .*12:15/, url, { clock: () => new Date("2026-11-24T13:00:00Z") }],
    ]),
  )("returns %s", async (_, refusal) => {
    await expectCause(refusal, clock);
  });
});

describe("explain for a URL of S3 Express One Zone", () => {
  const session = { ...credentials, sessionToken: "TOKEN-of-this-session/+==" };
  const bucket = "media--use1-az4--x-s3";
  const express = s3ExpressSigner({ region: "us-east-1", credentials: session, ...at });
  const { url } = express.sign({ bucket, key: "clip.mp4", expiresIn: 300 });

  it("returns the lifetime of the session, and hides its token", async () => {
    const said = await ask(url, { clock: () => signedAt });
    expect(said.scheme).toBe("s3/express");
    expect(said.summary).toContain(`object clip.mp4 in bucket ${bucket}, signed by AKIDEXAMPLE for us-east-1`);
    expect(said.mayEndEarlier).toContain("five minutes");
    expect(said.cause).toBeUndefined();
    expect(JSON.stringify(said)).not.toMatch(/TOKEN-of-this-session/);
  });

  it("returns REGION for another host, and WRONG_SECRET for another session's token", async () => {
    const moved = await ask(url.replace(/us-east-1\.amazonaws/, "eu-west-1.amazonaws"), { clock: () => signedAt });
    expect(moved.cause?.code).toBe("REGION");
    const other = url.replace(/X-Amz-S3session-Token=[^&]*/, "X-Amz-S3session-Token=other-session-token");
    const said = await ask(other, { keys, clock: () => signedAt, request: { method: "GET" } });
    expect(said.cause?.code).toBe("WRONG_SECRET");
  });

  it("returns s3 for plain SigV4", async () => {
    const said = await ask(url.replace(/&?X-Amz-S3session-Token=[^&]*/, "").replace("s3express%2F", "s3%2F"));
    expect(said.scheme).toBe("s3");
  });
});

it("explains a URL whose host has ten thousand dashes", async () => {
  const url = `https://a.s3${"-".repeat(10_000)}!.amazonaws.com.x/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0`;
  expect((await ask(url)).scheme).toBe("s3");
});
