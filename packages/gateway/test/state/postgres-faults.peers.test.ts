import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needsPostgres, type PostgresServer, postgresServer } from "../../../../tools/postgres-server.ts";
import { type UnreliableProxy, unreliableProxy } from "../../../../tools/unreliable-proxy.ts";
import { openLinks } from "../../src/links/links.ts";
import type { Applied } from "../../src/state/contract/deliveries.ts";
import type { Link } from "../../src/state/contract/fields.ts";
import type { State } from "../../src/state/contract/state.ts";
import { type PostgresStateOptions, postgresState } from "../../src/state/postgres/index.ts";

const reason = needsPostgres();
const DAY = 24 * 60 * 60_000;
/** The bar for a revocation, in every replica that reaches the state. */
const WITHIN = { timeout: 1000, interval: 10 };

const link = (id: string): Link => ({
  ...{ id, public: false, kind: "object", bucket: "media", key: "a", owner: "operator", version: 1, networks: [] },
  ...{ createdAt: 1, startsAt: 1, expiresAt: Date.now() + DAY, revokedAt: undefined, suspended: undefined },
  ...{ preview: true, follow: false },
});

const create = (state: State, id: string, max: number) =>
  state.createLink(link(id), [
    { id, link: id, max, maxBytes: undefined, used: 0, givenBack: 0, held: 0, started: 0, completed: 0 },
  ]);

const claim = (state: State, id: string, name: string): Promise<Applied> =>
  state.deliver(id, {
    ...{ type: "claim", claim: `c${id}${name}`, token: `t${id}${name}`, address: name },
    start: { attempt: `s${id}${name}`, length: 10, object: { etag: "e", size: 10 } },
  });

