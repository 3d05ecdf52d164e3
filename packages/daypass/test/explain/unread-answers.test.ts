import { type ExplainOptions, explain, explainForm } from "daypass/explain";
import { nginxSigner } from "daypass/nginx";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { swiftSigner } from "daypass/swift";
import { describe, expect, it } from "vitest";
import { credentials, errorXml } from "./raw-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const late = () => new Date("2026-11-24T13:00:00Z");
const expiresIn = 900;
const signer = s3Signer({ region: "eu-west-1", endpoint: "https://s3.example.com", credentials, clock });
const s3 = signer.sign({ bucket: "media", key: "a.txt", expiresIn }).url;
const nginx = nginxSigner({ secret: "s", clock }).sign({ url: "https://cdn.example.com/a", expiresIn }).url;
const swift = swiftSigner({ endpoint: "https://swift.example.com", account: "AUTH_a", key: "k", clock }).sign({
  ...{ container: "c", object: "o", expiresIn },
}).url;
const WRONG_KEY = { keys: [{ ...credentials, secretAccessKey: "another" }], request: { method: "GET", headers: {} } };

const causeOf = async (errorBody: string, options: ExplainOptions = {}, url = s3) =>
  (await explain(url, { clock: soon, errorBody, ...options })).cause;
const page = (title: string) =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body><h1>${title}</h1></body></html>`;
const STORAGE_PAGES = [
  ["<html><ul>\n<li>Code: AccessDenied</li></ul></html>", "ENDPOINT", /website endpoint/],
  ["<!doctype html><title>MinIO Console</title>", "ENDPOINT", /MinIO's web console/],
] as const;

describe("explain with a web page as the answer", () => {
  it.each([
    [page("403 Forbidden"), "PROXY", /is a web page, which stores do not send/],
    [page("Sign in"), "PROXY", /is a web page/],
    [page("404 Not Found"), "PROXY", /is a web page/],
    [page("413 Request Entity Too Large"), "PAYLOAD", /body is larger/],
    [page("414 Request-URI Too Large"), "PROXY", /URL or the headers are longer/],
    [page("405 Not Allowed"), "METHOD", /does not allow this method/],
    [page("502 Bad Gateway"), "SERVER", /says nothing about the URL/],
    [page("301 Moved Permanently"), "ENDPOINT", /redirect/],
    [page("400 The plain HTTP request was sent to HTTPS port"), "PROTOCOL", /speaks https/],
    ["HTTP/1.1 413 Content Too Large\r\n\r\n<html><body>no</body></html>", "PAYLOAD", /body is larger/],
    ...STORAGE_PAGES,
  ] as const)("returns the cause for %j", async (body, code, sentence) => {
    const cause = await causeOf(body);
    expect(cause).toMatchObject({ code, sentence: expect.stringMatching(sentence) });
    expect(cause?.evidence[0]).toMatch(/^The answer is a page: /);
  });

  it.each(STORAGE_PAGES)("ignores %j for a URL of another scheme than S3", async (body) => {
    expect((await causeOf(body, {}, nginx))?.code).toBeUndefined();
  });

  it.each([
    ["an expired URL above a refusal", page("403 Forbidden"), { clock: late }, "EXPIRED", /is a web page/],
    ["a full disk's status above an expired URL", page("413 Too Large"), { clock: late }, "PAYLOAD", /has expired/],
    ["a wrong key above a refusal", page("403 Forbidden"), WRONG_KEY, "WRONG_SECRET", /is a web page/],
  ] as const)("ranks %s", async (_, body, options, code, other) => {
    expect(await causeOf(body, options)).toMatchObject({
      code,
      evidence: expect.arrayContaining([expect.stringMatching(other)]),
    });
  });

  it("hides the signature that a page quotes", async () => {
    const signature = new URL(s3).searchParams.get("X-Amz-Signature") as string;
    const body = page(signature).replace("<h1>", `<p>${s3}</p><h1>`);
    expect(JSON.stringify(await explain(s3, { clock: soon, errorBody: body }))).not.toContain(signature);
  });

  it("reads the page for a form", async () => {
    const form = s3FormSigner({ region: "eu-west-1", credentials, clock }).sign({ bucket: "b", key: "k", expiresIn });
    const { cause } = await explainForm(form, { clock: soon, errorBody: page("413 Request Entity Too Large") });
    expect(cause?.code).toBe("PAYLOAD");
  });

  it.each([
    ["nginx", nginx],
    ["swift", swift],
  ])("draws no conclusion from the refusal page of %s", async (_, url) => {
    for (const body of [page("403 Forbidden"), page("410 Gone"), "Forbidden"]) {
      expect(await causeOf(body, {}, url)).toBeUndefined();
      expect((await causeOf(body, { clock: late }, url))?.code).toBe("EXPIRED");
    }
    expect((await causeOf(page("502 Bad Gateway"), {}, url))?.code).toBe("SERVER");
  });
});

describe("explain with an unknown answer", () => {
  it.each([
    ["what is this?", {}, "SERVER"],
    ['{"error":true}', {}, "SERVER"],
    ["\n", {}, undefined],
    ["what is this?", { clock: late }, "EXPIRED"],
    [errorXml("AccessDenied", "nginx said 413 Request Entity Too Large"), {}, "PERMISSION"],
  ] as const)("returns a cause for %j with %j: %s", async (body, options, code) => {
    expect((await causeOf(body, options))?.code).toBe(code);
  });
});
