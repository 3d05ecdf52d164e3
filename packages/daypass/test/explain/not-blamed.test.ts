import { azureSigner } from "daypass/azure";
import { type Cause, type ExplainOptions, explain, explainAnswer } from "daypass/explain";
import { laravelSigner } from "daypass/laravel";
import { s3Signer } from "daypass/s3";
import { swiftSigner } from "daypass/swift";
import { describe, expect, it } from "vitest";
import { awsErrorBody, credentials, errorXml, rawUrl } from "./broken-requests.ts";

const AT = new Date("2026-11-24T12:00:00Z");
const clock = () => AT;
const now = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];
const causeOf = async (url: string, options: ExplainOptions = {}) =>
  (await explain(url, { clock: now, ...options })).cause;
const url = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  ...{ bucket: "media", key: "a/b.txt", expiresIn: 900 },
}).url;
const MISMATCH = errorXml("SignatureDoesNotMatch", "m");

describe("a rule says nothing of a request that it was not made for:", () => {
  const laravel = laravelSigner({ secret: "base64:S2V5T2ZBbkFwcGxpY2F0aW9uV2l0aDMyQnl0ZXM=", clock }).sign({
    ...{ url: "https://shop.example.com/verify?user=2", expiresIn: 900 },
  }).url;
  const accountKey = Buffer.alloc(32, 7).toString("base64");
  const sas = (more: { account?: string; permissions: string; key?: string; version?: string }) =>
    azureSigner({
      account: more.account ?? "acme",
      ...(more.account === undefined ? {} : { endpoint: `http://127.0.0.1:10000/${more.account}` }),
      version: more.version ?? "2018-11-09",
      clock,
      credentials: { accountKey: more.key ?? accountKey },
    }).sign({ container: "media", blob: "a.txt", permissions: more.permissions, expiresIn: 3600 }).url;
  const text = (lines: string): string =>
    `AuthenticationFailed AuthenticationErrorDetail:Signature did not match. String to sign used was ${lines}`;
  const toSign = `r\n\n2026-11-24T13:00:00Z\n/blob/acme/media/a.txt\n\n\n\n2018-11-09\nb\n\n\n\n\n\n`;

  it("an application's refusal of a route that has ended, which is the one of a wrong signature", async () => {
    const late = () => new Date("2026-11-24T13:00:00Z");
    for (const errorBody of ["<html><title>Invalid Signature</title></html>", '{"message":"Invalid signature."}'])
      expect(await causeOf(laravel, { errorBody, clock: late })).toMatchObject({ code: "EXPIRED" });
  });

  it("the host of a CDN, where the key shows that the URL was signed for the store behind it", async () => {
    const cdn = rawUrl({ host: "b.ams3.digitaloceanspaces.com", region: "ams3" }).replace(".ams3.", ".ams3.cdn.");
    const request = { method: "GET", headers: {} };
    for (const errorBody of [errorXml("AccessDenied", ""), MISMATCH])
      expect((await causeOf(cdn, { keys, request, errorBody }))?.code).not.toBe("ENDPOINT");
    expect(await causeOf(cdn, { request, errorBody: MISMATCH })).toMatchObject({ code: "ENDPOINT" });
  });

  it("the version that was signed, where the client asks for another one", async () => {
    const errorBody = errorXml("InvalidHeaderValue", "m", { HeaderName: "x-ms-version", HeaderValue: "2027-01-01" });
    const { sentence } = (await causeOf(sas({ permissions: "r" }), { errorBody })) as Cause;
    expect(sentence).toMatch(/2027-01-01/);
    expect(sentence).not.toMatch(/sv=/);
  });

  it("a header of an upload, where a firewall refuses", async () => {
    const errorBody = errorXml("AuthorizationFailure", "This request is not authorized to perform this operation.");
    const request = { method: "PUT", headers: {} };
    expect(await causeOf(sas({ permissions: "cw" }), { errorBody, request })).toMatchObject({ code: "PERMISSION" });
  });

  it.each([
    ["with a space for each line end", toSign.replaceAll("\n", " ")],
    ["with one space for all", toSign.replace(/\n+/g, " ")],
    ["with escapes", toSign.replaceAll("\n", "\\n")],
    ["with its lines", toSign],
  ])("a line of Azure's text that is as the URL has it, %s", async (_, shown) => {
    const cause = await causeOf(sas({ permissions: "r" }), { errorBody: text(shown) });
    expect(cause?.sentence).toMatch(/exactly what the URL says/);
  });

  it("the host, where the server shows that the path was rewritten", async () => {
    const files = rawUrl({ host: "files.example.com", path: "/files/b.txt" });
    const shows = (Resource: string) => errorXml("SignatureDoesNotMatch", "m", { Resource });
    expect(await causeOf(files, { errorBody: shows("/media/b.txt") })).toMatchObject({ code: "PATH" });
    // Of a bucket in the host the server shows both.
    expect(await causeOf(files, { errorBody: shows("/media/files/b.txt") })).toMatchObject({ code: "HOST" });
    const spaced = rawUrl({ host: "files.example.com", path: "/media/a%20b.txt" });
    expect(await causeOf(spaced, { errorBody: shows("/media/a%20b.txt") })).toMatchObject({ code: "HOST" });
  });

  it("a life of more than a week, where its number was damaged on the way", async () => {
    const get = rawUrl({ host: "b.s3.amazonaws.com" });
    const fixOf = async (expires: string) =>
      (await causeOf(get.replace(/X-Amz-Expires=\d+/, `X-Amz-Expires=${expires}`)))?.fix;
    for (const damaged of ["9OO", "900x"]) expect(await fixOf(damaged)).toContain("byte for byte");
    for (const signed of ["604801", "-900"]) expect(await fixOf(signed)).toContain("a lifetime of at most one week");
  });

  it("a PUT, where an upload in parts was to begin", async () => {
    const parts = rawUrl({ method: "POST", query: "uploads=&x-amz-acl=private" });
    const { sentence } = (await causeOf(parts, {
      errorBody: awsErrorBody(parts),
      request: { method: "GET" },
    })) as Cause;
    expect(sentence).toMatch(/signed for POST/);
  });

  it("the method, where HEAD goes with what was signed, or a browser asks before it sends", async () => {
    const temp = swiftSigner({ endpoint: "https://swift.example.com", account: "AUTH_t", key: "kk", clock }).sign({
      ...{ container: "c", object: "o", expiresIn: 900 },
    }).url;
    expect(await causeOf(temp, { request: { method: "HEAD" }, status: 403 })).toMatchObject({ code: "SERVER" });
    expect(await causeOf(url, { request: { method: "OPTIONS" }, status: 403 })).toMatchObject({ code: "CORS" });
    expect(await causeOf(url, { request: { method: "HEAD" }, status: 403, errorBody: "" })).toMatchObject({
      code: "METHOD",
    });
  });

  it.each([
    [
      "a certificate that is not trusted, in OpenSSL's words",
      "error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed",
      "PROXY",
    ],
    ["a handshake that failed", "error:0A000410:SSL routines::sslv3 alert handshake failure", "SERVER"],
    [
      "no answer at all, in Firefox' words",
      "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://x. (Reason: CORS request did not succeed). Status code: (null).",
      "HOST",
    ],
    ["the name of another host", "curl: (6) Could not resolve host: registry.internal", undefined],
    [
      "http of another URL",
      "Mixed Content: The page at 'https://a' was loaded over HTTPS, but requested an insecure image 'http://b/c.png'. This content should also be served over HTTPS.",
      undefined,
    ],
    ["a time that ran out", "java.net.ConnectException: Connection timed out", "SERVER"],
    ["Python's own exception", "NotImplementedError: subclasses have to write it", "SERVER"],
    [".NET's own exception", "System.UnauthorizedAccessException: Access to the path is denied.", "SERVER"],
  ])("what a client says: %s", async (_, errorBody, code) => {
    expect((await causeOf(url, { errorBody, request: { method: "GET", headers: {} } }))?.code).toBe(code);
    if (code === "SERVER")
      expect((await causeOf(url, { errorBody }))?.sentence).toMatch(/in no format that explain knows/);
  });

  it("a bucket with dots, where the certificate is not for a host of one's own", async () => {
    const errorBody = "net::ERR_CERT_COMMON_NAME_INVALID";
    expect((await causeOf(rawUrl(), { errorBody }))?.sentence).not.toMatch(/dots/);
    const dotted = rawUrl({ host: "my.media.s3.eu-west-1.amazonaws.com" });
    expect((await causeOf(dotted, { errorBody }))?.sentence).toMatch(/dots/);
  });

  it("that the signature was accepted, where nobody knows whose answer it is", () => {
    expect(explainAnswer(errorXml("AccessDenied", "Access denied")).cause?.sentence).toMatch(/CloudFront and others/);
  });
});
