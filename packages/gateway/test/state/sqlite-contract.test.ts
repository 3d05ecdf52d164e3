import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";
import { migrations } from "../../src/state/sqlite/migrations.ts";
import { stateContract } from "../../src/testing/state-contract.ts";
import { newerSchema } from "./newer-schema.ts";

stateContract(
  { describe, it, expect },
  {
    name: "SQLite",
    async open(clock) {
      const state = await sqliteState({ path: ":memory:", clock });
      return { state, close: () => state.close() };
    },
  },
);

describe("a newer schema", () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-state-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "state.db");
  const sql = async (text: string): Promise<void> => {
    const db = await openDatabase(path);
    db.exec(text);
    db.close();
  };
  newerSchema({
    name: "SQLite",
    migrations,
    open: () => sqliteState({ path }),
    setVersion: (version) => sql(`PRAGMA user_version = ${version}`),
    sql,
  });
});

it("SQLite recognises a backup of the run that is known, and knows a run that continues", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-state-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [path, copy] = [join(folder, "state.db"), join(folder, "copy.db")];
  const state = await sqliteState({ path });
  const { run } = await state.beginRun(undefined);
  await state.backup(copy);
  await state.close();
  for (const [file, restored] of [
    [copy, 1],
    [path, 0],
  ] as const) {
    const opened = await sqliteState({ path: file });
    await opened.beginRun(run);
    const [writer] = await opened.auditWriters();
    expect(writer?.last ?? 0).toBe(restored);
    await opened.close();
  }
});

it("SQLite removes a backup whose run cannot be changed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-state-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, "copy.db");
  const state = await sqliteState({ path: join(folder, "state.db") });
  onTestFinished(() => state.close());
  await state.beginRun(undefined);
  // A folder in the place of its journal makes every change of the copy fail.
  mkdirSync(`${copy}-journal`);
  await expect(state.backup(copy)).rejects.toThrow();
  expect(existsSync(copy)).toBe(false);
});
