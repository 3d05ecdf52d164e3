/** Links in SQLite. */
import type { SqlValue } from "../../sqlite/database.ts";
import { addedCounts } from "../contract/counts.ts";
import { changeEntry } from "../contract/decision-entries.ts";
import {
  changedLink,
  editableColumns,
  type Link,
  type LinkChange,
  type LinkRow,
  linkColumns,
  linkRow,
  toLink,
} from "../contract/fields.ts";
import { revocationOf } from "../contract/link-revocation.ts";
import { pageOf, pageStart } from "../contract/page.ts";
import { toVariant, variantRow } from "../contract/rows.ts";
import { SlugTaken } from "../contract/slug-taken.ts";
import type { FoundLink, LinkMethods, Variant, WholeLink } from "../contract/state.ts";
import { rowValues, type VariantRow } from "../contract/tables.ts";
import { targetText } from "../contract/target-text.ts";
import type { Engine } from "./engine.ts";
import { failureMethods } from "./failures.ts";
import type { Queries } from "./query.ts";

function variantsOf({ all }: Queries, link: string): Variant[] {
  return all("variantsOf", link).map(toVariant);
}

/** A link with one variant: its first, if none is named. */
export function foundLink(query: Queries, row: LinkRow | undefined, variant?: VariantRow): FoundLink | undefined {
  const link = row && toLink(row);
  const one = link && (variant ? toVariant(variant) : variantsOf(query, link.id)[0]);
  return link && one && { link, variant: one };
}

function valuesOf(link: Link, columns: readonly string[]): SqlValue[] {
  const row: Readonly<Record<string, SqlValue>> = linkRow(link);
  return columns.map((column) => row[column] ?? null);
}

/** The methods of the contract for links. */
export function linkMethods(engine: Engine): LinkMethods {
  const { first, all, run, append, commit, commitRevocation, now } = engine;
  const found = (row: LinkRow | undefined, variant?: VariantRow) => foundLink(engine, row, variant);
  const whole = (row: LinkRow): WholeLink => ({ link: toLink(row), variants: variantsOf(engine, row.id) });

  function createLink(link: Link, variants: readonly Variant[], idempotencyKey: string | undefined): FoundLink {
    const repeated = idempotencyKey === undefined ? undefined : found(first("linkByIdempotency", idempotencyKey));
    if (repeated !== undefined) return repeated;
    const { id, slug, owner, expiresAt } = link;
    if (slug !== undefined && first("linkBySlug", slug) !== undefined) throw new SlugTaken();
    run("addLink", ...valuesOf(link, linkColumns), idempotencyKey ?? null);
    for (const [position, one] of variants.entries())
      run("addVariant", ...rowValues("variant", variantRow(one, position)), id);
    const expires = new Date(expiresAt).toISOString();
    append({
      action: "link.created",
      by: owner,
      result: "ok",
      link: id,
      target: targetText(link),
      detail: `expires ${expires}`,
    });
    return { link, variant: variants[0] as Variant };
  }

  function updateLink(id: string, version: number, change: LinkChange, by: string): Link | undefined {
    const row = first("link", id);
    if (row === undefined) return undefined;
    const before = toLink(row);
    const link = changedLink(before, change);
    if (run("changeLink", ...valuesOf(link, editableColumns), link.expiresAt, id, version) === 0) return undefined;
    append(changeEntry(before, change, by));
    run("limit", link.maxDeliveries ?? null, link.maxBytes ?? null, id);
    return { ...link, version: version + 1 };
  }

  function revokeLink(id: string, by: string): Link | undefined {
    const row = first("link", id);
    const link = row && toLink(row);
    const change = link && revocationOf(link, by, now());
    return link && change ? updateLink(id, link.version, change, by) : link;
  }

  return {
    createLink: (link, variants, idempotencyKey) => commit(() => createLink(link, variants, idempotencyKey)),
    findLink: (address) =>
      commit(() => {
        const variant = first("variant", address);
        return variant ? found(first("link", variant.link), variant) : found(first("linkBySlug", address));
      }),
    getLink: (id) =>
      commit(() => {
        const row = first("link", id);
        return row && whole(row);
      }),
    listLinks: ({ owner, ...page }) =>
      commit(() => {
        const after = pageStart(page);
        const limit = page.limit + 1;
        const rows =
          owner === undefined ? all("linksAfter", ...after, limit) : all("ownLinksAfter", owner, ...after, limit);
        return pageOf(rows, page, whole, "created_at", "id");
      }),
    updateLink: (id, version, change, by) => commit(() => updateLink(id, version, change, by)),
    revokeLink: (id, by) => commitRevocation(() => revokeLink(id, by)),
    giveBack: (variant, more, by) =>
      commit(() => {
        run("giveBack", more, variant);
        const row = first("variant", variant);
        const { link, name: recipient } = row === undefined ? {} : toVariant(row);
        if (row !== undefined) {
          append({ action: "link.given-back", by, result: "ok", link, recipient, detail: String(more) });
        }
        return row && toVariant(row);
      }),
    addCounts: ({ id, uses }) =>
      commit(() => {
        if (run("addApplied", id, now()) === 0) return;
        const opened = uses.flatMap(({ variant, network, openedAt }) =>
          openedAt !== undefined && run("open", ...rowValues("opening", { variant, network, at: openedAt })) > 0
            ? [variant]
            : [],
        );
        for (const one of addedCounts(uses, opened))
          run("addCounts", one.opened, one.downloaded, one.last_opened, one.id);
      }),
    ...failureMethods(engine),
  };
}
