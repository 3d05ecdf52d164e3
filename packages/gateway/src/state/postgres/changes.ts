/** What transactions change, apart from deliveries. */

import { randomBytes } from "node:crypto";
import type { CountedFailure, FailureCounts, RecordedFailure } from "../contract/attempts.ts";
import { scheduleAttempt } from "../contract/attempts.ts";
import { addedCounts, COUNTED, type CountBatch, OPENING } from "../contract/counts.ts";
import { changeEntry, useEntry } from "../contract/decision-entries.ts";
import type { Millis } from "../contract/deliveries.ts";
import { changedLink, type Link, type LinkChange, linkRow, toLink } from "../contract/fields.ts";
import { revocationOf } from "../contract/link-revocation.ts";
import { LOST_USES, mayBeLost, type Revocation } from "../contract/revocations.ts";
import { lostUsesRow, optional, revocationRow, toRevocation, toVariant, variantRow } from "../contract/rows.ts";
import { SlugTaken } from "../contract/slug-taken.ts";
import type { FoundLink, Use, Variant, WholeLink } from "../contract/state.ts";
import { rowValues } from "../contract/tables.ts";
import { targetText } from "../contract/target-text.ts";
import type { JoinedRow } from "./statements.ts";
import { type Database, Moved, type Run, type Transaction } from "./transaction.ts";

const DAY = 24 * 60 * 60_000;

/** Stores a link, unless its idempotency key did so before. */
export async function createLink(
  { run, append }: Transaction,
  { link, variants, idempotencyKey }: { link: Link; variants: readonly Variant[]; idempotencyKey: string | undefined },
): Promise<FoundLink> {
  const repeated = async () =>
    idempotencyKey === undefined ? undefined : found((await run("linkByIdempotency", idempotencyKey))[0]);
  const known = await repeated();
  if (known !== undefined) return known;
  // A conflicting INSERT waits for the other transaction, so its link is visible afterwards.
  if ((await run("addLink", linkRow(link), idempotencyKey ?? null)).length === 0) {
    const first = await repeated();
    if (first === undefined) throw new SlugTaken();
    return first;
  }
  await run("addVariants", JSON.stringify(variants.map((one, at) => ({ ...variantRow(one, at), link: one.link }))));
  const detail = `expires ${new Date(link.expiresAt).toISOString()}`;
  const target = targetText(link);
  append({ action: "link.created", by: link.owner, result: "ok", link: link.id, target, detail });
  return { link, variant: variants[0] as Variant };
}

async function lockLink(run: Run, id: string): Promise<Link | undefined> {
  // Variants come first, in the order of a claim's locks.
  const [, [row]] = await Promise.all([run("lockVariants", id), run("lockLink", id)]);
  return row && toLink(row);
}

/** Revokes a link of any version. */
export async function revokeLink(
  transaction: Transaction,
  { id, by, at }: { readonly id: string; readonly by: string; readonly at: Millis },
): Promise<Link | undefined> {
  const link = await lockLink(transaction.run, id);
  const change = link && revocationOf(link, by, at);
  return link && change ? updateLink(transaction, { id, version: link.version, change, by }) : link;
}

/** Removes the webhooks of revoked tokens. */
export async function removeOrphans({ run, append }: Transaction, by: string): Promise<void> {
  for (const { id } of await run("removeOrphans")) append({ action: "webhook.removed", by, result: "ok", subject: id });
}

/** Changes a link of this version. */
export async function updateLink(
  { run, append }: Transaction,
  { id, version, change, by }: { id: string; version: number; change: LinkChange; by: string },
): Promise<Link | undefined> {
  const before = await lockLink(run, id);
  if (before === undefined) return undefined;
  const link = changedLink(before, change);
  if ((await run("changeLink", linkRow(link), id, version)).length === 0) return undefined;
  append(changeEntry(before, change, by));
  await run("limit", link.maxDeliveries ?? null, link.maxBytes ?? null, id);
  return { ...link, version: version + 1 };
}

/** Suspends counted links, and refuses uses of older URLs, because the state may have lost claims. */
export async function suspendCounted({ run, append }: Transaction, at: Millis): Promise<number> {
  const [counter] = await run("nextRevision");
  await run("putLostUses", ...rowValues("revocation", lostUsesRow(counter.value, at)));
  const { length } = await run("suspendCounted");
  append({ action: "state.restored", by: "gateway", result: "ok", detail: `${length} links suspended` });
  return length;
}

/** Stores where the data is. If it lost claims, suspends counted links and returns how many; `undefined` if nothing was lost. */
export async function checkPlace(
  transaction: Transaction,
  { suspendAfterFailover, at }: { readonly suspendAfterFailover: boolean; readonly at: Millis },
): Promise<number | undefined> {
  const { run } = transaction;
  const [place] = await run("place");
  if (place?.same === true) return undefined;
  await run("putPlace");
  // Replicas may know revocations that were lost: those that follow need higher revisions.
  await run("skipRevisions");
  if (place === undefined || (place.promoted && !suspendAfterFailover)) return undefined;
  return suspendCounted(transaction, at);
}

