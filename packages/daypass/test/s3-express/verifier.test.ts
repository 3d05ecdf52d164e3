import { describe, expect, it } from "vitest";
import { anyOf, isDaypassError, type WireRequest } from "../../src/index.ts";
import { s3ExpressSigner, s3ExpressVerifier } from "../../src/schemes/s3/express/index.ts";
import { s3HeaderVerifier } from "../../src/schemes/s3/header/index.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { wireRequest } from "../wire-request.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const clock = () => AT;
const session = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "AgV4dG9rZW4+/=",
  expiration: new Date(AT.getTime() + 300_000),
};
const origins = ["https://*.s3express-use1-az4.us-east-1.amazonaws.com", "https://s3.example.com"];
const options = { credentials: session, origins, clock, enforces: ["body-sha256"] } as const;
const verifier = s3ExpressVerifier(options);
const bucket = "media--use1-az4--x-s3";
const call = { bucket, key: "a b.mp4", expiresIn: 60, query: { partNumber: "1" } };
const request = wireRequest(s3ExpressSigner({ region: "us-east-1", credentials: session, clock }).sign(call));
const change = (from: string | RegExp, to: string): WireRequest => ({
  ...request,
  target: request.target.replace(from, to),
});
const outcome = (wire: WireRequest, other = verifier): Promise<string> =>
  other.verify(wire).then(
    () => "accepted",
    (error: unknown) => (isDaypassError(error) ? error.code : String(error)),
  );

describe("s3ExpressVerifier", () => {
  it("grants what the URL says, and counts the token among no other parameters", async () => {
    const grant = await verifier.verify(request);
    expect(grant).toMatchObject({
      scheme: "s3/express",
      keyId: "AKIDEXAMPLE",
      methods: ["GET"],
      bucket,
      key: "a b.mp4",
    });
    expect(grant.parameters).toEqual([["partNumber", "1"]]);
    expect(grant.expiresAt).toEqual(new Date(AT.getTime() + 60_000));
  });

  it.each<[string, WireRequest, string]>([
    ["another token", change("AgV4dG9", "AgV4dG8"), "SIGNATURE_MISMATCH"],
    ["a token twice", change("&X-Amz-SignedHeaders", "&X-Amz-S3session-Token=x$&"), "MALFORMED"],
    [
      "a token in another spelling beside it",
      change("&X-Amz-SignedHeaders", "&x-amz-s3session-token=x$&"),
      "MALFORMED",
    ],
    ["a token of the other kind beside it", change("&X-Amz-SignedHeaders", "&X-Amz-Security-Token=x$&"), "MALFORMED"],
    ["no token", change(/&X-Amz-S3session-Token=[^&]*/, ""), "NO_SIGNATURE"],
    ["another service", change("s3express%2F", "s3%2F"), "WRONG_SCOPE"],
    ["another bucket", { ...request, authority: request.authority.replace("media", "other") }, "SIGNATURE_MISMATCH"],
  ])("refuses %s", async (_, wire, code) => {
    expect(await outcome(wire)).toBe(code);
  });

  it.each<[string, object, string]>([
    ["whose token is another", { sessionToken: "AgV4dG9rZW4+/A" }, "INVALID_TOKEN"],
    ["that has none", { sessionToken: undefined }, "INVALID_TOKEN"],
    ["that has ended", { expiration: AT }, "EXPIRED_TOKEN"],
    ["of another secret", { secretAccessKey: "another" }, "SIGNATURE_MISMATCH"],
  ])("refuses for a session %s", async (_, change, code) => {
    const credentials = { ...session, ...change };
    expect(await outcome(request, s3ExpressVerifier({ ...options, credentials }))).toBe(code);
  });

  it("works with the verifiers of S3, each for its own URLs", async () => {
    const s3 = s3Signer({ region: "us-east-1", endpoint: "https://s3.example.com", credentials: session, clock });
    const both = anyOf(s3Verifier(options), verifier, s3HeaderVerifier(options));
    const plain = wireRequest(s3.sign({ bucket: "media", key: "3session-Token=.mp4", expiresIn: 60 }));
    expect((await both.verify(request)).scheme).toBe("s3/express");
    expect((await both.verify(plain)).scheme).toBe("s3");
    expect(await outcome(request, s3Verifier(options))).toBe("WRONG_SCOPE");
    expect(await outcome(plain)).toBe("NO_SIGNATURE");
    expect(await outcome({ ...request, headers: [["authorization", "AWS4-HMAC-SHA256 x"]] }, both)).toBe(
      "AMBIGUOUS_AUTHENTICATION",
    );
  });
});
