/** Replicas sign for each other: a writer whose lease has ended signs nothing itself. */
import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { needsPostgres, type PostgresServer, postgresServer } from "../../../../tools/postgres-server.ts";
import { auditKey, auditLines, type ExportedHead, type Head, sealer, verifyAudit } from "../../src/audit/index.ts";
import { postgresState } from "../../src/state/postgres/index.ts";
import { KEYS, MAC_KEY, PAIR, places } from "./audit-bench.ts";

const reason = needsPostgres();
const BEGIN = Date.parse("2026-12-01T00:00:00Z");

describe.skipIf(reason)(`the writers of a state in PostgreSQL${reason ?? ""}`, () => {
  let server: PostgresServer;
  let now = BEGIN;
  let exported: ExportedHead[] = [];
  beforeAll(async () => {
    server = await postgresServer({ fsync: "off" });
  });
  afterAll(() => server.remove());
  beforeEach(() => {
    server.sql("DROP SCHEMA IF EXISTS daypass CASCADE");
    [now, exported] = [BEGIN, []];
  });
  const clock = () => new Date(now);

  it("renew their lease as often as they like at once, and none is refused as its own copy", async () => {
    let number = 0;
    const claim = {
      nonce: "a nonce",
      process: "one process",
      async next() {
        number += 1;
        const mine = number;
        // The first of two numbers is the last to be sent.
        await setTimeout(mine % 2 === 1 ? 50 : 0);
        return mine;
      },
      // A plain error would be a lost connection, which is tried again.
      refused: async (process: string) => new TypeError(`refused for ${process}`),
    };
    const state = await postgresState({ url: server.url, clock, writer: "one", claim });
    onTestFinished(() => state.close());
    const renewals = Array.from({ length: 8 }, () => state.holdWriter?.());
    await expect(Promise.all(renewals)).resolves.toHaveLength(8);
  });

  /** A process that records under a name, and signs. */
  async function replica(writer: string) {
    const nonce = randomBytes(16).toString("hex");
    let number = 0;
    const open = () =>
      postgresState({
        url: server.url,
        clock,
        writer,
        claim: {
          nonce,
          process: writer,
          next: async () => ++number,
          refused: async (process) => new Error(`refused for ${process}`),
        },
        mac: { key: MAC_KEY },
      });
    let state = await open();
    let kept: readonly ExportedHead[] = [];
    let isOpen = true;
    onTestFinished(() => (isOpen ? state.close() : undefined));
    const newSealer = () =>
      sealer({
        state,
        writer,
        key: auditKey(PAIR.privateKey),
        keys: KEYS,
        macKey: MAC_KEY,
        kept: {
          load: async () => kept,
          async save(heads) {
            kept = heads;
          },
        },
        clock,
        onHead: (head) => void exported.push(head),
      });
    const one = {
      state,
      sealer: newSealer(),
      async record(count: number) {
        for (let at = 0; at < count; at++) await state.record({ action: "admin.call", by: "operator", result: "ok" });
      },
      /** Ends without signing its records, and its lease ends. */
      async die() {
        isOpen = false;
        await state.close();
        server.sql(`UPDATE daypass.writer_lease SET until = now() WHERE writer = '${writer}'`);
      },
      async restart() {
        state = await open();
        isOpen = true;
        one.sealer = newSealer();
      },
      async verify() {
        const exportedHeads = exported.map((head) => JSON.stringify(head));
        return verifyAudit(auditLines(state, { now: clock() }), { keys: KEYS, macKey: MAC_KEY, exportedHeads });
      },
    };
    return one;
  }
  const heads = (writer: string): Head[] =>
    exported.filter((one) => one.writer === writer).map(({ head }) => JSON.parse(head));

  it("have their records signed by another process once their lease has ended, and continue after its head", async () => {
    const [one, two] = [await replica("one"), await replica("two")];
    await one.record(3);
    await two.record(1);
    await two.sealer.seal();
    expect(heads("one")).toEqual([]);
    await one.die();
    await two.sealer.seal();
    await one.restart();
    await one.record(2);
    await one.sealer.seal();
    await one.record(1);
    await one.die();
    await two.sealer.seal();
    expect(heads("one")).toMatchObject([
      { first: 1, last: 3, seen: { two: { last: 1 } } },
      { first: 4, last: 5 },
      { first: 6, last: 6 },
    ]);
    expect(new Set(heads("one").map(({ epoch }) => epoch)).size).toBe(3);
    expect(await two.verify()).toEqual({ sealed: 7, unsealed: 0, heads: 4, faults: [] });
  });

  it("have one head for their records if two processes sign for them at once", async () => {
    const [one, two, three] = [await replica("one"), await replica("two"), await replica("three")];
    await one.record(3);
    await one.die();
    await Promise.all([two.sealer.seal(), three.sealer.seal()]);
    expect(server.sql("SELECT first, last FROM daypass.audit_head")).toBe("1|3");
    expect((await two.verify()).faults).toEqual([]);
  });

  it("have no two heads that cover one record, when processes store them at once", async () => {
    const processes = [await replica("two"), await replica("three")];
    for (const one of processes) await one.record(1);
    for (let n = 0; n < 20; n++) {
      const writer = `one-${n}`;
      server.sql(`INSERT INTO daypass.audit_writer VALUES ('${writer}', 3)`);
      const head = { writer, first: 1, head: "{}", signature: "s", leaves: "l" };
      const stored = await Promise.all(processes.map((one, at) => one.state.addHead({ ...head, last: 2 + at })));
      expect(stored.sort()).toEqual([false, true]);
    }
  });

  it("are not signed for if one of their records was changed, until the operator accepts that", async () => {
    const [one, two] = [await replica("one"), await replica("two")];
    await one.record(3);
    await one.die();
    await two.record(1);
    server.sql("UPDATE daypass.audit_record SET record = replace(record, 'operator', 'operatos') WHERE sequence = 2");
    await expect(two.sealer.seal()).rejects.toThrow("record 2 of the writer one was changed");
    server.sql("UPDATE daypass.audit_record SET mac = NULL WHERE writer = 'one' AND sequence = 3");
    expect([heads("one"), heads("two")]).toMatchObject([[], [{ first: 1, last: 1 }]]);
    await two.sealer.accept();
    expect(heads("one")).toMatchObject([
      { first: 1, last: 2, abandoned: {} },
      { first: 3, last: 3, abandoned: {} },
    ]);
    expect((await two.verify()).faults).toEqual([]);
    expect(await two.sealer.seal()).toBe(0);
  });

  it("have their old records removed by another process once their lease has ended", async () => {
    const [one, two] = [await replica("one"), await replica("two")];
    await one.record(3);
    await one.sealer.seal();
    now += 60_000;
    await two.sealer.cut(now);
    expect(server.sql("SELECT count(*) FROM daypass.audit_record WHERE writer = 'one'")).toBe("3");
    await one.die();
    await two.sealer.cut(now);
    expect(server.sql("SELECT count(*) FROM daypass.audit_record WHERE writer = 'one'")).toBe("0");
    expect((await two.verify()).faults).toEqual([]);
    await two.sealer.cut(now);
    server.sql(
      "DELETE FROM daypass.audit_record WHERE writer = 'two'; DELETE FROM daypass.audit_head WHERE writer = 'two'",
    );
    exported = [];
    expect(places((await two.verify()).faults)).toContainEqual(["missing", "one", 1, 3]);
  });
});
