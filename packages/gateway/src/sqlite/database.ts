/** SQLite by the `node:sqlite` API: the built-in module of newer Node versions, else a prebuilt drop-in. */
import { getBuiltinModule } from "node:process";

export type SqlValue = null | number | bigint | string | Uint8Array;

export type Row<Column extends string> = Readonly<Record<Column, SqlValue>>;

export interface Statement<Column extends string> {
  run(...parameters: SqlValue[]): unknown;
  get(...parameters: SqlValue[]): Row<Column> | undefined;
  all(...parameters: SqlValue[]): Row<Column>[];
  iterate(...parameters: SqlValue[]): Iterable<Row<Column>>;
}

export interface Database {
  exec(sql: string): void;
  /** The type parameter names the columns of the result. */
  prepare<Column extends string = never>(sql: string): Statement<Column>;
  close(): void;
}

export interface OpenDatabaseOptions {
  readonly readOnly?: boolean;
  /** Milliseconds to wait for a lock. */
  readonly timeout?: number;
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string, options?: OpenDatabaseOptions) => Database;
}

/** In SQLite, every text is less than every blob. */
export const NO_END: Uint8Array = new Uint8Array(1);

/** Opens a database file. Node 22.13 and later need no package for it. */
export async function openDatabase(path: string, options: OpenDatabaseOptions = {}): Promise<Database> {
  const builtIn: unknown = getBuiltinModule("node:sqlite");
  const hasBuiltIn = typeof builtIn === "object" && builtIn !== null && "DatabaseSync" in builtIn;
  const { DatabaseSync } = (hasBuiltIn ? builtIn : await import("@photostructure/sqlite")) as SqliteModule;
  return new DatabaseSync(path, options);
}

/** Unlocks a file that is closed next: the drop-in for old versions of Node closes it only after its statements are collected. */
export function unlock(db: Database): void {
  db.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema");
}

/** SQLITE_FULL, in the low byte of an extended result code. */
const SQLITE_FULL = 13;

/** Whether SQLite found no space on the disk. */
export function isSqliteFull(error: unknown): boolean {
  const { errcode } = (error ?? {}) as { readonly errcode?: unknown };
  return typeof errcode === "number" && (errcode & 0xff) === SQLITE_FULL;
}

/** The text of a column; `undefined` if it is NULL. */
export function textOrNone(value: SqlValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
