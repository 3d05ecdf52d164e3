/** The named statements of a database, each prepared once. */
import type { Database, SqlValue, Statement } from "../../sqlite/database.ts";
import type { Row } from "../contract/rows.ts";
import { statements } from "./statements.ts";

type Name = keyof typeof statements;

/** Runs statements by name. */
export interface Queries {
  first(name: Name, ...values: SqlValue[]): Row | undefined;
  all(name: Name, ...values: SqlValue[]): Row[];
  /** The column `n` of the first row. */
  count(name: Name, ...values: SqlValue[]): number;
  /** The number of rows that changed. */
  run(name: Name, ...values: SqlValue[]): number;
}

/** The statements of an open database. */
export function queries(db: Database): Queries {
  const prepared = new Map<Name, Statement<string>>();
  const sql = (name: Name): Statement<string> => {
    const known = prepared.get(name) ?? db.prepare(statements[name]);
    prepared.set(name, known);
    return known;
  };
  const first: Queries["first"] = (name, ...values) => (sql(name).get(...values) as unknown as Row | null) ?? undefined;
  return {
    first,
    all: (name, ...values) => sql(name).all(...values) as unknown as Row[],
    count: (name, ...values) => Number(first(name, ...values)?.n),
    run: (name, ...values) => Number((sql(name).run(...values) as { changes: number | bigint }).changes),
  };
}
