/** The rows of a SQLite state, for a move to another engine. */
import { openDatabase, type Row, type Statement, unlock } from "../../sqlite/database.ts";
import { unchecked } from "../../unchecked.ts";

/** A state that no other process can open meanwhile. */
export interface StoredRows {
  /** The rows of a table, with the id of their link in the place of its number. */
  rows(table: string, order?: string): Iterable<Row<string>>;
  /** In clear. */
  secrets(): readonly { readonly name: string; readonly value: Uint8Array }[];
  close(): void;
}

/** Opens and locks the file of a state of this release's version. Rejects if another process uses the file. */
export async function storedRows(path: string): Promise<StoredRows> {
  const db = await openDatabase(path, { timeout: 0 });
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    throw error;
  }
  // The drop-in for old versions of Node crashes if a statement is collected while its rows are read.
  const reading: Statement<string>[] = [];
  const columns = (table: string): string[] => {
    const names = db.prepare<"name">(`PRAGMA table_info(${table})`).all();
    return names.flatMap(({ name }) => (name === "number" ? [] : [LINK[String(name)] ?? String(name)]));
  };
  return {
    rows(table, order) {
      const text = `SELECT ${columns(table)} FROM ${table}${order ? ` ORDER BY ${order}` : ""}`;
      const statement = db.prepare<string>(text);
      reading.push(statement);
      return statement.iterate();
    },
    // A run belongs to one database.
    secrets: () => unchecked(db.prepare<"name" | "value">("SELECT name, value FROM secret WHERE name <> 'run'").all()),
    close() {
      db.exec("ROLLBACK");
      unlock(db);
      db.close();
      reading.length = 0;
    },
  };
}

const LINK: Readonly<Record<string, string>> = {
  link_number: "(SELECT id FROM link WHERE number = link_number) AS link",
};
