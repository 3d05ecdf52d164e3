/**
 * A thread that looks at files and reads folders: a page of a listing looks at a thousand files, and a folder may hold a
 * million.
 */
import { Worker } from "node:worker_threads";
import { StorageError } from "../../contract/storage.ts";

export interface LookedAt {
  /** What `fingerprintOf` says of each regular file; `undefined` where there is none. */
  readonly files: readonly (string | undefined)[];
  /** Changes with each name that comes into the folder or leaves it. `undefined` where there is no folder. */
  readonly folders: readonly (string | undefined)[];
}

/** Part of what folders hold. A folder with many names comes in several parts; the last one has `ended`. */
export interface FolderPart {
  /** Which of the folders that were asked for. */
  readonly index: number;
  readonly files: readonly string[];
  readonly folders: readonly string[];
  readonly ended?: {
    /** When it was the same before and after all names were read; empty when it was not; `undefined`: no folder. */
    readonly stamp: string | undefined;
    /** Milliseconds that the thread was busy with the folder: not those in which it started, or waited for its turn. */
    readonly took: number;
  };
}

export interface FileThread {
  /** Takes paths of files and folders. A symbolic link anywhere in a path counts as absence. */
  look(paths: { readonly files: readonly string[]; readonly folders: readonly string[] }): Promise<LookedAt>;
  /** Reads folders one after the other, about a thousand names at a time; the next ones are read while these are taken. */
  read(folders: readonly string[]): AsyncGenerator<readonly FolderPart[], void, undefined>;
  close(): void;
}

type Question =
  | { readonly op: "look"; readonly files: readonly string[]; readonly folders: readonly string[] }
  | { readonly op: "read"; readonly folders: readonly string[] }
  | { readonly op: "more" | "drop" };

interface Reply {
  readonly id: number;
  readonly looked?: LookedAt;
  readonly parts?: readonly FolderPart[];
  readonly more?: boolean;
  readonly error?: { readonly code: string | undefined; readonly message: string };
}

