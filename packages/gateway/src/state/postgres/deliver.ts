/** Commands that arrive together in one transaction: three round trips, one commit. */
import { randomBytes } from "node:crypto";
import { decideBatch } from "../contract/decide-batch.ts";
import {
  type Applied,
  CLAIM_WINDOW,
  type Command,
  type Delivery,
  type DeliveryRefusal,
  type Millis,
} from "../contract/deliveries.ts";
import { toLink } from "../contract/fields.ts";
import { deliveryRow, toDelivery, toVariant } from "../contract/rows.ts";
import type { DeliveryRow } from "../contract/tables.ts";
import { joined } from "./joined.ts";
import { afterMove, type Database, Moved, type Transaction } from "./transaction.ts";

interface Item {
  readonly variant: string;
  readonly command: Command;
}

/** Options of {@link deliverer}. */
export interface DelivererOptions {
  readonly db: Database;
  /** Called if the data is not where it was. The commands are decided afterwards. */
  readonly onMoved: () => Promise<void>;
}

/** Decides commands. Commands that arrive while a commit runs share the next one. */
export function deliverer({ db, onMoved }: DelivererOptions): (variant: string, command: Command) => Promise<Applied> {
  async function inTransaction(transaction: Transaction, items: readonly Item[], id: string): Promise<Applied[]> {
    const { run, append, attempt } = transaction;
    const byVariant = new Map<string, Item[]>();
    for (const item of items) {
      const others = byVariant.get(item.variant);
      if (others === undefined) byVariant.set(item.variant, [item]);
      else others.push(item);
    }
    const since = db.now() - CLAIM_WINDOW;
    const [locked, [rows], [repeated]] = await Promise.all([
      run("lock", [...byVariant.keys()]),
      run("load", [...byVariant.keys()], ...namesOf(items), since),
      attempt === 0 ? [] : run("applied", id),
    ]);
    if (locked.some(({ same }) => !same)) throw new Moved();
    const deliveries = (rows.deliveries ?? []).map((row) => ({ row, delivery: toDelivery(row) }));
    if (repeated !== undefined) return items.map(firstResults(JSON.parse(repeated.result), deliveries));
    // The clock is read under the locks, so that times of one variant do not go back.
    const now = db.now();
    const results = new Map<Item, Applied>();
    const stored = {
      variants: [] as object[],
      deliveries: [] as object[],
      attempts: [] as object[],
      removed: [] as string[],
    };
    for (const row of locked) {
      const variant = toVariant(row.variant);
      const own = byVariant.get(variant.id) ?? [];
      const recentClaims = Object.fromEntries(
        (rows.recent ?? []).filter(({ link }) => link === variant.link).map(({ address, n }) => [address, n]),
      );
      const decided = decideBatch(
        {
          link: toLink(row.link),
          variant,
          deliveries: deliveries
            .filter(({ row: { variant: id } }) => id === variant.id)
            .map(({ delivery }) => delivery),
          attempts: rows.attempts ?? [],
          recentClaims,
        },
        own.map(({ command }) => command),
        now,
      );
      for (const [at, item] of own.entries()) results.set(item, decided.results[at] as Applied);
      append(...decided.entries);
      const { id: name, used, held, started, completed } = decided.variant;
      stored.variants.push({ id: name, used, held, started, completed });
      stored.deliveries.push(
        ...decided.deliveries.map((one) => ({ ...deliveryRow(one, variant.id), link: variant.link })),
      );
      stored.attempts.push(...decided.attempts);
      stored.removed.push(...decided.removedAttempts);
    }
    const lists = [stored.variants, stored.deliveries, stored.attempts].map((list) => JSON.stringify(list));
    const ordered = items.map((item): Applied => results.get(item) ?? { ok: false, reason: "unknown" });
    const refusals = ordered.map((result) => (result.ok ? null : [result.reason, result.retryAt]));
    await Promise.all([run("store", ...lists, stored.removed), run("addApplied", id, JSON.stringify(refusals), now)]);
    return ordered;
  }

  const add = joined<Item, Applied>(async (items, deadline) => {
    const id = randomBytes(16).toString("base64url");
    const durable = items.some(({ command: { type } }) => type !== "settle" && type !== "alive");
    return afterMove(
      () => db.transaction((transaction) => inTransaction(transaction, items, id), { durable, deadline }),
      onMoved,
    );
  });
  return (variant, command) => add({ variant, command });
}

type Refusals = readonly (readonly [DeliveryRefusal, Millis | undefined] | null)[];

/** The results of a batch that was committed while its answer was lost. Only refusals were stored, as they leave no other trace. */
function firstResults(
  refusals: Refusals,
  deliveries: readonly { readonly row: DeliveryRow; readonly delivery: Delivery }[],
): (item: Item, at: number) => Applied {
  const byName = new Map(
    deliveries.flatMap(({ row: { variant }, delivery: one }) => {
      return [one.token, one.claim].map((name) => [`${variant} ${name}`, one] as const);
    }),
  );
  return ({ variant, command }, at) => {
    const [reason = "unknown", retryAt] = refusals[at] ?? [];
    const delivery = byName.get(`${variant} ${command.type === "claim" ? command.claim : command.token}`);
    if (refusals[at] !== null || delivery === undefined) return { ok: false, reason, retryAt };
    return { ok: true, delivery, isNew: false, started: false };
  };
}

/** Parameters of `load`: claims with their variants and addresses, tokens with their variants, and attempts. */
function namesOf(items: readonly Item[]): readonly string[][] {
  const claims = items.flatMap(({ variant, command }) => (command.type === "claim" ? [{ variant, ...command }] : []));
  const others = items.flatMap(({ variant, command }) => (command.type === "claim" ? [] : [{ variant, ...command }]));
  const attempts = [
    ...claims.flatMap(({ start }) => (start === undefined ? [] : [start.attempt])),
    ...others.flatMap((command) => ("attempt" in command ? [command.attempt] : [])),
  ];
  return [
    claims.map(({ variant }) => variant),
    claims.map(({ claim }) => claim),
    claims.map(({ address }) => address),
    others.map(({ variant }) => variant),
    others.map(({ token }) => token),
    attempts,
  ];
}
