import { describe, expect, test } from "vitest";
import { needsPostgres } from "../../../tools/postgres-server.ts";
import { guide, ofEachWorker, open, startReplicas, type Way, WITHIN } from "./replicas.ts";
import { status } from "./serving.ts";

const reason = needsPostgres("radosgw", "pgbouncer");
const SOON = { timeout: 20_000, interval: 100 };

describe.skipIf(reason)(`two replicas of two workers${reason ?? ""}`, () => {
  test.each<Way>(["LISTEN", "pgbouncer and LISTEN", "pgbouncer and polling"])(
    "run the commands of the guide, and refuse within a second what one of them revoked, by %s",
    async (way) => {
      const { direct, replicas, body, keyId, presigned } = await startReplicas(way);
      const [one, two] = replicas;
      const [commands = ""] = [...guide.matchAll(/```console\n([^`]*)```/g)]
        .map(([, lines = ""]) => lines)
        .filter((lines) => lines.includes("links create"));
      const [create = [], ...others] = commands
        .split("\n")
        .filter(Boolean)
        .map((line) => line.replace("$ daypass ", "").split(" "));
      const link = await one.json(...create);
      const key = `?dl=${"k".repeat(32)}`;
      expect(await open(two, link.url, key)).toMatchObject({ status: 200, text: body });
      expect(await open(one, link.url, key)).toMatchObject({ status: 200, text: body });
      expect((await open(one, link.url, `?dl=${"n".repeat(32)}`)).status).toBe(410);
      for (const command of others) await two.json(...command.map((word) => (word === "ID" ? link.id : word)));

      expect(await ofEachWorker(presigned(two))).toEqual(Array(8).fill(200));
      const uncounted = await two.json("links", "create", "s3://media/report.pdf");
      await two.json("links", "revoke", uncounted.id);
      await expect.poll(async () => (await open(one, uncounted.url)).status, WITHIN).toBe(410);
      const revocation = await one.json("revoke", "--key", keyId);
      await expect.poll(() => ofEachWorker(presigned(two)), WITHIN).toEqual(Array(8).fill(403));
      await two.json("revocations", "lift", revocation.id);
      await expect.poll(() => ofEachWorker(presigned(one)), WITHIN).toEqual(Array(8).fill(200));

      // A connection of LISTEN that drops its packets brings no notice.
      direct.isSilent = true;
      await one.json("revoke", "--key", keyId);
      await expect.poll(() => ofEachWorker(presigned(two)), WITHIN).toEqual(Array(8).fill(403));
    },
    120_000,
  );

  test("serve stateless URLs while the database is away, also after a start, and links when it is back", async () => {
    const { database, replicas, presigned, keyId } = await startReplicas("LISTEN");
    const [one, two] = replicas;
    const link = await one.json("links", "create", "s3://media/report.pdf");
    await database.stop("immediate");
    expect(await status(presigned(one))).toBe(200);
    expect(await open(one, link.url)).toMatchObject({ status: 503, retry: expect.any(String) });
    expect(await ofEachWorker(`${one.running.said.url}/-/readyz`)).toEqual(Array(8).fill(200));
    await expect.poll(() => ofEachWorker(`${one.running.said.url}/-/readyz?links`), WITHIN).toEqual(Array(8).fill(503));
    await two.running.stop();
    await two.restart();
    expect(await status(presigned(two))).toBe(200);
    expect((await open(two, link.url)).status).toBe(503);
    await database.start();
    for (const replica of replicas)
      await expect.poll(async () => (await open(replica, link.url)).status, SOON).toBe(200);
    await one.json("revoke", "--key", keyId);
    await expect.poll(() => ofEachWorker(presigned(two)), WITHIN).toEqual(Array(8).fill(403));
  }, 120_000);
});
