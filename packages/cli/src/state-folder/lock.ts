/** A lock file for processes that change the same file. Node has no lock that the kernel releases after a crash. */
import type { BigIntStats } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../command.ts";
import { makeFolder } from "./files.ts";

/** A held lock. */
export interface Lock {
  /** Throws if another process has taken the lock over, because it was held for too long. Call before each change. */
  expectHeld(): Promise<void>;
}

const TRIES = 100;
const WAIT_MS = 50;
const STALE_MS = 30_000;

/** Runs `work` while holding the lock. */
export async function withLock<T>(path: string, work: (lock: Lock) => Promise<T>): Promise<T> {
  await makeFolder(dirname(path));
  const { ino, mtimeNs } = await acquire(path);
  const isHeld = async (): Promise<boolean> => {
    const there = await statOrAbsent(path);
    return there?.ino === ino && there.mtimeNs === mtimeNs;
  };
  try {
    return await work({
      async expectHeld() {
        if (!(await isHeld())) throw otherProcess(path);
      },
    });
  } finally {
    if (await isHeld()) await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<BigIntStats> {
  for (let tries = 0; ; tries += 1) {
    const own = await createLock(path);
    if (own !== undefined) return own;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    // The holder writes one small file, so a crashed process left a lock of this age. A lock from the future predates a change of the clock.
    // A holder that is still alive notices the loss in expectHeld().
    if (Math.abs(Date.now() - mtimeMs) > STALE_MS) await rm(path, { force: true });
    else if (tries >= TRIES) throw otherProcess(path);
    else await sleep(WAIT_MS);
  }
}

/** Creates the lock file. `undefined` if it exists. */
async function createLock(path: string): Promise<BigIntStats | undefined> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      return await file.stat({ bigint: true });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return undefined;
  }
}

async function statOrAbsent(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

function otherProcess(path: string): CommandError {
  return new CommandError(`another process is changing ${path}. Try again`);
}
