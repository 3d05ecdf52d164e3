import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { cloudflareSigner, cloudflareVerifier } from "../../src/schemes/cloudflare/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

const secret = "mysecrettoken";
const origins = ["https://downloads.example.com"];
const url = "https://downloads.example.com/images/a%20b.jpg?w=1&w=2";

const signer = cloudflareSigner({ secret, ttl: 10_800, clock });
const verifier = cloudflareVerifier({ secrets: secret, ttl: 10_800, origins, clock });

describe("Cloudflare's token", () => {
  it("signs the layout of the documentation", () => {
    // https://developers.cloudflare.com/ruleset-engine/rules-language/functions/#messagemac: message, separator,
    // timestamp, "-", and the MAC in base64, percent-encoded; "a message authentication code from the message and the
    // timestamp regions".
    const { url: made } = cloudflareSigner({ secret, ttl: 100_000, clock: () => new Date(1484063787_000) }).sign({
      url: "https://downloads.example.com/download/cat.jpg",
      expiresIn: 100_000,
    });
    const mac = createHmac("sha256", secret).update("/download/cat.jpg1484063787").digest("base64");
    expect(made).toBe(`https://downloads.example.com/download/cat.jpg?verify=1484063787-${encodeURIComponent(mac)}`);
    expect(made).toMatch(/%3D$/);
  });

  it("gets an earlier timestamp where it shall end before the rule's ttl", async () => {
    const link = signer.sign({ url, expiresIn: 60 });
    expect(link.expiresAt).toEqual(new Date(NOW.getTime() + 60_000));
    expect(link.url).toContain(`verify=${NOW.getTime() / 1000 + 60 - 10_800}-`);
    const at = (seconds: number) =>
      cloudflareVerifier({
        secrets: secret,
        ttl: 10_800,
        origins,
        clock: () => new Date(NOW.getTime() + seconds * 1000),
      });
    expect(await outcome(at(59), get(link.url))).toBe("accepted");
    expect(await outcome(at(60), get(link.url))).toBe("EXPIRED");
    expect(() => signer.sign({ url, expiresIn: 10_801 })).toThrowError(
      expect.objectContaining({ code: "INVALID_EXPIRY" }),
    );
  });

  it("stands last, and signs every byte in front of it", async () => {
    const link = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier, get(`${link.url}&x=1`))).toBe("MALFORMED");
    expect(await outcome(verifier, get(link.url.replace("w=1&w=2", "w=2&w=1")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier, get(link.url.replace("?", "?x=1&")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier, get(link.url.replace("a%20b", "%61%20b")))).toBe("SIGNATURE_MISMATCH");
    expect((await verifier.verify(get(link.url))).target).toBe("/images/a%20b.jpg?w=1&w=2");
  });

  it("unseparated fields: a digit of the message does not become one of the timestamp", async () => {
    const { url: made } = signer.sign({ url: "https://downloads.example.com/v1", expiresIn: 60 });
    expect(await outcome(verifier, get(made.replace("/v1?verify=", "/v?verify=1")))).toBe("MALFORMED");
  });

  it("reads a MAC of many escapes as well", async () => {
    for (let i = 0; i < 200; i++) {
      const { url: made } = signer.sign({ url: `https://downloads.example.com/${i}`, expiresIn: 60 });
      expect(await outcome(verifier, get(made)), made).toBe("accepted");
    }
  });

  it("accepts one spelling of the MAC", async () => {
    const { url: made } = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier, get(made.replace("%3D", "%3d")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier, get(made.replace("%3D", "=")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier, get(made.replace("%3D", "")))).not.toBe("accepted");
  });

  it.each([
    [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
    [{ prefix: "/images/" }, "UNSUPPORTED_CONSTRAINT"],
    [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
    [{ url: `${url}&verify=1` }, "INVALID_INPUT"],
  ])("refuses to sign %j with %s", (wish, code) => {
    expect(() => signer.sign({ url, expiresIn: 60, ...wish } as never)).toThrowError(expect.objectContaining({ code }));
  });

  it("refuses an end that would need a timestamp of fewer digits", () => {
    const long = cloudflareSigner({ secret, ttl: 1_000_000_000, clock });
    expect(() => long.sign({ url, expiresIn: 60 })).toThrowError(expect.objectContaining({ code: "INVALID_EXPIRY" }));
    expect(long.sign({ url, expiresIn: 1_000_000_000 }).url).toContain(`verify=${NOW.getTime() / 1000}-`);
  });

  it.each([0, -1, 1.5, Number.NaN, 1e13])("refuses a ttl of %s", (ttl) => {
    expect(() => cloudflareSigner({ secret, ttl })).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => cloudflareVerifier({ secrets: secret, ttl, origins })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });
});
