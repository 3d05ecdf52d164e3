/** SQLite by the `node:sqlite` API: the built-in module where Node has it, a prebuilt drop-in where it does not. */
import { getBuiltinModule } from "node:process";

export type SqlValue = null | number | bigint | string | Uint8Array;

export interface Statement {
  run(...parameters: SqlValue[]): unknown;
  get(...parameters: SqlValue[]): unknown;
  all(...parameters: SqlValue[]): unknown[];
}

export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
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

/** Opens a database file. Node 22.13 and later need no package for it. */
export async function openDatabase(path: string, options: OpenDatabaseOptions = {}): Promise<Database> {
  const builtIn: unknown = getBuiltinModule("node:sqlite");
  const { DatabaseSync } = isSqliteModule(builtIn) ? builtIn : await import("@photostructure/sqlite");
  return new DatabaseSync(path, options);
}

function isSqliteModule(module: unknown): module is SqliteModule {
  return typeof module === "object" && module !== null && "DatabaseSync" in module;
}
