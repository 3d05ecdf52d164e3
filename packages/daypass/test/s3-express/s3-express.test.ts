import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { s3ExpressSigner } from "../../src/schemes/s3/express/index.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const clock = () => AT;
const session = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "AgV4dG9rZW4+/=",
  expiration: new Date(AT.getTime() + 300_000),
};
const signer = s3ExpressSigner({ region: "us-east-1", credentials: session, clock });
const call = { bucket: "media--use1-az4--x-s3", key: "a b.mp4", expiresIn: 60 };

// SigV4 by hand, from AWS's page: canonical request, string to sign, chain of HMACs.
function signature(method: string, host: string, path: string, query: string): string {
  const hash = createHash("sha256")
    .update([method, path, query, `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n"))
    .digest("hex");
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  let key = hmac(`AWS4${session.secretAccessKey}`, "20260102");
  for (const step of ["us-east-1", "s3express", "aws4_request"]) key = hmac(key, step);
  return hmac(key, `AWS4-HMAC-SHA256\n20260102T030405Z\n20260102/us-east-1/s3express/aws4_request\n${hash}`).toString(
    "hex",
  );
}

describe("s3ExpressSigner", () => {
  it("signs for the service s3express at the zone's endpoint, with the session's own token parameter", () => {
    const { url, expiresAt } = signer.sign(call);
    const host = "media--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com";
    const query =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1%2Fs3express%2Faws4_request" +
      "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-S3session-Token=AgV4dG9rZW4%2B%2F%3D&X-Amz-SignedHeaders=host";
    expect(url).toBe(
      `https://${host}/a%20b.mp4?${query}&X-Amz-Signature=${signature("GET", host, "/a%20b.mp4", query)}`,
    );
    expect(expiresAt).toEqual(new Date(AT.getTime() + 60_000));
  });

  it("takes local zones, access points and another endpoint", () => {
    const host = (bucket: string, options = {}) =>
      new URL(
        s3ExpressSigner({ region: "us-west-2", credentials: session, clock, ...options }).sign({ ...call, bucket }).url,
      ).host;
    expect(host("m--usw2-lax1-az1--x-s3".replace("usw2-", ""))).toBe(
      "m--lax1-az1--x-s3.s3express-lax1-az1.us-west-2.amazonaws.com",
    );
    expect(host("m--euscde-az1--x-s3", { region: "eusc-de-east-1" })).toBe(
      "m--euscde-az1--x-s3.s3express-euscde-az1.eusc-de-east-1.amazonaws.eu",
    );
    expect(host("ap--usw2-az1--xa-s3")).toBe("ap--usw2-az1--xa-s3.s3express-usw2-az1.us-west-2.amazonaws.com");
    expect(host("m--usw2-az1--x-s3", { endpoint: "http://127.0.0.1.nip.io:4566" })).toBe(
      "m--usw2-az1--x-s3.127.0.0.1.nip.io:4566",
    );
    // A region of an isolated partition, which has no host that is known here.
    const isolated = { region: "us-iso-east-1", endpoint: "https://s3express-usw2-az1.us-iso-east-1.c2s.ic.gov" };
    expect(host("m--usw2-az1--x-s3", isolated)).toBe("m--usw2-az1--x-s3.s3express-usw2-az1.us-iso-east-1.c2s.ic.gov");
    for (const wrong of [{ region: "us-iso-east-1" }, { endpoint: "s3.example.com" }]) {
      const make = () => s3ExpressSigner({ region: "us-west-2", credentials: session, ...wrong });
      expect(make).toThrow(/^endpoint is .*Pass scheme:/);
    }
  });

  it("ends with its session, or says that it would", () => {
    expect(() => signer.sign({ ...call, expiresIn: 301 })).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_EXPIRE_FIRST" }),
    );
    const clamped = s3ExpressSigner({
      region: "us-east-1",
      credentials: () => session,
      credentialExpiry: "clamp",
      clock,
    });
    expect(clamped.sign({ ...call, expiresIn: 900 }).expiresAt).toEqual(session.expiration);
  });

  it.each<[string, object, string]>([
    ["a bucket of another kind", { bucket: "media" }, "INVALID_INPUT"],
    ["a bucket of another suffix", { bucket: "media--use1-az4--x-s4" }, "INVALID_INPUT"],
    ["a name that would leave the endpoint", { bucket: "media--evil.example/az1--x-s3" }, "INVALID_INPUT"],
    ["its own parameter in the query", { query: { "x-amz-s3session-token": "t" } }, "INVALID_INPUT"],
    ["a key with dot segments", { key: "a/../b" }, "DOT_SEGMENTS"],
  ])("refuses %s", (_, request, code) => {
    expect(() => signer.sign({ ...call, ...request })).toThrow(expect.objectContaining({ code }));
  });

  it("refuses credentials that are of no session", () => {
    const { sessionToken: _, ...credentials } = session;
    const refusal = expect.objectContaining({ code: "INVALID_KEY" });
    expect(() => s3ExpressSigner({ region: "us-east-1", credentials, clock })).toThrow(refusal);
    const late = s3ExpressSigner({ region: "us-east-1", credentials: () => credentials, clock });
    expect(() => late.sign(call)).toThrow(refusal);
  });
});
