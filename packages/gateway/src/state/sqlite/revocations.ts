/** Revocations in SQLite. */

import { pageOf, pageStart } from "../contract/page.ts";
import type { Revocation, RevocationMethods } from "../contract/revocations.ts";
import { revocationRow, toChange, toRevocation } from "../contract/rows.ts";
import { rowValues } from "../contract/tables.ts";
import type { Engine } from "./engine.ts";

/** The methods of the contract for revocations. */
export function revocationMethods({
  first,
  all,
  run,
  append,
  commit,
  commitRevocation,
  now,
}: Engine): RevocationMethods {
  function revoke({ id, selector, reason, until }: Parameters<RevocationMethods["revoke"]>[0], by: string): Revocation {
    const text = JSON.stringify(selector);
    const known = first("revocationInForce", text);
    if (known !== undefined) return toRevocation(known);
    const revision = Number(first("nextRevision")?.value);
    const revocation = { id, revision, selector, reason, createdAt: now(), until, liftedAt: undefined };
    run("addRevocation", ...rowValues("revocation", revocationRow(revocation)));
    append({ action: "revocation.added", by, result: "ok", subject: id, detail: text });
    return revocation;
  }

  function lift(id: string, by: string): Revocation | undefined {
    const revision = Number(first("nextRevision")?.value);
    const isLifted = run("lift", now(), revision, id) > 0;
    if (isLifted) append({ action: "revocation.lifted", by, result: "ok", subject: id });
    const row = first("revocation", id);
    return row && toRevocation(row);
  }

  return {
    revoke: (revocation, by) => commitRevocation(() => revoke(revocation, by)),
    lift: (id, by) => commit(() => lift(id, by)),
    listRevocations: (page) =>
      commit(() => {
        const rows = all("revocationsPage", ...pageStart(page), page.limit + 1);
        return pageOf(rows, page, toRevocation, "created_at", "id");
      }),
    revocationsAfter: (after, limit) =>
      commit(() => ({
        revocations: all("revocationsAfter", after, limit).map(toChange),
        revision: Number(first("revision")?.value),
      })),
  };
}
