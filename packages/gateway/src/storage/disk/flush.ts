/** The flushes that make a change survive a loss of power. */
import { close, constants, fdatasync, fsync, open } from "node:fs";

/** Writes a file's bytes and size to the disk. */
export function syncFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** A flush beside the writing of a long file. */
export interface EarlySync {
  /** Begins one, unless the last is still under way or the disk has enough to do with those of other files. */
  start(): boolean;
  /** Waits for the one under way. A failure of any of them is one of the file: the kernel tells of it only once. */
  end(): Promise<void>;
}

// Each holds one of the four threads that read and write files for all requests.
const MOST_EARLY_SYNCS = 2;
let earlySyncs = 0;

/** What has been written of a file goes to the disk while the rest is still coming in, which makes the last flush short. */
export function syncEarly(fd: number): EarlySync {
  let failure: Error | undefined;
  let underWay: Promise<void> | undefined;
  return {
    start() {
      if (underWay !== undefined || earlySyncs >= MOST_EARLY_SYNCS) return false;
      earlySyncs++;
      underWay = new Promise((resolve) => {
        fdatasync(fd, (error) => {
          earlySyncs--;
          failure ??= error ?? undefined;
          underWay = undefined;
          resolve();
        });
      });
      return true;
    },
    async end() {
      await underWay;
      if (failure !== undefined) throw failure;
    },
  };
}

/** Writes a folder's names to the disk: without it a rename or a new file may be gone after a crash. */
export function syncFolder(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    open(path, constants.O_RDONLY | constants.O_DIRECTORY, (failed, fd) => {
      if (failed !== null) return reject(failed);
      fsync(fd, (error) => close(fd, () => (error === null ? resolve() : reject(error))));
    });
  });
}
