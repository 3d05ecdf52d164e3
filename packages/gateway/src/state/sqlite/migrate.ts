/** Brings the SQLite state to the version of this release. */

import type { Database } from "../../sqlite/database.ts";
import { unchecked } from "../../unchecked.ts";
import { migrations } from "./migrations.ts";

/** @throws {Error} if a newer release wrote the state */
export function migrate(db: Database): void {
  const { user_version: version } = unchecked<{ user_version: number }>(db.prepare("PRAGMA user_version").get());
  if (version > migrations.length) {
    throw new Error(
      `the state has version ${version}, this release knows ${migrations.length}. Start a newer release.`,
    );
  }
  for (const [at, migration] of migrations.entries()) {
    if (at < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${at + 1}; COMMIT`);
  }
}
