import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fastlySigner, fastlyVerifier } from "../../src/schemes/fastly/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

// https://github.com/fastly/token-functions/blob/master/README.md
const SECRET = "iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=";
const origins = ["https://www.example.com"];

const signer = fastlySigner({ secret: SECRET, clock });
const verifier = fastlyVerifier({ secrets: SECRET, origins, clock });

describe("Fastly's token", () => {
  it("verifies the published token for its path", async () => {
    const url = "https://www.example.com/foo/bar.html";
    const signed = fastlySigner({ secret: SECRET, clock: () => new Date(1441307000_000) }).sign({
      url,
      expiresAt: new Date(1441307151_000),
    });
    const mac = createHmac("sha1", Buffer.from(SECRET, "base64")).update("/foo/bar.html1441307151").digest("hex");
    expect(signed.url).toBe(`${url}?token=1441307151_${mac}`);
  });

  it("signs and verifies with SHA-256", async () => {
    const link = fastlySigner({ secret: SECRET, hash: "sha256", clock }).sign({
      url: "https://www.example.com/a",
      expiresIn: 60,
    });
    expect(await outcome(verifier, get(link.url))).toBe("MALFORMED");
    const other = fastlyVerifier({ secrets: SECRET, hash: "sha256", origins, clock });
    expect(await outcome(other, get(link.url))).toBe("accepted");
  });

  it("unseparated fields: a digit of the path does not become one of the end", async () => {
    const { url } = signer.sign({ url: "https://www.example.com/v1", expiresIn: 60 });
    expect(await outcome(verifier, get(url))).toBe("accepted");
    // The same MAC as for /v, until the year 2337: accepted by a VCL that reads ten or eleven digits.
    const moved = url.replace("/v1?token=", "/v?token=1");
    expect(await outcome(verifier, get(moved))).toBe("MALFORMED");
    expect(signer.weak).toEqual(["unseparated-fields"]);
  });

  it("says which parameters are not signed, and refuses them unless they are allowed", async () => {
    const link = signer.sign({ url: "https://www.example.com/a?w=1", expiresIn: 60 });
    expect(link.warnings.at(-1)).toContain("w in the query");
    expect(await outcome(verifier, get(link.url))).toBe("UNSIGNED_PARAMETER");
    // One name as a text, which has parts.
    const named = (allowUnsigned: string) =>
      fastlyVerifier({ secrets: SECRET, origins, clock, allowUnsigned: allowUnsigned as never });
    expect(await outcome(named("w"), get(link.url))).not.toBe("UNSIGNED_PARAMETER");
    expect(await outcome(named("width"), get(link.url))).toBe("UNSIGNED_PARAMETER");
    const grant = await fastlyVerifier({ secrets: SECRET, origins, clock, allowUnsigned: ["w"] }).verify(get(link.url));
    expect(grant.unsignedParameters).toEqual([["w", "1"]]);
    expect(grant.weak).toEqual(["unseparated-fields"]);
  });

  it.each([
    [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
    [{ bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
    [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
    [{ prefix: "/a/" }, "UNSUPPORTED_CONSTRAINT"],
    [{ withoutExpiry: "accept" }, "INVALID_INPUT"],
    [{ url: "https://www.example.com/a?token=1" }, "INVALID_INPUT"],
    [{ expiresIn: 1e11 }, "INVALID_EXPIRY"],
  ])("refuses to sign %j with %s", (wish, code) => {
    const request = { url: "https://www.example.com/a", expiresIn: 60, ...wish };
    expect(() => signer.sign(request as never)).toThrowError(expect.objectContaining({ code }));
  });

  it("refuses a secret that is not base64", () => {
    expect(() => fastlySigner({ secret: "YOUR%SECRET%KEY" })).toThrowError(
      expect.objectContaining({ code: "INVALID_KEY" }),
    );
    expect(() => fastlySigner({ secret: "" })).toThrowError(expect.objectContaining({ code: "INVALID_KEY" }));
  });
});
