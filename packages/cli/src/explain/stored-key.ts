import { type Grant, isDaypassError } from "daypass";
import type { Cause, Explanation } from "daypass/explain";
import { endOfKey, type KeyRecord } from "../state/key-record.ts";
import { scopeText } from "../state/scope-text.ts";

/** Adds what a gateway's state tells of the key: the URL ends with it, and can do no more than it may. */
export function withStoredKey(explanation: Explanation, record: KeyRecord | undefined, now: Date): Explanation {
  if (record === undefined) return explanation;
  const { id, scope } = record;
  const end = endOfKey(record);
  const endsFirst = end !== undefined && (explanation.endsAt === undefined || end < explanation.endsAt);
  const scopeTrap = { name: "key-scope", text: `The gateway lets the key ${id} grant only ${scopeText(scope)}.` };
  return {
    ...explanation,
    ...(endsFirst ? { mayEndEarlier: `its key ends at ${end.toISOString()}` } : {}),
    traps: Object.keys(scope).length === 0 ? explanation.traps : [...explanation.traps, scopeTrap],
    cause: endedKey(explanation, record, now) ?? explanation.cause,
  };
}

/** A key that was revoked: no other URL of it opens, whatever else is the matter. Or one that has ended. */
function endedKey({ cause }: Explanation, { id, revokedAt, retiresAt }: KeyRecord, now: Date): Cause | undefined {
  const code = "UNKNOWN_KEY";
  if (revokedAt !== undefined) {
    return {
      code,
      sentence: `The key ${id} was revoked at ${revokedAt}: the gateway refuses all that it has signed.`,
      evidence: cause === undefined || cause.code === code ? [] : [`Besides: ${cause.sentence}`],
      fix: "Sign with another key: see daypass keys list.",
    };
  }
  if (cause !== undefined || retiresAt === undefined || now < new Date(retiresAt)) return undefined;
  return {
    code,
    sentence: `The key ${id} was rotated, and ended at ${new Date(retiresAt).toISOString()}: the gateway knows it no more.`,
    evidence: [],
    fix: "Sign with its successor: see daypass keys list.",
  };
}

/**
 * Why the gateway refuses a URL whose signature fits: its key may not grant this. `verify` is what the gateway does; what else it
 * refuses, the explanation tells by itself.
 */
export async function withScope(
  explanation: Explanation,
  record: KeyRecord | undefined,
  verify: () => Promise<Grant>,
): Promise<Explanation> {
  const { cause } = explanation;
  // Of an answer that servers give for many things nobody knows more than this.
  const isOpen = cause === undefined || cause.code === "PERMISSION" || cause.code === "SERVER";
  if (record === undefined || Object.keys(record.scope).length === 0 || !isOpen) return explanation;
  const refused = await verify().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isDaypassError(refused) || refused.code !== "KEY_SCOPE") return explanation;
  const rule = refused.details["rule"] ?? refused.details["member"];
  return {
    ...explanation,
    cause: {
      code: "PERMISSION",
      sentence: `The signature fits, and the key ${record.id} may not grant this: it is outside the ${rule} of the key's scope.`,
      evidence: [`The key may grant ${scopeText(record.scope)}.`],
      fix: "Sign with a key whose scope covers it, or ask for less: see daypass keys list.",
    },
  };
}
