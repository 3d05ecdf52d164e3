/** Fills an empty PostgreSQL state with the rows of another engine, in one transaction. */
import type { ClientConfig } from "pg";
import type { SealedKey } from "../contract/keys.ts";
import { tables } from "../contract/tables.ts";
import { clientConfig, loadDriver } from "./connection.ts";
import { MIGRATION_MS, migrate } from "./migrate.ts";
import type { SecretSeal } from "./secrets.ts";
import { statements } from "./statements.ts";
import type { Rows, Run } from "./transaction.ts";

/** A table of rows; a row that others name comes before them. */
export const filledTables: readonly string[] = ["link", ...Object.keys(tables)];

/** What to store. */
export interface Filling {
  /** As for `postgresState`. */
  readonly url: string;
  readonly seal: SecretSeal;
  rows(table: string): Iterable<Readonly<Record<string, unknown>>>;
  readonly secrets: readonly { readonly name: string; readonly value: Uint8Array }[];
  readonly keys: readonly SealedKey[];
  /** Runs before the commit, which does not happen if it rejects. */
  readonly beforeCommit: () => Promise<void>;
}

/** About the size of one statement, in characters of JSON. */
const PAGE = 1_000_000;

/**
 * Stores everything, or nothing.
 *
 * @throws {Error} if the schema has rows
 */
export async function fillPostgres({ url, seal, rows, secrets, keys, beforeCommit }: Filling): Promise<void> {
  const { Client } = await loadDriver();
  const config = { ...clientConfig(url), pipeline: false, query_timeout: MIGRATION_MS };
  const client = new Client(config as ClientConfig);
  // A listener comes first: an error without one would end the process.
  client.on("error", () => undefined);
  await client.connect();
  const run: Run = async (name, ...values) =>
    (await client.query(statements[name], [...values])).rows as Rows<typeof name>;
  const copy = async (table: string): Promise<void> => {
    let [page, size] = [[] as string[], 0];
    const flush = async (): Promise<void> => {
      const named = `daypass.${table}`;
      const text = `INSERT INTO ${named} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::${named}, $1)`;
      if (page.length > 0) await client.query(text, [`[${page}]`]);
      [page, size] = [[], 0];
    };
    for (const row of rows(table)) {
      const json = JSON.stringify(row);
      size += json.length;
      page.push(json);
      if (size > PAGE) await flush();
    }
    await flush();
  };
  try {
    await client.query("BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '10s'");
    await run("migrateAlone");
    await migrate(run, client);
    const all = [...filledTables, "secret", "key"].map((table) => `daypass.${table}`);
    await client.query(`LOCK TABLE ${all} IN EXCLUSIVE MODE`);
    // Every state has its row, also an empty one.
    await client.query("DELETE FROM daypass.revision");
    const isFilled = all.map((table) => `EXISTS (SELECT 1 FROM ${table})`).join(" OR ");
    const [{ filled }] = (await client.query(`SELECT ${isFilled} AS filled`)).rows;
    if (filled) throw new Error(FILLED);
    for (const table of filledTables) await copy(table);
    for (const [table, columns] of Object.entries<Readonly<Record<string, string>>>(tables)) {
      if (columns["id"] !== "integer") continue;
      await client.query(
        `SELECT setval(pg_get_serial_sequence('daypass.${table}', 'id'), max(id)) FROM daypass.${table}`,
      );
    }
    for (const { name, value } of secrets) await run("putSecret", name, seal.seal(value, name));
    for (const { id, version, sealed } of keys) await run("putKey", id, version, sealed);
    // No process records under these names any more: the gateways apply the retention to them.
    await run("endWriters");
    await beforeCommit();
    const { command } = await client.query("COMMIT").catch((error: Error) => {
      throw new Error(
        `the answer to the commit was lost (${error.message}). Drop the schema daypass before you try again`,
      );
    });
    if (command !== "COMMIT") throw new Error("the transaction was rolled back");
  } finally {
    await client.end().catch(() => undefined);
  }
}

const FILLED =
  "the schema daypass of the database has rows. Name an empty database, or drop the schema if nothing in it is needed";
