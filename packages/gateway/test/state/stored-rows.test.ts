import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { sqliteState } from "../../src/state/sqlite/index.ts";
import { storedRows } from "../../src/state/sqlite/stored-rows.ts";
import { collectGarbage } from "../collect-garbage.ts";

const RECORDS = 1000;

it("reads rows while the garbage collector runs, and allows no other process to open the file meanwhile", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-rows-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "state.db");
  const state = await sqliteState({ path });
  const entry = { action: "audit.accepted", by: "operator", result: "ok" } as const;
  await Promise.all(Array.from({ length: RECORDS }, () => state.record(entry)));
  await state.close();
  const stored = await storedRows(path);
  let last = 0;
  for (const { sequence } of stored.rows("audit_record", "writer, sequence")) {
    expect(sequence).toBe(last + 1);
    last += 1;
    if (last % 100 !== 0) continue;
    collectGarbage();
    await setImmediate();
  }
  expect(last).toBe(RECORDS);
  await expect(sqliteState({ path })).rejects.toThrow("locked");
  stored.close();
  await (await sqliteState({ path })).close();
});
