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
