/**
 * The index database `.daypass/index.db`: key → the metadata of an upload, bound to the fingerprint of its file.
 *
 * While an upload replaces a key, the key has two rows. A reader takes the row of the file that it has open, so the metadata changes
 * exactly when `rename` changes the file. `settled = 0` marks rows that a crash may have left half done.
 */

import { type Database, openDatabase, type Row, type SqlValue } from "../../../sqlite/database.ts";
import type { ObjectPart, ObjectRef } from "../../contract/storage.ts";
import { unavailable } from "../errors.ts";
import type { IndexReader, IndexRow } from "./contract.ts";
import { NAMES_SCHEMA, type NamesReader, type NamesWriter, namesReader, namesWriter } from "./names-table.ts";
import {
  UPLOADS_SCHEMA,
  type UploadsReader,
  type UploadsWriter,
  uploadsReader,
  uploadsWriter,
} from "./uploads-table.ts";

// Each text takes an index from its position to the next version; the first makes a new one. A released text never changes, so all
// indexes end with the same tables.
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
  // 2: tags, the parts of multipart objects, and open multipart uploads.
  UPLOADS_SCHEMA,
  // 3: the names of all keys, for listings, and the settings of buckets.
  NAMES_SCHEMA,
];

/** The identity of a row. */
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
  /** The same without the flush, for rows that can be read again after a loss of power. */
  lightTransaction(steps: Iterable<() => void>): void;
  /** Moves SQLite's log into the database, as far as possible. */
  checkpoint(): void;
  insert(row: IndexRow): void;
  /** Marks every row of a key as half done. */
  unsettle(ref: ObjectRef): void;
  /** Settles this row of the key, and removes the others. */
  keepOnly(ref: ObjectRef, fingerprint: string): void;
  remove(ref: ObjectRef, fingerprint: string): void;
  removeAll(ref: ObjectRef): void;
  /** The rows that a crash may have left half done. */
  unsettled(): StoredRow[];
  /** The rows in order, after the given one or from the first. */
  rowsAfter(row: StoredRow | undefined, limit: number): StoredRow[];
  /** Binds a row to another file. */
  moveRow(row: StoredRow, fingerprint: string): void;
  /** Whether a change of the key is in progress, or was when the process died. */
  isUnsettled(ref: ObjectRef): boolean;
  addFolder(path: string): void;
  removeFolder(path: string): void;
  folders(): string[];
}

