import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { textAfterPrefix } from "../../src/storage/contract/listing.ts";
import { type IndexDatabase, openIndexDatabase } from "../../src/storage/disk/database/index-database.ts";
import type { NamesReader } from "../../src/storage/disk/database/names-table.ts";
import { openLayout } from "../../src/storage/disk/layout.ts";
import type { FileThread, FolderPart } from "../../src/storage/disk/listing/file-thread.ts";
import { folderReader } from "../../src/storage/disk/listing/folder-reader.ts";
import { nextCandidates, startingAt } from "../../src/storage/disk/listing/list-candidates.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

let root: string;
let database: IndexDatabase;

beforeAll(async () => {
  root = tempRoot();
  mkdirSync(join(root, ".daypass"));
  database = await openIndexDatabase(join(root, ".daypass/index.db"), "run");
  const key = (i: number): string => `${String(i % 1000).padStart(3, "0")}/${String(i).padStart(7, "0")}`;
  for (const [bucket, count] of [
    ["small", 10_000],
    ["large", 1_000_000],
  ] as const) {
    for (let start = 0; start < count; start += 10_000) {
      const keys = Array.from({ length: 10_000 }, (_, i) => key(start + i)).sort();
      database.lightTransaction([() => database.names.addNames(bucket, keys)]);
    }
    const folders = Array.from({ length: 1000 }, (_, i) => `${String(i).padStart(3, "0")}/`);
    database.lightTransaction([() => database.names.addFolders(bucket, ["", ...folders])]);
  }
}, 60_000);
afterAll(() => {
  database.close();
  removeRoot(root);
});

/** A reader that counts its calls and rows. */
function counting(names: NamesReader): NamesReader & { readonly cost: { calls: number; rows: number } } {
  const cost = { calls: 0, rows: 0 };
  const counted = <T>(rows: T[]): T[] => {
    cost.calls += 1;
    cost.rows += rows.length;
    return rows;
  };
  return {
    ...names,
    names: (range) => counted(names.names(range)),
    folders: (range) => counted(names.folders(range)),
    cost,
  };
}

/** The calls and rows for a page of 1000 entries. */
function costOf(bucket: string, options: { from?: string; prefix?: string; delimiter?: string }) {
  const { from = "", prefix = "", delimiter } = options;
  const names = counting(database.names);
  let position = startingAt({ text: from, inclusive: true });
  let found = 0;
  while (found < 1000) {
    const limit = Math.min(256, 1000 - found);
    const until = textAfterPrefix(prefix);
    const step = nextCandidates(names, { bucket, position, until, prefix, delimiter, limit, witnesses: 1 });
    found += step.candidates.length;
    if (step.next === undefined) break;
    position = step.next;
  }
  return { found, ...names.cost };
}

describe("a bucket of a million names", () => {
  it.each([
    ["the first page", {}],
    ["a page in the middle", { from: "500/" }],
    ["the first page below a prefix", { prefix: "77" }],
    ["a page of prefixes", { delimiter: "/" }],
    ["the second half of the prefixes", { delimiter: "/", from: "500/" }],
    ["the keys below one prefix", { delimiter: "/", prefix: "500/" }],
  ])("costs %s no more than a bucket of ten thousand", (_, options) => {
    const large = costOf("large", options);
    const small = costOf("small", options);
    expect(large.rows / large.found).toBeLessThanOrEqual(3 * (small.rows / small.found));
    expect(large.calls).toBeLessThanOrEqual(2 * large.found + 20);
    expect(large.rows).toBeLessThanOrEqual(3 * large.found + 20);
  });

  it("is searched by the primary key", async () => {
    const raw = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
    const plan = (sql: string, ...values: string[]): string =>
      raw
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...values)
        .map((row) => String((row as { detail: unknown }).detail))
        .join("; ");
    const range = "bucket = ? AND key > ? AND key < ? ORDER BY key LIMIT 10";
    expect(plan(`SELECT key FROM names WHERE ${range}`, "large", "a", "b")).toMatch(/^SEARCH names USING PRIMARY KEY/);
    const folders = "SELECT prefix FROM listed_folders WHERE bucket = ? AND prefix >= ? AND prefix < ? ORDER BY prefix";
    expect(plan(folders, "large", "a", "b")).toMatch(/^SEARCH listed_folders USING PRIMARY KEY/);
    raw.close();
  });
});

describe("a folder that takes long to read", () => {
  /** A thread that takes a given time, and counts. */
  function slowThread() {
    const state = { reads: 0, now: 0, took: 1000, waits: 0, hold: undefined as Promise<void> | undefined };
    const thread: FileThread = {
      look: async () => ({ files: [], folders: [] }),
      async *read(folders) {
        state.reads += folders.length;
        await state.hold;
        state.now += state.waits + state.took;
        const parts: FolderPart[] = folders.map((_, index) => ({
          index,
          files: [],
          folders: [],
          ended: { stamp: "1:2:3", took: state.took },
        }));
        yield parts;
      },
      close() {},
    };
    const layout = openLayout(root, { owner: true });
    const reader = folderReader({
      database,
      layout,
      thread,
      space: { isDiskFull: () => false },
      clock: () => 1e9,
      onRead: undefined,
      stopwatch: () => state.now,
    });
    return { state, reader };
  }

  it("is read for a tenth of the time at most", async () => {
    const { state, reader } = slowThread();
    await reader.refresh("bucket", [""]);
    state.now += 9 * state.took;
    await reader.refresh("bucket", [""]);
    expect(state.reads).toBe(1);
    state.now += 2 * state.took;
    await reader.refresh("bucket", [""]);
    expect(state.reads).toBe(2);
  });

  it("does not delay a listing if only uploads have changed it", async () => {
    const { state, reader } = slowThread();
    await reader.refresh("bucket", [""]);
    state.now += 11 * state.took;
    reader.touch({ bucket: "bucket", key: "a" });
    reader.touch({ bucket: "bucket", key: "folder/a" });
    let release = (): void => {};
    state.hold = new Promise((resolve) => {
      release = resolve;
    });
    await reader.refresh("bucket", [""]);
    expect(state.reads).toBe(2);
    release();
  });

  it("is read once for all waiting listings, and again for those that began during the reading", async () => {
    const { state, reader } = slowThread();
    state.took = 1;
    let release = (): void => {};
    state.hold = new Promise((resolve) => {
      release = resolve;
    });
    const first = reader.refresh("bucket", [""]);
    state.now += 1;
    const late = [reader.refresh("bucket", [""]), reader.refresh("bucket", [""])];
    expect(state.reads).toBe(1);
    release();
    await Promise.all([first, ...late]);
    expect(state.reads).toBe(2);
  });

  // A wait for the thread to start, or for a busy machine, does not count.
  it.each([0, 1000])(
    "is read each time it has changed if reading is quick, even after a wait of %i ms",
    async (waits) => {
      const { state, reader } = slowThread();
      state.took = 50;
      state.waits = waits;
      for (let i = 0; i < 3; i++) await reader.refresh("bucket", [""]);
      expect(state.reads).toBe(3);
    },
  );
});
