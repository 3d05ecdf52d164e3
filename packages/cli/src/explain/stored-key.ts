import type { Explanation } from "daypass/explain";
import { endOfKey, type KeyRecord } from "../state/key-record.ts";
import { scopeText } from "../state/scope-text.ts";

/** Adds what a gateway's state tells of the key: the URL ends with it, and can do no more than it may. */
export function withStoredKey(explanation: Explanation, record: KeyRecord | undefined, now: Date): Explanation {
  if (record === undefined) return explanation;
  const { id, scope, retiresAt } = record;
  const end = endOfKey(record);
  const endsFirst = end !== undefined && (explanation.endsAt === undefined || end < explanation.endsAt);
  const ended = retiresAt === undefined ? undefined : new Date(retiresAt);
  const scopeTrap = { name: "key-scope", text: `The gateway lets the key ${id} grant only ${scopeText(scope)}.` };
  return {
    ...explanation,
    ...(endsFirst ? { mayEndEarlier: `its key ends at ${end.toISOString()}` } : {}),
    traps: Object.keys(scope).length === 0 ? explanation.traps : [...explanation.traps, scopeTrap],
    cause:
      explanation.cause ??
      (ended === undefined || now < ended
        ? undefined
        : {
            code: "UNKNOWN_KEY",
            sentence: `The key ${id} was rotated, and ended at ${ended.toISOString()}: the gateway knows it no more.`,
            evidence: [],
            fix: "Sign with its successor: see daypass keys list.",
          }),
  };
}
