/** The flushes that make a change survive a loss of power. */
import { close, constants, fdatasync, fsync, open } from "node:fs";

/** Writes a file's bytes and size to the disk. */
export function syncFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Flushes while a long file is still being written. */
export interface EarlySync {
  /** Begins a flush. Returns false if the last one still runs, or too many of other files do. */
  start(): boolean;
  /** Waits for the running flush. Throws if any flush failed: the kernel reports a failure only once. */
  end(): Promise<void>;
}

// Each occupies one of the four threads that read and write files for all requests.
const MOST_EARLY_SYNCS = 2;
let earlySyncs = 0;

/** Flushes what was written while the rest arrives, which makes the last flush short. */
export function syncEarly(fd: number): EarlySync {
  let failure: Error | undefined;
  let running: Promise<void> | undefined;
  return {
    start() {
      if (running !== undefined || earlySyncs >= MOST_EARLY_SYNCS) return false;
      earlySyncs++;
      running = new Promise((resolve) => {
        fdatasync(fd, (error) => {
          earlySyncs--;
          failure ??= error ?? undefined;
          running = undefined;
          resolve();
        });
      });
      return true;
    },
    async end() {
      await running;
      if (failure !== undefined) throw failure;
    },
  };
}

/** Writes a folder's names to the disk. Without it, a rename or a new file may be lost in a crash. */
export function syncFolder(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    open(path, constants.O_RDONLY | constants.O_DIRECTORY, (failed, fd) => {
      if (failed !== null) return reject(failed);
      fsync(fd, (error) => close(fd, () => (error === null ? resolve() : reject(error))));
    });
  });
}
