/** The entries of decisions. Pure functions, so that every engine adds the same. */
import type { AuditEntry } from "./audit.ts";
import type { Applied, Changes, Command, Delivery, Millis, Start } from "./deliveries.ts";
import type { AuditAction } from "./events.ts";
import type { NamedLink } from "./outbox.ts";
import { targetText } from "./target-text.ts";

/** What one command decided: the entries of its transaction. */
export function decisionEntries(
  { variant, was, attempt }: Decided,
  command: Command,
  { deliveries, result }: Pick<Changes, "deliveries" | "result">,
): readonly AuditEntry[] {
  const { link, name: recipient } = variant;
  const entries: AuditEntry[] = [];
  for (const { state, token, address } of deliveries) {
    if (state !== "lapsed") continue;
    entries.push({ action: "delivery.lapsed", by: "gateway", result: "ok", link, recipient, delivery: token, address });
  }
  const decision = decisionOf(command, result, { was, attempt });
  if (decision === undefined) return entries;
  const delivery = result.ok ? result.delivery : was;
  entries.push({
    action: decision.action,
    by: "holder",
    result: decision.result,
    link,
    recipient,
    delivery: delivery?.token,
    target: startOf(command)?.target,
    bytes: decision.bytes,
    address: command.type === "claim" ? command.address : delivery?.address,
  });
  return entries;
}

/** The rows that a command found. */
export interface Decided {
  readonly variant: { readonly link: string; readonly name?: string | undefined };
  readonly was: Delivery | undefined;
  readonly attempt: { readonly reserved: number } | undefined;
}

function startOf(command: Command): Start | undefined {
  if (command.type === "claim") return command.start;
  return command.type === "start" ? command : undefined;
}

function decisionOf(
  command: Command,
  result: Applied,
  { was, attempt }: Pick<Decided, "was" | "attempt">,
): Pick<AuditEntry, "action" | "result" | "bytes"> | undefined {
  const ok = result.ok ? "ok" : result.reason;
  switch (command.type) {
    case "claim":
    case "start": {
      const start = startOf(command);
      if (start === undefined)
        return result.ok && !result.isNew ? undefined : { action: "delivery.claimed", result: ok };
      const action = was?.state === "started" ? "delivery.continued" : "delivery.started";
      return { action, result: ok, bytes: start.length };
    }
    case "reserve":
      return { action: "delivery.reserved", result: ok, bytes: command.bytes };
    case "alive":
      return undefined;
    case "settle": {
      if (!result.ok) return undefined;
      const bytes = command.sent;
      if (result.delivery.completedAt !== undefined && was?.completedAt === undefined) {
        return { action: "delivery.completed", result: ok, bytes };
      }
      return bytes < (attempt?.reserved ?? 0) && result.delivery.size !== undefined
        ? { action: "delivery.failed", result: "interrupted", bytes }
        : undefined;
    }
  }
}

/** What became of a use of a Daypass URL. */
export function useEntry(
  { kid, grantId }: { readonly kid: string; readonly grantId: string },
  { isClaimed, isLost }: { readonly isClaimed: boolean; readonly isLost: boolean },
): AuditEntry {
  const result = isClaimed ? "ok" : isLost ? "restored" : "used-up";
  return { action: "use.claimed", by: `key:${kid}`, result, subject: grantId };
}

/** What a change of a link is called. `undefined` in a change is no change. */
export function changeEntry(
  link: NamedLink & { readonly expiresAt: Millis },
  change: Readonly<Record<string, unknown>>,
  by: string,
): AuditEntry {
  const { revokedAt, suspended, expiresAt } = change;
  const names = Object.keys(change).filter((name) => change[name] !== undefined);
  const isExtended = names.length === 1 && typeof expiresAt === "number" && expiresAt > link.expiresAt;
  const action: AuditAction =
    revokedAt !== undefined
      ? ifSet(revokedAt, "link.revoked", "link.restored")
      : suspended !== undefined
        ? ifSet(suspended, "link.suspended", "link.resumed")
        : isExtended
          ? "link.extended"
          : "link.edited";
  return { action, by, result: "ok", link: link.id, target: targetText(link), detail: names.join(" ") };
}

function ifSet<T>(value: unknown, set: T, removed: T): T {
  return value === null ? removed : set;
}
