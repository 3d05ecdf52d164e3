/** The SQLite engine of the state, in the process that owns the file. Transactions that arrive together share one commit. */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { isSqliteFull, openDatabase, type SqlValue } from "../../sqlite/database.ts";
import { commitChain, type MacOptions } from "../contract/commit-mac.ts";
import { changeEntry, decisionEntries } from "../contract/decision-entries.ts";
import {
  type Applied,
  apply,
  type Changes,
  CLAIM_WINDOW,
  type Command,
  type Delivery,
  type Millis,
} from "../contract/deliveries.ts";
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
import type { Revocation } from "../contract/revocations.ts";
import { toDelivery, toRevocation, toToken, toVariant, toWindow } from "../contract/rows.ts";
import { SlugTaken } from "../contract/slug-taken.ts";
import type { FoundLink, State, Variant, WholeLink } from "../contract/state.ts";
import type { DeliveryRow, VariantRow } from "../contract/tables.ts";
import { auditMethods, journalOf, outboxMethods } from "./audit.ts";
import { failureMethods } from "./failures.ts";
import { grouped } from "./group-commit.ts";
import { migrate } from "./migrate.ts";
import { queries } from "./query.ts";
import { reserveOf } from "./reserve.ts";

/** Options of {@link sqliteState}. */
export interface SqliteStateOptions {
  /** Path of the database file, which is created if it does not exist. */
  readonly path: string;
  readonly clock?: (() => Date) | undefined;
  /** The name under which this process records decisions: `main` by default. */
  readonly writer?: string | undefined;
  /** Authenticates each commit of the audit. Absent: none, and no sealer signs the records. */
  readonly mac?: MacOptions | undefined;
}

/**
 * Opens the state in this process. Rejects if another process owns the file, or if a newer release wrote it.
 *
 * @example
 * ```ts
 * import { sqliteState } from "@daypass/gateway/state";
 *
 * const state = await sqliteState({ path: "state.db" });
 * await state.close();
 * ```
 */
