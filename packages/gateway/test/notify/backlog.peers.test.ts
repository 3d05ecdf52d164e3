import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { needsPostgres, type PostgresServer, postgresServer } from "../../../../tools/postgres-server.ts";
import { type Dispatcher, dispatcher, targetGuard } from "../../src/notify/index.ts";
import { openDatabase } from "../../src/sqlite/database.ts";
import type { State } from "../../src/state/contract/state.ts";
import { postgresState } from "../../src/state/postgres/index.ts";
import { statements } from "../../src/state/postgres/statements.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

const reason = needsPostgres();
const HOUR = 3_600_000;
const WAITING = 200_000;
const EVENTS = 200;
/** Enough that one which waits for the answer before it delays few others. */
const LINKS = 20;
const BAR_MS = 2000;

/** What waits for the three bad receivers: half of it for a few links, half for as many links as notifications. */
const backlog = (schema: string, numbers: string): string => `
  INSERT INTO ${schema}outbox (message, webhook, link, body, created_at)
    SELECT 'm' || n, CASE n % 3 WHEN 0 THEN 'hanging' WHEN 1 THEN 'refusing' ELSE 'slow' END,
      CASE n % 2 WHEN 0 THEN 'few' || n % 100 ELSE 'many' || n END, '{}', 0 FROM ${numbers};
  INSERT INTO ${schema}outbox_line (webhook, link, due) SELECT DISTINCT webhook, link, 0 FROM ${schema}outbox;`;

async function receiver(answer: (response: ServerResponse, body: string) => void) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    answer(response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, close: () => server.close().closeAllConnections() };
}

async function addLink(state: State, id: string): Promise<void> {
  const counters = { used: 0, givenBack: 0, held: 0, started: 0, completed: 0, max: undefined, maxBytes: undefined };
  const times = { createdAt: 1, startsAt: 1, expiresAt: 4e12, revokedAt: undefined, suspended: undefined };
  const link = { public: false, kind: "object", bucket: "b", key: "k", owner: "operator", version: 1 } as const;
  const settings = { ...link, ...times, id, networks: [], preview: true, follow: false };
  await state.createLink(settings, [{ id, link: id, ...counters }]);
}

const senderOf = (state: State): Dispatcher => {
  const guard = targetGuard({ allowNetworks: ["127.0.0.0/8"] });
  return dispatcher({ state, stateKey: new Uint8Array(32), guard, clock: () => new Date() });
};

/** How long a good receiver waits for each event while replicas send to three bad ones, in milliseconds, shortest first. */
async function waits(replicas: readonly State[], fill: () => Promise<readonly State[]>): Promise<number[]> {
  const arrived = new Map<string, number>();
  const hanging = await receiver(() => undefined);
  const slow = await receiver((response) => void setTimeout(() => response.end(), 3000));
  const good = await receiver((response, body) => {
    const { recipient } = JSON.parse(body).data;
    arrived.set(recipient, performance.now());
    response.end();
  });
  const urls = { hanging: hanging.url, refusing: "http://127.0.0.1:1/", slow: slow.url, good: good.url };
  const [first] = replicas as readonly [State];
  for (const [id, url] of Object.entries(urls)) {
    await first.addWebhook({ id, url, events: ["link.viewed"], owner: "operator", createdAt: 1 }, "operator");
  }
  for (let at = 0; at < LINKS; at++) await addLink(first, `l${at}`);
  const filled = await fill();
  const senders = filled.map(senderOf);
  try {
    for (const sender of senders) sender.start();
    await sleep(3000);
    const began = new Map<string, number>();
    for (let at = 0; at < EVENTS; at++) {
      const state = filled[at % filled.length] as State;
      const link = `l${at % LINKS}`;
      await state.record({ action: "link.viewed", by: "holder", result: "ok", link, recipient: `r${at}` });
      began.set(`r${at}`, performance.now());
      await sleep(50);
    }
    await expect.poll(() => arrived.size, { timeout: 60_000 }).toBe(EVENTS);
    expect((await (filled[0] as State).outboxDepth()).waiting).toBeGreaterThan(WAITING / 2);
    return [...began].map(([name, at]) => (arrived.get(name) ?? 0) - at).sort((a, b) => a - b);
  } finally {
    for (const { close } of [hanging, slow, good]) close();
    await Promise.all(senders.map((sender) => sender.close()));
  }
}

async function withReplicas(
  body: (replicas: readonly [State, ...State[]], server: PostgresServer) => Promise<void>,
): Promise<void> {
  const server = await postgresServer({ fsync: "off" });
  const open = (writer: string): Promise<State> => postgresState({ url: server.url, writer });
  const replicas = [await open("a"), await open("b"), await open("c")] as const;
  try {
    await body(replicas, server);
  } finally {
    for (const state of replicas) await state.close();
    await server.remove();
  }
}

