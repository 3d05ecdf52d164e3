import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { createGateway } from "../../src/gateway.ts";
import { steadyClock } from "../../src/pipeline/steady-clock.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { removeRoot, tempRoot } from "../storage/temp-root.ts";

const START = Date.parse("2026-01-02T03:04:05Z");

describe("steadyClock", () => {
  it("returns the latest instant after the clock is set back", () => {
    const times = [START, START + 5, START + 3, Number.NaN, START + 9];
    const clock = steadyClock(() => new Date(times.shift() as number));
    expect([1, 2, 3, 4, 5].map(() => clock().getTime() - START)).toEqual([0, 5, 5, 5, 9]);
  });

  it("stays invalid without any valid date", () => {
    expect(steadyClock(() => new Date(Number.NaN))().getTime()).toBeNaN();
  });

  it("keeps an expired URL expired", async () => {
    const root = tempRoot();
    let now = START;
    const clock = () => new Date(now);
    const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    const origin = "http://127.0.0.1:8080";
    const gateway = createGateway({ storage: await disk({ root }), origins: [origin], keys: { s3: () => key }, clock });
    const { url } = s3Signer({ region: "us-east-1", endpoint: origin, credentials: key, clock }).sign({
      bucket: "bucket",
      key: "a.txt",
      expiresIn: 60,
    });
    const status = async (): Promise<number> => {
      const request = { method: "GET", target: url.slice(origin.length), authority: "127.0.0.1:8080", headers: [] };
      const outcome = await gateway.handle(request, (async function* () {})());
      outcome.delivered(0, true);
      return outcome.status;
    };
    expect(await status()).toBe(404);
    now = START + 60_000;
    expect(await status()).toBe(403);
    now = START;
    expect(await status()).toBe(403);
    await gateway.close();
    removeRoot(root);
  });
});
