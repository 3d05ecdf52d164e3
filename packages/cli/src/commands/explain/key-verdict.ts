import { type Grant, isDaypassError } from "daypass";
import type { Cause, Explanation } from "daypass/explain";
import { endOfKey, type KeyRecord } from "../../state-folder/key-record.ts";
import { scopeText } from "../../state-folder/scope.ts";

/** An explanation, and whether the signature of the sent request matches one of the available keys. */
export interface VerifiedExplanation extends Explanation {
  /** Missing if it does not match, if no key was given, and if the signature was not checked. */
  readonly signatureFits?: true | undefined;
}

/**
 * Adds whether the signature matches and, if it does, whether the key's scope forbids the request. `verify` does what a server does.
 * Its other errors are ignored, because `explain` reports their causes itself.
 */
export async function withVerdict(
  explanation: Explanation,
  record: KeyRecord | undefined,
  verify: () => Promise<Grant>,
): Promise<VerifiedExplanation> {
  const { cause, scheme, signedBy } = explanation;
  // Servers return these two codes for many causes, so the verifier may know a better one.
  const isOpen = cause === undefined || cause.code === "PERMISSION" || cause.code === "SERVER";
  if (!isOpen) return explanation;
  const refused = await verify().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (refused === undefined) return { ...explanation, signatureFits: true };
  // Only keys of a state folder and keys of Daypass URLs have a scope.
  const hasScope = record !== undefined || scheme === "url";
  if (!hasScope || !isDaypassError(refused) || refused.code !== "KEY_SCOPE") return explanation;
  const rule = refused.details["rule"] ?? refused.details["member"];
  return {
    ...explanation,
    signatureFits: true,
    cause: {
      code: "PERMISSION",
      sentence: `The signature fits, but the key ${signedBy} may not grant this: it is outside the ${rule} of the key's scope.`,
      evidence: record === undefined ? [] : [`The key may grant ${scopeText(record.scope)}.`],
      fix: `Sign with a key whose scope covers it, or ask for less${record === undefined ? "." : ": see daypass keys list."}`,
    },
  };
}

/** Adds the limits of a key in a gateway's state: its scope, its end, and whether it was revoked or rotated. */
export function withStoredKey(explanation: Explanation, record: KeyRecord | undefined, now: Date): Explanation {
  if (record === undefined) return explanation;
  const { id, scope } = record;
  const end = endOfKey(record);
  const endsFirst = end !== undefined && (explanation.endsAt === undefined || end < explanation.endsAt);
  const scopeTrap = { name: "key-scope", text: `The gateway allows the key ${id} to grant only ${scopeText(scope)}.` };
  return {
    ...explanation,
    ...(endsFirst ? { mayEndEarlier: `its key ends at ${end.toISOString()}` } : {}),
    traps: Object.keys(scope).length === 0 ? explanation.traps : [...explanation.traps, scopeTrap],
    cause: endedKey(explanation, record, now) ?? explanation.cause,
  };
}

/** A revoked key ranks before every other cause. A rotated key ranks after them. */
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
