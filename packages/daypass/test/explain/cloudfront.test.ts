import { createSign } from "node:crypto";
import { cloudfrontCookieSigner, cloudfrontSigner } from "daypass/cloudfront";
import type { CauseCode } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { EC, RSA } from "../cloudfront/keys.ts";
import { askingAt } from "./asking.ts";

const keyPairId = "K2JCJMDEHXQW5F";
const clock = () => new Date("2026-01-02T03:04:05Z");
const options = { keyPairId, privateKey: RSA.privateKey, hash: "sha256", clock } as const;
const cloudfront = cloudfrontSigner(options);
const base = "https://d111111abcdef8.cloudfront.net/talks/a%20b.mp4";
const keys = [{ keyPairId, publicKey: RSA.publicKey }];
const { ask, causeOf, trapsOf } = askingAt("2026-01-02T03:30:00Z");
const toUrlText = (bytes: Buffer) =>
  bytes.toString("base64").replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
const end = 1_767_326_645;
const canned = (resource: string) =>
  `{"Statement":[{"Resource":"${resource}","Condition":{"DateLessThan":{"AWS:EpochTime":${end}}}}]}`;

/** A URL of a signer that may err: `text` is what it signs. */
function wrongUrl(
  text: string,
  { at = base, hash = "sha256", sent = "&Hash-Algorithm=SHA256", policy = "" } = {},
): string {
  const signature = toUrlText(createSign(hash).update(text).sign(RSA.privateKey));
  const first = policy === "" ? `Expires=${end}` : `Policy=${toUrlText(Buffer.from(policy))}`;
  return `${at}${at.includes("?") ? "&" : "?"}${first}&Key-Pair-Id=${keyPairId}&Signature=${signature}${sent}`;
}

