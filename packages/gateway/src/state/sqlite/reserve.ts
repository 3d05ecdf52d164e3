/** Space for revocations: on a full disk, an operator must still be able to revoke. A file is kept for that, and given up in pieces. */
import { randomBytes } from "node:crypto";
import { rmSync, statfsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isSqliteFull } from "../../sqlite/database.ts";

const RESERVED_BYTES = 1024 * 1024;
/** A revocation changes some ten pages. Others can use what it leaves of its piece, but not the next piece. */
const PIECE_BYTES = 64 * 1024;
/** Free bytes from which the reserve is made again. Clients get the space that was just freed. */
const PLENTY_BYTES = 8 * RESERVED_BYTES;

/** The reserve of one database. */
export interface Reserve {
  /** Whether the disk was full when something was last written or {@link keep} ran. */
  isFull(): boolean;
  /** Notes why a commit failed. */
  note(error: unknown): void;
  /** Gives up a piece; `false` if nothing is left. */
  giveUp(): boolean;
  /** Looks for free space, and makes the reserve if there is plenty. Never throws. */
  keep(): void;
}

/** Keeps the reserve beside a database file. */
export function reserveOf(database: string): Reserve {
  const path = `${database}-reserve`;
  const size = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let full = false;
  return {
    isFull: () => full,
    note(error) {
      full ||= isSqliteFull(error);
    },
    giveUp() {
      try {
        const left = size();
        if (left > 0) truncateSync(path, Math.max(0, left - PIECE_BYTES));
        return left > 0;
      } catch {
        return false;
      }
    },
    keep() {
      if (database === ":memory:") return;
      try {
        const { bavail, bsize } = statfsSync(dirname(database));
        full = bavail * bsize < PIECE_BYTES;
        if (size() === RESERVED_BYTES || bavail * bsize < PLENTY_BYTES) return;
        // A file system that compresses would reserve nothing for zeros.
        writeFileSync(path, randomBytes(RESERVED_BYTES), { mode: 0o600, flush: true });
      } catch {
        // A quota may leave less than the disk reports.
        rmSync(path, { force: true });
      }
    },
  };
}
