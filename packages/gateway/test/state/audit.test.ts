import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";
import { migrations } from "../../src/state/sqlite/migrations.ts";
import { auditContract, MAC_KEY, type OpenedState } from "./audit-contract.ts";
import { eventContract } from "./event-contract.ts";

const open = async (begin: number): Promise<OpenedState> => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-audit-"));
  const opened = { now: begin, writer: "main" } as OpenedState & { state: unknown };
  const state = await sqliteState({
    path: join(folder, "state.db"),
    clock: () => new Date(opened.now),
    mac: { key: MAC_KEY },
  });
  const close = async (): Promise<void> => {
    await state.close();
    rmSync(folder, { recursive: true });
  };
  return Object.assign(opened, { state, close });
};

auditContract("SQLite", open);
eventContract("SQLite", open);

it("opens a state of the release before the audit, and keeps its links", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-upgrade-"));
  const path = join(folder, "state.db");
  const db = await openDatabase(path);
  db.exec(`${migrations[0]}; PRAGMA user_version = 1;
    INSERT INTO link VALUES (1, 'old', NULL, 'operator', 'object', 'media', 'a', NULL, NULL, 0, 4102444800000, NULL, NULL,
      '{"networks":[],"preview":true,"follow":false,"isPublic":false}', 1, 0, NULL);
    INSERT INTO variant VALUES ('old', 1, 0, NULL, 1, 0, 0, NULL, 0, 0, 0)`);
  db.close();
  const state = await sqliteState({ path });
  const claim = { type: "claim", claim: "c", token: "t", address: "192.0.2.1" } as const;
  expect(await state.deliver("old", claim)).toMatchObject({ ok: true });
  expect(await state.auditRecords({ writer: "main", after: 0, limit: 9 })).toHaveLength(1);
  await state.close();
  rmSync(folder, { recursive: true });
});

it("opens a state with one queue, and sends the notifications of a link in their order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-upgrade-"));
  const path = join(folder, "state.db");
  const db = await openDatabase(path);
  const before = migrations.findIndex((text) => text.includes("CREATE TABLE outbox_line"));
  for (const migration of migrations.slice(0, before)) db.exec(migration);
  const row = (id: string, link: string, due: number, dead: string): string =>
    `INSERT INTO outbox (message, webhook, link, body, created_at, due, dead_at) VALUES ('${id}', 'w', '${link}', '{}', 1, ${due}, ${dead})`;
  db.exec(`PRAGMA user_version = ${before};
    INSERT INTO webhook VALUES ('w', 'https://hooks.example.com/', '[]', 'operator', NULL, 1);
    ${row("dead", "a", 1, "2")}; ${row("first", "a", 5, "NULL")}; ${row("second", "a", 9, "NULL")}; ${row("later", "b", 2000, "NULL")}`);
  db.close();
  let now = 1000;
  const state = await sqliteState({ path, clock: () => new Date(now) });
  const taken = async (): Promise<readonly string[]> =>
    (await state.takeNotifications(9, 60_000)).map(({ message }) => message);
  const [first] = await state.takeNotifications(9, 60_000);
  expect(first?.message).toBe("first");
  await state.settleNotification(first?.id ?? 0, { sent: true });
  expect(await taken()).toEqual(["second"]);
  now = 3000;
  expect(await taken()).toEqual(["later"]);
  expect((await state.listDeadLetters(0, 9)).map(({ message }) => message)).toEqual(["dead"]);
  await state.close();
  rmSync(folder, { recursive: true });
});
