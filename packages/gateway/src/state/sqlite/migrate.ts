/** Brings the SQLite state to the version of this release. */

import type { Database } from "../../sqlite/database.ts";
import { unchecked } from "../../unchecked.ts";
import { expectUsable, type Oldest } from "../contract/oldest.ts";
import { migrations } from "./migrations.ts";

/** @throws {StateUnusable} if the state needs a newer release */
export function migrate(db: Database): void {
  const { user_version: version } = unchecked<{ user_version: number }>(db.prepare("PRAGMA user_version").get());
  if (version > migrations.length)
    expectUsable(unchecked<Oldest>(db.prepare("SELECT version, release FROM oldest").get()), migrations.length);
  for (const [at, migration] of migrations.entries()) {
    if (at < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${at + 1}; COMMIT`);
  }
}