// Text, not a file: Node 20 starts no thread from TypeScript, and a file beside this one would need a build to find it.
const THREAD = `
  const { lstatSync, opendirSync } = require("node:fs");
  const { dirname } = require("node:path");
  const { parentPort, workerData: root } = require("node:worker_threads");
  const BATCH = 1000;
  // Names come in the order of hashes. Sorted, those of a batch go to neighbouring pages of the index, a tenth of the writes.
  const SORTED = 100_000;
  // Nothing there, nothing that we may see, or nothing that a path may lead through.
  const ABSENT = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EILSEQ", "EACCES", "EPERM"]);
  const unlessAbsent = (step) => {
    try {
      return step();
    } catch (error) {
      if (ABSENT.has(error.code)) return undefined;
      throw error;
    }
  };
  const lstat = (path) => unlessAbsent(() => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  // Whether no link is on the way: realpath would look at each folder of each path again.
  const folderCheck = () => {
    const known = new Map([[root, true]]);
    const isFolder = (path) => {
      let is = known.get(path);
      if (is === undefined) {
        is = path.length > root.length && isFolder(dirname(path)) && lstat(path)?.isDirectory() === true;
        known.set(path, is);
      }
      return is;
    };
    return isFolder;
  };
  const stampOf = (path, isFolder) => {
    const stats = path === root || isFolder(dirname(path)) ? lstat(path) : undefined;
    return stats?.isDirectory() ? stats.ino + ":" + stats.mtimeNs + ":" + stats.ctimeNs : undefined;
  };
  const look = ({ files, folders }) => {
    const isFolder = folderCheck();
    const fingerprint = (path) => {
      const stats = isFolder(dirname(path)) ? lstat(path) : undefined;
      return stats?.isFile() ? stats.ino + ":" + stats.size + ":" + stats.mtimeNs : undefined;
    };
    return { files: files.map(fingerprint), folders: folders.map((path) => stampOf(path, isFolder)) };
  };
  function* parts(folders) {
    const isFolder = folderCheck();
    for (const [index, path] of folders.entries()) {
      const before = stampOf(path, isFolder);
      const directory = before === undefined ? undefined : unlessAbsent(() => opendirSync(path, { bufferSize: BATCH }));
      if (directory === undefined) {
        // One that cannot be opened is asked for again, one that is gone is not.
        yield { index, files: [], folders: [], ended: { stamp: before === undefined ? undefined : "" } };
        continue;
      }
      try {
        for (let entry = directory.readSync(); entry !== null; ) {
          const found = { files: [], folders: [] };
          for (let count = 0; count < SORTED && entry !== null; count++, entry = directory.readSync()) {
            if (entry.isFile()) found.files.push(entry.name);
            else if (entry.isDirectory()) found.folders.push(entry.name);
          }
          for (const kind of ["files", "folders"]) {
            const names = found[kind].sort();
            for (let at = 0; at < names.length; at += BATCH) {
              yield { index, files: [], folders: [], [kind]: names.slice(at, at + BATCH) };
            }
          }
        }
      } finally {
        directory.closeSync();
      }
      yield { index, files: [], folders: [], ended: { stamp: stampOf(path, isFolder) === before ? before : "" } };
    }
  }
  const reading = new Map();
  const next = (id) => {
    const batch = [];
    const read = reading.get(id);
    for (let names = 0; names < BATCH; ) {
      const began = performance.now();
      const { value, done } = read.parts.next();
      read.took += performance.now() - began;
      if (done) {
        reading.delete(id);
        break;
      }
      if (value.ended !== undefined) {
        value.ended.took = read.took;
        read.took = 0;
      }
      batch.push(value);
      names += value.files.length + value.folders.length + 10;
    }
    return batch;
  };
  const answer = (message) => {
    const { id, op } = message;
    if (op === "look") return { id, looked: look(message) };
    if (op === "read") reading.set(id, { parts: parts(message.folders), took: 0 });
    return { id, parts: next(id), more: reading.has(id) };
  };
  parentPort.on("message", (message) => {
    const { id, op } = message;
    if (op === "drop") {
      reading.get(id)?.parts.return();
      return void reading.delete(id);
    }
    try {
      parentPort.postMessage(answer(message));
    } catch ({ code, message }) {
      reading.delete(id);
      parentPort.postMessage({ id, error: { code, message } });
    }
  });
`;

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Looks below a root that has no link in its own path. Starts with the first question, and keeps the process alive only while one
 * waits.
 */
export function fileThread(root: string): FileThread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let lastId = 0;

  function start(): Worker {
    const started = new Worker(THREAD, { eval: true, name: "daypass-files", workerData: root });
    started.on("message", (reply: Reply) => {
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (waiting.size === 0) started.unref();
      if (reply.error === undefined) asked?.resolve(reply);
      else asked?.reject(failed(reply.error.code, reply.error.message));
    });
    const die = (cause: unknown): void => {
      if (worker === started) worker = undefined;
      for (const asked of waiting.values()) asked.reject(failed(undefined, cause));
      waiting.clear();
    };
    started.on("error", die);
    started.on("exit", () => die(undefined));
    return started;
  }

  function ask(id: number, question: Question): Promise<Reply> {
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker ??= start();
      worker.ref();
      worker.postMessage({ ...question, id });
    });
  }

  return {
    async look(paths) {
      const { looked } = await ask(++lastId, { op: "look", ...paths });
      return looked ?? { files: [], folders: [] };
    },
    async *read(folders) {
      const id = ++lastId;
      let reply = await ask(id, { op: "read", folders });
      try {
        for (;;) {
          const { parts = [], more = false } = reply;
          const next = more ? ask(id, { op: "more" }) : undefined;
          // Awaited below; until then a failure must not count as unhandled.
          next?.catch(() => {});
          yield parts;
          if (next === undefined) return;
          reply = await next;
        }
      } finally {
        if (reply.more === true) worker?.postMessage({ id, op: "drop" });
      }
    },
    close() {
      void worker?.terminate();
    },
  };
}

function failed(code: string | undefined, cause: unknown): StorageError {
  return new StorageError("UNAVAILABLE", `could not look at the files${code === undefined ? "" : ` (${code})`}`, {
    cause,
  });
}
