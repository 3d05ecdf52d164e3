import { type ExplainOptions, explain } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { credentials, errorXml } from "./raw-requests.ts";
import { clock, soon } from "./signed-urls.ts";

const wish = { bucket: "media", key: "a.txt", expiresIn: 900 } as const;
const endpoint = "https://storage.example.com";
const causeOf = async (url: string, errorBody: string, options: ExplainOptions = {}) =>
  (await explain(url, { clock: soon, errorBody, ...options })).cause;

describe("explain with a temporary key", () => {
  const key = { ...credentials, accessKeyId: "ASIAEXAMPLE" };
  const sessionToken = "FwoGZXIvYXdzEJr";
  const signers = { "Version 4": s3Signer, "Version 2": s3V2Signer };

  it.each(Object.entries(signers))("reports a missing session token: %s", async (_, signer) => {
    const { url } = signer({ region: "us-east-1", endpoint, credentials: key, clock }).sign(wish);
    const unknown = errorXml("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
    expect(await causeOf(url, unknown)).toMatchObject({ code: "INVALID_TOKEN" });
    const { cause } = await explain(url, { clock: soon, keys: [{ ...key, sessionToken }] });
    expect(cause?.code).toBe("INVALID_TOKEN");
    expect(JSON.stringify(cause)).not.toContain(sessionToken);
    const whole = signer({ region: "us-east-1", endpoint, credentials: { ...key, sessionToken }, clock }).sign(
      wish,
    ).url;
    expect((await explain(whole, { clock: soon, keys: [{ ...key, sessionToken }] })).cause).toBeUndefined();
    expect(await causeOf(whole, unknown)).toMatchObject({ code: "UNKNOWN_KEY" });
  });

  it.each(Object.entries(signers))("uses the key whose secret fits: %s", async (_, signer) => {
    // A key ASIA… without its token never works.
    const lasting = { ...key, accessKeyId: "AKIDEXAMPLE" };
    const { url } = signer({ region: "us-east-1", endpoint, credentials: lasting, clock }).sign(wish);
    const other = { ...lasting, secretAccessKey: "another", sessionToken };
    const ended = { ...lasting, secretAccessKey: "a third", expiration: new Date("2026-11-24T12:02:00Z") };
    for (const keys of [[{ ...lasting, sessionToken: "" }], [other, lasting], [ended, lasting]]) {
      const { cause, endsAt } = await explain(url, { clock: soon, keys });
      expect([cause, endsAt]).toEqual([undefined, new Date(clock().getTime() + wish.expiresIn * 1000)]);
    }
    expect((await explain(url, { clock: soon, keys: [lasting, other] })).cause).toBeUndefined();
  });

  it("accepts a session token in a header", async () => {
    const name = "x-amz-security-token";
    const { url } = s3Signer({ region: "us-east-1", endpoint, credentials: key, clock }).sign({
      ...wish,
      headers: { [name]: sessionToken },
    });
    const keys = [{ ...key, sessionToken }];
    for (const request of [undefined, { method: "GET", headers: { [name]: sessionToken } }]) {
      const { cause, traps } = await explain(url, { clock: soon, keys, ...(request === undefined ? {} : { request }) });
      // The header's value is unknown.
      expect(cause?.code).toBe(request === undefined ? "HEADER" : undefined);
      expect(traps.map((trap) => trap.name)).not.toContain("missing-session-token");
    }
  });

  it.each(Object.entries(signers))("reports a key that has expired: %s", async (_, signer) => {
    const { url } = signer({ region: "us-east-1", endpoint, credentials: { ...key, sessionToken }, clock }).sign(wish);
    const ended = { ...key, sessionToken, expiration: new Date("2026-11-24T12:02:00Z") };
    const told = await explain(url, { clock: soon, keys: [ended] });
    expect(told.cause).toMatchObject({ code: "EXPIRED_TOKEN", sentence: expect.stringContaining("12:02:00") });
    const later = () => new Date("2026-11-24T13:00:00Z");
    const over = { ...ended, expiration: new Date("2026-11-24T12:30:00Z") };
    expect((await explain(url, { clock: later, keys: [over] })).cause).toMatchObject({ code: "EXPIRED" });
  });
});