describe("a CloudFront URL", () => {
  it("is explained: what it is, what it binds, when it ends", async () => {
    const { url } = await cloudfront.sign({ url: base, expiresIn: 3600 });
    const told = await ask(url, { keys });
    expect(told).toMatchObject({
      scheme: "cloudfront",
      signedBy: keyPairId,
      grants: { methods: ["GET", "HEAD"], resource: base },
      endsAt: new Date("2026-01-02T04:04:05Z"),
      stringToSign: canned(base),
    });
    expect(told.cause).toBe(undefined);
    expect(JSON.stringify(told)).not.toContain(new URL(url).searchParams.get("Signature"));
  });

  it("with a custom policy shows what the policy says", async () => {
    const { url } = await cloudfront.sign({
      url: base,
      resource: "https://*.cloudfront.net/talks/*",
      notBefore: new Date("2026-01-02T03:20:00Z"),
      bind: { ip: "203.0.113.0/24" },
      expiresIn: 3600,
    });
    const told = await ask(url, { keys });
    expect(told.cause).toBe(undefined);
    expect(told.startsAt).toEqual(new Date("2026-01-02T03:20:00Z"));
    expect(told.binds).toEqual(expect.arrayContaining(["start", "client address (203.0.113.0/24)"]));
    expect(told.traps.map(({ name }) => name)).toContain("wildcard-host");
    expect(await causeOf(url, { clock })).toMatchObject({ code: "NOT_YET_VALID" });
    expect(await causeOf(url, { keys, request: { remoteAddress: "198.51.100.7" } })).toMatchObject({ code: "IP" });
    expect(await causeOf(url, { keys, request: { remoteAddress: "203.0.113.7" } })).toBe(undefined);
    expect(await causeOf(url, { request: { url: url.replace("/talks/", "/other/") } })).toMatchObject({ code: "PATH" });
  });

  it("may be cookies in the request", async () => {
    const signer = cloudfrontCookieSigner({ ...options, privateKey: EC.privateKey });
    const { cookies } = await signer.sign({
      resource: "https://d111111abcdef8.cloudfront.net/talks/*",
      expiresIn: 3600,
    });
    const cookie = Object.entries(cookies)
      .map((pair) => pair.join("="))
      .join("; ");
    const request = { headers: { cookie } };
    const told = await ask(base, { keys: [{ keyPairId, publicKey: EC.publicKey }], request });
    expect(told.cause).toBe(undefined);
    expect(told.summary).toMatch(/^CloudFront signed cookies with a custom policy/);
    const other = await ask(base, { keys, request });
    expect(other.cause).toMatchObject({ code: "WRONG_SECRET" });
  });

  const policy = canned("https://d111111abcdef8.cloudfront.net/talks/*");
  const wrong: readonly (readonly [string, CauseCode, RegExp, string])[] = [
    ["SHA-1", "VERSION", /with SHA-1/, wrongUrl(canned(base), { hash: "sha1" })],
    ["SHA-256, which it does not say", "VERSION", /with SHA-256/, wrongUrl(canned(base), { sent: "" })],
    ["http", "HOST", /another scheme/, wrongUrl(canned(base.replace("https", "http")))],
    ["another host", "HOST", /media\.example\.com/, wrongUrl(canned(base.replace(/d1.*net/, "media.example.com")))],
    ["no query", "QUERY", /without its query/, wrongUrl(canned(base), { at: `${base}?v=1&w=2` })],
    [
      "one parameter fewer",
      "QUERY",
      /without the parameter v/,
      wrongUrl(canned(`${base}?w=2`), { at: `${base}?v=1&w=2` }),
    ],
    ["a decoded path", "PATH", /decoded/, wrongUrl(canned(base.replace("%20", " ")))],
    ["the path alone", "PATH", /path alone/, wrongUrl(canned("/talks/a%20b.mp4"))],
    ["spaces in its policy", "POLICY", /spaces/, wrongUrl(canned(base).replace(/([:,])(?=["{[\d])/g, "$1 "))],
    ["a line feed after its policy", "POLICY", /line feed/, wrongUrl(`${policy}\n`, { policy })],
    ["\\/ for /", "POLICY", /for \//, wrongUrl(canned(base.replaceAll("/", "\\/")))],
  ];
  it.each(wrong)("that was signed with %s is found out by its key", async (_, code, sentence, url) => {
    const cause = await causeOf(url, { keys, hosts: ["media.example.com"] });
    expect(cause?.sentence).toMatch(sentence);
    expect(cause?.code).toBe(code);
  });

  it("of a signer that errs not at all has no cause", async () => {
    expect(await causeOf(wrongUrl(canned(base)), { keys })).toBe(undefined);
    expect(await causeOf(wrongUrl(policy, { policy }), { keys })).toBe(undefined);
  });

  it("tells time, unknown keys and what cannot be read", async () => {
    const { url } = await cloudfront.sign({ url: base, expiresIn: 3600 });
    expect(await causeOf(url, { clock: () => new Date("2026-01-02T04:04:05Z") })).toMatchObject({ code: "EXPIRED" });
    expect(await causeOf(url, { keys: [{ keyPairId: "K3", publicKey: RSA.publicKey }] })).toMatchObject({
      code: "UNKNOWN_KEY",
    });
    expect(await causeOf(url, { keys: [{ keyPairId, publicKey: EC.publicKey }] })).toMatchObject({
      code: "WRONG_SECRET",
    });
    expect(await causeOf(url.replace("Signature=", "Signature=%20"))).toMatchObject({ code: "MALFORMED" });
    const broken = wrongUrl(policy, { policy: '{"Statement":[]}' });
    expect(await causeOf(broken)).toMatchObject({ code: "MALFORMED" });
  });

  it("reads what CloudFront says", async () => {
    const { url } = await cloudfront.sign({ url: base, expiresIn: 3600 });
    const said = (code: string, message: string) => ({
      errorBody: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    });
    expect(await causeOf(url, said("InvalidKey", "Unknown Key"))).toMatchObject({ code: "UNKNOWN_KEY" });
    const missing = said("MissingKey", "Missing Key-Pair-Id query parameter or cookie value");
    expect(await causeOf(url, missing)).toMatchObject({ code: "MALFORMED" });
    expect(await causeOf(url, said("AccessDenied", "Access denied"))).toMatchObject({ code: "PERMISSION" });
    expect(await causeOf(url, { ...said("AccessDenied", "Access denied"), keys })).toMatchObject({
      code: "PERMISSION",
    });
  });

  it("has traps: SHA-1, question marks, milliseconds", async () => {
    const old = await cloudfrontSigner({ ...options, hash: "sha1" }).sign({ url: base, expiresIn: 3600 });
    expect(await trapsOf(old.url)).toContain("sha1");
    const { url } = await cloudfront.sign({ url: `${base}?v=1`, bind: { ip: "10.0.0.0/8" }, expiresIn: 3600 });
    expect(await trapsOf(url)).toContain("question-mark");
    expect(await trapsOf(wrongUrl("").replace(`Expires=${end}`, `Expires=${end}000`))).toContain("milliseconds");
  });
});
