/**
 * The tables of listings. `names` holds every key that may have a file: names read from folders, and names of uploads, which are
 * added before the file takes its name. Each page checks the files, so an extra name costs a look. A missing one would be an error.
 */
import { type Database, NO_END, type Row, type Statement, textOrNone } from "../../../sqlite/database.ts";

/** Appended to the migrations of the index. */
export const NAMES_SCHEMA = `
  CREATE TABLE names (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO names SELECT DISTINCT bucket, key FROM objects;
  CREATE TABLE listed_folders (
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    stamp TEXT NOT NULL,
    PRIMARY KEY (bucket, prefix)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE bucket_settings (
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (bucket, name)
  ) STRICT, WITHOUT ROWID;
`;

/** One end of a range of texts, in the order of their UTF-8: SQLite compares bytes. */
export interface Bound {
  readonly text: string;
  readonly inclusive: boolean;
}

export interface Range {
  readonly bucket: string;
  readonly from: Bound;
  /** The first text after the range; `undefined` for no end. */
  readonly until: string | undefined;
  readonly limit: number;
}

/** A key, and one file that was uploaded for it. */
export interface NameRow {
  readonly key: string;
  readonly fingerprint: string | undefined;
  readonly etag: string | undefined;
  /** Its checksums, as JSON. */
  readonly checksums: string | undefined;
}

/** A folder below a bucket: `""` is the bucket's own, every other ends with a slash. */
export interface FolderRow {
  readonly prefix: string;
  /** The state of the folder when its names were read; empty if they were not; `undefined` for an unknown folder. */
  readonly stamp: string | undefined;
}

export interface NamesReader {
  /** In order. A key has two rows while an upload replaces it. The limit may cut between them. */
  names(range: Range): NameRow[];
  folders(range: Range): FolderRow[];
  folder(bucket: string, prefix: string): FolderRow | undefined;
  setting(bucket: string, name: string): string | undefined;
  bucketsWithSettings(): string[];
  /** Whether the bucket has uploaded objects. */
  hasObjects(bucket: string): boolean;
}

export interface NamesWriter {
  addNames(bucket: string, keys: readonly string[]): void;
  removeNames(bucket: string, keys: readonly string[]): void;
  /** Records folders whose names are still unknown. */
  addFolders(bucket: string, prefixes: readonly string[]): void;
  setStamp(bucket: string, prefix: string, stamp: string): void;
  removeFolder(bucket: string, prefix: string): void;
  set(bucket: string, name: string, value: string | null): void;
  /** Removes every row of the bucket. */
  removeBucket(bucket: string): void;
}

export function namesReader(database: Database): NamesReader {
  const names = ranges<keyof NameRow>(
    database,
    "SELECT n.key, o.fingerprint, o.etag, o.checksums FROM names n LEFT JOIN objects o ON o.bucket = n.bucket AND o.key = n.key WHERE n.bucket = ? AND n.key",
  );
  const select = "SELECT prefix, stamp FROM listed_folders WHERE bucket = ? AND prefix";
  const folders = ranges<keyof FolderRow>(database, select);
  const folder = database.prepare<keyof FolderRow>(`${select} = ?`);
  const buckets = database.prepare<"bucket">("SELECT DISTINCT bucket FROM bucket_settings");
  const anyObject = database.prepare("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1");
  const setting = database.prepare<"value">("SELECT value FROM bucket_settings WHERE bucket = ? AND name = ?");
  return {
    names: (range) =>
      names(range).map(({ key, fingerprint, etag, checksums }) => ({
        key: String(key),
        fingerprint: textOrNone(fingerprint),
        etag: textOrNone(etag),
        checksums: textOrNone(checksums),
      })),
    folders: (range) => folders(range).map(folderRow),
    folder(bucket, prefix) {
      const row = folder.get(bucket, prefix);
      return row && folderRow(row);
    },
    setting: (bucket, name) => textOrNone(setting.get(bucket, name)?.value),
    bucketsWithSettings: () => buckets.all().map(({ bucket }) => String(bucket)),
    hasObjects: (bucket) => anyObject.get(bucket) !== undefined,
  };
}

/** A range query in two forms. A bound that ends with NUL would need one form, but some drivers cut a text at its NUL. */
function ranges<Column extends string>(database: Database, select: string): (range: Range) => Row<Column>[] {
  const column = select.slice(select.lastIndexOf(" ") + 1);
  const form = (operator: string): Statement<Column> =>
    database.prepare<Column>(`${select} ${operator} ? AND ${column} < ? ORDER BY ${column} LIMIT ?`);
  const inclusive = form(">=");
  const exclusive = form(">");
  return ({ bucket, from, until, limit }) =>
    (from.inclusive ? inclusive : exclusive).all(bucket, from.text, until ?? NO_END, limit);
}

function folderRow({ prefix, stamp }: Row<keyof FolderRow>): FolderRow {
  return { prefix: String(prefix), stamp: String(stamp) };
}

export function namesWriter(database: Database): NamesWriter {
  // A list as JSON is one call for a thousand rows, and four times as fast as a thousand calls.
  const addNames = database.prepare("INSERT OR IGNORE INTO names (bucket, key) SELECT ?, value FROM json_each(?)");
  const removeNames = database.prepare(
    "DELETE FROM names WHERE bucket = ? AND key IN (SELECT value FROM json_each(?))",
  );
  const addFolders = database.prepare(
    "INSERT OR IGNORE INTO listed_folders (bucket, prefix, stamp) SELECT ?, value, '' FROM json_each(?)",
  );
  const setStamp = database.prepare("INSERT OR REPLACE INTO listed_folders (bucket, prefix, stamp) VALUES (?, ?, ?)");
  const removeFolder = database.prepare("DELETE FROM listed_folders WHERE bucket = ? AND prefix = ?");
  const set = database.prepare("INSERT OR REPLACE INTO bucket_settings (bucket, name, value) VALUES (?, ?, ?)");
  const unset = database.prepare("DELETE FROM bucket_settings WHERE bucket = ? AND name = ?");
  const removals = ["objects", "names", "listed_folders", "bucket_settings"].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE bucket = ?`),
  );
  return {
    addNames: (bucket, keys) => void addNames.run(bucket, JSON.stringify(keys)),
    removeNames: (bucket, keys) => void removeNames.run(bucket, JSON.stringify(keys)),
    addFolders: (bucket, prefixes) => void addFolders.run(bucket, JSON.stringify(prefixes)),
    setStamp: (bucket, prefix, stamp) => void setStamp.run(bucket, prefix, stamp),
    removeFolder: (bucket, prefix) => void removeFolder.run(bucket, prefix),
    set: (bucket, name, value) => void (value === null ? unset.run(bucket, name) : set.run(bucket, name, value)),
    removeBucket(bucket) {
      for (const removal of removals) removal.run(bucket);
    },
  };
}
