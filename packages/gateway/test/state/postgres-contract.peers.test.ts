import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needsPostgres, type PostgresServer, pgbouncer, postgresServer } from "../../../../tools/postgres-server.ts";
import { postgresState } from "../../src/state/postgres/index.ts";
import { migrations } from "../../src/state/postgres/migrations.ts";
import { statements } from "../../src/state/postgres/statements.ts";
import { BEGIN, claim, LINK, variantOf } from "../../src/testing/delivery-lives.ts";
import { stateContract } from "../../src/testing/state-contract.ts";
import { auditContract, MAC_KEY } from "./audit-contract.ts";
import { eventContract } from "./event-contract.ts";
import { newerSchema } from "./newer-schema.ts";

const reason = needsPostgres("pgbouncer");

describe.skipIf(reason)(`PostgreSQL${reason ?? ""}`, () => {
  let server: PostgresServer;
  let pool: Awaited<ReturnType<typeof pgbouncer>>;
  beforeAll(async () => {
    server = await postgresServer({ fsync: "off" });
    pool = await pgbouncer(server);
  });
  afterAll(async () => {
    await pool.stop();
    await server.remove();
  });

  for (const [name, address] of [
    ["PostgreSQL", () => server.url],
    ["PostgreSQL behind pgbouncer in transaction mode", () => pool.url],
  ] as const) {
    stateContract(
      { describe, it, expect },
      {
        name,
        async open(clock) {
          const state = await postgresState({ url: address(), clock });
          const close = async () => {
            await state.close();
            server.sql("DROP SCHEMA daypass CASCADE");
          };
          return { state, close };
        },
      },
    );
    const open = async (begin: number) => {
      const opened = { now: begin, writer: "main" };
      const state = await postgresState({
        url: address(),
        clock: () => new Date(opened.now),
        writer: opened.writer,
        mac: { key: MAC_KEY },
      });
      const close = async () => {
        await state.close();
        server.sql("DROP SCHEMA daypass CASCADE");
      };
      return Object.assign(opened, { state, close });
    };
    auditContract(name, open);
    eventContract(name, open);
    newerSchema({
      name,
      migrations,
      open: () => postgresState({ url: address() }),
      setVersion: (version) => void server.sql(`INSERT INTO daypass.migration VALUES (${version})`),
      sql: (text) => void server.sql(text.replace("UPDATE ", "UPDATE daypass.")),
    });
  }

  it("stores the variants of an older replica, which knows no counts", async () => {
    const state = await postgresState({ url: server.url });
    await state.createLink(LINK, [variantOf("v", { max: 1, maxBytes: undefined })]);
    const old = `[{"id":"w","link":"link","position":1,"used":0,"given_back":0,"held":0,"started":0,"completed":0}]`;
    server.sql(`INSERT INTO daypass.variant SELECT * FROM json_populate_recordset(NULL::daypass.variant, '${old}')`);
    const uses = [{ variant: "w", network: "192.0.2.1", openedAt: 1, downloaded: 1, lastAt: 2 }];
    await state.addCounts({ id: "1", uses });
    const { variant } = (await state.findLink("w")) ?? {};
    expect([variant?.opened, variant?.downloaded, variant?.lastOpened]).toEqual([1, 1, 2]);
    await state.close();
    server.sql("DROP SCHEMA daypass CASCADE");
  });

  it("adds the counts of two replicas that send them at once", async () => {
    const replicas = await Promise.all(
      [1, 2].map(() => postgresState({ url: server.url, clock: () => new Date(BEGIN) })),
    );
    const [first] = replicas;
    const ids = Array.from({ length: 20 }, (_, at) => `v${at}`);
    await first?.createLink(
      LINK,
      ids.map((id) => variantOf(id, { max: 99, maxBytes: undefined })),
    );
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    await Promise.all(
      replicas.flatMap((state, replica) => [
        ...rounds.map((round) => {
          // Each replica names the variants in its own order.
          const order = replica === 0 ? ids : [...ids].reverse();
          const lastAt = round * 2 + replica;
          const uses = order.map((variant) => ({ variant, network: "n", openedAt: lastAt, downloaded: 1, lastAt }));
          return state.addCounts({ id: `${replica} ${round}`, uses });
        }),
        ...ids.map((id, at) => state.deliver(id, claim(`${replica} ${at}`))),
      ]),
    );
    const variants = (await first?.getLink("link"))?.variants ?? [];
    expect(variants.length).toBe(ids.length);
    for (const { opened, downloaded, lastOpened, used } of variants)
      expect([opened, downloaded, lastOpened, used]).toEqual([1, 40, 39, 2]);
    await Promise.all(replicas.map((state) => state.close()));
    server.sql("DROP SCHEMA daypass CASCADE");
  });

  it("finds the revocations that a sweep removes by an index", async () => {
    const state = await postgresState({ url: server.url });
    await state.sweep();
    await state.close();
    // A sequential scan of an empty table would be cheaper.
    const plan = server.sql(`SET enable_seqscan = off; EXPLAIN ${statements.removeRevocations.replace("$1", "1")}`);
    server.sql("DROP SCHEMA daypass CASCADE");
    expect(plan).toContain("revocation_by_end");
  });
});
