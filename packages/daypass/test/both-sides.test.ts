import { describe, expect, it } from "vitest";
import { guardFetch } from "../src/adapters/fetch/index.ts";
import { anyOf, type Grant, type Verifier } from "../src/index.ts";
import { s3Signer, s3Verifier } from "../src/schemes/s3/index.ts";
import { urlSigner, urlVerifier } from "../src/schemes/url/index.ts";
import { KEY } from "./url/fixture.ts";
import { expectRefusal, wireRequest } from "./wire-request.ts";

/** Checks with two sides of which the other tests see one. */

const AT = new Date("2026-01-02T03:04:05Z");
const clock = (): Date => AT;
const origin = "https://s3.example.com";
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };

describe("a body that announces its length", () => {
  const bounded: Verifier = {
    detects: () => true,
    verify: async () =>
      ({
        obligations: [{ kind: "body-length", min: 3, max: 5 }],
        limitBody: (body: unknown) => body,
      }) as unknown as Grant,
  };
  const send = guardFetch(bounded, async (_grant, request) => new Response(await request.text()));
  const outcome = async (body: string): Promise<string> => {
    const headers = { "content-length": String(body.length) };
    const response = await send(new Request(`${origin}/x`, { method: "PUT", headers, body }));
    return response.ok ? response.text() : ((await response.json()) as { code: string }).code;
  };

  // A browser's Request has no length that a program gave it.
  const isKept = new Request(origin, { headers: { "content-length": "1" } }).headers.has("content-length");
  it.skipIf(!isKept)("is refused below the least that was granted as it is above the most", async () => {
    const bodies = ["", "ab", "abc", "abcde", "abcdef"];
    const outcomes = await Promise.all(bodies.map(outcome));
    expect(outcomes).toEqual(["BODY_LENGTH", "BODY_LENGTH", "abc", "abcde", "BODY_LENGTH"]);
  });
});

describe("a digest in a header and in a parameter", () => {
  const [one, other] = ["a".repeat(64), "b".repeat(64)];
  const verifier = s3Verifier({ credentials, origins: [origin], clock, enforces: ["body-sha256"] });
  const request = (sha256: string, parameter: string) =>
    wireRequest(
      s3Signer({ region: "us-east-1", endpoint: origin, addressing: "path", credentials, clock }).sign({
        ...{ method: "PUT", bucket: "media", key: "a.txt", expiresIn: 60 },
        bind: { sha256, query: { "X-Amz-Content-Sha256": parameter } },
      }),
    );

  it("has to be the same, or a body is held against one of two", async () => {
    const grant = await verifier.verify(request(one, one));
    expect(grant.obligations).toContainEqual({ kind: "body-sha256", sha256: one });
    await expectRefusal(verifier.verify(request(one, other)), "MALFORMED");
  });
});

describe("an IPv6 address", () => {
  const sign = (ip: string) =>
    urlSigner({ key: KEY, clock }).sign({ url: `${origin}/a`, expiresIn: 60, bind: { ip } }).url;

  it("leaves out one group or more where it says so", () => {
    // The one spelling of RFC 5952 writes a single group of zeros.
    expect(sign("1:2:3:4:5:6::8")).toContain("dp-ip=1-2-3-4-5-6-0-8_128");
    expect(sign("1:2:3:4:5:6:7:8")).toContain("dp-ip=1-2-3-4-5-6-7-8_128");
    for (const ip of ["1:2:3:4:5:6:7::8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8:9"]) {
      expect(() => sign(ip), ip).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
  });
});

describe("anyOf", () => {
  it("refuses a request that is too long before any verifier detects it", async () => {
    let looked = 0;
    const counting: Verifier = {
      detects: () => {
        looked += 1;
        return false;
      },
      verify: () => Promise.reject(new Error("never")),
    };
    const all = anyOf(counting, urlVerifier({ keys: [KEY], origins: [origin], clock }));
    const request = { method: "GET", target: `/${"a".repeat(32_768)}`, authority: "s3.example.com", headers: [] };
    await expectRefusal(all.verify(request), "MALFORMED");
    expect(looked).toBe(0);
  });

  it("passes the proof on, so that a URL for one subject refuses others", async () => {
    const all = anyOf(
      urlVerifier({ keys: [KEY], origins: [origin], clock }),
      s3Verifier({ credentials, origins: [origin], clock }),
    );
    const signed = urlSigner({ key: KEY, clock }).sign({ url: `${origin}/a`, expiresIn: 60, subject: "cus_42" });
    const request = wireRequest(signed);
    expect(await all.verify(request, { subject: "cus_42" })).toMatchObject({ subject: "cus_42" });
    await expectRefusal(all.verify(request, { subject: "cus_43" }), "WRONG_SUBJECT");
    await expectRefusal(all.verify(request), "WRONG_SUBJECT");
  });
});

describe("a key that ends", () => {
  const until = "20260102T030505Z";
  const bare = urlSigner({ key: KEY, clock });
  const verifier = urlVerifier({ keys: [{ ...KEY, scope: { until } }], origins: [origin], clock });

  it("grants up to that instant, and not a second beyond", async () => {
    const verify = (expiresIn: number) => verifier.verify(wireRequest(bare.sign({ url: `${origin}/a`, expiresIn })));
    expect((await verify(60)).keyId).toBe("k1");
    await expectRefusal(verify(61), "KEY_SCOPE");
  });
});
