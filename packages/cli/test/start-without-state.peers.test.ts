import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { newAuditKey } from "@daypass/gateway/audit";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { needsPostgres, type PostgresServer, postgresServer } from "../../../tools/postgres-server.ts";
import { unreliableProxy } from "../../../tools/unreliable-proxy.ts";
import {
  expectEnd,
  expectRecovery,
  expectServed,
  expectUnread,
  preparedGateway,
  replaceWorker,
  untilWaiting,
  type Wanted,
} from "./start-without-state.ts";

const reason = needsPostgres();

interface Case extends Wanted {
  /** A silent database accepts connections and never answers. */
  readonly database: "open" | "silent" | "refusing";
  /** Whether it reads no request until the database is back. */
  readonly waits: boolean;
  readonly hasNoKeys?: boolean;
}

const CASES: readonly Case[] = [
  { database: "open", copies: "none", workers: "0", waits: false },
  { database: "open", copies: "none", workers: "2", waits: false },
  { database: "silent", copies: "young", workers: "2", waits: false },
  { database: "refusing", copies: "young", workers: "0", waits: false },
  { database: "silent", copies: "none", workers: "0", waits: true },
  { database: "refusing", copies: "old", workers: "2", waits: true },
  { database: "silent", copies: "young", hasNoKeys: true, workers: "0", waits: true },
  { database: "refusing", copies: "none", workers: "0", links: { onStale: "serve" }, waits: false },
];

describe.skipIf(reason)(`gateways that start while their PostgreSQL is away${reason ?? ""}`, () => {
  let server: PostgresServer;
  const postgres = { variable: "DAYPASS_POSTGRES" };
  const audit = newAuditKey();
  const masterKey = randomBytes(32).toString("hex");
  const envOf = (url: string) => ({ DAYPASS_POSTGRES: url, DAYPASS_MASTER_KEY: masterKey });
  beforeAll(async () => {
    server = await postgresServer({ fsync: "off" });
  });
  afterAll(() => server.remove());

  /** The prepared gateway of a case. */
  async function prepared(one: Wanted & Pick<Case, "hasNoKeys">) {
    const gateway = await preparedGateway(one, { postgres, env: envOf(server.url), audit });
    if (one.hasNoKeys === true) rmSync(join(gateway.state, "keys.copy"));
    return gateway;
  }

  async function silentProxy() {
    const proxy = await unreliableProxy(server.port);
    onTestFinished(() => proxy.close());
    proxy.isSilent = true;
    return proxy;
  }

  test("serve no revoked URL and know their links from their first request on", async () => {
    const silent = await silentProxy();
    const port = await freePort();
    const urls = { open: server.url, silent: silent.url, refusing: silent.url.replace(/:[0-9]+\//, `:${port}/`) };
    const gateways = [];
    for (const one of CASES) gateways.push({ one, gateway: await prepared(one) });
    // At once, because most of the time they wait.
    const away = await Promise.all(
      gateways.map(async ({ one, gateway }) => {
        const begun = gateway.begin(envOf(urls[one.database]));
        if (one.waits) await untilWaiting(begun).then(() => expectUnread(begun));
        else if (one.database === "open") await expectRecovery(begun);
        else {
          await expectServed(begun, one);
          if (one.workers !== "0") await replaceWorker(begun);
        }
        return { one, begun };
      }),
    );
    silent.isSilent = false;
    silent.cut();
    const answering = await unreliableProxy(server.port, port);
    onTestFinished(() => answering.close());
    await Promise.all(
      away.filter(({ one }) => one.database !== "open").map(({ one, begun }) => expectRecovery(begun, one)),
    );
  }, 300_000);

  test.each(["0", "2"])(
    "end at SIGTERM while PostgreSQL is silent (%s workers)",
    async (workers) => {
      const gateway = await prepared({ copies: "none", workers });
      const begun = gateway.begin(envOf((await silentProxy()).url));
      await expect.poll(begun.log, { timeout: 20_000 }).toContain("PostgreSQL does not answer");
      await expectEnd(begun.child);
      expectUnread(begun);
    },
    120_000,
  );
});
