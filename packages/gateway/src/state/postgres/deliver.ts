/** Commands of one variant in one transaction: two round trips, one commit, however many arrived together. */
import { performance } from "node:perf_hooks";
import { decideBatch } from "../contract/decide-batch.ts";
import { type Applied, CLAIM_WINDOW, type Command, type Delivery } from "../contract/deliveries.ts";
import { type Row, toDelivery, toLink, toVariant } from "../contract/rows.ts";
import { StateUnavailable } from "../contract/unavailable.ts";
import { type Database, DEADLINE_MS, type Run } from "./connection.ts";
import { joined } from "./joined.ts";

interface Item {
  readonly command: Command;
  /** After this, by `performance.now()`, the client has been refused. */
  readonly deadline: number;
}

/** Options of {@link deliverer}. */
export interface DelivererOptions {
  readonly db: Database;
  /** Called if the data is not where it was. The command is decided again afterwards. */
  readonly onMoved: () => Promise<void>;
}

/** Signals that the data was restored, or that a standby was promoted. */
class Moved extends Error {}

/** Decides commands. Commands of one variant that arrive together share a commit. */
export function deliverer({ db, onMoved }: DelivererOptions): (variant: string, command: Command) => Promise<Applied> {
  const decide = (variant: string, commands: readonly Command[], deadline: number): Promise<readonly Applied[]> => {
    const durable = commands.some(({ type }) => type !== "settle" && type !== "alive");
    return db.transaction((run) => inTransaction(run, variant, commands), { durable, deadline });
  };

  async function inTransaction(run: Run, variantId: string, commands: readonly Command[]): Promise<readonly Applied[]> {
    const since = db.now() - CLAIM_WINDOW;
    const [[locked], [rows]] = await Promise.all([
      run("lock", variantId),
      run("load", variantId, ...namesOf(commands), since),
    ]);
    if (locked === undefined) return commands.map(() => ({ ok: false, reason: "unknown" }));
    if (!locked.same) throw new Moved();
    const before = toVariant(locked.variant);
    const loaded = {
      link: toLink(locked.link),
      variant: before,
      deliveries: ((rows.deliveries ?? []) as Row[]).map(toDelivery),
      attempts: rows.attempts ?? [],
      recentClaims: rows.recent ?? {},
    };
    // The clock is read under the lock, so that times of one variant do not go back.
    const decided = decideBatch(loaded, commands, db.now());
    const { variant, deliveries, attempts, removedAttempts } = decided;
    if (deliveries.length > 0 || variant.used !== before.used) {
      const { used, held, started, completed } = variant;
      const put = JSON.stringify(deliveries.map((one) => deliveryRow(one, before)));
      await run("store", variantId, used, held, started, completed, put, JSON.stringify(attempts), removedAttempts);
    }
    return decided.results;
  }

  return joinedWithDeadline(async (variant, commands, deadline) => {
    try {
      return await decide(variant, commands, deadline);
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
      await onMoved();
      return decide(variant, commands, deadline);
    }
  });
}

function joinedWithDeadline(
  run: (variant: string, commands: readonly Command[], deadline: number) => Promise<readonly Applied[]>,
): (variant: string, command: Command) => Promise<Applied> {
  const add = joined<Item, Applied | Error>(async (variant, items) => {
    // The client of an overdue command was refused, so nothing may be counted for it.
    const now = performance.now();
    const inTime = items.filter(({ deadline }) => now < deadline);
    const results = new Map<Item, Applied | Error>();
    const settle = async (batch: readonly Item[]): Promise<void> => {
      const deadline = Math.min(...batch.map((item) => item.deadline));
      const commands = batch.map(({ command }) => command);
      const decided = await run(variant, commands, deadline).catch((error: Error) => error);
      if (!(decided instanceof Error))
        for (const [at, item] of batch.entries()) results.set(item, decided[at] as Applied);
      else if (batch.length === 1 || decided instanceof StateUnavailable)
        for (const item of batch) results.set(item, decided);
      else for (const item of batch) await settle([item]);
    };
    if (inTime.length > 0) await settle(inTime);
    return items.map((item) => results.get(item) ?? new StateUnavailable("the database does not answer"));
  });
  return async (variant, command) => {
    const result = await add(variant, { command, deadline: performance.now() + DEADLINE_MS });
    if (result instanceof Error) throw result;
    return result;
  };
}

/** Claims, tokens, attempts and addresses that the commands name. */
function namesOf(commands: readonly Command[]): [string[], string[], string[], string[]] {
  const claims = commands.flatMap((one) => (one.type === "claim" ? [one] : []));
  const tokens = commands.flatMap((one) => (one.type === "claim" ? [] : [one.token]));
  const attempts = commands.flatMap((one) => {
    const attempt = one.type === "claim" ? one.start?.attempt : "attempt" in one ? one.attempt : undefined;
    return attempt === undefined ? [] : [attempt];
  });
  return [claims.map(({ claim }) => claim), tokens, attempts, claims.map(({ address }) => address)];
}

function deliveryRow(one: Delivery, { id, link }: { readonly id: string; readonly link: string }): object {
  const { token, claim, state, claimedAt, address, startBy, leaseUntil, etag, size, held, covered, completedAt } = one;
  return {
    ...{ token, variant: id, link, claim, state, address, etag, size, held },
    ...{ claimed_at: claimedAt, start_by: startBy, lease_until: leaseUntil, completed_at: completedAt },
    covered: JSON.stringify(covered),
  };
}
