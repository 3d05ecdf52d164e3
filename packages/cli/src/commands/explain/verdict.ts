import { type Grant, isDaypassError } from "daypass";
import type { Explanation } from "daypass/explain";
import type { KeyRecord } from "../../state/key-record.ts";
import { scopeText } from "../../state/scope-text.ts";

/** An explanation, and whether the keys at hand have borne the URL out. */
export interface Judged extends Explanation {
  /** That of the request that was sent. Missing where no key was given, and where it was not looked at. */
  readonly signatureFits?: true | undefined;
}

/**
 * Adds whether the signature fits and, where it does, that its key may not grant this. `verify` is what a server does; what else it would
 * refuse, the explanation tells by itself.
 */
export async function withVerdict(
  explanation: Explanation,
  record: KeyRecord | undefined,
  verify: () => Promise<Grant>,
): Promise<Judged> {
  const { cause, scheme, signedBy } = explanation;
  // Of an answer that servers give for many things nobody knows more than this.
  const isOpen = cause === undefined || cause.code === "PERMISSION" || cause.code === "SERVER";
  if (!isOpen) return explanation;
  const refused = await verify().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (refused === undefined) return { ...explanation, signatureFits: true };
  // Of other schemes it is no scope of the key's, and they say so themselves.
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
