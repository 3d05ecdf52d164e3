/** A copy of the revocations on local disk, so that a gateway may start while its state is away. One process writes it, line by line. */
import { closeSync, fsyncSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { RevocationSnapshot } from "@daypass/gateway";
import { type RevocationChange, type RevocationReader, revocationPages, type State } from "@daypass/gateway/state";

/** A line of the file, after its checksum. */
interface Entry {
  readonly changes: readonly RevocationChange[];
  /** Every change up to this revision is in the file. */
  readonly complete: number;
  /** When the state had no more than this, milliseconds since 1970; absent between two pages. */
  readonly at?: number | undefined;
}

const CHUNK = 1 << 20;

/** Reads the copy. */
export function revocationFile(path: string): RevocationSnapshot {
  return {
    load(reader) {
      let at: number | undefined;
      let isTorn = false;
      try {
        for (const line of linesOf(path)) {
          // Only the last line may be torn. What follows another one may lift what is missing.
          if (isTorn) return undefined;
          const entry = entryOf(line);
          isTorn = entry === undefined;
          if (entry === undefined) continue;
          reader.apply(entry.changes, entry.complete);
          at = entry.at ?? at;
        }
      } catch {
        return undefined;
      }
      return at;
    },
  };
}

/** Writes the copy. */
export interface RevocationCopy {
  /** Adds what has changed, and when the state was asked. Rejects if the state is away, or the disk full: the next run repeats it. */
  update(): Promise<void>;
  /** Waits for the update in progress. */
  close(): Promise<void>;
}

/** The copy of a state. Its first update replaces the file of an earlier process. */
export function revocationCopy(state: State, path: string, clock: () => Date): RevocationCopy {
  const begun = `${path}.new`;
  let file: number | undefined;
  let isPlaced = false;
  let revision = 0;
  let end = 0;
  /** Where the last line begins, if it has nothing but a time. */
  let timeFrom: number | undefined;

  const write = (entry: Entry): void => {
    file ??= openSync(begun, "w", 0o600);
    const bytes = Buffer.from(lineOf(entry));
    const isTime = entry.changes.length === 0 && entry.at !== undefined;
    // A time replaces the time before it, or the file would grow every few seconds.
    const from = isTime && timeFrom !== undefined && end - timeFrom === bytes.length ? timeFrom : end;
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, from + done);
    timeFrom = isTime ? from : undefined;
    end = from + bytes.length;
    revision = entry.complete;
  };
  const closeFile = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  const reader: RevocationReader = {
    get revision() {
      return revision;
    },
    apply(changes, complete) {
      if (changes.length > 0) write({ changes, complete });
      else revision = complete;
    },
    restart() {
      closeFile();
      [isPlaced, revision, end, timeFrom] = [false, 0, 0, undefined];
    },
  };
  const readPages = revocationPages(state);
  const run = async (): Promise<void> => {
    const at = clock().getTime();
    await readPages(reader);
    write({ changes: [], complete: revision, at });
    if (isPlaced || file === undefined) return;
    fsyncSync(file);
    renameSync(begun, path);
    isPlaced = true;
  };
  let running: Promise<void> | undefined;
  return {
    update() {
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },
    async close() {
      await running?.catch(() => undefined);
      closeFile();
    },
  };
}

function lineOf(entry: Entry): string {
  const text = JSON.stringify(entry);
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
}

function entryOf(line: string): Entry | undefined {
  const text = line.slice(9);
  return line.slice(0, 8) === crc32(text).toString(16).padStart(8, "0") ? (JSON.parse(text) as Entry) : undefined;
}

/** Not all at once: a million revocations are 100 MB. */
function* linesOf(path: string): Generator<string> {
  const file = openSync(path, "r");
  try {
    const chunk = Buffer.alloc(CHUNK);
    let rest: Buffer[] = [];
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      let from = 0;
      for (let to = chunk.indexOf(10); to >= 0 && to < read; to = chunk.indexOf(10, from)) {
        yield Buffer.concat([...rest, chunk.subarray(from, to)]).toString();
        rest = [];
        from = to + 1;
      }
      rest.push(Buffer.from(chunk.subarray(from, read)));
    }
    const last = Buffer.concat(rest);
    if (last.length > 0) yield last.toString();
  } finally {
    closeSync(file);
  }
}
