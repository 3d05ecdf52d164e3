/** The flushes that make a change survive a loss of power. */
import { close, constants, fsync, open } from "node:fs";

/** Writes a file's bytes and size to the disk. */
export function syncFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
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
