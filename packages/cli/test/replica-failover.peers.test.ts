import { randomBytes } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { needsPostgres } from "../../../tools/postgres-server.ts";
import { again, ofEachWorker, open, type Replica, type Replicas, startReplicas, WITHIN } from "./replicas.ts";
import { status } from "./serving.ts";

const reason = needsPostgres("radosgw", "pgbouncer");
const SOON = { timeout: 30_000, interval: 50 };

interface Claim {
  readonly replica: Replica;
  readonly isCounted: boolean;
  readonly status: number;
  readonly retry: string | null;
}

const key = (): string => `?dl=${randomBytes(16).toString("hex")}`;

let addresses = 0;
/** An address that has claimed nothing, because one may claim a link five times in ten minutes. */
function nextAddress(): string {
  addresses += 1;
  return `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`;
}

/** Stateless requests, claims of a counted link and reads of another one at both replicas, until it is stopped. */
function load({ replicas, presigned }: Replicas, counted: string, uncounted: string) {
  const stateless: number[] = [];
  const claims: Claim[] = [];
  let isOn = true;
  const lane = async (work: () => Promise<unknown>): Promise<void> => {
    while (isOn) await work();
  };
  const claim = async (replica: Replica, isCounted: boolean): Promise<void> => {
    const { status, retry } = await open(
      replica,
      isCounted ? counted : uncounted,
      isCounted ? key() : "",
      nextAddress(),
    );
    claims.push({ replica, isCounted, status, retry });
  };
  const lanes = replicas.flatMap((replica) => [
    lane(async () => stateless.push(await again(() => status(presigned(replica))))),
    ...[true, true, false].map((isCounted) => lane(() => claim(replica, isCounted))),
  ]);
  const stop = async (): Promise<void> => {
    isOn = false;
    await Promise.all(lanes);
  };
  onTestFinished(stop);
  return {
    stateless,
    claims,
    stop,
    /** How often the counted link was delivered. */
    delivered: () => claims.filter(({ isCounted, status }) => isCounted && status === 200).length,
  };
}

describe.skipIf(reason)(`two replicas of two workers with a standby${reason ?? ""}`, () => {
  test.each([
    ["asynchronous", "pgbouncer and LISTEN", true],
    ["synchronous", "LISTEN", false],
  ] as const)(
    "serve on under load when a standby that is %s is promoted, by %s",
    async (_, way, isAsynchronous) => {
      const all = await startReplicas(way, { suspendAfterFailover: isAsynchronous });
      const { database, replicas, presigned, moveTo, keyId } = all;
      const [one, two] = replicas;
      const create = (...more: readonly string[]) => one.json("links", "create", "s3://media/report.pdf", ...more);
      const [uncounted, counted, few] = [
        await create(),
        await create("--max-deliveries", "1000000"),
        await create("--max-deliveries", "5"),
      ];
      const claims = (link: { url: string }, count: number): Promise<readonly number[]> =>
        Promise.all(
          Array.from({ length: count }, async (_, at) => {
            return (await open(replicas[at % 2] as Replica, link.url, key(), nextAddress())).status;
          }),
        );
      expect(await claims(few, 3)).toEqual([200, 200, 200]);
      await using standby = await standbyOf(database);
      const streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
      await expect.poll(() => database.sql(streams), SOON).toBe("1");
      if (!isAsynchronous) {
        database.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        database.sql("SELECT pg_reload_conf()");
        await expect.poll(() => database.sql("SELECT sync_state FROM pg_stat_replication"), SOON).toBe("sync");
      }
      const running = load(all, counted.url, uncounted.url);
      await expect.poll(running.delivered, SOON).toBeGreaterThan(20);

      if (isAsynchronous) {
        // From now on the primary commits what the standby never receives.
        standby.sql("ALTER SYSTEM SET primary_conninfo = ''");
        standby.sql("SELECT pg_reload_conf()");
        await expect.poll(() => database.sql(streams), SOON).toBe("0");
        const delivered = running.delivered();
        await expect.poll(running.delivered, SOON).toBeGreaterThan(delivered + 20);
        await one.json("revoke", "--prefix", "media/lost/");
        for (const replica of replicas) {
          await expect.poll(() => ofEachWorker(presigned(replica, "lost/a")), WITHIN).toEqual(Array(8).fill(403));
        }
      }

      await database.stop("immediate");
      const kinds = replicas.flatMap((replica) => [true, false].map((isCounted) => ({ replica, isCounted })));
      await expect
        .poll(
          () =>
            kinds.every(({ replica, isCounted }) =>
              running.claims.some(
                (claim) => claim.replica === replica && claim.isCounted === isCounted && claim.status === 503,
              ),
            ),
          SOON,
        )
        .toBe(true);
      const before = running.delivered();
      standby.promote();
      moveTo(standby);
      for (const replica of replicas) {
        await expect.poll(async () => (await open(replica, uncounted.url)).status, SOON).toBe(200);
        await expect.poll(() => status(`${replica.running.said.url}/-/readyz?links`), SOON).toBe(200);
      }
      const started = () => Number(standby.sql(`SELECT started FROM daypass.variant WHERE link = '${counted.id}'`));
      if (isAsynchronous) {
        for (const { url } of [counted, few]) {
          for (const replica of replicas)
            await expect.poll(async () => (await open(replica, url, key())).status, SOON).toBe(410);
        }
        expect(running.delivered()).toBe(before);
        expect(started()).toBeLessThanOrEqual(before - 20);
        for (const { id } of [counted, few]) {
          expect((await two.json("links", "show", id)).suspended).toBe("restored");
        }
        expect((await two.run("links", "resume", "--all")).status).toBe(0);
      }
      await expect.poll(running.delivered, SOON).toBeGreaterThan(before + 20);
      const more = await claims(few, 100);
      expect([more.filter((one) => one === 200).length, more.filter((one) => one === 410).length]).toEqual([2, 98]);
      await running.stop();
      expect(standby.sql(`SELECT started || ' ' || used FROM daypass.variant WHERE link = '${few.id}'`)).toBe("5 5");
      if (!isAsynchronous) expect(started()).toBeGreaterThanOrEqual(running.delivered());

      expect(new Set(running.stateless)).toEqual(new Set([200]));
      expect(running.claims.filter(({ status, retry }) => status === 503 && !(Number(retry) > 0))).toEqual([]);

      if (isAsynchronous) {
        // Replicas that know the lost revocation refuse by it until they restart.
        expect(await one.json("revocations", "list")).toMatchObject({ id: "lost-uses", kind: "uses-before" });
        for (const replica of replicas) expect(await status(presigned(replica, "lost/a"))).toBe(403);
        await two.running.stop();
        await two.restart();
        expect(await status(presigned(two, "lost/a"))).toBe(404);
      }
      // What the standby never received was recorded, too. Without a loss, there is nothing to accept.
      for (const replica of replicas) {
        const { status, stderr } = await replica.run("audit", "accept-restore");
        expect([status, stderr]).toEqual(isAsynchronous ? [0, ""] : [1, expect.stringContaining("nothing to accept")]);
      }
      expect((await one.run("audit", "verify")).stdout).toMatch(/^as signed/);
      await one.json("revoke", "--key", keyId);
      for (const replica of replicas) {
        await expect.poll(() => ofEachWorker(presigned(replica)), WITHIN).toEqual(Array(8).fill(403));
      }
    },
    180_000,
  );
});

async function standbyOf(database: Replicas["database"]) {
  const standby = await database.standby();
  await standby.start();
  return { ...standby, [Symbol.asyncDispose]: () => standby.remove() };
}
