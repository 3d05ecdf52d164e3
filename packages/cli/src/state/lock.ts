/** A lock that is a file, for what several processes change: Node has none that the kernel takes back. */
import type { BigIntStats } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../command.ts";
import { makeFolder } from "./files.ts";

/** A lock while it is held. */
export interface Lock {
  /**
   * Rejects where another process has taken the lock over: it was held for too long, as by a process that was stopped. To be asked before each
   * change, or what has been done since would be undone.
   */
  expectHeld(): Promise<void>;
}

const TRIES = 100;
const WAIT_MS = 50;
const STALE_MS = 30_000;

/** Runs work while no other process that asks for the same lock does. */
export async function withLock<T>(path: string, work: (lock: Lock) => Promise<T>): Promise<T> {
  await makeFolder(dirname(path));
  const { ino, mtimeNs } = await taken(path);
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

async function taken(path: string): Promise<BigIntStats> {
  for (let tries = 0; ; tries += 1) {
    const own = await take(path);
    if (own !== undefined) return own;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    // Whoever holds it writes one small file: a lock this old was left behind by a crash.
    // So was one of the future, before the clock was set back. Who holds it all the same, or a new one in its place, finds that it is gone.
    if (Math.abs(Date.now() - mtimeMs) > STALE_MS) await rm(path, { force: true });
    else if (tries >= TRIES) throw otherProcess(path);
    else await sleep(WAIT_MS);
  }
}

/** Makes the file; `undefined` where it is there. */
async function take(path: string): Promise<BigIntStats | undefined> {
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
  return new CommandError(`expected to change ${path} alone, found another process using it: try again`);
}
