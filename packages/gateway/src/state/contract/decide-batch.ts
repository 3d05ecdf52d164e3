/** Decides commands of one variant that arrived together, in their order, as if each had its own transaction. Pure. */
import type { AuditEntry } from "./audit.ts";
import { decisionEntries } from "./decision-entries.ts";
import { type Applied, type Attempt, apply, type Command, type Delivery, type Millis } from "./deliveries.ts";
import type { Link } from "./fields.ts";
import type { Variant } from "./state.ts";

/** The rows that the commands of a batch may read. */
export interface Loaded {
  readonly link: Link;
  readonly variant: Variant;
  /** Deliveries that a command names, and all claimed ones. */
  readonly deliveries: readonly Delivery[];
  /** Attempts that a command names; none before their start. */
  readonly attempts: readonly Attempt[];
  /** Claims of the link in the window, by address. */
  readonly recentClaims: Readonly<Record<string, number>>;
}

/** What a batch changes. Empty lists if every command was refused or repeated. */
export interface Decided {
  /** In the order of the commands. */
  readonly results: readonly Applied[];
  readonly variant: Variant;
  readonly deliveries: readonly Delivery[];
  readonly attempts: readonly (Attempt & { readonly delivery: string })[];
  readonly removedAttempts: readonly string[];
  /** What is recorded; empty if every command was repeated. */
  readonly entries: readonly AuditEntry[];
}

/** Decides a batch. */
export function decideBatch(loaded: Loaded, commands: readonly Command[], now: Millis): Decided {
  const { link } = loaded;
  let { variant } = loaded;
  const deliveries = new Map(loaded.deliveries.map((one) => [one.token, one]));
  const byClaim = new Map(loaded.deliveries.map((one) => [one.claim, one.token]));
  const attempts = new Map(loaded.attempts.map((one) => [one.id, one]));
  const recent = new Map(Object.entries(loaded.recentClaims));
  const waiting = new Map(loaded.deliveries.filter(({ state }) => state === "claimed").map((one) => [one.token, one]));
  const changed = new Set<string>();
  const put = new Map<string, Attempt & { readonly delivery: string }>();
  const removed = new Set<string>();
  const entries: AuditEntry[] = [];

  const decide = (command: Command): Applied => {
    const isClaim = command.type === "claim";
    const token = isClaim ? byClaim.get(command.claim) : command.token;
    const delivery = token === undefined ? undefined : deliveries.get(token);
    const attemptId = isClaim ? command.start?.attempt : "attempt" in command ? command.attempt : undefined;
    const attempt = attemptId === undefined || delivery === undefined ? undefined : attempts.get(attemptId);
    // A start that was committed while its answer was lost arrives again with the same attempt.
    if (attempt !== undefined && delivery !== undefined && (isClaim || command.type === "start")) {
      return { ok: true, delivery, isNew: false, started: false };
    }
    const claimed = isClaim ? [...waiting.values()] : [];
    const recentClaims = isClaim ? (recent.get(command.address) ?? 0) : 0;
    const changes = apply({ link, variant, delivery, claimed, recentClaims, attempt }, command, now);
    const { result } = changes;
    const isCompleted = result.ok && result.delivery.completedAt !== undefined && delivery?.completedAt === undefined;
    entries.push(...decisionEntries({ variant, was: delivery, attempt }, command, changes));
    variant = {
      ...variant,
      ...changes.variant,
      started: variant.started + Number(result.ok && result.started),
      completed: variant.completed + Number(isCompleted),
    };
    for (const one of changes.deliveries) {
      deliveries.set(one.token, one);
      byClaim.set(one.claim, one.token);
      if (one.state === "claimed") waiting.set(one.token, one);
      else waiting.delete(one.token);
      changed.add(one.token);
    }
    if (isClaim && result.ok && result.isNew) recent.set(command.address, recentClaims + 1);
    const kept = changes.addAttempt ?? changes.changeAttempt;
    if (kept !== undefined && result.ok) {
      attempts.set(kept.id, kept);
      put.set(kept.id, { ...kept, delivery: result.delivery.token });
    }
    if (changes.removeAttempt !== undefined) {
      attempts.delete(changes.removeAttempt);
      put.delete(changes.removeAttempt);
      removed.add(changes.removeAttempt);
    }
    return result;
  };

  const results = commands.map(decide);
  return {
    results,
    variant,
    deliveries: [...changed].map((token) => deliveries.get(token) as Delivery),
    attempts: [...put.values()],
    removedAttempts: [...removed],
    entries,
  };
}
