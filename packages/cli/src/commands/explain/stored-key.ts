import type { Cause, Explanation } from "daypass/explain";
import { endOfKey, type KeyRecord } from "../../state/key-record.ts";
import { scopeText } from "../../state/scope-text.ts";

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

/** A revoked key comes before whatever else is the matter, as none of its URLs opens; one that has ended comes where nothing else is. */
function endedKey({ cause }: Explanation, { id, revokedAt, retiresAt }: KeyRecord, now: Date): Cause | undefined {
  const code = "UNKNOWN_KEY";
  if (revokedAt !== undefined) {
    return {
      code,
      sentence: `The key ${id} was revoked at ${revokedAt}: the gateway refuses everything it has signed.`,
      evidence: cause === undefined || cause.code === code ? [] : [`Besides: ${cause.sentence}`],
      fix: "Sign with another key: see daypass keys list.",
    };
  }
  if (cause !== undefined || retiresAt === undefined || now < new Date(retiresAt)) return undefined;
  return {
    code,
    sentence: `The key ${id} was rotated, and ended at ${new Date(retiresAt).toISOString()}: the gateway no longer knows it.`,
    evidence: [],
    fix: "Sign with its successor: see daypass keys list.",
  };
}
