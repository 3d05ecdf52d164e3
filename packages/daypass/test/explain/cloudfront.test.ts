import { createSign } from "node:crypto";
import { cloudfrontCookieSigner, cloudfrontSigner } from "daypass/cloudfront";
import { describe, expect, it } from "vitest";
import { EC, RSA } from "../cloudfront/keys.ts";
import { askingAt } from "./asking.ts";
import { errorXml, expectCause, named } from "./raw-requests.ts";

const keyPairId = "K2JCJMDEHXQW5F";
const clock = () => new Date("2026-01-02T03:04:05Z");
const options = { keyPairId, privateKey: RSA.privateKey, hash: "sha256", clock } as const;
const cloudfront = cloudfrontSigner(options);
const base = "https://d111111abcdef8.cloudfront.net/talks/a%20b.mp4";
const keys = [{ keyPairId, publicKey: RSA.publicKey }];
const now = () => new Date("2026-01-02T03:30:00Z");
const { ask, causeOf, trapsOf } = askingAt(now());
const toUrlText = (bytes: Buffer) =>
  bytes.toString("base64").replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
const end = 1_767_326_645;
const canned = (resource: string) =>
  `{"Statement":[{"Resource":"${resource}","Condition":{"DateLessThan":{"AWS:EpochTime":${end}}}}]}`;

/** A URL of a signer with mistakes, which signs `text`. */
function wrongUrl(
  text: string,
  { at = base, hash = "sha256", sent = "&Hash-Algorithm=SHA256", policy = "" } = {},
): string {
  const signature = toUrlText(createSign(hash).update(text).sign(RSA.privateKey));
  const first = policy === "" ? `Expires=${end}` : `Policy=${toUrlText(Buffer.from(policy))}`;
  return `${at}${at.includes("?") ? "&" : "?"}${first}&Key-Pair-Id=${keyPairId}&Signature=${signature}${sent}`;
}

describe("explain for a CloudFront URL", async () => {
  it("returns grants, expiry and string to sign", async () => {
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

  it("returns start, client address and traps of a custom policy", async () => {
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

  it("reads the cookies of the request", async () => {
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
  const url = (await cloudfront.sign({ url: base, expiresIn: 3600 })).url;
  const get = { keys, hosts: ["media.example.com"] };
  const said = (code: string, message: string) => ({ errorBody: errorXml(code, message) });
  it.each(
    named([
      [/^undefined/, wrongUrl(canned(base)), get],
      [/^undefined/, wrongUrl(policy, { policy }), get],
      [/^VERSION: .*with SHA-1/, wrongUrl(canned(base), { hash: "sha1" }), get],
      [/^VERSION: .*with SHA-256/, wrongUrl(canned(base), { sent: "" }), get],
      [/^HOST: .*another scheme/, wrongUrl(canned(base.replace("https", "http"))), get],
      [/^HOST: .*media\.example\.com/, wrongUrl(canned(base.replace(/d1.*net/, "media.example.com"))), get],
      [/^QUERY: .*without its query/, wrongUrl(canned(base), { at: `${base}?v=1&w=2` }), get],
      [/^QUERY: .*without the parameter v/, wrongUrl(canned(`${base}?w=2`), { at: `${base}?v=1&w=2` }), get],
      [/^PATH: .*decoded/, wrongUrl(canned(base.replace("%20", " "))), get],
      [/^PATH: .*path alone/, wrongUrl(canned("/talks/a%20b.mp4")), get],
      [/^POLICY: .*spaces/, wrongUrl(canned(base).replace(/([:,])(?=["{[\d])/g, "$1 ")), get],
      [/^POLICY: .*line feed/, wrongUrl(`${policy}\n`, { policy }), get],
      [/^POLICY: .*for \//, wrongUrl(canned(base.replaceAll("/", "\\/"))), get],
      [/^EXPIRED/, url, { clock: () => new Date("2026-01-02T04:04:05Z") }],
      [/^UNKNOWN_KEY/, url, { keys: [{ keyPairId: "K3", publicKey: RSA.publicKey }] }],
      [/^WRONG_SECRET/, url, { keys: [{ keyPairId, publicKey: EC.publicKey }] }],
      [/^MALFORMED/, url.replace("Signature=", "Signature=%20")],
      [/^MALFORMED/, wrongUrl(policy, { policy: '{"Statement":[]}' })],
      [/^UNKNOWN_KEY/, url, said("InvalidKey", "Unknown Key")],
      [/^MALFORMED/, url, said("MissingKey", "Missing Key-Pair-Id query parameter or cookie value")],
      [/^PERMISSION: CloudFront gives the same answer/, url, said("AccessDenied", "Access denied")],
      [/^PERMISSION: The signature is right/, url, { ...said("AccessDenied", "Access denied"), keys }],
    ]),
  )("returns %s", async (_, refusal) => {
    await expectCause(refusal, now);
  });

  it("returns traps for SHA-1, question marks and milliseconds", async () => {
    const old = await cloudfrontSigner({ ...options, hash: "sha1" }).sign({ url: base, expiresIn: 3600 });
    expect(await trapsOf(old.url)).toContain("sha1");
    const { url } = await cloudfront.sign({ url: `${base}?v=1`, bind: { ip: "10.0.0.0/8" }, expiresIn: 3600 });
    expect(await trapsOf(url)).toContain("question-mark");
    expect(await trapsOf(wrongUrl("").replace(`Expires=${end}`, `Expires=${end}000`))).toContain("milliseconds");
  });
});
