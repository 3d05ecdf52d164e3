import { describe, expect, it } from "vitest";
import { guardFetch } from "../src/adapters/fetch/index.ts";
import type { Grant, Verifier } from "../src/index.ts";
import { s3Signer, s3Verifier } from "../src/schemes/s3/index.ts";
import { expectRefusal, wireRequest } from "./wire-request.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const clock = (): Date => AT;
const origin = "https://s3.example.com";
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };

describe("the obligation body-length", () => {
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

  // A browser removes a Content-Length that a program sets.
  const isKept = new Request(origin, { headers: { "content-length": "1" } }).headers.has("content-length");
  it.skipIf(!isKept)("refuses a Content-Length below the minimum and above the maximum", async () => {
    const bodies = ["", "ab", "abc", "abcde", "abcdef"];
    const outcomes = await Promise.all(bodies.map(outcome));
    expect(outcomes).toEqual(["BODY_LENGTH", "BODY_LENGTH", "abc", "abcde", "BODY_LENGTH"]);
  });
});

describe("the obligation body-sha256", () => {
  const [one, other] = ["a".repeat(64), "b".repeat(64)];
  const verifier = s3Verifier({ credentials, origins: [origin], clock, enforces: ["body-sha256"] });
  const request = (sha256: string, parameter: string) =>
    wireRequest(
      s3Signer({ region: "us-east-1", endpoint: origin, addressing: "path", credentials, clock }).sign({
        ...{ method: "PUT", bucket: "media", key: "a.txt", expiresIn: 60 },
        bind: { sha256, query: { "X-Amz-Content-Sha256": parameter } },
      }),
    );

  it("refuses two different digests, in a header and in a parameter", async () => {
    const grant = await verifier.verify(request(one, one));
    expect(grant.obligations).toContainEqual({ kind: "body-sha256", sha256: one });
    await expectRefusal(verifier.verify(request(one, other)), "MALFORMED");
  });
});
