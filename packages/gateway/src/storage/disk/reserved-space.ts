/**
 * Room to take things away: on a disk that has none left, what makes some must still be written down. A file is kept that holds
 * nothing, and given back when a removal finds no room; it is made again when there is plenty.
 */
import { randomBytes } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { IndexDatabase } from "./database/index-database.ts";
import { freeBytes, isForRoom } from "./database/spare-index.ts";
import type { Layout } from "./layout.ts";

/** A few hundred removals, each some pages of SQLite's log. */
const KEPT_BYTES = 512 * 1024;
/** Free bytes from which it is made again: what was just freed is for whoever freed it. */
const PLENTY_BYTES = 8 * KEPT_BYTES;

export interface Room {
  isForRoom(error: unknown): boolean;
  /** Runs a step that takes something away. Where there is no room it makes some and runs it once more. */
  spending<T>(step: () => T): T;
  /** Keeps room, if it is not kept and there is plenty. Never throws. */
  keep(): Promise<void>;
}

export function keptRoom(layout: Layout, database: Pick<IndexDatabase, "checkpoint">): Room {
  const path = join(layout.own, "reserve");
  let isKept = statSync(path, { throwIfNoEntry: false })?.size === KEPT_BYTES;
  let making: Promise<void> | undefined;
  // A quota may leave less than the disk says; then nothing is kept until the next start.
  let refused = false;

  /** Random, or a file system that compresses would keep nothing. */
  async function make(): Promise<void> {
    try {
      const file = await open(path, "w", 0o600);
      try {
        await file.writeFile(randomBytes(KEPT_BYTES));
        await file.sync();
        isKept = true;
      } finally {
        await file.close();
      }
    } catch {
      refused = true;
      await rm(path, { force: true }).catch(() => {});
    }
  }

  return {
    isForRoom: (error) => isForRoom(error, layout.root),
    spending(step) {
      try {
        return step();
      } catch (error) {
        if (!isForRoom(error, layout.root)) throw error;
        rmSync(path, { force: true });
        isKept = false;
        // What is in the log already gives its room to what follows.
        database.checkpoint();
        return step();
      }
    },
    async keep() {
      if (isKept || refused || layout.readOnly) return;
      if (making === undefined) {
        const free = freeBytes(layout.root);
        if (free === undefined || free < PLENTY_BYTES) return;
        making = make().finally(() => {
          making = undefined;
        });
      }
      await making;
    },
  };
}
