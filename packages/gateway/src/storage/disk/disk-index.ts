/** The index of a root, opened by the one process that owns it. */
import { randomBytes } from "node:crypto";
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { type ObjectRef, StorageError } from "../storage.ts";
import { translating } from "./faults.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { IndexReader, IndexWriter } from "./index-contract.ts";
import { openIndexDatabase } from "./index-db.ts";
import { localIndexWriter } from "./index-writer.ts";
import { type Layout, openLayout } from "./layout.ts";
import { lstatOrAbsent } from "./open-file.ts";
import { type Database, openDatabase } from "./sqlite.ts";
import { sweep } from "./sweep.ts";

export interface DiskIndex {
  readonly run: string;
  readonly layout: Layout;
  readonly reader: IndexReader;
  readonly writer: IndexWriter;
  close(): void;
}

/**
 * Opens a folder's index as its owner: makes it, refuses a second gateway on the same folder, and sweeps what a crash left.
 * Workers come after it: `disk({ root, writer: ipcIndexWriter(channel) })`.
 * @throws {StorageError} `UNAVAILABLE`
 */
export function openDiskIndex(root: string): Promise<DiskIndex> {
  return translating("open the index", async () => {
    const layout = openLayout(root, { owner: true });
    const owned = await own(layout);
    try {
      const run = randomBytes(8).toString("hex");
      const database = await openIndexDatabase(indexPath(layout), run);
      await sweep({ database, run, currentFingerprint: (ref) => currentFingerprint(layout, ref) });
      const writer = localIndexWriter(database);
      return {
        run,
        layout,
        reader: database,
        writer,
        close() {
          writer.close();
          database.close();
          owned.close();
        },
      };
    } catch (error) {
      owned.close();
      throw error;
    }
  });
}

export function indexPath(layout: Layout): string {
  return join(layout.own, "index.db");
}

/** SQLite's file lock is one that the kernel takes back however the process ends; Node has no other. */
async function own(layout: Layout): Promise<Database> {
  const database = await openDatabase(join(layout.own, "owner.db"), { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    return database;
  } catch (error) {
    database.close();
    throw new StorageError("UNAVAILABLE", "another gateway serves this folder: stop it, or give each its own", {
      cause: error,
    });
  }
}

function currentFingerprint(layout: Layout, ref: ObjectRef): string | undefined {
  const places = layout.places(ref);
  for (const path of [places?.plain, places?.hashed]) {
    if (path === undefined || lstatOrAbsent(path)?.isFile() !== true) continue;
    return fingerprintOf(lstatSync(path, { bigint: true }));
  }
  return undefined;
}
