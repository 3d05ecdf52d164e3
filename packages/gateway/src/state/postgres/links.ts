/** Links in PostgreSQL. */
import { pageOf, pageStart } from "../contract/page.ts";
import { toVariant } from "../contract/rows.ts";
import type { LinkMethods } from "../contract/state.ts";
import { addCounts, createLink, found, recordFailure, revokeLink, updateLink, whole } from "./changes.ts";
import type { Database, Once } from "./transaction.ts";

/** The methods of the contract for links. */
export function linkMethods(db: Database, once: Once): LinkMethods {
  return {
    createLink: (link, variants, idempotencyKey) =>
      once((transaction) => createLink(transaction, { link, variants, idempotencyKey })),
    async findLink(address) {
      const [row] = await db.read("linkByVariant", address);
      return found(row ?? (await db.read("linkBySlug", address))[0]);
    },
    async getLink(id) {
      const [row] = await db.read("linkAndVariants", id);
      return row && whole(row);
    },
    async listLinks({ owner = null, ...page }) {
      const rows = await db.read("linksAfter", owner, ...pageStart(page), page.limit + 1);
      return pageOf(rows, page, whole, "created_at", "id");
    },
    updateLink: (id, version, change, by) =>
      once((transaction) => updateLink(transaction, { id, version, change, by })),
    revokeLink: (id, by) => once((transaction) => revokeLink(transaction, { id, by, at: db.now() })),
    giveBack: (variant, more, by) =>
      once(async ({ run, append }) => {
        const [row] = await run("giveBack", more, variant);
        if (row === undefined) return undefined;
        const given = toVariant(row);
        const { link, name: recipient } = given;
        append({ action: "link.given-back", by, result: "ok", link, recipient, detail: String(more) });
        return given;
      }),
    recordFailure: (failure) => once(({ run }) => recordFailure(run, failure, db.now)),
    forgetFailure: ({ address, link, at }) =>
      once(async ({ run }) => void (await run("forgetFailure", address, link, at))),
    addCounts: (batch) => addCounts(db, batch),
  };
}
