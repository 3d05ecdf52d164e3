import type { Cause } from "../explanation.ts";

/** A cause, and what else is found to be wrong. */
export function besides(cause: Cause | undefined, other: Cause | undefined): Cause | undefined {
  if (cause === undefined || other === undefined) return cause;
  return { ...cause, evidence: [...cause.evidence, `Besides: ${other.sentence}`] };
}
