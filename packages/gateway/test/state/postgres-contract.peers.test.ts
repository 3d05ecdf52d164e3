import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needsPostgres, type PostgresServer, pgbouncer, postgresServer } from "../../../../tools/postgres-server.ts";
import { postgresState } from "../../src/state/postgres/index.ts";
import { migrations } from "../../src/state/postgres/migrations.ts";
import { statements } from "../../src/state/postgres/statements.ts";
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
