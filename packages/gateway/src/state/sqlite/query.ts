/** The named statements of a database, each prepared once. */
import type { Database, SqlValue, Statement } from "../../sqlite/database.ts";
import type { Count, RowsOf } from "../contract/tables.ts";
import { statements } from "./statements.ts";

type Statements = typeof statements;
type Name = keyof Statements;
type Rows<N extends Name> = RowsOf<Statements[N]>;
/** The statements that return rows. */
type Reading = { [N in Name]: Rows<N> extends never[] ? never : N }[Name];
/** The statements that count rows. */
type Counting = { [N in Reading]: Rows<N> extends [Count] ? N : never }[Reading];

/** Runs statements by name. */
export interface Queries {
  /** The first row; `undefined` if there is none, unless the statement always returns one. */
  first<N extends Reading>(
    name: N,
    ...values: SqlValue[]
  ): Rows<N>[0] | (Rows<N> extends [unknown] ? never : undefined);
  all<N extends Reading>(name: N, ...values: SqlValue[]): Rows<N>;
  /** The column `n` of the only row. */
  count(name: Counting, ...values: SqlValue[]): number;
  /** The number of rows that changed. */
  run(name: Exclude<Name, Reading>, ...values: SqlValue[]): number;
}

/** The statements of an open database. */
export function queries(db: Database): Queries {
  const prepared = new Map<Name, Statement<string>>();
  const sql = (name: Name): Statement<string> => {
    const known = prepared.get(name) ?? db.prepare(statements[name]);
    prepared.set(name, known);
    return known;
  };
  // Here rows get the columns that their statements name.
  const first: Queries["first"] = (name, ...values) => (sql(name).get(...values) ?? undefined) as Rows<typeof name>[0];
  return {
    first,
    all: (name, ...values) => sql(name).all(...values) as Rows<typeof name>,
    count: (name, ...values) => first(name, ...values).n,
    run: (name, ...values) => Number((sql(name).run(...values) as { changes: number | bigint }).changes),
  };
}
