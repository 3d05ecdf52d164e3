/** Brings the PostgreSQL state to the version of this release, in the transaction of its caller. */
import type { ClientBase } from "pg";
import { expectUsable } from "../contract/oldest.ts";
import { migrations } from "./migrations.ts";
import type { Run } from "./transaction.ts";

/** A migration may rewrite a table. */
export const MIGRATION_MS: number = 60 * 60_000;

/**
 * Returns the version before.
 *
 * @throws {StateUnusable} if the state needs a newer release
 */
export async function migrate(run: Run, client: ClientBase): Promise<number> {
  await run("prepare");
  const [{ version }] = await run("version");
  if (version > migrations.length) {
    const [oldest] = await run("oldest");
    expectUsable(oldest, migrations.length);
  }
  for (const [at, migration] of migrations.entries()) {
    if (at < version) continue;
    const config = { text: `SET LOCAL statement_timeout = 0; ${migration}`, query_timeout: MIGRATION_MS };
    await client.query(config);
    await run("migrated", at + 1);
  }
  return version;
}
