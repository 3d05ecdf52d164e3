/** Buckets whose folders are mount points: when the disk goes, an empty folder is left, and what is stored there is gone when it is back. */
import { readFileSync, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { StorageError } from "../contract/storage.ts";
import { lstatOrAbsent } from "./objects/open-file.ts";

export interface OwnDisks {
  /** Whether a bucket was seen on another disk than the root's. */
  has(bucket: string): boolean;
  /**
   * Takes what is there in a bucket's place.
   *
   * @throws {StorageError} `UNAVAILABLE` where it is the folder below a disk that was mounted there before
   */
  expectMounted(bucket: string, folder: Stats): void;
}

export interface OwnDisksOptions {
  readonly root: string;
  /** The device that the root lies on now. Mounted again it can have another number, and its old number another disk. */
  readonly rootDevice: () => number;
}

export function bucketsOnOwnDisks({ root, rootDevice }: OwnDisksOptions): OwnDisks {
  // When each was seen first, by the clock that the file system goes by. What this process has not seen is what is there at a start.
  const seen = new Map<string, number>();

  function expectMounted(bucket: string, folder: Stats): void {
    if (folder.dev !== rootDevice()) {
      if (!seen.has(bucket)) seen.set(bucket, Date.now());
      return;
    }
    const since = seen.get(bucket);
    if (since === undefined) return;
    // A folder that was made since then is a new bucket, and no mount point.
    if (folder.birthtimeMs > since) seen.delete(bucket);
    else throw diskAway(join(root, bucket));
  }

  // What is only read is not asked for here, and whoever stores something first may come when the disk has gone.
  for (const bucket of mountedIn(root)) {
    try {
      const folder = lstatOrAbsent(join(root, bucket));
      if (folder?.isDirectory() === true) expectMounted(bucket, folder);
    } catch {
      // A disk that does not answer: whoever asks for it is told.
    }
  }
  return { has: (bucket) => seen.has(bucket), expectMounted };
}

/** What is mounted in a folder, by its name. Linux tells it without a look at each of what may be a million loose files. */
function mountedIn(folder: string): readonly string[] {
  let table: string;
  try {
    table = readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return [];
  }
  const points = table.split("\n").map((line) => unescaped(line.split(" ")[4] ?? ""));
  return points.filter((point) => dirname(point) === folder).map((point) => basename(point));
}

/** Blanks, line breaks and backslashes stand there in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function diskAway(path: string): StorageError {
  return new StorageError(
    "UNAVAILABLE",
    `expected the disk that was mounted at ${path}, found the folder below it: mount it, or restart to serve what is there`,
  );
}
