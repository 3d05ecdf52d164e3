/** Deliveries and uses in SQLite. */
import { decisionEntries, useEntry } from "../contract/decision-entries.ts";
import {
  type Applied,
  apply,
  type Changes,
  CLAIM_WINDOW,
  type Command,
  type Delivery,
} from "../contract/deliveries.ts";
import { pageOf, pageStart } from "../contract/page.ts";
import { LOST_USES, mayBeLost } from "../contract/revocations.ts";
import { deliveryRow, toDelivery, toVariant, toWindow } from "../contract/rows.ts";
import type { DeliveryMethods, Variant } from "../contract/state.ts";
import { type DeliveryRow, rowValues } from "../contract/tables.ts";
import type { Engine } from "./engine.ts";
import { foundLink } from "./links.ts";

/** The methods of the contract for deliveries. */
export function deliveryMethods(engine: Engine): DeliveryMethods {
  const { first, all, count, run, append, commit, now } = engine;

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
    for (const one of deliveries) run("putDelivery", ...rowValues("delivery", deliveryRow(one, before.id)), link);
    const token = result.ok ? result.delivery.token : "";
    const attempt = changes.addAttempt ?? changes.changeAttempt;
    if (attempt !== undefined)
      run("putAttempt", ...rowValues("attempt", { id: attempt.id, delivery: token, reserved: attempt.reserved }));
    if (changes.removeAttempt !== undefined) run("removeAttempt", changes.removeAttempt);
  }

  return {
    deliver: (variant, command) => commit(() => deliver(variant, command)),
    findDelivery: (token) =>
      commit(() => {
        const row = first("delivery", token);
        const variant = row && first("variant", row.variant);
        const target = variant && foundLink(engine, first("link", variant.link), variant);
        return row && target && { ...target, delivery: toDelivery(row) };
      }),
    listDeliveries: (link, page) =>
      commit(() => {
        const rows = all("deliveriesAfter", link, pageStart(page)[1], page.limit + 1);
        const toItem = (row: DeliveryRow) => ({ ...toDelivery(row), variant: row.variant });
        return pageOf(rows, page, toItem, "claimed_at", "token");
      }),
    claimUse: ({ kid, grantId, uses, until, validFrom }) =>
      commit(() => {
        const restored = first("revocation", LOST_USES);
        const isLost = restored?.lifted_at === null && mayBeLost(validFrom, Number(restored.created_at));
        const isClaimed = !isLost && run("claimUse", kid, grantId, until, uses) > 0;
        append(useEntry({ kid, grantId }, { isClaimed, isLost }));
        return isClaimed;
      }),
  };
}

function isFull({ max, used, givenBack }: Variant): boolean {
  return max !== undefined && used >= max + givenBack;
}