export async function sqliteState(options: SqliteStateOptions): Promise<State> {
  const { path, clock = () => new Date(), writer = "main", mac } = options;
  const reserve = reserveOf(path);
  const db = await openDatabase(path, { timeout: 0 });
  try {
    db.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
    );
    // A group of claims changes pages all over the indexes: with SQLite's 2 MB of cache and 4 MB of log each group would end in a checkpoint.
    db.exec("PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192");
    migrate(db);
  } catch (error) {
    db.close();
    if (isSqliteFull(error) && reserve.giveUp()) return sqliteState(options);
    throw error;
  }
  const query = queries(db);
  const { first, all, count, run } = query;
  // SQLite reports a clock that went back as it is, and a counter must not run twice.
  let latest: Millis = 0;
  const now = (): Millis => {
    latest = Math.max(latest, clock().getTime());
    return latest;
  };
  const chain = commitChain(writer, mac);
  const journal = journalOf(query, { writer, chain, now });
  const { append } = journal;
  const { commit, commitRevocation, close } = grouped(db, journal, reserve);

  const variantsOf = (link: string): Variant[] => all("variantsOf", link).map(toVariant);
  const whole = (row: LinkRow): WholeLink => ({ link: toLink(row), variants: variantsOf(row.id) });
  const found = (row: LinkRow | undefined, variant?: VariantRow): FoundLink | undefined => {
    const link = row && toLink(row);
    const one = link && (variant ? toVariant(variant) : variantsOf(link.id)[0]);
    return link && one && { link, variant: one };
  };

  /** Loads the rows of a command, decides it, and stores what it changes. */
  function deliver(variantId: string, command: Command): Applied {
    const target = first("deciding", variantId);
    if (target === undefined) return { ok: false, reason: "unknown" };
    const variant = toVariant(target);
    const at = now();
    const isClaim = command.type === "claim";
    // The token of a delivery derives from its claim key, so one index finds both.
    const row = first("delivery", command.token);
    if (row !== undefined && row.variant !== variantId) return { ok: false, reason: "unknown" };
    const attemptId = isClaim ? command.start?.attempt : "attempt" in command ? command.attempt : undefined;
    const attempt = attemptId === undefined || row === undefined ? undefined : first("attempt", attemptId);
    const delivery = row && toDelivery(row);
    // A start that was committed while its answer was lost arrives again with the same attempt.
    if (attempt !== undefined && delivery !== undefined && (isClaim || command.type === "start")) {
      return { ok: true, delivery, isNew: false, started: false };
    }
    const changes = apply(
      {
        link: toWindow(target),
        variant,
        delivery,
        // Overdue claims of a variant with room lapse in the next sweep.
        claimed: isClaim && isFull(variant) ? all("waiting", target.link_number, variantId).map(toDelivery) : [],
        recentClaims: isClaim ? count("recentClaims", target.link_number, command.address, at - CLAIM_WINDOW) : 0,
        attempt,
      },
      command,
      at,
    );
    store(target.link_number, { before: variant, was: delivery }, changes);
    append(...decisionEntries({ variant, was: delivery, attempt }, command, changes));
    return changes.result;
  }

  function store(
    link: number,
    { before, was }: { before: Variant; was: Delivery | undefined },
    { variant, deliveries, result, ...changes }: Changes,
  ): void {
    const isCompleted = result.ok && result.delivery.completedAt !== undefined && was?.completedAt === undefined;
    const isStarted = result.ok && result.started;
    if (variant !== before) {
      run("count", variant.used, variant.held, Number(isStarted), Number(isCompleted), before.id);
    }
    for (const one of deliveries) {
      const { token, claim, state, claimedAt, address, startBy, leaseUntil } = one;
      const { etag = null, size = null, held, covered, completedAt = null } = one;
      const ids = [token, before.id, link, claim, state, claimedAt, address, startBy, leaseUntil] as const;
      run("putDelivery", ...ids, etag, size, held, JSON.stringify(covered), completedAt);
    }
    const token = result.ok ? result.delivery.token : "";
    const attempt = changes.addAttempt ?? changes.changeAttempt;
    if (attempt !== undefined) run("putAttempt", attempt.id, token, attempt.reserved);
    if (changes.removeAttempt !== undefined) run("removeAttempt", changes.removeAttempt);
  }

  function createLink(link: Link, variants: readonly Variant[], idempotencyKey: string | undefined): FoundLink {
    const repeated = idempotencyKey === undefined ? undefined : found(first("linkByIdempotency", idempotencyKey));
    if (repeated !== undefined) return repeated;
    const { id, slug, owner, bucket, key, expiresAt } = link;
    if (slug !== undefined && first("linkBySlug", slug) !== undefined) throw new SlugTaken();
    run("addLink", ...valuesOf(link, linkColumns), idempotencyKey ?? null);
    for (const [position, one] of variants.entries()) {
      const { name = null, max = null, used, givenBack, maxBytes = null, held, started, completed } = one;
      run("addVariant", one.id, position, name, max, used, givenBack, maxBytes, held, started, completed, id);
    }
    const expires = new Date(expiresAt).toISOString();
    append({
      action: "link.created",
      by: owner,
      result: "ok",
      link: id,
      target: `${bucket}/${key}`,
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

  function revoke({ id, selector, reason, until }: Parameters<State["revoke"]>[0], by: string): Revocation {
    const text = JSON.stringify(selector);
    const known = first("revocationInForce", text);
    if (known !== undefined) return toRevocation(known);
    const revision = Number(first("nextRevision")?.value);
    const createdAt = now();
    run("addRevocation", id, revision, text, reason ?? null, createdAt, until ?? null);
    append({ action: "revocation.added", by, result: "ok", subject: id, detail: text });
    return { id, revision, selector, reason, createdAt, until, liftedAt: undefined };
  }

  function lift(id: string, by: string): Revocation | undefined {
    const revision = Number(first("nextRevision")?.value);
    const isLifted = run("lift", now(), revision, id) > 0;
    if (isLifted) append({ action: "revocation.lifted", by, result: "ok", subject: id });
    const row = first("revocation", id);
    return row && toRevocation(row);
  }

  function removeOrphans(by: string): void {
    for (const { id } of all("removeOrphans")) append({ action: "webhook.removed", by, result: "ok", subject: id });
  }

  function sweep(): void {
    const at = now();
    const gateway = { by: "gateway", result: "ok" } as const;
    for (const { token, variant, link, address } of all("lapse", at)) {
      run("giveUnused", variant);
      append({ ...gateway, action: "delivery.lapsed", link, delivery: token, address });
    }
    for (const { token, link, address } of all("endLeases", at)) {
      append({ ...gateway, action: "delivery.ended", link, delivery: token, address });
    }
    for (const { id } of all("warn", at, at + DAY, 2 * DAY)) append({ ...gateway, action: "link.expiring", link: id });
    removeOrphans("gateway");
    run("removeUses", at);
    run("removeRevocations", at);
    run("removeFailures", at - DAY);
  }

  return {
    sharedByReplicas: false,
    secret: (name) =>
      commit(() => {
        const known = first("secret", name)?.value;
        if (known !== undefined) return Uint8Array.from(known);
        const value = randomBytes(32);
        run("addSecret", name, value);
        return Uint8Array.from(value);
      }),
    beginRun: (seen) =>
      // A gateway that restarts on a full disk must revoke, too.
      commitRevocation(() => {
        const last = first("secret", "run")?.value;
        const isKnown = last === undefined || Buffer.from(last).toString("base64url") === seen;
        const suspended = isKnown ? 0 : run("suspendCounted");
        if (!isKnown) {
          const detail = `${suspended} links suspended`;
          append({ action: "state.restored", by: "gateway", result: "ok", detail });
        }
        const next = randomBytes(16);
        run("putSecret", "run", next);
        return { run: next.toString("base64url"), suspended };
      }),
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
    deliver: (variant, command) => commit(() => deliver(variant, command)),
    findDelivery: (token) =>
      commit(() => {
        const row = first("delivery", token);
        const variant = row && first("variant", row.variant);
        const target = variant && found(first("link", variant.link), variant);
        return row && target && { ...target, delivery: toDelivery(row) };
      }),
    listDeliveries: (link, page) =>
      commit(() => {
        const rows = all("deliveriesAfter", link, pageStart(page)[1], page.limit + 1);
        const toItem = (row: DeliveryRow) => ({ ...toDelivery(row), variant: row.variant });
        return pageOf(rows, page, toItem, "claimed_at", "token");
      }),
    claimUse: ({ kid, grantId, uses, until }) =>
      commit(() => {
        const isClaimed = run("claimUse", kid, grantId, until, uses) > 0;
        append({ action: "use.claimed", by: `key:${kid}`, result: isClaimed ? "ok" : "used-up", subject: grantId });
        return isClaimed;
      }),
    revoke: (revocation, by) => commitRevocation(() => revoke(revocation, by)),
    lift: (id, by) => commit(() => lift(id, by)),
    listRevocations: (page) =>
      commit(() => {
        const rows = all("revocationsPage", ...pageStart(page), page.limit + 1);
        return pageOf(rows, page, toRevocation, "created_at", "id");
      }),
    revocationsAfter: (revision) => commit(() => all("revocationsAfter", revision).map(toRevocation)),
    addToken: ({ id, hash, createdAt, revokedAt, ...rest }, by) =>
      commit(() => {
        run("addToken", id, hash, JSON.stringify(rest), createdAt);
        append({ action: "token.created", by, result: "ok", subject: id, detail: rest.scopes.join(" ") });
      }),
    findToken: (hash) =>
      commit(() => {
        const row = first("tokenByHash", hash);
        return row && toToken(row);
      }),
    listTokens: () => commit(() => all("tokens").map(toToken)),
    revokeToken: (id, by) =>
      commitRevocation(() => {
        const isRevoked = run("revokeToken", now(), id) > 0;
        if (isRevoked) append({ action: "token.revoked", by, result: "ok", subject: id });
        removeOrphans(by);
        return isRevoked;
      }),
    ...failureMethods(query, { commit, now }),
    ...auditMethods(query, journal, { commit, chain }),
    ...outboxMethods(query, journal, { commit, now }),
    sweep: () => commit(sweep).finally(reserve.keep),
    isFull: reserve.isFull,
    async backup(path) {
      if (existsSync(path)) throw new Error(`${path} exists. Name a new file for the backup.`);
      // VACUUM runs outside of a transaction, so it waits for the commit in progress.
      await commit(() => undefined);
      // The copy has the secret of the state, so only its owner may read it.
      writeFileSync(path, "", { flag: "wx", mode: 0o600 });
      try {
        db.prepare("VACUUM INTO ?").run(path);
        // A copy with the present run would look like a state that has lost nothing.
        const copy = await openDatabase(path);
        copy.exec("UPDATE secret SET value = randomblob(16) WHERE name = 'run'");
        copy.close();
      } catch (error) {
        rmSync(path, { force: true });
        throw error;
      }
    },
    close,
  };
}

function isFull({ max, used, givenBack }: Variant): boolean {
  return max !== undefined && used >= max + givenBack;
}

const DAY = 24 * 60 * 60_000;

function valuesOf(link: Link, columns: readonly string[]): SqlValue[] {
  const row: Readonly<Record<string, SqlValue>> = linkRow(link);
  return columns.map((column) => row[column] ?? null);
}
