/**
 * The index database `.daypass/index.db`: key → the metadata of an upload, bound to the fingerprint of its file.
 *
 * A key may have several rows for a moment, the old file's and the new one's; a reader takes the one of the file it has open,
 * so metadata changes exactly when `rename` changes the file. `settled = 0` marks what a crash may have left half done.
 */
import type { ObjectPart, ObjectRef, StoredHeaders } from "../../contract/storage.ts";
import { StorageError } from "../../contract/storage.ts";
import type { IndexReader, IndexRow } from "./contract.ts";
import { NAMES_SCHEMA, type NamesReader, type NamesWriter, namesReader, namesWriter } from "./names-table.ts";
import { type Database, openDatabase } from "./sqlite.ts";
import { UPLOADS_SCHEMA, type UploadsReader, type UploadsWriter, uploadsReader, uploadsWriter } from "./uploads-table.ts";

// Each text takes an index from its position to the next version; the first makes a new one. A text that was released is never
// changed, and at its end an index has the same tables whichever version it began with.
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE objects (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    settled INTEGER NOT NULL,
    etag TEXT NOT NULL,
    content_type TEXT NOT NULL,
    headers TEXT,
    metadata TEXT,
    checksums TEXT,
    PRIMARY KEY (bucket, key, fingerprint)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX unsettled ON objects (bucket, key) WHERE settled = 0;
  CREATE TABLE folders (path TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE gateway (run TEXT NOT NULL) STRICT;
  `,
  // 2: tags, the parts of an object that came in several, and uploads that are still coming.
  UPLOADS_SCHEMA,
  // 3: the names of all keys, for listings, and what is set for a bucket.
  NAMES_SCHEMA,
];

/** What a row is found by. */
export interface StoredRow {
  readonly ref: ObjectRef;
  readonly fingerprint: string;
}

/** The statements of the one process that writes. */
export interface IndexDatabase extends IndexReader {
  readonly names: NamesReader & NamesWriter;
  readonly uploads: UploadsReader & UploadsWriter;
  /** Runs the steps in one durable transaction: all of them or none. */
  transaction(steps: Iterable<() => void>): void;
  /** The same without the flush, for what is found again when it is lost with the power. */
  lightTransaction(steps: Iterable<() => void>): void;
  /** Moves what is in SQLite's log into the database, as far as it can. */
  checkpoint(): void;
  insert(row: IndexRow): void;
  /** Marks every row of a key as half done. */
  unsettle(ref: ObjectRef): void;
  /** Leaves the key this one row, and settles it. */
  keepOnly(ref: ObjectRef, fingerprint: string): void;
  remove(ref: ObjectRef, fingerprint: string): void;
  removeAll(ref: ObjectRef): void;
  /** The rows that a crash may have left behind. */
  unsettled(): StoredRow[];
  /** All rows in their order, behind one of them or from the first. */
  rowsAfter(row: StoredRow | undefined, limit: number): StoredRow[];
  /** Binds a row to another file. */
  moveRow(ref: ObjectRef, from: string, to: string): void;
  /** Whether a change of the key is under way, or was when the process died. */
  isUnsettled(ref: ObjectRef): boolean;
  addFolder(path: string): void;
  removeFolder(path: string): void;
  folders(): string[];
}

/** Opens the index for reading and writing, and creates it. `run` becomes the name of this run for all workers. */
export async function openIndexDatabase(path: string, run: string): Promise<IndexDatabase> {
  const database = await openDatabase(path);
  try {
    // WAL lets the workers read while this process writes; FULL makes each commit survive a loss of power.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    migrate(database);
    database.exec("DELETE FROM gateway");
    database.prepare("INSERT INTO gateway (run) VALUES (?)").run(run);
    return { ...reader(database), ...writer(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens the index of a running gateway for reading, and tells the name of its run. */
export async function openIndexReader(path: string): Promise<IndexReader & { readonly run: string }> {
  const database = await openDatabase(path, { readOnly: true, timeout: 5000 });
  const row = record(database.prepare("SELECT run FROM gateway").get());
  return { ...reader(database), run: text(row?.["run"]) };
}

function migrate(database: Database): void {
  const version = record(database.prepare("PRAGMA user_version").get())?.["user_version"];
  if (typeof version !== "number" || version > MIGRATIONS.length) {
    throw new StorageError(
      "UNAVAILABLE",
      `the index has version ${version}, but this gateway reads version ${MIGRATIONS.length}: a later release wrote it; run that one`,
    );
  }
  if (version === MIGRATIONS.length) return;
  const steps = MIGRATIONS.slice(version).join("");
  // One transaction: after a crash the index has the version that it had, or the newest.
  database.exec(`BEGIN IMMEDIATE; ${steps} PRAGMA user_version = ${MIGRATIONS.length}; COMMIT;`);
}

function reader(database: Database): IndexReader {
  const where = "FROM objects WHERE bucket = ? AND key = ? AND fingerprint = ?";
  const find = database.prepare(`SELECT etag, content_type, headers, metadata, checksums, tags ${where}`);
  // The list of parts may be long, and few ask for it.
  const findParts = database.prepare(`SELECT parts ${where}`);
  return {
    names: namesReader(database),
    uploads: uploadsReader(database),
    find(ref, fingerprint, { parts = false } = {}) {
      const row = record(find.get(ref.bucket, ref.key, fingerprint));
      if (row === undefined) return undefined;
      return {
        ref,
        fingerprint,
        etag: text(row["etag"]),
        contentType: text(row["content_type"]),
        headers: unpack(row["headers"]) satisfies StoredHeaders,
        metadata: unpack(row["metadata"]),
        checksums: unpack(row["checksums"]),
        tags: row["tags"] === null ? undefined : unpack(row["tags"]),
        parts: parts ? unpackParts(record(findParts.get(ref.bucket, ref.key, fingerprint))?.["parts"]) : undefined,
      };
    },
    close: () => database.close(),
  };
}

function writer(database: Database): Omit<IndexDatabase, Exclude<keyof IndexReader, "names" | "uploads">> {
  const insert = database.prepare(
    "INSERT OR REPLACE INTO objects (bucket, key, fingerprint, settled, etag, content_type, headers, metadata, checksums, tags, parts) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)",
  );
  const unsettle = database.prepare("UPDATE objects SET settled = 0 WHERE bucket = ? AND key = ?");
  const removeOthers = database.prepare("DELETE FROM objects WHERE bucket = ? AND key = ? AND fingerprint <> ?");
  const settle = database.prepare("UPDATE objects SET settled = 1 WHERE bucket = ? AND key = ? AND fingerprint = ?");
  const remove = database.prepare("DELETE FROM objects WHERE bucket = ? AND key = ? AND fingerprint = ?");
  const removeAll = database.prepare("DELETE FROM objects WHERE bucket = ? AND key = ?");
  const unsettled = database.prepare("SELECT bucket, key, fingerprint FROM objects WHERE settled = 0");
  const rowsAfter = database.prepare(
    "SELECT bucket, key, fingerprint FROM objects WHERE (bucket, key, fingerprint) > (?, ?, ?) ORDER BY bucket, key, fingerprint LIMIT ?",
  );
  const moveRow = database.prepare(
    "UPDATE OR REPLACE objects SET fingerprint = ? WHERE bucket = ? AND key = ? AND fingerprint = ?",
  );
  const isUnsettled = database.prepare("SELECT 1 FROM objects WHERE bucket = ? AND key = ? AND settled = 0");
  const addName = database.prepare("INSERT OR IGNORE INTO names (bucket, key) VALUES (?, ?)");
  const removeName = database.prepare("DELETE FROM names WHERE bucket = ? AND key = ?");
  const addFolder = database.prepare("INSERT OR IGNORE INTO folders (path) VALUES (?)");
  const removeFolder = database.prepare("DELETE FROM folders WHERE path = ?");
  const folders = database.prepare("SELECT path FROM folders");
  const names = { ...namesReader(database), ...namesWriter(database) };
  const uploads = { ...uploadsReader(database), ...uploadsWriter(database) };

  function transaction(steps: Iterable<() => void>): void {
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const step of steps) step();
      database.exec("COMMIT");
    } catch (error) {
      rollBack(database);
      throw error;
    }
  }
  return {
    names,
    uploads,
    transaction,
    lightTransaction(steps) {
      // In WAL mode the next durable commit flushes what came before it as well.
      database.exec("PRAGMA synchronous = NORMAL");
      try {
        transaction(steps);
      } finally {
        database.exec("PRAGMA synchronous = FULL");
      }
    },
    checkpoint() {
      try {
        database.exec("PRAGMA wal_checkpoint(PASSIVE)");
      } catch {
        // Where that takes room that is not there, the log stays as it was.
      }
    },
    insert(row) {
      const { ref } = row;
      insert.run(
        ref.bucket,
        ref.key,
        row.fingerprint,
        row.etag,
        row.contentType,
        pack(row.headers),
        pack(row.metadata),
        pack(row.checksums),
        pack(row.tags ?? {}),
        row.parts === undefined ? null : packParts(row.parts),
      );
      // Before the file has its name, so that no listing can miss it; whether there is a file the listing looks.
      addName.run(ref.bucket, ref.key);
    },
    unsettle: (ref) => void unsettle.run(ref.bucket, ref.key),
    keepOnly(ref, fingerprint) {
      removeOthers.run(ref.bucket, ref.key, fingerprint);
      settle.run(ref.bucket, ref.key, fingerprint);
    },
    remove: (ref, fingerprint) => void remove.run(ref.bucket, ref.key, fingerprint),
    removeAll(ref) {
      removeAll.run(ref.bucket, ref.key);
      removeName.run(ref.bucket, ref.key);
    },
    unsettled: () => unsettled.all().map(storedRow),
    rowsAfter: (row, limit) =>
      rowsAfter.all(row?.ref.bucket ?? "", row?.ref.key ?? "", row?.fingerprint ?? "", limit).map(storedRow),
    moveRow: (ref, from, to) => void moveRow.run(to, ref.bucket, ref.key, from),
    isUnsettled: (ref) => isUnsettled.get(ref.bucket, ref.key) !== undefined,
    addFolder: (path) => void addFolder.run(path),
    removeFolder: (path) => void removeFolder.run(path),
    folders: () => folders.all().map((row) => text(record(row)?.["path"])),
  };
}

function storedRow(row: unknown): StoredRow {
  const { bucket, key, fingerprint } = record(row) ?? {};
  return { ref: { bucket: text(bucket), key: text(key) }, fingerprint: text(fingerprint) };
}

function rollBack(database: Database): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself, as it does when the disk is full.
  }
}

/** Sizes, and the checksums where there are any: ten thousand parts are to stay short. */
function packParts(parts: readonly ObjectPart[]): string {
  return JSON.stringify(parts.map(({ size, checksum }) => (checksum === undefined ? size : [size, checksum])));
}

function unpackParts(column: unknown): readonly ObjectPart[] | undefined {
  if (column === null || column === undefined) return undefined;
  const packed: readonly (number | readonly [number, string])[] = JSON.parse(text(column));
  return packed.map((part) => (typeof part === "number" ? { size: part } : { size: part[0], checksum: part[1] }));
}

function record(row: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof row === "object" && row !== null ? { ...row } : undefined;
}

function text(value: unknown): string {
  if (typeof value !== "string")
    throw new StorageError("UNAVAILABLE", `the index has a ${typeof value} where text is expected`);
  return value;
}

/** Most uploads have no metadata: NULL is shorter to store, and nothing to parse. */
function pack(fields: object): string | null {
  return Object.keys(fields).length === 0 ? null : JSON.stringify(fields);
}

const NOTHING: Readonly<Record<string, string>> = Object.freeze({});

function unpack(column: unknown): Readonly<Record<string, string>> {
  return column === null ? NOTHING : JSON.parse(text(column));
}
