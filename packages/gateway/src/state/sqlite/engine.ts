/** What the methods of the SQLite engine share. */
import type { AuditEntry } from "../contract/audit.ts";
import type { Millis } from "../contract/deliveries.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Queries } from "./query.ts";

/** An open database: its statements, its commits, what they record, and its clock. */
export interface Engine extends Queries, Pick<GroupCommit, "commit" | "commitRevocation"> {
  /** Adds entries to the transaction in progress. */
  append(...entries: readonly AuditEntry[]): void;
  now(): Millis;
}
