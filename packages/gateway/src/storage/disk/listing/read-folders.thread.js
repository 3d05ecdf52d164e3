/** The thread of `file-thread.ts`: looks at files and reads folders. */
import { lstatSync, opendirSync } from "node:fs";
import { dirname } from "node:path";
import { workerData } from "node:worker_threads";
import { answerRequests } from "../answer.thread.js";

/** @type {string} */
const root = workerData;
const BATCH = 1000;
/** Folders return names in the order of hashes. Sorted names touch a tenth of the index's pages. */
const SORTED = 100_000;
/** The file does not exist, may not be seen, or its path is no path of this file system. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EILSEQ", "EACCES", "EPERM"]);

/** @template T @param {() => T} step @returns {T | undefined} */
function unlessAbsent(step) {
  try {
    return step();
  } catch (error) {
    if (ABSENT.has(/** @type {NodeJS.ErrnoException} */ (error).code ?? "")) return undefined;
    throw error;
  }
}

/** @param {string} path */
const lstat = (path) => unlessAbsent(() => lstatSync(path, { bigint: true, throwIfNoEntry: false }));

/** Checks that no symbolic link is on the way to a folder. `realpath` would look at each folder of each path again. */
function folderCheck() {
  const known = new Map([[root, true]]);
  /** @param {string} path @returns {boolean} */
  const isFolder = (path) => {
    let is = known.get(path);
    if (is === undefined) {
      is = path.length > root.length && isFolder(dirname(path)) && lstat(path)?.isDirectory() === true;
      known.set(path, is);
    }
    return is;
  };
  return isFolder;
}

/** @param {string} path @param {(path: string) => boolean} isFolder */
function stampOf(path, isFolder) {
  const stats = path === root || isFolder(dirname(path)) ? lstat(path) : undefined;
  return stats?.isDirectory() ? `${stats.ino}:${stats.mtimeNs}:${stats.ctimeNs}` : undefined;
}

/** @param {{ files: readonly string[], folders: readonly string[] }} paths */
function look({ files, folders }) {
  const isFolder = folderCheck();
  return {
    files: files.map((path) => {
      const stats = isFolder(dirname(path)) ? lstat(path) : undefined;
      return stats?.isFile() ? `${stats.ino}:${stats.size}:${stats.mtimeNs}` : undefined;
    }),
    folders: folders.map((path) => stampOf(path, isFolder)),
  };
}

/** @typedef {import("./file-thread.ts").FolderPart} FolderPart */

/** @param {readonly string[]} folders @returns {Generator<FolderPart, void, undefined>} */
function* parts(folders) {
  const isFolder = folderCheck();
  for (const [index, path] of folders.entries()) {
    /** @param {string | undefined} stamp @returns {FolderPart} */
    const end = (stamp) => ({ index, files: [], folders: [], ended: { stamp, took: 0 } });
    const before = stampOf(path, isFolder);
    const directory = before === undefined ? undefined : unlessAbsent(() => opendirSync(path, { bufferSize: BATCH }));
    if (directory === undefined) {
      // The next listing tries again to open an existing folder, and forgets a missing one.
      yield end(before === undefined ? undefined : "");
      continue;
    }
    try {
      for (let entry = directory.readSync(); entry !== null; ) {
        /** @type {{ files: string[], folders: string[] }} */
        const found = { files: [], folders: [] };
        for (let count = 0; count < SORTED && entry !== null; count++, entry = directory.readSync()) {
          if (entry.isFile()) found.files.push(entry.name);
          else if (entry.isDirectory()) found.folders.push(entry.name);
        }
        for (const kind of /** @type {const} */ (["files", "folders"])) {
          const names = found[kind].sort();
          for (let at = 0; at < names.length; at += BATCH) {
            yield { index, files: [], folders: [], [kind]: names.slice(at, at + BATCH) };
          }
        }
      }
    } finally {
      directory.closeSync();
    }
    yield end(stampOf(path, isFolder) === before ? before : "");
  }
}

/** @type {Map<number, { parts: ReturnType<typeof parts>, took: number }>} */
const readings = new Map();

/** Reads about as many names as fit a message. @param {number} reading */
function next(reading) {
  /** @type {FolderPart[]} */
  const batch = [];
  const read = readings.get(reading);
  for (let names = 0; read !== undefined && names < BATCH; ) {
    const began = performance.now();
    const { value, done } = read.parts.next();
    read.took += performance.now() - began;
    if (done || value === undefined) {
      readings.delete(reading);
      break;
    }
    batch.push(value.ended === undefined ? value : { ...value, ended: { ...value.ended, took: read.took } });
    if (value.ended !== undefined) read.took = 0;
    names += value.files.length + value.folders.length + 10;
  }
  return { parts: batch, more: readings.has(reading) };
}

answerRequests(({ op, reading, files, folders }) => {
  if (op === "look") return look({ files, folders });
  if (op === "drop") {
    readings.get(reading)?.parts.return();
    readings.delete(reading);
    return undefined;
  }
  if (op === "read") readings.set(reading, { parts: parts(folders), took: 0 });
  try {
    return next(reading);
  } catch (error) {
    readings.delete(reading);
    throw error;
  }
});
