import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { callBucket } from "./bucket-client.ts";
import { s3Code, sendS3, useGateway } from "./clients.ts";

const gateway = useGateway();

const bucket = "race";
const LEAST_ROUNDS = 100;
const MOST_ROUNDS = 2000;
/** What has to be seen, or nothing has raced. */
const OUTCOMES = ["PUT 200", "PUT 404 NoSuchBucket", "remove 204", "remove 409 BucketNotEmpty"];

describe("requests that race with the removal of their bucket", () => {
  it("are carried out, or find no bucket, and never make the gateway fail", async () => {
    const seen = new Set<string>();
    const note = (what: string, status: number, body: Buffer | string): void => {
      seen.add(`${what} ${status} ${s3Code(body) ?? ""}`.trim());
    };
    const onBucket = async (what: string, method: "GET" | "PUT" | "DELETE", query = {}) => {
      const reply = await callBucket(gateway, { method, bucket, query });
      note(what, reply.status, reply.body);
    };
    const onObject = async (method: "PUT" | "DELETE", key: string) => {
      const reply = await sendS3(gateway, { method, bucket, key, ...(method === "PUT" ? { body: key } : {}) });
      note(method, reply.status, reply.text);
    };
    // The minimum: a single slow removal on a busy machine would make every round slow.
    let removal = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      await onBucket("create", "PUT");
      const start = performance.now();
      await onBucket("remove", "DELETE");
      removal = Math.min(removal, performance.now() - start);
    }
    // From before the removal until after it, in steps that differ for each request.
    const delay = (round: number, steps: number) => sleep(((round % steps) / steps) * removal * 2);
    const raced = (round: number) => round >= LEAST_ROUNDS && OUTCOMES.every((outcome) => seen.has(outcome));
    for (let round = 0; !raced(round) && round < MOST_ROUNDS; round++) {
      await onBucket("create", "PUT");
      const keys = [`deep/${round}/a/b/c`, `flat-${round}`].slice(round % 2, 1 + (round % 3));
      await Promise.all([
        onBucket("remove", "DELETE"),
        ...keys.map((key) => delay(round, 13).then(() => onObject("PUT", key))),
        delay(round, 7).then(() => onBucket("list", "GET", { "list-type": "2" })),
        ...(round % 5 === 0 ? [delay(round, 11).then(() => onBucket("create", "PUT"))] : []),
      ]);
      await Promise.all(keys.map((key) => onObject("DELETE", key)));
    }
    expect([...seen].filter((text) => / 5\d\d/.test(text))).toEqual([]);
    expect([...seen]).toEqual(expect.arrayContaining(OUTCOMES));
  }, 120_000);
});
