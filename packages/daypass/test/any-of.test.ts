import { describe, expect, it } from "vitest";
import { anyOf, type Verifier } from "../src/index.ts";
import { s3Verifier } from "../src/schemes/s3/index.ts";
import { urlSigner, urlVerifier } from "../src/schemes/url/index.ts";
import { KEY } from "./url/fixture.ts";
import { expectRefusal, wireRequest } from "./wire-request.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const clock = (): Date => AT;
const origin = "https://s3.example.com";
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };

describe("anyOf", () => {
  it("asks no verifier about a target that is too long", async () => {
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

  it("passes the proof on, so that a URL for one subject is refused for others", async () => {
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
