import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDatabase } from "../../gateway/src/sqlite/database.ts";
import { daypass } from "./command.ts";
import { expectRefused, NEEDS_NEWER } from "./newer-schema.ts";
import { exampleFiles, serve, status } from "./serving.ts";

test("serves a later SQLite schema that this release can use, and refuses one of a later release with both versions", async () => {
  const root = exampleFiles();
  const state = join(root, ".daypass");
  const run = (...args: readonly string[]) => daypass([...args, "--state", state, "--json"]);
  expect((await run("keys", "create", "--show-secret")).status).toBe(0);
  expect((await run("links", "create", "files/readme.txt")).status).toBe(0);
  const sql = async (text: string): Promise<void> => {
    const db = await openDatabase(join(state, "state.db"));
    db.exec(text);
    db.close();
  };
  await sql("PRAGMA user_version = 99");
  const gateway = await serve(root, "--port", "0");
  expect([(await run("links", "list")).status, await status(gateway.said.presignedUrl)]).toEqual([0, 200]);
  await gateway.stop();
  await sql(NEEDS_NEWER);
  const names = readdirSync(state);
  await expectRefused(state, { serve: [root, "--port", "0"] });
  await expectRefused(state, { serve: [root, "--port", "0", "--workers", "2"], words: [] });
  expect(readdirSync(state)).toEqual(names);
  // The keys are in another file.
  expect((await run("keys", "list")).status).toBe(0);
});