function expectWithinBar(engine: string, times: readonly number[]): void {
  const [half, most] = [0.5, 0.99].map((part) => Math.round(times[Math.floor(times.length * part)] ?? 0));
  expect(most, `${engine}: p99, with ${half} ms as p50`).toBeLessThanOrEqual(BAR_MS);
}

describe.skipIf(reason)(`200,000 notifications for three bad receivers${reason ?? ""}`, () => {
  it("delay no other receiver in SQLite", async () => {
    const folder = mkdtempSync(join(tmpdir(), "daypass-backlog-"));
    const path = join(folder, "state.db");
    let state = await sqliteState({ path });
    try {
      const fill = async () => {
        await state.close();
        const db = await openDatabase(path);
        const numbers = `(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${WAITING}) SELECT n FROM c)`;
        db.exec(backlog("", numbers));
        db.close();
        state = await sqliteState({ path });
        return [state];
      };
      expectWithinBar("SQLite", await waits([state], fill));
    } finally {
      await state.close();
      rmSync(folder, { recursive: true });
    }
  });

  it("delay no other receiver in PostgreSQL with three replicas", () =>
    withReplicas(async (replicas, server) => {
      const fill = async () => {
        server.sql(backlog("daypass.", `generate_series(1, ${WAITING}) n`));
        return replicas;
      };
      expectWithinBar("PostgreSQL", await waits(replicas, fill));
    }));
});

describe.skipIf(reason)(`three replicas${reason ?? ""}`, () => {
  it("send each notification once and in the order of its link, while others are queued", () =>
    withReplicas(async (replicas) => {
      const got = new Map<string, string[]>();
      const { url, close } = await receiver((response, body) => {
        const { link, recipient } = JSON.parse(body).data;
        got.set(link, [...(got.get(link) ?? []), recipient]);
        response.end();
      });
      const [first] = replicas;
      const hook = { url, events: ["link.viewed"], owner: "operator", createdAt: 1 } as const;
      await first.addWebhook({ ...hook, id: "w" }, "operator");
      const links = Array.from({ length: 10 }, (_, at) => `l${at}`);
      const expected = Array.from({ length: 50 }, (_, at) => `r${at}`);
      for (const id of links) await addLink(first, id);
      const senders = replicas.map(senderOf);
      for (const sender of senders) sender.start();
      // Each link ends its line again and again, while a replica queues the next one.
      const record = async (link: string): Promise<void> => {
        for (const [at, recipient] of expected.entries()) {
          const state = replicas[at % replicas.length] ?? first;
          await state.record({ action: "link.viewed", by: "holder", result: "ok", link, recipient });
        }
      };
      try {
        await Promise.all(links.map(record));
        await expect.poll(() => first.outboxDepth(), { timeout: 30_000 }).toEqual({ waiting: 0, dead: 0 });
        expect([...got.values()]).toEqual(links.map(() => expected));
      } finally {
        close();
        await Promise.all(senders.map((sender) => sender.close()));
      }
    }));

  it("do not forget a notification that one queues while another ends its line", () =>
    withReplicas(async ([state], server) => {
      const hook = { url: "https://hook.example/", events: ["link.viewed"], owner: "operator", createdAt: 1 } as const;
      await state.addWebhook({ ...hook, id: "w" }, "operator");
      await addLink(state, "l");
      await state.record({ action: "link.viewed", by: "holder", result: "ok", link: "l" });
      const [first] = await state.takeNotifications(9, 60_000);
      const other = new Client({ connectionString: server.url });
      await other.connect();
      try {
        await other.query("BEGIN");
        const queued = [{ message: "second", webhook: "w", link: "l", body: "{}", created_at: 1 }];
        await other.query(statements.queue, [JSON.stringify(queued), 1]);
        const settled = state.settleNotification(first?.id ?? 0, { sent: true });
        const waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        await expect.poll(() => server.sql(waits).trim()).toBe("1");
        await other.query("COMMIT");
        await settled;
        expect((await state.takeNotifications(9, 1000)).map(({ message }) => message)).toEqual(["second"]);
      } finally {
        await other.end();
      }
    }));

  it("announce once in an hour that clients are refused, although each replica refuses some", () =>
    withReplicas(async (replicas) => {
      const [first] = replicas;
      await addLink(first, "l");
      const hook = { url: "https://limits.example/", owner: "operator", createdAt: 1 } as const;
      await first.addWebhook({ ...hook, id: "w", events: ["link.limit_reached"] }, "operator");
      const refuse = { action: "link.opened", by: "holder", result: "used-up", link: "l" } as const;
      const before = Math.floor(Date.now() / HOUR);
      await Promise.all([...replicas, ...replicas].map((state) => state.record(refuse)));
      const hours = Math.floor(Date.now() / HOUR) - before + 1;
      expect((await first.outboxDepth()).waiting).toBeLessThanOrEqual(hours);
      expect((await first.takeNotifications(9, 1000)).map(({ webhook }) => webhook)).toEqual(["w"]);
    }));
});
