import type { Cause } from "../explanation.ts";

/** A cause, and what else is found to be wrong. */
export function combineCauses(cause: Cause | undefined, other: Cause | undefined): Cause | undefined {
  if (cause === undefined || other === undefined) return cause;
  return { ...cause, evidence: [...cause.evidence, `Besides: ${other.sentence}`] };
}

/** The likeliest of several causes. */
export function guess(cause: Cause): Cause {
  return { ...cause, isGuess: true };
}

/** A cause from its three sentences and, if there is any, its evidence. */
export function causeOf(code: Cause["code"], sentence: string, fix: string, ...evidence: readonly string[]): Cause {
  return { code, sentence, evidence, fix };
}
