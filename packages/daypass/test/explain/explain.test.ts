import { type ExplainOptions, explain, redactUrl } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { awsErrorBody, credentials, rawUrl } from "./raw-requests.ts";

const clock = () => new Date("2026-11-24T12:05:00Z");
const signedAt = () => new Date("2026-11-24T12:00:00Z");
const s3 = s3Signer({ region: "eu-west-1", credentials, clock: signedAt });
const traps = async (url: string) => (await explain(url, { clock })).traps.map(({ name }) => name);

describe("explain with an S3 URL", () => {
  it("returns signer, grant, bound and open parts, and the end", async () => {
    const explanation = await explain(s3.sign({ bucket: "media", key: "a/b c.txt", expiresIn: 900 }).url, { clock });
    expect(explanation).toMatchObject({
      scheme: "s3",
      signedBy: "AKIDEXAMPLE",
      grants: { resource: "object a/b c.txt in bucket media" },
      signedAt: new Date("2026-11-24T12:00:00Z"),
      endsAt: new Date("2026-11-24T12:15:00Z"),
      mustSend: [],
      traps: [],
    });
    expect(explanation.summary).toBe(
      "An S3 presigned URL (Signature Version 4) for object a/b c.txt in bucket media, signed by AKIDEXAMPLE for eu-west-1, valid until 2026-11-24T12:15:00.000Z.",
    );
    expect(explanation.leavesOpen).toContain("body");
    expect(explanation.cause).toBeUndefined();
    expect(explanation.canonicalRequest).toBeUndefined();
  });

  it("returns method and canonical request with a key only", async () => {
    const { url } = s3.sign({ method: "DELETE", bucket: "media", key: "k", expiresIn: 900 });
    const explanation = await explain(url, { clock, keys: [credentials] });
    expect(explanation.grants.methods).toEqual(["DELETE"]);
    expect(explanation.canonicalRequest).toContain("\nhost:media.s3.eu-west-1.amazonaws.com\n");
    expect((await explain(url, { clock })).grants.methods).toBeUndefined();
  });

  it("returns the headers that the holder must send", async () => {
    const { url } = s3.sign({ method: "PUT", bucket: "b", key: "k", expiresIn: 9, bind: { contentType: "a/b" } });
    const { mustSend, leavesOpen } = await explain(url, { clock: signedAt });
    expect(mustSend).toEqual([{ name: "content-type", value: undefined }]);
    expect(leavesOpen).not.toContain("header content-type");
  });

  it("does not call a body open whose hash can be in a signed header", async () => {
    const sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    const { url, headers } = s3.sign({ method: "PUT", bucket: "b", key: "k", expiresIn: 9, bind: { sha256 } });
    const opened = async (request?: ExplainOptions["request"]) =>
      (await explain(url, { clock: signedAt, request })).leavesOpen.filter((text) => text.includes("body"));
    expect(await opened()).toEqual(["body, unless x-amz-content-sha256 was signed with its hash"]);
    expect(await opened({ method: "PUT", headers })).toEqual([]);
    expect(await opened({ headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } })).toEqual(["body"]);
  });

  it("ends with the credentials if a key states their end, and warns of a session token otherwise", async () => {
    const expiration = new Date("2026-11-24T12:10:00Z");
    const url = rawUrl({ query: "X-Amz-Security-Token=FwoGZXIvYXdzEXAMPLETOKEN" });
    expect((await explain(url, { clock, keys: [{ ...credentials, expiration }] })).endsAt).toEqual(expiration);
    expect((await explain(url, { clock })).mayEndEarlier).toContain("temporary credentials");
  });

  it("returns the open parts of SigV2", async () => {
    const v2 = s3V2Signer({ region: "us-east-1", credentials, clock: signedAt });
    const { url } = v2.sign({ bucket: "media", key: "k", expiresIn: 900 });
    const { leavesOpen, scheme } = await explain(url, { clock });
    expect(scheme).toBe("s3/v2");
    expect(leavesOpen).toContain("scheme and host");
    expect(await traps(url)).toContain("sigv2");
  });
});