/** Stores a revocation, unless one of the same selector is in force. */
export async function revoke(
  { run, append }: Transaction,
  { id, selector, reason, until }: Pick<Revocation, "id" | "selector" | "reason" | "until">,
  { by, at }: { readonly by: string; readonly at: Millis },
): Promise<Revocation> {
  const text = JSON.stringify(selector);
  // The counter first: its lock makes two replicas that revoke the same selector wait for each other.
  const [counter] = await run("nextRevision");
  const [known] = await run("revocationInForce", text);
  if (known !== undefined) return toRevocation(known);
  const revocation = { id, revision: counter.value, selector, reason, createdAt: at, until, liftedAt: undefined };
  await run("addRevocation", ...rowValues("revocation", revocationRow(revocation)));
  await run("notify");
  append({ action: "revocation.added", by, result: "ok", subject: id, detail: text });
  return revocation;
}

/** Counts uses that arrived together. A repetition returns the first results. @throws {Moved} */
export async function claimUses(db: Database, uses: readonly Use[], deadline: number): Promise<readonly boolean[]> {
  const id = randomBytes(16).toString("base64url");
  return db.transaction(
    async ({ run, append, attempt }) => {
      const [known] = attempt === 0 ? [] : await run("applied", id);
      if (known !== undefined) return JSON.parse(known.result);
      const [{ same, since }] = await run("lostUses", LOST_USES);
      if (same !== true) throw new Moved();
      const lost = uses.map(({ validFrom }) => mayBeLost(validFrom, since));
      const rows = await Promise.all(
        uses.map(({ kid, grantId, until, uses: most }, at) =>
          lost[at] ? [] : run("claimUse", kid, grantId, until, most),
        ),
      );
      const results = rows.map(({ length }) => length > 0);
      append(...uses.map((use, at) => useEntry(use, { isClaimed: results[at] === true, isLost: lost[at] === true })));
      await run("addApplied", id, JSON.stringify(results), db.now());
      return results;
    },
    { deadline },
  );
}

/** Adds counts, unless the batch was added before. */
export function addCounts(db: Database, { id, uses }: CountBatch): Promise<void> {
  return db.transaction(
    async ({ run }) => {
      if ((await run("applied", id)).length > 0) return;
      const openings = uses.flatMap(({ variant, network, openedAt: at }) =>
        at === undefined ? [] : [{ variant, network, at }],
      );
      const opened = openings.length === 0 ? [] : await run("open", JSON.stringify(openings));
      const counts = addedCounts(
        uses,
        opened.map(({ variant }) => variant),
      );
      const ids = counts.map((one) => one.id);
      await Promise.all([run("addCounts", JSON.stringify(counts), ids), run("addApplied", id, "", db.now())]);
    },
    { durable: false },
  );
}

/** Counts failures since an instant. */
async function failures(
  run: Run,
  { address, link, since }: { readonly address: string; readonly link: string; readonly since: Millis },
): Promise<FailureCounts> {
  const [row] = await run("failures", address, link, since);
  return { byAddress: row.by_address, byLink: row.n, lastByLink: optional(row.last) };
}

/** Counts an attempt, unless it is refused. */
export async function recordFailure(
  run: Run,
  { address, link, windowMs, most }: CountedFailure,
  clock: () => Millis,
): Promise<RecordedFailure> {
  // Always in this order, so that two attempts cannot wait for each other.
  await run("lockFailures", `address ${address}`);
  if (link !== "") await run("lockFailures", `link ${link}`);
  const now = clock();
  const selected = { address, link, since: now - windowMs };
  const counts = await failures(run, selected);
  const [{ n: waiting }] = await run("waitingFailures", address, link, now);
  const at = scheduleAttempt({ link, most, counts, waiting, now });
  if (at === undefined) return counts;
  await run("addFailure", ...rowValues("failure", { at, address, link }));
  return { ...(await failures(run, selected)), at };
}

/** Each variant in its own transaction, so that no claim waits for a sweep. */
export async function sweep(db: Database): Promise<void> {
  const lazy = { durable: false };
  const at = db.now();
  const gateway = { by: "gateway", result: "ok" } as const;
  for (const { variant } of await db.read("overdue", at)) {
    await db.transaction(async ({ run, append }) => {
      await run("lockVariant", variant);
      const lapsed = await run("lapse", variant, at);
      await run("giveUnused", variant, lapsed.length);
      for (const { token, link, address } of lapsed) {
        append({ ...gateway, action: "delivery.lapsed", link, delivery: token, address });
      }
    }, lazy);
  }
  await db.transaction(async ({ run, append }) => {
    for (const { token, link, address } of await run("endLeases", at)) {
      append({ ...gateway, action: "delivery.ended", link, delivery: token, address });
    }
    for (const { id } of await run("warn", at, at + DAY, 2 * DAY))
      append({ ...gateway, action: "link.expiring", link: id });
  }, lazy);
  await db.transaction((transaction) => removeOrphans(transaction, "gateway"), lazy);
  for (const [name, until] of [
    ["removeUses", at],
    ["removeRevocations", at - DAY],
    ["removeFailures", at - DAY],
    ["removeOpenings", at - OPENING],
    ["removeApplied", at - COUNTED],
  ] as const) {
    await db.transaction(({ run }) => run(name, until), lazy);
  }
}

/** A link with its variants, as a statement joined them. */
export function whole({ link, variants }: JoinedRow): WholeLink {
  return { link: toLink(link), variants: variants.map(toVariant) };
}

/** A link with the variant that was asked for. */
export function found(row: JoinedRow | undefined): FoundLink | undefined {
  const { link, variants: [variant] = [] } = row ?? {};
  return link && variant && { link: toLink(link), variant: toVariant(variant) };
}