describe.skipIf(reason)(`PostgreSQL with faults${reason ?? ""}`, () => {
  let server: PostgresServer;
  let proxy: UnreliableProxy;
  const states: State[] = [];
  const open = async (options: Partial<PostgresStateOptions> = {}): Promise<State> => {
    const state = await postgresState({ url: proxy.url, ...options });
    states.push(state);
    return state;
  };
  beforeAll(async () => {
    server = await postgresServer();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    proxy = await unreliableProxy(server.port);
  });
  afterEach(async () => {
    for (const state of states.splice(0)) await state.close();
    await proxy.close();
    server.sql("DROP SCHEMA IF EXISTS daypass CASCADE");
  });

  /** Everything that counts, several times at once, while something goes wrong. */
  async function countUnderFaults(replicas: readonly State[]): Promise<void> {
    const [first] = replicas as readonly [State];
    let deliveries = 0;
    const each = <T>(count: number, call: (state: State, at: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: count }, (_, at) => call(replicas[at % replicas.length] as State, at)));
    for (let round = 0; round < 10; round += 1) {
      const id = `link${round}`;
      await create(first, id, 5);
      const use = { kid: "k", grantId: id, uses: 10, until: Date.now() + DAY };
      const [claims, uses] = await Promise.all([
        each(100, (state, at) => claim(state, id, String(at))),
        each(30, (state) => state.claimUse(use)),
        each(7, (state) => state.giveBack(id, 1, "operator")).then((given) => given.length),
      ]);
      const started = claims.filter(({ ok }) => ok).length;
      expect(started).toBeGreaterThanOrEqual(5);
      expect(started).toBeLessThanOrEqual(12);
      deliveries += started;
      expect(uses.filter(Boolean)).toHaveLength(10);
      const { variants } = (await first.getLink(id)) ?? {};
      expect(variants).toMatchObject([{ used: started, started, givenBack: 7, held: 10 * started }]);
    }
    const records: { action: string; result: string }[] = [];
    for (const { writer, last } of await first.auditWriters()) {
      const rows = await first.auditRecords({ writer, after: 0, limit: 100_000 });
      expect(rows.map(({ sequence }) => sequence)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
      records.push(...rows.map(({ record }) => JSON.parse(record)));
    }
    // Refusals are recorded sixty times a minute.
    const count = (action: string): number =>
      records.filter((one) => one.action === action && one.result === "ok").length;
    const counts = ["link.created", "delivery.started", "use.claimed", "link.given-back"].map(count);
    expect(counts).toEqual([10, deliveries, 100, 70]);
  }

  it("counts once, and records once, while answers of commits are lost", async () => {
    proxy.loseEvery = 3;
    await countUnderFaults([await open(), await open()]);
    expect(proxy.lost).toBeGreaterThan(20);
  });

  it.each([
    ["connections are cut", 800, () => proxy.cut()],
    [
      "the server ends its connections",
      800,
      () =>
        void server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'daypass'"),
    ],
    [
      "the server crashes and starts again",
      1500,
      async () => {
        await server.stop("immediate");
        await server.start();
      },
    ],
  ])("counts once, and records once, while %s", async (_, ms, fault) => {
    const counted = countUnderFaults([await open(), await open()]);
    let isDone = false;
    let count = 0;
    const faults = (async () => {
      while (!isDone) {
        await sleep(ms);
        await fault();
        count += 1;
      }
    })();
    await counted.finally(() => {
      isDone = true;
    });
    await faults;
    expect(count).toBeGreaterThan(0);
  });

  it("refuses with STATE_UNAVAILABLE while the connection is silent, and continues afterwards", async () => {
    const state = await open();
    await create(state, "link", 1);
    proxy.isSilent = true;
    await expect(claim(state, "link", "1")).rejects.toMatchObject({ code: "STATE_UNAVAILABLE" });
    expect(state.isAvailable?.()).toBe(false);
    proxy.isSilent = false;
    expect((await claim(state, "link", "2")).ok).toBe(true);
    expect(state.isAvailable?.()).toBe(true);
    expect(await state.getLink("link")).toMatchObject({ variants: [{ started: 1 }] });
  });

  it.each([
    ["asynchronous standby suspends counted links, and skips revisions that may be lost", true],
    ["synchronous standby loses nothing, and suspends none if told so", false],
  ])("a promoted %s", async (_, suspendAfterFailover) => {
    const state = await open({ suspendAfterFailover });
    const events: number[] = [];
    const other = await open({ suspendAfterFailover, onSuspended: (count) => events.push(count) });
    await Promise.all([create(state, "counted", 9), other.secret("links")]);
    const before = await state.revoke({ id: "r1", selector: { kind: "key", id: "k" } }, "operator");
    const standby = await server.standby();
    try {
      await standby.start();
      if (!suspendAfterFailover) {
        server.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        server.sql("SELECT pg_reload_conf()");
      }
      for (let at = 0; at < 3; at += 1) expect((await claim(state, "counted", String(at))).ok).toBe(true);
      await server.stop("immediate");
      standby.promote();
      proxy.target = standby.port;
      const after = await claim(other, "counted", "9");
      if (suspendAfterFailover) expect([after, events]).toMatchObject([{ ok: false, reason: "suspended" }, [1]]);
      else expect(after).toMatchObject({ ok: true });
      if (!suspendAfterFailover) expect(await state.getLink("counted")).toMatchObject({ variants: [{ started: 4 }] });
      const { revision } = await state.revoke({ id: "r2", selector: { kind: "key", id: "l" } }, "operator");
      expect(revision).toBeGreaterThan(before.revision + 1000);
    } finally {
      await standby.remove();
      await server.start();
      server.sql("ALTER SYSTEM RESET synchronous_standby_names");
      server.sql("SELECT pg_reload_conf()");
    }
  });

  it("refuses uses of older URLs from the first claim after a failover, and reports it although there are no links", async () => {
    const events: number[] = [];
    const state = await open({ onSuspended: (count) => events.push(count) });
    const until = Date.now() + DAY;
    const use = (grantId: string, validFrom: number) =>
      state.claimUse({ kid: "k", grantId, uses: 1, until, validFrom });
    const signedAt = Date.now() - 1000;
    expect(await use("kept", signedAt)).toBe(true);
    const standby = await server.standby();
    try {
      // Nothing reaches the standby any more: it loses the use, as an asynchronous one can.
      expect(await use("lost", signedAt)).toBe(true);
      await server.stop("immediate");
      await standby.start();
      standby.promote();
      proxy.target = standby.port;
      expect(await use("lost", signedAt)).toBe(false);
      expect(events).toEqual([0]);
      expect([await use("lost", signedAt), await use("new", Date.now() + 1000)]).toEqual([false, true]);
      await state.lift("lost-uses", "operator");
      expect([await use("kept", signedAt), await use("lost", signedAt)]).toEqual([false, true]);
    } finally {
      await standby.remove();
      await server.start();
    }
  });

  it("suspends counted links after a restore of a dump, once", async () => {
    const state = await open();
    await create(state, "counted", 9);
    const { run } = await state.beginRun(undefined);
    const use = { kid: "k", grantId: "g", uses: 1, until: Date.now() + DAY, validFrom: Date.now() - 1000 };
    const dump = server.run("pg_dump", ["--schema=daypass", server.url]);
    await claim(state, "counted", "1");
    expect(await state.claimUse(use)).toBe(true);
    await state.close();
    states.pop();
    server.sql("DROP SCHEMA daypass CASCADE");
    server.run("psql", ["-Xq", server.url], dump);
    const restored = await open();
    expect(await restored.claimUse(use)).toBe(false);
    expect(await restored.claimUse({ ...use, grantId: "new", validFrom: Date.now() + 1000 })).toBe(true);
    expect(await restored.beginRun(run)).toMatchObject({ restored: true, suspended: 1 });
    expect((await (await open()).beginRun(undefined)).suspended).toBe(0);
    expect(await claim(restored, "counted", "2")).toMatchObject({ ok: false, reason: "suspended" });
  });

  it.each([
    ["LISTEN", true],
    ["polling", false],
  ])("brings revocations of another replica by %s within a second, also those of an outage", async (_, listens) => {
    const [one, two] = [await open({ url: server.url }), await open(listens ? { direct: proxy.url } : {})];
    const links = await openLinks({ state: two, clock: () => new Date() });
    two.watch?.(links.follow);
    const revoked = () => ["1", "2"].filter((id) => links.revocations.isRevoked({ id, bucket: "b" }));
    await one.revoke({ id: "1", selector: { kind: "grant", id: "1" } }, "operator");
    await expect.poll(revoked, WITHIN).toEqual(["1"]);
    proxy.isSilent = true;
    proxy.cut();
    await one.revoke({ id: "2", selector: { kind: "grant", id: "2" } }, "operator");
    proxy.isSilent = false;
    await expect.poll(revoked).toEqual(["1", "2"]);
    await one.lift("1", "operator");
    await expect.poll(revoked, WITHIN).toEqual(["2"]);
  });

  it("brings revocations of another replica within a second when the connection of LISTEN is silent", async () => {
    const [one, two] = [await open({ url: server.url }), await open({ url: server.url, direct: proxy.url })];
    const links = await openLinks({ state: two, clock: () => new Date() });
    two.watch?.(links.follow);
    const listeners = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    await expect.poll(() => server.sql(listeners)).toBe("1");
    proxy.isSilent = true;
    for (const id of ["1", "2", "3"]) {
      await one.revoke({ id, selector: { kind: "grant", id } }, "operator");
      await expect.poll(() => links.revocations.isRevoked({ id, bucket: "b" }), WITHIN).toBe(true);
    }
    expect(server.sql(listeners)).toBe("1");
  });

  it.each(["mysql://a", "postgres:/x", "secret"])("refuses the address %s without showing it", async (url) => {
    await expect(postgresState({ url })).rejects.toThrow(/^(?!.*secret).*postgres:\/\//);
  });
});