describe("the traps of explain", () => {
  it.each([
    ["empty-body-checksum", rawUrl({ query: "x-amz-checksum-crc32=AAAAAA%3D%3D" })],
    ["checksum-in-query", rawUrl({ query: "x-amz-sdk-checksum-algorithm=CRC32" })],
    ["header-in-query", rawUrl({ query: "x-amz-tagging=a%3Db" })],
    ["session-token", rawUrl({ query: "X-Amz-Security-Token=FwoGZXIvYXdzEXAMPLE" })],
    ["longest-life", rawUrl({ expires: 604_800 })],
    ["too-long-life", rawUrl({ expires: 604_801 })],
    ["short-life", rawUrl({ expires: 5 })],
    ["future-date", rawUrl({ time: "20261124T121000Z" })],
    ["expired", rawUrl({ expires: 60 })],
    ["plus-in-query", rawUrl({ query: "prefix=a+b" })],
    ["plus-in-path", rawUrl({ path: "/media/a+b" })],
    ["dot-segments", rawUrl({ path: "/media/x/../y" })],
    ["dot-segments", rawUrl({ path: "/media/%2e%2E/y" })],
    ["http", rawUrl().replace("https", "http")],
    ["host-port", rawUrl({ host: "s3.example.com:9000" })],
    ["internal-host", rawUrl({ host: "minio:9000" })],
    ["lower-case-escapes", rawUrl({ path: "/media/a%2fb" })],
    ["double-encoding", rawUrl({ path: "/media/a%2520b" })],
    ["double-slash", rawUrl({ path: "/media//a" })],
    ["repeated-parameter", rawUrl({ query: "versionId=1&versionId=2" })],
    ["global-endpoint", rawUrl({ host: "media.s3.amazonaws.com" })],
    ["open-content-type", rawUrl({ query: "x-id=PutObject" })],
    ["bucket-twice", rawUrl({ path: "/media/media/a.png" })],
    ["bucket-twice", rawUrl({ host: "media.s3.eu-west-1.amazonaws.com", path: "/media/a.png" })],
    ["bucket-twice", rawUrl({ host: "media.nyc3.example.com", path: "/media/a/b.png" })],
  ])("include %s", async (name, url) => {
    expect(await traps(url)).toContain(name);
  });

  it("are empty for a plain URL", async () => {
    expect(await traps(rawUrl())).toEqual([]);
    expect(await traps(rawUrl({ path: "/media/%C3%A9%2F.txt" }))).toEqual([]);
    // An object, a list, and similar names.
    for (const path of ["/media/media", "/media", "/media/mediation/a", "/media/a/media/a"])
      expect(await traps(rawUrl({ path }))).toEqual([]);
    for (const host of ["media2.s3.eu-west-1.amazonaws.com", "media-s3.example.com"])
      expect(await traps(rawUrl({ host, path: "/media/a" }))).toEqual([]);
  });
});

describe("the texts of explain", () => {
  const token = "FwoGZXIvYXdzEXAMPLE/TOKEN+==";
  const url = rawUrl({ query: `X-Amz-Security-Token=${encodeURIComponent(token)}` });
  const signature = /Signature=([0-9a-f]{64})/.exec(url)?.[1] ?? "";

  it("hide signature and session token unless reveal is set", async () => {
    const options = { clock, keys: [{ ...credentials, sessionToken: token }], errorBody: awsErrorBody(`${url}&a=1`) };
    const hidden = JSON.stringify(await explain(url, options));
    expect(hidden).not.toContain(signature);
    expect(hidden).not.toContain(token);
    expect(hidden).not.toContain(encodeURIComponent(token));
    expect(hidden).not.toContain(credentials.secretAccessKey);
    const shown = JSON.stringify(await explain(url, { ...options, reveal: true }));
    expect(shown).toContain(encodeURIComponent(token));
    expect(shown).not.toContain(credentials.secretAccessKey);
  });

  it("redactUrl keeps all other bytes", () => {
    expect(redactUrl(url)).not.toContain(signature);
    expect(redactUrl(url)).not.toContain("FwoGZ");
    expect(redactUrl("https://u:p@h/a%2Fb?sig=x&x=1&%58-Amz-Signature=ab#f")).toBe(
      "https://REDACTED@h/a%2Fb?sig=REDACTED&x=1&%58-Amz-Signature=REDACTED#f",
    );
    expect(redactUrl("/k?AWSAccessKeyId=A&Signature=abc%3D&Expires=1")).toBe(
      "/k?AWSAccessKeyId=A&Signature=REDACTED&Expires=1",
    );
    expect(redactUrl("no url")).toBe("no url");
  });
});

describe("the input of explain", () => {
  it("is refused if it is no URL, or not signed", async () => {
    await expect(explain("s3://media/k")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(explain("https://example.com/k?a=1")).rejects.toMatchObject({ code: "NO_SIGNATURE" });
  });

  it("may be an answer with declarations and foreign entities, which are not read", async () => {
    const evil = '<!DOCTYPE x [<!ENTITY a "b">]><Error><Code>NoSuchKey</Code><Message>&a;</Message></Error>';
    // The document is not read.
    expect((await explain(rawUrl(), { clock, errorBody: evil })).cause?.code).toBe("SERVER");
    const odd = "<Error><Code>NoSuchKey</Code><Message>&a;&lt;</Message></Error>";
    expect((await explain(rawUrl(), { clock, errorBody: odd })).cause?.evidence[0]).toContain("&a;<");
  });

  it("may be damaged anywhere", async () => {
    const url = rawUrl({ query: "versionId=1" });
    for (let i = 30; i < url.length; i++) {
      for (const damaged of [
        url.slice(0, i),
        `${url.slice(0, i)}%${url.slice(i + 1)}`,
        `${url.slice(0, i)}&${url.slice(i)}`,
      ]) {
        const outcome = await explain(damaged, { clock }).then(
          ({ scheme }) => scheme,
          (error: { readonly code: string }) => error.code,
        );
        expect(["s3", "NO_SIGNATURE"]).toContain(outcome);
      }
    }
  });
});