/** Opens the index for reading and writing, and creates it. Workers read `run`, the name of this run. */
export async function openIndexDatabase(path: string, run: string): Promise<IndexDatabase> {
  const database = await openDatabase(path);
  try {
    // WAL allows workers to read while this process writes. FULL makes each commit survive a loss of power.
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

/** Opens the index of a running gateway for reading, and reads the name of its run. */
export async function openIndexReader(path: string): Promise<IndexReader & { readonly run: string }> {
  const database = await openDatabase(path, { readOnly: true, timeout: 5000 });
  const row = database.prepare<"run">("SELECT run FROM gateway").get();
  return { ...reader(database), run: text(row?.run) };
}

function migrate(database: Database): void {
  const version = database.prepare<"user_version">("PRAGMA user_version").get()?.user_version;
  if (typeof version !== "number" || version > MIGRATIONS.length) {
    throw unavailable(
      `the index has version ${version}, but this gateway reads version ${MIGRATIONS.length}: a later release wrote it; run that one`,
    );
  }
  if (version === MIGRATIONS.length) return;
  const steps = MIGRATIONS.slice(version).join("");
  // One transaction: after a crash the index has its old version or the newest.
  database.exec(`BEGIN IMMEDIATE; ${steps} PRAGMA user_version = ${MIGRATIONS.length}; COMMIT;`);
}

function reader(database: Database): IndexReader {
  const where = "FROM objects WHERE bucket = ? AND key = ? AND fingerprint = ?";
  const find = database.prepare<"etag" | "content_type" | "headers" | "metadata" | "checksums" | "tags">(
    `SELECT etag, content_type, headers, metadata, checksums, tags ${where}`,
  );
  // The list of parts may be long, and few requests need it.
  const findParts = database.prepare<"parts">(`SELECT parts ${where}`);
  return {
    names: namesReader(database),
    uploads: uploadsReader(database),
    find(ref, fingerprint, { parts = false } = {}) {
      const row = find.get(ref.bucket, ref.key, fingerprint);
      if (row === undefined) return undefined;
      return {
        ref,
        fingerprint,
        etag: text(row.etag),
        contentType: text(row.content_type),
        headers: unpack(row.headers),
        metadata: unpack(row.metadata),
        checksums: unpack(row.checksums),
        tags: row.tags === null ? undefined : unpack(row.tags),
        parts: parts ? unpackParts(findParts.get(ref.bucket, ref.key, fingerprint)?.parts ?? null) : undefined,
      };
    },
    close: () => database.close(),
  };
}

function writer(database: Database): Omit<IndexDatabase, "find" | "close"> {
  const insert = database.prepare(
    "INSERT OR REPLACE INTO objects (bucket, key, fingerprint, settled, etag, content_type, headers, metadata, checksums, tags, parts) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)",
  );
  const ofKey = "WHERE bucket = ? AND key = ?";
  const rows = "SELECT bucket, key, fingerprint FROM objects WHERE";
  const unsettle = database.prepare(`UPDATE objects SET settled = 0 ${ofKey}`);
  const removeOthers = database.prepare(`DELETE FROM objects ${ofKey} AND fingerprint <> ?`);
  const settle = database.prepare(`UPDATE objects SET settled = 1 ${ofKey} AND fingerprint = ?`);
  const remove = database.prepare(`DELETE FROM objects ${ofKey} AND fingerprint = ?`);
  const removeAll = database.prepare(`DELETE FROM objects ${ofKey}`);
  const unsettled = database.prepare<RowColumn>(`${rows} settled = 0`);
  const rowsAfter = database.prepare<RowColumn>(
    `${rows} (bucket, key, fingerprint) > (?, ?, ?) ORDER BY bucket, key, fingerprint LIMIT ?`,
  );
  const moveRow = database.prepare(`UPDATE OR REPLACE objects SET fingerprint = ? ${ofKey} AND fingerprint = ?`);
  const isUnsettled = database.prepare(`SELECT 1 FROM objects ${ofKey} AND settled = 0`);
  const addName = database.prepare("INSERT OR IGNORE INTO names (bucket, key) VALUES (?, ?)");
  const removeName = database.prepare(`DELETE FROM names ${ofKey}`);
  const addFolder = database.prepare("INSERT OR IGNORE INTO folders (path) VALUES (?)");
  const removeFolder = database.prepare("DELETE FROM folders WHERE path = ?");
  const folders = database.prepare<"path">("SELECT path FROM folders");

  function transaction(steps: Iterable<() => void>): void {
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const step of steps) step();
      database.exec("COMMIT");
    } catch (error) {
      // On a full disk SQLite has already rolled back.
      ignoringErrors(() => database.exec("ROLLBACK"));
      throw error;
    }
  }
  return {
    names: { ...namesReader(database), ...namesWriter(database) },
    uploads: { ...uploadsReader(database), ...uploadsWriter(database) },
    transaction,
    lightTransaction(steps) {
      // In WAL mode, the next durable commit also flushes earlier ones.
      database.exec("PRAGMA synchronous = NORMAL");
      try {
        transaction(steps);
      } finally {
        database.exec("PRAGMA synchronous = FULL");
      }
    },
    // On a full disk the log may stay as it was.
    checkpoint: () => ignoringErrors(() => database.exec("PRAGMA wal_checkpoint(PASSIVE)")),
    insert(row) {
      const { bucket, key } = row.ref;
      const fields = [row.headers, row.metadata, row.checksums, row.tags ?? {}].map(pack);
      const parts = row.parts === undefined ? null : packParts(row.parts);
      insert.run(bucket, key, row.fingerprint, row.etag, row.contentType, ...fields, parts);
      // Before the file has its name, so that no listing misses it.
      addName.run(bucket, key);
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
    moveRow: ({ ref, fingerprint }, to) => void moveRow.run(to, ref.bucket, ref.key, fingerprint),
    isUnsettled: (ref) => isUnsettled.get(ref.bucket, ref.key) !== undefined,
    addFolder: (path) => void addFolder.run(path),
    removeFolder: (path) => void removeFolder.run(path),
    folders: () => folders.all().map((row) => text(row.path)),
  };
}

type RowColumn = "bucket" | "key" | "fingerprint";

function storedRow({ bucket, key, fingerprint }: Row<RowColumn>): StoredRow {
  return { ref: { bucket: text(bucket), key: text(key) }, fingerprint: text(fingerprint) };
}

function ignoringErrors(step: () => void): void {
  try {
    step();
  } catch {
    // The caller's comment says why.
  }
}

/** Sizes, and checksums if present: ten thousand parts must stay short. */
function packParts(parts: readonly ObjectPart[]): string {
  return JSON.stringify(parts.map(({ size, checksum }) => (checksum === undefined ? size : [size, checksum])));
}

function unpackParts(column: SqlValue): readonly ObjectPart[] | undefined {
  if (column === null) return undefined;
  const packed: readonly (number | readonly [number, string])[] = JSON.parse(text(column));
  return packed.map((part) => (typeof part === "number" ? { size: part } : { size: part[0], checksum: part[1] }));
}

function text(value: SqlValue | undefined): string {
  if (typeof value === "string") return value;
  throw unavailable(`the index is damaged: a column of text contains a ${typeof value}. Restore a backup`);
}

/** Most uploads have no metadata: NULL is shorter to store, and needs no parsing. */
function pack(fields: object): string | null {
  return Object.keys(fields).length === 0 ? null : JSON.stringify(fields);
}

const NOTHING: Readonly<Record<string, string>> = Object.freeze({});

function unpack(column: SqlValue): Readonly<Record<string, string>> {
  return column === null ? NOTHING : JSON.parse(text(column));
}
